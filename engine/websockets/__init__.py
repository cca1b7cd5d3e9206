"""GraphQL over WebSocket (graphql-transport-ws), as an ASGI application over `engine.operations.Engine`.

`GraphQLSocket` (app.py) is the application; `Options` bound what it takes, `Hooks` are what it knows of the application
around it, `Code` is why it closes. `Subscriber` is where answers that many share are handed in (`Hooks.stream`).
`serving.py` has what uvicorn needs beside it.
"""

from engine.websockets.app import GraphQLSocket, evenly
from engine.websockets.codes import Code
from engine.websockets.hooks import Hooks, text_of, together
from engine.websockets.options import Options
from engine.websockets.outbox import Subscriber

__all__ = ["Code", "GraphQLSocket", "Hooks", "Options", "Subscriber", "evenly", "text_of", "together"]
