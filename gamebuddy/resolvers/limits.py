"""What is left of the limits on how often."""

from collections.abc import Iterable

from gamebuddy.auth.throttle import BY_ADDRESS, Budget, Hit, Limit, Throttle, network_of
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession


async def budgets(
    session: ReadSession, viewer: Viewer | None, *, throttle: Throttle, address: str, limits: Iterable[Limit]
) -> list[Budget]:
    """Tell what is left to the viewer and his address, in the order of `limits`; to nobody only to his address."""
    hits = []
    for limit in limits:
        if limit in BY_ADDRESS:
            hits.append(Hit(limit, network_of(address)))
        elif viewer is not None:
            hits.append(Hit(limit, str(viewer.account_id)))
    return await throttle.left(session, *hits)
