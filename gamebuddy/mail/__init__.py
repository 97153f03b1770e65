"""Letters: asked for in the transaction that causes them, written and sent by a worker."""

from gamebuddy.mail.jobs import Letter, LetterKind, forget, post
from gamebuddy.mail.mailbox import StoredLetter, read_mailbox
from gamebuddy.mail.postman import Postman

__all__ = ["Letter", "LetterKind", "Postman", "StoredLetter", "forget", "post", "read_mailbox"]
