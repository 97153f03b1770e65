"""How uvicorn speaks WebSocket here: as it always does, but its last word waits for nobody."""

from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

LINGER_SECONDS = 30.0  # how long a peer may take to read what was sent before its end


class Protocol(WebSocketsSansIOProtocol):
    """One connection.

    Without this, closing waits until the peer has read: a peer that never reads would never be let go.
    """

    async def send(self, message: "ASGISendEvent") -> None:
        """Send a message; a close frame goes behind what the peer has not read yet, and the connection ends soon."""
        if message["type"] == "websocket.close":
            self.writable.set()
            self.loop.call_later(LINGER_SECONDS, self.transport.abort)
        await super().send(message)
