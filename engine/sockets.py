"""graphql-transport-ws, on Strawberry's handler: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md

What it does differently: malformed messages close with 4400 instead of crashing, a wrong document ends its operation
and not the socket, pong echoes, credentials come with connection_init, and each operation has a context of its own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, Message, PingMessage
from strawberry.types.execution import PreExecutionError

from engine.errors import Refused, internal
from engine.requests import wrong_message

if TYPE_CHECKING:
    from engine.transport import GraphQLApp

FORBIDDEN = 4403
LONGEST_REASON = 123
"""Bytes of a closing reason (RFC 6455 section 5.5)."""


class Socket(ASGIWebSocketAdapter):
    """A socket that sends text frames, and knows when it is closed."""

    ws: WebSocket

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send one message. Raises WebSocketDisconnected once either side has closed."""
        if self.ws.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnected
        data = self.view.encode_json(message)
        await self._send(data.decode() if isinstance(data, bytes) else data)

    async def close(self, code: int, reason: str) -> None:
        """Close the socket; does nothing where that is done already."""
        if self.ws.application_state is WebSocketState.CONNECTED:
            fitting = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
            await self.ws.close(code=code, reason=fitting)

    async def _send(self, text: str) -> None:
        try:
            await self.ws.send_text(text)
        except (RuntimeError, OSError) as error:  # what servers raise when the other side has just gone
            raise WebSocketDisconnected from error


class SocketHandler(BaseGraphQLTransportWSHandler[Any, None]):
    """One socket, from connection_init to its end."""

    view: GraphQLApp
    websocket: Socket
    authorization: str | None = None

    @property
    def request_id(self) -> str:
        """The id of the request that opened the socket."""
        return str(self.websocket.ws.scope.get("request_id", ""))

    async def handle_message(self, message: Message) -> None:
        """Act on one message, or close the socket for a malformed one."""
        problem = wrong_message(message)
        if problem is not None:
            await self.handle_invalid_message(problem)
        else:
            await super().handle_message(message)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Keep the credentials, once they are found to be good; close with 4403 where they are not."""
        if not self.connection_init_received:
            try:
                self.authorization = credentials(cast("Mapping[str, object]", message.get("payload", {})))
                self.make_context()
            except Refused as refusal:
                await self.websocket.close(FORBIDDEN, refusal.message)
                return
        await super().handle_connection_init(message)

    async def handle_ping(self, message: PingMessage) -> None:
        """Answer with the payload that came."""
        answer = {"type": "pong", **({"payload": message["payload"]} if "payload" in message else {})}
        await self.send_message(cast("Message", answer))

    async def run_operation(self, operation: Operation[Any, None]) -> None:
        """Run one operation to its end, in a context of its own."""
        try:
            with self.view.tracking():
                await self.execute(operation)
        except WebSocketDisconnected:
            return
        except Refused as refusal:
            await self.end_with(operation, refusal.message, refusal.extensions)
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            self.view.errors.unexpected(error)
            await self.end_with(operation, *internal(self.request_id))

    async def execute(self, operation: Operation[Any, None]) -> None:
        """Send the operation's results as they come."""
        results = await self.schema.stream(
            operation.query,
            variable_values=operation.variables,
            context_value=self.make_context(),
            operation_name=operation.operation_name or None,
        )
        async with aclosing(results), aclosing(self.told(results)) as told:
            await self._send_result_stream(operation, told)
        await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def told(self, results: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        """The results with their errors as they are told."""
        try:
            async for result in results:
                if result.errors:
                    result.errors = self.view.errors.told(result.errors, self.request_id)
                yield result
        except RecursionError as error:
            nested = GraphQLError(str(error), original_error=error)
            yield PreExecutionError(data=None, errors=self.view.errors.told([nested], self.request_id))

    async def end_with(self, operation: Operation[Any, None], message: str, extensions: dict[str, Any]) -> None:
        """End the operation with one error; the socket may have gone meanwhile."""
        try:
            await operation.send_initial_errors([GraphQLError(message, extensions=extensions)])
        except WebSocketDisconnected:
            return

    def make_context(self) -> Any:
        """A context for one operation. Raises Refused where the credentials are no good (any more)."""
        return self.view.make_context(self.websocket.ws, self.authorization)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        return None


def credentials(payload: Mapping[str, object]) -> str | None:
    """The `authorization` of connection_init, however its name is capitalised. Raises Refused for what is no text."""
    for name, value in payload.items():
        if name.lower() == "authorization" and value is not None:
            if not isinstance(value, str):
                raise Refused(401, "authorization is not a string", {})
            return value
    return None
