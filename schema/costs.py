"""What reading costs, in the unit of the engine's limits, where one object of an answer costs 1.

A field that reads from PostgreSQL has the weight of what that takes of a process, beside what each object of it costs.
An operation may cost `engine.limits.Limits.cost` in all: twenty boards of a few flights, a dozen seat maps, or a page
of a hundred offers with everything about them.
"""

READING = 500
"""A search, a seat map, a board: statements of their own, and much to be put together."""

LOOKING_UP = 100
"""One row, or a few, by their key."""
