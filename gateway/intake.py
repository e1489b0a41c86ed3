"""Reading a request body without trusting its length."""

from dataclasses import dataclass
from typing import Final

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.problems import Problem

MEDIA_TYPES = {
    "application/xml": 20 << 20,
    "text/xml": 20 << 20,
    "application/json": 20 << 20,
    "application/pdf": 100 << 20,
}
"""What may be posted, and how many bytes of it (design limits: XML 20 MB, PDF 100 MB)."""

FIRST_BYTES: Final = 1 << 20
"""What is read of a body before anybody knows who sends it: the framework reads JSON first and asks then."""

ALLOWED: Final = "passerelle.allowed"
"""Key in the scope of a request."""


@dataclass(slots=True)
class Allowed:
    """How many bytes of a body may still be read; None where the reader counts for himself."""

    left: int | None = FIRST_BYTES


class Bounded:
    """ASGI around an application: no body is longer than FIRST_BYTES, but where its reader says otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        allowed = Allowed()

        async def counted() -> Message:
            message = await receive()
            if allowed.left is not None:
                allowed.left -= len(message.get("body", b""))
                if allowed.left < 0:
                    raise HTTPException(413, f"Plus de {FIRST_BYTES} octets. / More than {FIRST_BYTES} bytes.")
            return message

        await self._app({**scope, ALLOWED: allowed}, counted, send)


def read_by_caller(request: Request) -> None:
    """The caller knows who sends the body, and counts its bytes himself."""
    request.scope.get(ALLOWED, Allowed()).left = None


async def raw_document(request: Request) -> bytes:
    """The raw body of a document request, refused as soon as it is over its limit.

    Raises:
        Problem: 415 for another media type, 413 over the limit, 422 for an empty body.
    """
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    limit = MEDIA_TYPES.get(media_type)
    if limit is None:
        raise Problem(415, "unsupported-media-type", f"Accepté / accepted: {', '.join(MEDIA_TYPES)}.")
    return await bounded_body(request, limit)


async def bounded_body(request: Request, limit: int) -> bytes:
    """The body, at most `limit` bytes.

    Raises:
        Problem: 413 over the limit, 422 for an empty body.
    """
    read_by_caller(request)
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > limit:
            raise Problem(413, "too-large", f"Plus de {limit} octets. / More than {limit} bytes.", limit=limit)
    if not chunks:
        raise Problem(422, "invalid-request", "Corps vide. / Empty body.")
    return bytes(chunks)
