"""What is asked for, before anything is executed: found, parsed, valid, within the limits."""

from gamebuddy.schema.documents.preparing import Documents, Prepared, UsePrepared
from gamebuddy.schema.documents.requests import Request, read_json

__all__ = ["Documents", "Prepared", "Request", "UsePrepared", "read_json"]
