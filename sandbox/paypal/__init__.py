"""The same money in another gateway's shape: redirect and callback, as PayPal's REST API has them.

Orders v2, payments v2, transaction search and disputes, under the prefix `/paypal` of the sandbox's address. It shares
the store, the clock, the faults and the courier with Stripe's side, and none of its documents.
"""

PREFIX = "/paypal"
