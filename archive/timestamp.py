"""RFC 3161 timestamps: ask an authority, and believe only an answer that is whole, ours and from a pinned root.

The full response (TimeStampResp, DER) is what we call a token and keep. Verification is at the token's own time, so
that it still works after the authority's certificate has run out; `Stamp.ends` says until when it stands alone.
Every refusal has a stable reason. Revocation is not looked up here: `issued_by` names the certificates to ask about.
"""

import hashlib
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
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from archive.errors import TimestampRefused, TimestampUnavailable

MOST_BYTES = 64 * 1024
"""A response with its certificates has 2 to 10 kB."""

HASHES = {"2.16.840.1.101.3.4.2.1": "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
"""Of message imprints, by OID. Anything else is too weak or unknown."""

REASONS = {1: "granted-with-changes", 2: "rejected", 3: "not-yet"}
"""PKIStatus of RFC 3161 section 2.4.2; only 0, granted, is a timestamp."""

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
            raise TimestampRefused(f"{self.url}: answered with {kind or 'no content type'}", "not-a-timestamp")
        body = b""
        for chunk in response.iter_bytes(4096):
            body += chunk
            if len(body) > MOST_BYTES:
                raise TimestampRefused(f"{self.url}: over {MOST_BYTES} bytes", "too-large")
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

    ends: datetime
    """The first end of a certificate between the signer and its root: from then on only a later seal vouches for it."""

    algorithm: str
    """Hash of the message: sha256, sha384 or sha512."""


@dataclass(frozen=True, slots=True)
class Token:
    """A verified answer of an authority."""

    response: bytes
    """TimeStampResp, DER; the file checkpoint.tsr."""

    stamp: Stamp


def obtain(
    authority: Authority, message: bytes, ca: bytes, *, policy: str | None = None, algorithm: str = "sha256"
) -> Token:
    """Have a message timestamped (fresh nonce, certificates inside) and verify the answer; see `verify`.

    `algorithm`: sha256 or sha512.

    Raises:
        TimestampUnavailable: no answer; worth trying again.
        TimestampRefused: an answer that must not be kept.
    """
    request = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm[algorithm.upper()]).build()
    response = authority.stamp(request.as_bytes())
    return Token(response, verify(response, message, ca, nonce=request.nonce, policy=policy))


def verify(
    response: bytes, message: bytes, ca: bytes, *, nonce: int | None = None, policy: str | None = None
) -> Stamp:
    """Check a token over a message against pinned certificates, at the token's time.

    `ca`: PEM. Self-signed certificates are the roots, other CA certificates may link to them, and a certificate that is
    no CA pins the signers of its issuer: no other of theirs is believed. Checks status, signature, chain, purpose,
    message, and the nonce and the policy (OID) if given. Does not check revocation, nor that the time is plausible.

    Raises:
        TimestampRefused: `reason` says what was met first.
    """
    if len(response) > MOST_BYTES:
        raise TimestampRefused(f"over {MOST_BYTES} bytes", "too-large")
    try:
        roots, links, signers = _sorted_out(ca)
    except _UNSOUND as error:
        raise TimestampRefused(f"not certificates to trust: {error}", "bad-trust") from None
    try:
        decoded = decode_timestamp_response(response)
    except _UNSOUND as error:
        raise TimestampRefused(f"not a timestamp response: {error}", "not-a-timestamp") from None
    try:
        signer, chain = _signed_by(decoded, response, [*links, *roots])
        _as_asked(decoded, message, nonce, policy)
        _fit_to_sign(signer, decoded.tst_info.gen_time, signers)
        VerifierBuilder(roots=roots, intermediates=links, nonce=nonce).build().verify_message(decoded, message)
        info = decoded.tst_info
        return Stamp(info.gen_time, info.serial_number, info.policy.dotted_string, signer.subject.rfc4514_string(),
                     min(one.not_valid_after_utc for one in chain), _algorithm(decoded))
    except VerificationError as error:
        raise TimestampRefused(f"not by the pinned authority: {error}", "foreign-authority") from None
    except _UNSOUND as error:
        raise TimestampRefused(f"not a valid timestamp: {error}", "unsound") from None


