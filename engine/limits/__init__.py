"""What a document may ask for, decided before anything is done for it.

In this order: bytes and tokens (before parsing), then, by one walk that measures every fragment once, nesting, depth,
operations, root fields, fields, aliases, directives and fragments; then validation, whose costly rule has a bounded one
of ours in its place; then, for each request, breadth and cost. Every refusal has a code of its own, with the limit and
what was found. Time is the executing engine's matter.
"""

from engine.limits.declared import Cost, ListSize, cost, list_size
from engine.limits.settings import Limits

__all__ = ["Cost", "Limits", "ListSize", "cost", "list_size"]
