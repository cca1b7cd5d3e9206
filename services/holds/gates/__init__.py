"""Gates before the database: they spare it work, and never decide (`protocol.py` says how)."""

from services.holds.gates.chain import Gates
from services.holds.gates.protocol import Entry, Gate, Unit, Won

__all__ = ["Entry", "Gate", "Gates", "Unit", "Won"]
