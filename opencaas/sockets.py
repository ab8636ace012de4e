"""uvicorn's WebSocket connection with what change streams need: ready-made frames, and an end for all who do not read.

A frame goes to the transport as it is, which costs a tenth of a message through ASGI; a client that takes nothing more
is cut off some seconds after it was told why, where uvicorn would wait for it as long as the system does.
"""

from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from rest_compat.websocket import FRAMES

__all__ = ["LARGEST_MESSAGE", "PING_SECONDS", "SocketProtocol"]

PING_SECONDS: Final = 30.0
"""How often a client is pinged, and how long it may take to answer (CaaS platform documentation 14.9.0, 5.7)."""

LARGEST_MESSAGE: Final = 16 * 1024
"""Bytes of a message of a client; none is expected, so larger ones end the connection."""

_LEAVE_SECONDS: Final = 3.0
"""How long a client has to take what was sent, once the connection is being closed."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket connection; offers itself to the application as a :class:`rest_compat.websocket.FrameWriter`."""

    @property
    def waiting(self) -> int:
        """Bytes that the system has not taken yet."""
        return 0 if self._is_over() else self.transport.get_write_buffer_size()

    def write(self, frame: bytes) -> None:
        """Send a whole frame."""
        if not self._is_over():
            self.transport.write(frame)

    def close(self, code: int, reason: str) -> None:
        """Say why it is over and close; as the base class does it, but without waiting for the client to read."""
        if self._is_over():
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(_LEAVE_SECONDS, self._cut_off)

    def data_received(self, data: bytes) -> None:
        """Take data; a request that is too long is answered by the library, whose answer the base class forgets."""
        super().data_received(data)
        if not self.handshake_initiated and (answer := b"".join(self.conn.data_to_send())):
            self.transport.write(answer)
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        """Offer the extension; the application begins after this."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.scope["extensions"] = {**(self.scope["extensions"] or {}), FRAMES: cast("Any", self)}

    def handle_parser_exception(self) -> None:
        """End a connection whose data cannot be read; the base class knows only those that are open already."""
        if self.conn.close_sent is not None:
            super().handle_parser_exception()
        elif not self.handshake_initiated:
            self._refuse()
        else:
            self.transport.abort()

    async def send(self, message: Any) -> None:
        """Send a message of the application; after a whole answer that refuses the WebSocket nothing is missing."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # else the base class logs an error for each refusal

    def shutdown(self) -> None:
        """Close when the server stops, even if the client does not read.

        A client that was told why already gets the time to answer: one whose answer meets a closed connection may take
        the whole for an accident.
        """
        if not self.close_sent:
            super().shutdown()
        self._leave_soon()

    def keepalive_timeout(self) -> None:
        """Close when a ping has no answer, even if the client does not read."""
        super().keepalive_timeout()
        self._leave_soon()

    def _is_over(self) -> bool:
        return self.close_sent or self.disconnected or self.transport.is_closing()

    def _refuse(self) -> None:
        """Answer a request that cannot be a handshake: another method than GET, or too much of something."""
        body = b"the WebSocket handshake cannot be read: it takes a GET with ordinary headers\n"
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def _cut_off(self) -> None:
        """Close the connection, by force if the client takes no more."""
        self.transport.close()
        self._leave_soon()

    def _leave_soon(self) -> None:
        if not self.disconnected:
            self.loop.call_later(_LEAVE_SECONDS, self._abort)

    def _abort(self) -> None:
        if not self.disconnected:
            self.transport.abort()
