"""Who is at the other end of a request: address, and the session that its token names."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from starlette.requests import HTTPConnection

from gamebuddy.auth.tokens import Claims, Tokens
from gamebuddy.errors import Unauthenticated
from gamebuddy.schema.context import Client

# RFC 6750, section 2.1; the scheme in any case, as RFC 9110 has it.
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+) *", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Callers:
    """Reads callers; `proxies` are the networks whose word on an address is taken."""

    tokens: Tokens
    proxies: Sequence[str]

    @cached_property
    def _networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        return [ipaddress.ip_network(proxy, strict=False) for proxy in self.proxies]

    def client(self, connection: HTTPConnection) -> Client:
        """Tell address and program of whoever is there.

        X-Forwarded-For is read from the right, as far as trusted proxies wrote it; what stands before may be invented.
        """
        address = connection.client.host if connection.client else ""
        forwarded = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed([hop.strip() for hop in forwarded if hop.strip()]):
            if not self._is_trusted(address) or _parsed(hop) is None:
                break
            address = hop
        agent = connection.headers.get("user-agent")
        return Client(address=address, user_agent=agent[:300] if agent else None)

    def claims(self, headers: Sequence[str]) -> Claims | None:
        """Read the token of the Authorization headers; None where there is no header.

        Raises:
            Unauthenticated: for anything but one valid bearer token.
        """
        if not headers:
            return None
        found = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
        if found is None:
            raise Unauthenticated("The Authorization header is not one bearer token.")
        return self.tokens.read(found.group(1))

    def _is_trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
