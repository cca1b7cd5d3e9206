"""Input by known ways: variables coerced, and input objects built, without asking each time what they are made of.

Both libraries look at every type of every value again, which for a mutation takes longer than all else. Here that is
done once. What is odd is left to them, so that values and errors are theirs:

    quicken(schema)                      # Strawberry builds its input objects by a plan from now on
    Variables(schema._schema, operation).values({"input": {...}})   # None: ask graphql-core
"""

from engine.inputs.objects import quicken
from engine.inputs.variables import Variables

__all__ = ["Variables", "quicken"]
