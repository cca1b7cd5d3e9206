"""The response cache: answers that are the same for many are made once, and kept for as long as they are true.

`AnswerCache` (cache.py) is the `ResponseCache` of `engine.http`. A root field opts in where the schema declares it:

    flight = strawberry.field(resolver=..., metadata=shared(seconds=5, topics=lambda of: [f"flight:{of['id']}"]))

An answer is kept only where every root field of the operation opted in. It is executed with a context of its own, made
by `Hooks.share`, that writes down what the resolvers do with it: one that touches who is asking makes the answer
that client's alone (`Sharing.spoil`), and one that shows a deadline says for how long it is true (`Sharing.lasts`).
Mutations, subscriptions, and answers with errors are never kept.

An answer ends with the shortest of: the seconds of its fields; what its resolvers said; the first fact told on one of
its topics (`AnswerCache.drop`). It is kept only where every topic was listened to before its execution began, and
nothing was told on them meanwhile; so whoever is told a fact and asks after that never sees what was before. What is
committed and not told yet may still be missing, as it would be in the answer of anybody who asked a moment earlier;
whoever wrote something over HTTP is shown nothing any more that was read before, and whoever sends
`Cache-Control: no-cache` never is.
"""

from engine.caching.cache import AnswerCache, Hooks
from engine.caching.listening import Deaf, Listening
from engine.caching.rules import Shared, shared
from engine.caching.sharing import Sharing

__all__ = ["AnswerCache", "Deaf", "Hooks", "Listening", "Shared", "Sharing", "shared"]
