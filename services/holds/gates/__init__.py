"""Gates before the database: they spare it work, and never decide (`protocol.py` says how).

`local.py` is what one process knows, `valkey.py` what all of them do, `chain.py` asks one behind the other, and
`breaker.py` keeps a Valkey that is slow or gone from being waited for.
"""

from services.holds.gates.chain import Gates
from services.holds.gates.local import LocalGate
from services.holds.gates.protocol import Entry, Gate, Unit, Won
from services.holds.gates.valkey import ValkeyGate

__all__ = ["Entry", "Gate", "Gates", "LocalGate", "Unit", "ValkeyGate", "Won"]
