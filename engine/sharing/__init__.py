"""Subscriptions that are executed once for everybody who sees the same.

A field opts in, with the audience that it is the same for, and gives a `Live` in place of a generator:

    async def seats(info, flight: int, after: str | None = None) -> AsyncGenerator[SeatEvent, None]:
        return Live(SeatFeed(flight), after)

    seat_events = strawberry.subscription(resolver=seats, metadata=shared_by(audience=everybody, cursor="after"))

and the application says `Hooks(stream=SharedStreams(share))`. Subscribers with the same document, operation, variables
and audience are then one group: each event is executed and encoded once, and each of them is given the same bytes.

- **Nobody's data reaches another.** A group is executed with a context that has no viewer; a resolver that looks at one
  ends the stream for everybody before anything of it is sent. What a viewer may see is decided by the audience, which
  is asked again for every member at every event; whoever is no longer of it is told so, and hears no more.
- **Nothing is missing, and nothing comes twice.** Whoever joins is first told the present state, or what changed since
  the cursor that he came with; then what the group is told. Both come from one `Feed`, in one task.
- **What comes quickly comes together.** The first event of a quiet time goes out at once; what follows within a tick is
  one event.
- **Slow clients wait for nothing and hold nobody up.** Whoever does not take what he was sent is left out, and only
  the place is kept that he had reached. When he has taken it he is brought to the present as if he had come back with
  a cursor: with the newest of everything that changed.

`rules.py` finds what a field declares, `feeds.py` says what it must give, `groups.py` is one group, `streams.py` is all
of them.
"""

from engine.sharing.feeds import Feed, Live
from engine.sharing.groups import Personal, Watch
from engine.sharing.rules import everybody, shared_by
from engine.sharing.streams import SharedStreams

__all__ = ["Feed", "Live", "Personal", "SharedStreams", "Watch", "everybody", "shared_by"]
