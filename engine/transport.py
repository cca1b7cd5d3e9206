"""GraphQL over HTTP and over WebSocket (graphql-transport-ws), as one ASGI application.

A thin layer over Strawberry's own: it checks what comes in, makes a context for each operation, and decides what is
told of errors. It knows nothing of the application but the callables that it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.schema import BaseSchema
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from engine.errors import BAD_REQUEST, Errors, Refused, body, internal
from engine.requests import read_request
from engine.responses import JSON
from engine.sockets import Socket, SocketHandler

MakeContext = Callable[[HTTPConnection, str | None], Any]
"""Makes the context of one operation from the connection and its credentials: the Authorization header, or over
WebSocket `authorization` in the payload of connection_init. Raises Refused for credentials that are no good."""

INIT_SECONDS = 3
OPERATIONS_PER_SOCKET = 100


class GraphQLApp(GraphQL[Any, None]):
    """The ASGI application at `/graphql`.

    `tracking` makes a context manager that is open as long as an operation over WebSocket is. Pages of other origins
    may not open a WebSocket here.
    """

    websocket_adapter_class = Socket
    graphql_transport_ws_handler_class = SocketHandler

    def __init__(
        self,
        schema: BaseSchema,
        *,
        make_context: MakeContext,
        errors: Errors,
        tracking: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS),
            max_subscriptions_per_connection=OPERATIONS_PER_SOCKET,
        )
        self.make_context = make_context
        self.errors = errors
        self.tracking = tracking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one socket to its end."""
        if scope["type"] == "websocket":
            await self.run(WebSocket(scope, receive, send))
        else:
            response = await self.answer(Request(scope, receive))
            await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """The response to an HTTP request."""
        if request.method not in ("GET", "POST"):
            refusal = body("GraphQL takes GET and POST.", {"code": BAD_REQUEST})
            return JSON(refusal, status_code=405, headers={"Allow": "GET, POST"})
        try:
            return await self.run(request)
        except HTTPException as problem:
            return JSON(body(problem.reason, {"code": BAD_REQUEST}), status_code=problem.status_code)
        except Refused as refusal:
            headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
            return JSON(body(refusal.message, refusal.extensions), status_code=refusal.status, headers=headers)
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            self.errors.unexpected(error)
            return JSON(body(*internal(request_id(request))), status_code=500)

    def is_request_allowed(self, request: object) -> bool:
        """Always: `answer` has seen to it."""
        return True

    def should_render_graphql_ide(self, request: object) -> bool:
        """Never: the page is the application's."""
        return False

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        """The context of an HTTP request; a socket makes one for each operation."""
        if isinstance(request, WebSocket):
            return None
        return self.make_context(request, request.headers.get("authorization"))

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        """The request, checked. Raises HTTPException 400, or 415 for a body that is not JSON."""
        if request.method == "GET":
            return read_request(self.parse_query_params(request.query_params))
        if (request.content_type or "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415, "Send application/json.")
        return read_request(self.parse_json(await request.get_body()))

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Any,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Execute one operation. Raises HTTPException 400 for one that HTTP does not carry: a subscription, or a
        mutation by GET."""
        allowed = OperationType.from_http(request_adapter.method) - {OperationType.SUBSCRIPTION}
        try:
            return await self.schema.execute(
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=allowed,
                operation_extensions=request_data.extensions,
            )
        except CannotGetOperationTypeError as refusal:
            raise HTTPException(400, refusal.as_http_error_reason()) from refusal
        except InvalidOperationTypeError as refusal:
            if refusal.operation_type is OperationType.SUBSCRIPTION:
                raise HTTPException(400, "Subscriptions go over WebSocket (graphql-transport-ws).") from refusal
            raise HTTPException(400, refusal.as_http_error_reason(request_adapter.method)) from refusal

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """The result as it is told."""
        if result.errors:
            result.errors = self.errors.told(result.errors, request_id(request))
        return process_result(result)

    def decode_json(self, data: str | bytes) -> object:
        """Strict JSON: no NaN, no bad UTF-8, no number or nesting that nothing could mean. Raises JSONDecodeError."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        """JSON in UTF-8."""
        return orjson.dumps(data)


def request_id(connection: HTTPConnection) -> str:
    """The id that the middleware gave to the request."""
    return str(connection.scope.get("request_id", ""))
