/**
 * The bank's page has come back. In the frame of payment.js it is told so; where the payer had left us for a gateway's
 * own page, they are led on to the payment. Whether it went well, `payBooking` will tell.
 */

if (parent === window) location.replace("/#/payment");
else parent.postMessage("jetway:returned", location.origin);
