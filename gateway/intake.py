"""Reading a request body without trusting its length."""

from fastapi import Request

from gateway.problems import Problem

MEDIA_TYPES = {
    "application/xml": 20 << 20,
    "text/xml": 20 << 20,
    "application/json": 20 << 20,
    "application/pdf": 100 << 20,
}
"""What may be posted, and how many bytes of it (design limits: XML 20 MB, PDF 100 MB)."""


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
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > limit:
            raise Problem(413, "too-large", f"Plus de {limit} octets. / More than {limit} bytes.", limit=limit)
    if not chunks:
        raise Problem(422, "invalid-request", "Corps vide. / Empty body.")
    return bytes(chunks)
