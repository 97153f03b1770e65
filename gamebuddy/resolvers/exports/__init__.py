"""Copies of one's own data: asked for, made beside the requests, kept for a week."""

from gamebuddy.resolvers.exports.asking import ask, find, leave
from gamebuddy.resolvers.exports.making import MEDIA_TYPE, NAME, exporter, make_all, sweep

__all__ = ["MEDIA_TYPE", "NAME", "ask", "exporter", "find", "leave", "make_all", "sweep"]
