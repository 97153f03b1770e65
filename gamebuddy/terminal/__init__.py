"""The messenger in a terminal: a client like any other, which knows nothing of the server but its API.

It is useful by itself, and an example of what docs/clients.md asks of clients: tokens are refreshed when the server
says so, events are followed from the last cursor on and told apart by their ids, and a message keeps its `clientId`
until it is answered.
"""

from gamebuddy.terminal.conversation import Conversation
from gamebuddy.terminal.keyboard import Keyboard
from gamebuddy.terminal.session import Refused, Session, SessionEnded, Unreachable, open_session

__all__ = ["Conversation", "Keyboard", "Refused", "Session", "SessionEnded", "Unreachable", "open_session"]