def issued_by(response: bytes, ca: bytes) -> list[x509.Certificate]:
    """The certificate that signed a verified token, and those above it, up to a root of `ca` where it is known.

    Raises:
        TimestampRefused.
    """
    try:
        roots, links, _ = _sorted_out(ca)
        return _signed_by(decode_timestamp_response(response), response, [*links, *roots])[1]
    except _UNSOUND as error:
        raise TimestampRefused(f"not a valid timestamp: {error}", "unsound") from None


def _signed_by(
    decoded: TimeStampResponse, response: bytes, known: list[x509.Certificate]
) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """The signer's certificate, and its chain by names (the signatures are checked by the verifier)."""
    if decoded.status != 0:
        said = " ".join(decoded.status_string) if decoded.status in REASONS else ""
        raise TimestampRefused(f"status {decoded.status} {said}".strip(), REASONS.get(decoded.status, "rejected"))
    if decoded.as_bytes() != response:
        raise TimestampRefused("not in canonical form", "not-canonical")
    infos = decoded.signed_data.signer_infos
    if len(infos) != 1:
        raise TimestampRefused(f"{len(infos)} signers, one is needed", "several-signers")
    one = next(iter(infos))
    inside = [x509.load_der_x509_certificate(der) for der in decoded.signed_data.certificates]
    signer = next((found for found in inside
                   if (found.issuer, found.serial_number) == (one.issuer, one.serial_number)), None)
    if signer is None:
        raise TimestampRefused("the signer's certificate is not inside", "no-certificate")
    chain = [signer]
    while chain[-1].issuer != chain[-1].subject and len(chain) < 10:
        above = next((found for found in [*known, *inside] if found.subject == chain[-1].issuer), None)
        if above is None:
            break
        chain.append(above)
    return signer, chain


def _as_asked(decoded: TimeStampResponse, message: bytes, nonce: int | None, policy: str | None) -> None:
    """That the answer is about this message and answers this request."""
    info = decoded.tst_info
    if info.message_imprint.message != hashlib.new(_algorithm(decoded), message).digest():
        raise TimestampRefused("about another message", "wrong-imprint")
    if nonce is not None and info.nonce != nonce:
        raise TimestampRefused("the nonce is another: an answer to another request", "wrong-nonce")
    if policy is not None and info.policy.dotted_string != policy:
        raise TimestampRefused(f"policy {info.policy.dotted_string}, not {policy}", "wrong-policy")


def _fit_to_sign(signer: x509.Certificate, at: datetime, pinned: list[x509.Certificate]) -> None:
    """Purpose, validity and pin of the certificate that signed."""
    try:
        purpose = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        purpose = None
    if purpose is None or not purpose.critical or list(purpose.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise TimestampRefused("the certificate's purpose is not timestamping alone", "wrong-purpose")
    if at > signer.not_valid_after_utc:
        raise TimestampRefused(f"the certificate ended {signer.not_valid_after_utc}", "certificate-expired")
    if at < signer.not_valid_before_utc:
        raise TimestampRefused(f"the certificate begins {signer.not_valid_before_utc}", "certificate-not-yet-valid")
    if any(one.issuer == signer.issuer for one in pinned) and signer not in pinned:
        raise TimestampRefused("signed with another certificate than the pinned one", "foreign-authority")


def _algorithm(decoded: TimeStampResponse) -> str:
    oid = decoded.tst_info.message_imprint.hash_algorithm.dotted_string
    if oid not in HASHES:
        raise TimestampRefused(f"hash {oid}", "weak-hash")
    return HASHES[oid]


def plain(pem: bytes) -> bytes:
    """The certificates of a PEM text that people wrote: comments, blank lines and foreign line ends left out.

    Raises:
        TimestampRefused: there are none.
    """
    try:
        return b"".join(found.public_bytes(Encoding.PEM) for found in x509.load_pem_x509_certificates(pem))
    except _UNSOUND as error:
        raise TimestampRefused(f"no certificates: {error}", "bad-trust") from None


def certificates(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM text.

    Raises:
        TimestampRefused: there are none, or the text holds anything else.
    """
    if plain(pem) != pem:
        raise TimestampRefused("certificates not in plain PEM", "bad-trust")
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
    if not roots:
        raise TimestampRefused("a root is needed", "bad-trust")
    return roots, links, signers
