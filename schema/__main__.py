"""Print the contract: `python -m schema`."""

from __future__ import annotations

import sys

from schema.build import schema

sys.stdout.write(schema.as_str() + "\n")
