"""A payment server in Stripe's wire format, for laptops and tests.

It owns its own money (none of it real), its own SQLite file and its own clock, and imports nothing of Jetway: the
two meet only over HTTP, exactly as Jetway and Stripe do. Shapes follow API version 2026-10-28.endive, the one that
the `stripe` SDK 16.1 speaks. `docs/sandbox.md` tells how to use it.
"""
