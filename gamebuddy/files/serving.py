"""The folder of this machine over HTTP: a signed link says what may be sent or read, and until when."""

from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from gamebuddy.files.keeping import Claim, Files, disposition

PATH = "/files"


class WrongSize(Exception):
    """More, or less, came than the link is for."""


class Transfers:
    """The endpoint below `/files`; whoever has a link has the right that it was made for."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def answer(self, request: Request) -> Response:
        """Take a file with PUT, or show one."""
        claim = self._files.read_claim(request.path_params["ticket"])
        if claim is None or claim.method != ("GET" if request.method == "HEAD" else request.method):
            raise HTTPException(403, "This link is not valid, or not valid any more.")
        return await self._receive(request, claim) if claim.method == "PUT" else self._show(claim)

    def _show(self, claim: Claim) -> Response:
        path = self._files.path_of(claim)
        if not path.is_file():
            raise HTTPException(404)
        headers = {
            "Cache-Control": "private, max-age=3600, immutable",
            "Content-Disposition": disposition(claim.media_type, claim.name),
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return FileResponse(path, media_type=claim.media_type, headers=headers)

    async def _receive(self, request: Request, claim: Claim) -> Response:
        if request.headers.get("content-type") != claim.media_type:
            raise HTTPException(415, f"Content-Type has to be {claim.media_type}.")
        wrong_size = HTTPException(413, f"This link is for {claim.byte_size} bytes.")
        if request.headers.get("content-length", str(claim.byte_size)) != str(claim.byte_size):
            raise wrong_size
        try:
            await self._files.receive(claim, _bounded(request, claim.byte_size))
        except WrongSize:
            raise wrong_size from None
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        return Response(status_code=200)


async def _bounded(request: Request, byte_size: int) -> AsyncIterator[bytes]:
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > byte_size:
            raise WrongSize
        if chunk:
            yield chunk
    if count < byte_size:
        raise WrongSize
