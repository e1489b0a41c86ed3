"""A timestamp authority to run instead of a real one: RFC 3161, made on the spot, NOT QUALIFIED.

It makes its own root and signing certificate in a folder, throws the root's key away and signs whatever it is asked.
Its time is that of the machine it runs on. Good for trying out and for tests; it proves nothing to a court.
"""

import hashlib
import secrets
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import algos, cms, tsp
from asn1crypto import core as asn1
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

POLICY = "2.999.3161"
"""An OID of the arc for examples (ITU-T X.660): nobody's policy."""

VALID = timedelta(days=365 * 12)
HASHES = {"sha256": 32, "sha384": 48, "sha512": 64}


class LocalAuthority:
    """A test authority whose keys lie in a folder; made there when it is opened for the first time.

    `clock` gives aware UTC times; the certificates start a day before its first answer.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        if not (folder / "tsa-ca.pem").exists():
            make_identity(folder, clock())
        self.ca = (folder / "tsa-ca.pem").read_bytes()
        """PEM of the root: what archive.timestamp verifies against."""

        key = load_pem_private_key((folder / "tsa.key").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{folder / 'tsa.key'} is not an elliptic curve key")
        self._key = key
        self._certificate = x509.load_pem_x509_certificate((folder / "tsa.pem").read_bytes())
        self._root = x509.load_pem_x509_certificate(self.ca)

    def stamp(self, request: bytes) -> bytes:
        """Answer a request (TimeStampReq, DER) with a TimeStampResp (DER); a rejection if it is none."""
        try:
            asked = tsp.TimeStampReq.load(request, strict=True)
            algorithm = asked["message_imprint"]["hash_algorithm"]["algorithm"].native
            digest = asked["message_imprint"]["hashed_message"].native
            nonce = asked["nonce"].native
        except (ValueError, TypeError, KeyError):
            return _rejection("bad_data_format")
        if len(digest) != HASHES.get(algorithm):
            return _rejection("bad_alg")
        info = tsp.TSTInfo({
            "version": "v1",
            "policy": POLICY,
            "message_imprint": asked["message_imprint"],
            "serial_number": secrets.randbits(63),
            "gen_time": self._clock().replace(microsecond=0),
            "ordering": False,
            **({"nonce": nonce} if nonce is not None else {}),
        })
        return bytes(tsp.TimeStampResp({
            "status": {"status": "granted"},
            "time_stamp_token": _settled(cms.ContentInfo({
                "content_type": "signed_data", "content": self._signed(info.dump()),
            })),
        }).dump())

    def _signed(self, info: bytes) -> cms.SignedData:
        """CMS with the attributes that RFC 3161 and RFC 5816 want: content type, digest, signing certificate."""
        der = self._certificate.public_bytes(Encoding.DER)
        essential = tsp.SigningCertificateV2({"certs": [{"cert_hash": hashlib.sha256(der).digest()}]})
        attributes = _settled(cms.CMSAttributes([
            _settled(cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]})),
            _settled(cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(info).digest()]})),
            _settled(cms.CMSAttribute({"type": "signing_certificate_v2", "values": [_settled(essential)]})),
        ]))
        certificate = asn1_x509.Certificate.load(der)
        sha256 = _settled(algos.DigestAlgorithm({"algorithm": "sha256"}))
        signer = cms.SignerInfo({
            "version": "v1",
            "sid": _settled(cms.IssuerAndSerialNumber({
                "issuer": certificate.issuer, "serial_number": certificate.serial_number,
            })),
            "digest_algorithm": sha256,
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": self._key.sign(attributes.dump(), ec.ECDSA(SHA256())),
        })
        return _settled(cms.SignedData({
            "version": "v3",
            "digest_algorithms": [sha256],
            "encap_content_info": _settled(cms.EncapsulatedContentInfo({
                "content_type": "tst_info", "content": asn1.ParsableOctetString(info),
            })),
            "certificates": [certificate, asn1_x509.Certificate.load(self._root.public_bytes(Encoding.DER))],
            "signer_infos": [_settled(signer)],
        }))


def make_identity(folder: Path, now: datetime, *, valid: timedelta = VALID, purpose: bool = True) -> None:
    """Write tsa.key (0600), tsa.pem and tsa-ca.pem, all at once. The root's key is not kept.

    If another process is faster, its files stay. `purpose=False` leaves out the timestamping purpose, as a wrongly
    issued certificate would.
    """
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = _name("Passerelle local test root - NOT QUALIFIED")
    start, end = now - timedelta(days=1), now + valid
    root = (
        _certificate(root_name, root_name, root_key.public_key(), start, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(root_key, SHA256())
    )
    builder = (
        _certificate(_name("Passerelle local test timestamp authority - NOT QUALIFIED"), root_name, key.public_key(),
                     start, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
    )
    if purpose:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    leaf = builder.sign(root_key, SHA256())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as parent:
        new = Path(parent) / "tsa"
        new.mkdir(mode=0o700)
        (new / "tsa.key").touch(mode=0o600)
        (new / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (new / "tsa.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
        (new / "tsa-ca.pem").write_bytes(root.public_bytes(Encoding.PEM))
        try:
            new.rename(folder)  # fails on a folder that has something in it
        except OSError:
            if not (folder / "tsa-ca.pem").exists():
                raise


class _Rejection(asn1.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """A TimeStampResp without token, which asn1crypto's own class cannot express."""

    _fields = [("status", tsp.PKIStatusInfo)]  # noqa: RUF012 - the form is asn1crypto's


def _settled(value: Any) -> Any:
    """The same value, encoded once: asn1crypto otherwise encodes a structure again on every look at it."""
    return type(value).load(value.dump())


def _rejection(why: str) -> bytes:
    return bytes(_Rejection({"status": {"status": "rejection", "fail_info": {why}}}).dump())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(issuer).public_key(key).serial_number(x509.random_serial_number())
        .not_valid_before(start).not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )
