"""Papers: what a traveller can print or keep as a PDF, the e-ticket and the receipt.

`records.py` reads what a paper tells; `sheets.py` is how our pages look; `etickets.py` and `receipts.py` lay them out.
Nothing is kept: a paper says what is so at the moment it is drawn.
"""

from services.papers.printing import PaperKind, draw, kinds_of
from services.papers.records import Record, read

__all__ = ["PaperKind", "Record", "draw", "kinds_of", "read"]
