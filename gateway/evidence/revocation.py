"""What a timestamp authority publishes about its certificates, fetched when a token comes and kept beside it.

The certificate says where: a revocation list (CRL), a responder (OCSP), or nothing. What is fetched is checked: by its
issuer, about this certificate, and in force when the token was made. A revoked certificate makes the token worthless; a
publication that cannot be fetched, or is out of date, does not, since the token can be judged later by one that was
fetched then: it is not kept, and an alarm tells of it. Each address is asked once in a turn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from archive.errors import TimestampRefused
from archive.timestamp import Token, issued_by
from gateway.alarms.sounding import clear, sound
from gateway.db import EVERY_TENANT
from gateway.deps import Deps
from gateway.evidence.authorities import Pinned
from gateway.webhooks.address import ForbiddenTarget
from gateway.webhooks.calling import Unreachable, exchange

MOST_BYTES = 4 << 20
SKEW = timedelta(minutes=5)
"""How far the clocks of an issuer and of its authority may be apart."""

SECONDS = 10.0
Published = dict[str, tuple[str, bytes] | None]
"""Address to (role, bytes) of what was fetched in a turn; None where nothing could be."""

UNREADABLE = (ValueError, TypeError, InvalidSignature, x509.UnsupportedGeneralNameType)


def publications(deps: Deps, seen: Published, token: Token, authority: Pinned) -> list[tuple[str, bytes]]:
    """(role, DER) of the CRL and the OCSP answer about the certificate of a token, as far as they can be had.

    Raises:
        TimestampRefused: the certificate was revoked (reason `certificate-revoked`).
    """
    if not deps.settings.tsa_revocation:
        return []
    signer, *above = issued_by(token.response, authority.ca)
    if not above:
        return []
    found = []
    for role, url in addresses(signer):
        if url not in seen:
            seen[url] = fetched(deps, role, url, Judged(signer, above[0], token.stamp.at))
        if (one := seen[url]) is not None:
            found.append(one)
    return found


def addresses(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    """(role, URL) of where a certificate says that its revocation is published."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        for point in points:
            yield from (("crl", name.value) for name in point.full_name or ()
                        if isinstance(name, x509.UniformResourceIdentifier))
    except (x509.ExtensionNotFound, ValueError):
        pass
    try:
        for access in certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value:
            if access.access_method == AuthorityInformationAccessOID.OCSP:
                yield "ocsp", access.access_location.value
    except (x509.ExtensionNotFound, ValueError):
        pass


@dataclass(frozen=True, slots=True)
class Judged:
    """A certificate that a publication is about, its issuer's, and when it stamped."""

    signer: x509.Certificate
    issuer: x509.Certificate
    at: datetime


def fetched(deps: Deps, role: str, url: str, about: Judged) -> tuple[str, bytes] | None:
    """One publication, checked; None, and an alarm, where it cannot be had."""
    body, headers = b"", {"User-Agent": "Passerelle"}
    if role == "ocsp":
        asked = ocsp.OCSPRequestBuilder().add_certificate(about.signer, about.issuer, SHA1())  # noqa: S303 - names the issuer, as RFC 5019 has it
        body = asked.build().public_bytes(Encoding.DER)
        headers |= {"Content-Type": "application/ocsp-request"}
    try:
        status, data = exchange("POST" if body else "GET", url, headers, body, allowed=deps.settings.webhook_allow,
                                seconds=SECONDS, most_bytes=MOST_BYTES, plain=True)
        {"ocsp": _check_ocsp, "crl": _check_crl}[role](data if status == 200 else b"", about)
    except (ForbiddenTarget, Unreachable, *UNREADABLE) as error:
        sound(deps, EVERY_TENANT, "revocation-unknown", url, {"error": str(error) or type(error).__name__})
        return None
    clear(deps, EVERY_TENANT, "revocation-unknown", url)
    return role, data


def _check_time(since: datetime | None, until: datetime | None, at: datetime) -> None:
    """A publication speaks for the time from its issue to the next one; without an end it never runs out (RFC 6960)."""
    if since is None or since > at + SKEW or (until is not None and until < at):
        raise ValueError(f"out of date: speaks for {since} to {until}")


def _check_crl(data: bytes, about: Judged) -> None:
    listed = x509.load_der_x509_crl(data)
    key = about.issuer.public_key()
    if listed.issuer != about.issuer.subject or not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) or (
            not listed.is_signature_valid(key)):
        raise ValueError("the list is not by the certificate's issuer")
    if listed.get_revoked_certificate_by_serial_number(about.signer.serial_number) is not None:
        raise TimestampRefused("the authority's certificate was revoked (CRL)", "certificate-revoked")
    _check_time(listed.last_update_utc, listed.next_update_utc, about.at)


def _check_ocsp(data: bytes, about: Judged) -> None:
    answer = ocsp.load_der_ocsp_response(data)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL or (
            answer.serial_number != about.signer.serial_number):
        raise ValueError("no answer about the certificate")
    responder = next((one for one in answer.certificates if _by(one, about.issuer)), about.issuer)
    key, algorithm = responder.public_key(), answer.signature_hash_algorithm
    if algorithm is None:
        raise ValueError("unsigned")
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
    else:
        raise TypeError("a key that is not understood")
    if answer.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        raise TimestampRefused("the authority's certificate was revoked (OCSP)", "certificate-revoked")
    if answer.certificate_status is not ocsp.OCSPCertStatus.GOOD:
        raise ValueError("the responder does not know the certificate")
    _check_time(answer.this_update_utc, answer.next_update_utc, about.at)


def _by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether a responder's certificate was issued by the same, and for this (RFC 6960 section 4.2.2.2)."""
    try:
        certificate.verify_directly_issued_by(issuer)
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    return x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING in purposes
