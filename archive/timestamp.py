"""RFC 3161 timestamps: ask an authority, and believe only an answer that is whole, ours and from a pinned root.

The full response (TimeStampResp, DER) is what we call a token and keep. Verification is at the token's own time, so
that it still works after the authority's certificate has run out. Revocation lists are not consulted.
"""

import ssl
import threading
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Protocol

import httpx
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from archive.errors import TimestampRefused, TimestampUnavailable

MOST_BYTES = 64 * 1024
"""A response with its certificates has 2 to 10 kB."""

_UNSOUND = (
    ValueError, TypeError, OverflowError, StopIteration, UnsupportedAlgorithm, VerificationError, x509.InvalidVersion,
    x509.DuplicateExtension, x509.ExtensionNotFound, x509.UnsupportedGeneralNameType, ssl.SSLError,
)
"""What the libraries raise for bytes that are no certificate or no token; most of these share no base."""


class Authority(Protocol):
    """Somebody who answers timestamp requests."""

    def stamp(self, request: bytes) -> bytes:
        """The answer (TimeStampResp, DER) to a request (TimeStampReq, DER). Nothing about it is checked yet.

        Raises:
            TimestampUnavailable: no answer; worth trying again.
        """


@dataclass(frozen=True, slots=True)
class HttpAuthority:
    """An authority behind a URL (RFC 3161 section 3.4). Follows no redirect and uses no proxy setting."""

    url: str
    seconds: float = 20.0
    """For the whole exchange."""

    def stamp(self, request: bytes) -> bytes:
        """Post the request; see Authority."""
        started = perf_counter()
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            with httpx.Client(timeout=self.seconds / 4, trust_env=False) as client:
                # A server that drips its headers meets no other limit: closing the client ends the exchange.
                guard = threading.Timer(self.seconds, client.close)
                guard.daemon = True
                guard.start()
                try:
                    with client.stream("POST", self.url, content=request, headers=headers) as response:
                        return self._read(response, started)
                finally:
                    guard.cancel()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, RuntimeError) as error:
            raise TimestampUnavailable(f"{self.url}: {error or type(error).__name__}") from None

    def _read(self, response: httpx.Response, started: float) -> bytes:
        if response.status_code != 200:
            raise TimestampUnavailable(f"{self.url}: HTTP {response.status_code}")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/timestamp-reply":
            raise TimestampRefused(f"{self.url}: answered with {kind or 'no content type'}")
        body = b""
        for chunk in response.iter_bytes(4096):
            body += chunk
            if len(body) > MOST_BYTES:
                raise TimestampRefused(f"{self.url}: over {MOST_BYTES} bytes")
            if perf_counter() - started > self.seconds:
                raise TimestampUnavailable(f"{self.url}: slower than {self.seconds} s")
        return body


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a verified token says."""

    at: datetime
    """UTC; the message existed then."""

    serial: int
    policy: str
    """OID."""

    authority: str
    """Subject of the certificate that signed, RFC 4514."""


@dataclass(frozen=True, slots=True)
class Token:
    """A verified answer of an authority."""

    response: bytes
    """TimeStampResp, DER; the file checkpoint.tsr."""

    stamp: Stamp


def obtain(authority: Authority, message: bytes, ca: bytes) -> Token:
    """Have a message timestamped (SHA-256, fresh nonce, certificates inside) and verify the answer.

    Raises:
        TimestampUnavailable: no answer; worth trying again.
        TimestampRefused: an answer that must not be kept.
    """
    request = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
    response = authority.stamp(request.as_bytes())
    return Token(response, verify(response, message, ca, nonce=request.nonce))


def verify(response: bytes, message: bytes, ca: bytes, *, nonce: int | None = None) -> Stamp:
    """Check a token over a message against pinned certificates, at the token's time.

    `ca`: PEM. Self-signed certificates are the roots, other CA certificates may link to them, and a certificate that
    is no CA pins the signer itself. Checks status, signature, chain, purpose, message, and the nonce if given.
    Does not check revocation, nor that the time is plausible.

    Raises:
        TimestampRefused.
    """
    if len(response) > MOST_BYTES:
        raise TimestampRefused(f"over {MOST_BYTES} bytes")
    try:
        return _verified(response, message, ca, nonce)
    except _UNSOUND as error:
        raise TimestampRefused(f"not a valid timestamp: {error}") from None


def _verified(response: bytes, message: bytes, ca: bytes, nonce: int | None) -> Stamp:
    roots, links, signers = _sorted_out(ca)
    decoded = decode_timestamp_response(response)
    if decoded.as_bytes() != response:
        raise TimestampRefused("not in canonical form")
    if decoded.status != 0:
        raise TimestampRefused(f"status {decoded.status}: {' '.join(decoded.status_string)}")
    verifier = VerifierBuilder(
        roots=roots, intermediates=links, nonce=nonce, tsa_certificate=signers[0] if signers else None
    ).build()
    verifier.verify_message(decoded, message)
    info = decoded.tst_info
    signer = next(iter(decoded.signed_data.signer_infos))
    name = next(
        certificate.subject.rfc4514_string()
        for certificate in map(x509.load_der_x509_certificate, decoded.signed_data.certificates)
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number)
    )
    return Stamp(info.gen_time, info.serial_number, info.policy.dotted_string, name)


def plain(pem: bytes) -> bytes:
    """The certificates of a PEM text that people wrote: comments, blank lines and foreign line ends left out.

    Raises:
        TimestampRefused: there are none.
    """
    try:
        return b"".join(found.public_bytes(Encoding.PEM) for found in x509.load_pem_x509_certificates(pem))
    except _UNSOUND as error:
        raise TimestampRefused(f"no certificates: {error}") from None


def certificates(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM text.

    Raises:
        TimestampRefused: there are none, or the text holds anything else.
    """
    if plain(pem) != pem:
        raise TimestampRefused("certificates not in plain PEM")
    return x509.load_pem_x509_certificates(pem)


def _sorted_out(ca: bytes) -> tuple[list[x509.Certificate], list[x509.Certificate], list[x509.Certificate]]:
    roots, links, signers = [], [], []
    # The verifier's own library aborts on a certificate that OpenSSL cannot read, so OpenSSL is asked first.
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=ca.decode("ascii"))
    for certificate in certificates(ca):
        try:
            is_ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except _UNSOUND:
            is_ca = False
        if not is_ca:
            signers.append(certificate)
        elif certificate.subject == certificate.issuer:
            roots.append(certificate)
        else:
            links.append(certificate)
    if not roots or len(signers) > 1:
        raise TimestampRefused("one root is needed, and at most one signer")
    return roots, links, signers
