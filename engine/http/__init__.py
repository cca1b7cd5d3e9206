"""GraphQL over HTTP and server-sent events, as an ASGI application over `engine.operations.Engine`.

`GraphQLHTTP` (app.py) is the application; `Options` bound what it reads, `Events` say how subscriptions are streamed,
`ResponseCache` is where answers may be kept (`engine.caching` is one), and `Lane` (lane.py) is where uvicorn finds them
before it asks an application. Everything it knows of the application around it comes as callables.
"""

from engine.callers import Caller
from engine.http.app import GraphQLHTTP
from engine.http.caching import Raw, ResponseCache, Stored
from engine.http.events import Events, into_variable
from engine.http.lane import Lane, lane_protocol
from engine.http.options import Options

__all__ = [
    "Caller",
    "Events",
    "GraphQLHTTP",
    "Lane",
    "Options",
    "Raw",
    "ResponseCache",
    "Stored",
    "into_variable",
    "lane_protocol",
]
