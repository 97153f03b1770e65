"""GraphQL over HTTP: GET for queries, POST with JSON, and nothing else."""

import re
import uuid
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

import orjson
from graphql import OperationType
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.types.execution import ExecutionResult

from gamebuddy.auth.tokens import Claims
from gamebuddy.errors import Refusal, Unauthenticated
from gamebuddy.schema import faults, streams
from gamebuddy.schema.callers import Callers
from gamebuddy.schema.context import Context, Services
from gamebuddy.schema.documents import Prepared, Request, read_json
from gamebuddy.schema.faults import BAD_REQUEST, Refused

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
STATUS = {"UNAVAILABLE": 503}  # of errors that come before any data; everything else is told by the body


class View:
    """The endpoint, as an ASGI application: every answer is GraphQL JSON with codes."""

    def __init__(self, services: Services, callers: Callers) -> None:
        self._services = services
        self._callers = callers
        self._open_streams: Counter[uuid.UUID] = Counter()  # by account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = HttpRequest(scope, receive)
        media_type = GRAPHQL_JSON if GRAPHQL_JSON in request.headers.get("accept", "") else JSON
        try:
            response: ASGIApp = await self._answer(request, media_type)
        except Refused as refused:
            # A client that knows only application/json takes a status other than 200 for a broken connection.
            is_document = refused.code not in {
                BAD_REQUEST,
                "PAYLOAD_TOO_LARGE",
                "METHOD_NOT_ALLOWED",
                "UNAUTHENTICATED",
                "RATE_LIMITED",
            }
            status = 200 if is_document and media_type == JSON else refused.status
            body: dict[str, Any] = {"errors": refused.errors}
            streamed = streams.refusal_of(request.headers.get("accept", ""), refused.errors) if is_document else None
            response = streamed or _response(body, media_type, status, **refused.headers)
        except Refusal as refusal:
            status = STATUS.get(refusal.code, 200)
            response = _response({"errors": [faults.refusal(refusal)]}, media_type, status)
        except Exception as fault:  # noqa: BLE001 - the last place that can mask it
            response = _response({"errors": [faults.masked(fault)]}, media_type, 500)
        await response(scope, receive, send)

    async def _answer(self, request: HttpRequest, media_type: str) -> ASGIApp:
        asked = await self._read(request)
        context, claims = await self._context(request)
        try:
            prepared = self._services.documents.prepare(asked)
            how = streams.format_of(request.headers.get("accept", ""), prepared)
            _require_method(prepared, request.method, is_streamed=how is not None)
            if how is not None:
                results = streams.results_of(context, prepared, answer)
                return streams.Stream(context, claims, results, how, self._open_streams)
            may_be_kept = request.method == "GET" and claims is None
            return await self._execute(prepared, context, media_type, may_be_kept=may_be_kept)
        finally:
            context.release()

    async def _execute(self, prepared: Prepared, context: Context, media_type: str, *, may_be_kept: bool) -> Response:
        context.prepared = prepared
        result = await self._services.schema.execute(
            prepared.request.query,
            variable_values=prepared.request.variables,
            context_value=context,
            operation_name=prepared.request.operation_name,
        )
        body = answer(result, prepared)
        # No data at all: the variables did not fit, so nothing was executed.
        is_request_error = result.data is None and all(error.path is None for error in result.errors or ())
        if is_request_error:
            del body["data"]
        status = 400 if is_request_error and media_type == GRAPHQL_JSON else 200
        age = self._services.documents.age(prepared) if may_be_kept and not result.errors else None
        if age is None:
            return _response(body, media_type, status)
        keeping = {"Cache-Control": f"public, max-age={age.seconds}", "Vary": "Accept, Authorization, Origin"}
        return _response(body, media_type, status, **keeping)

    async def _context(self, request: HttpRequest) -> tuple[Context, Claims | None]:
        """Find out who asks, before anything is executed: a client may refresh its token and repeat even a mutation."""
        client = self._callers.client(request)
        try:
            claims = self._callers.claims(request.headers.getlist("authorization"))
            context = Context(self._services, client, claims.session_id if claims else None)
            await _require_session(context)
        except Unauthenticated as error:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Refused(error.code, str(error), status=401, **challenge) from None
        return context, claims

    async def _read(self, request: HttpRequest) -> Request:
        if request.method == "GET":
            return Request.read(_from_query(request.scope["query_string"]))
        if request.method != "POST":
            raise Refused("METHOD_NOT_ALLOWED", "Use POST, or GET for queries.", status=405, Allow="GET, POST")
        content_type = request.headers.get("content-type", "")
        if content_type.split(";")[0].strip().lower() != JSON:
            raise Refused(BAD_REQUEST, f"The body is {JSON}.", status=415)
        if request.headers.get("content-encoding", "identity") != "identity":
            raise Refused(BAD_REQUEST, "The body is not compressed.", status=415)
        body = await _bounded(request, self._services.settings.max_body_bytes)
        return Request.read(_parsed(body, "The body"))


def answer(result: ExecutionResult, prepared: Prepared) -> dict[str, Any]:
    """Write what an execution gave, for any transport."""
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = faults.executed(result.errors)
    if prepared.extensions:
        body["extensions"] = prepared.extensions
    return body


async def _bounded(request: HttpRequest, most: int) -> bytes:
    """Read the body as far as it may be, whatever length it claims to have."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refused("PAYLOAD_TOO_LARGE", f"A body has at most {most} bytes.", status=413, Connection="close")
    return bytes(body)


def _parsed(text: bytes | str, what: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        raise Refused(BAD_REQUEST, f"{what} is not JSON.") from None


def _from_query(query_string: bytes) -> dict[str, Any]:
    try:
        parts = parse_qs(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise Refused(BAD_REQUEST, "The query string is not valid.") from None
    if any(len(values) > 1 for values in parts.values()):
        raise Refused(BAD_REQUEST, "A parameter is given twice.")
    body: dict[str, Any] = {name: values[0] for name, values in parts.items()}
    for name in ("variables", "extensions"):
        if name in body:
            body[name] = _parsed(body[name], f"`{name}`") if body[name] else None
    return body


async def _require_session(context: Context) -> None:
    if context.session_id is not None and await context.authenticate() is None:
        await context.renew()
        raise Unauthenticated("The session has ended.")


def _require_method(prepared: Prepared, method: str, *, is_streamed: bool) -> None:
    if prepared.type is OperationType.SUBSCRIPTION and not is_streamed:
        raise Refused(
            "SUBSCRIPTION_TRANSPORT_REQUIRED",
            "Subscriptions go over WebSocket, subprotocol graphql-transport-ws, or by POST with Accept:"
            " text/event-stream or multipart/mixed;subscriptionSpec=1.0.",
        )
    if prepared.type is OperationType.SUBSCRIPTION and method == "GET":
        raise Refused("METHOD_NOT_ALLOWED", "Subscriptions go by POST.", status=405, Allow="POST")
    if prepared.type is OperationType.MUTATION and method == "GET":
        raise Refused("METHOD_NOT_ALLOWED", "Mutations go by POST.", status=405, Allow="POST")


def _response(body: dict[str, Any], media_type: str, status: int, **headers: str) -> Response:
    return Response(
        orjson.dumps(body),
        status_code=status,
        media_type=f"{media_type}; charset=utf-8",
        headers={"Cache-Control": "no-store", "Vary": "Accept, Authorization", **headers},
    )


def is_sane_host(host: str | None) -> bool:
    """Tell whether a Host header names a host and nothing else."""
    return host is None or re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?", host) is not None
