"""What an authority publishes about its certificates is kept beside the token; a revoked one stamps nothing."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID
from many import make_invoices
from sqlalchemy import select

from archive.errors import BadDossier
from archive.journal import read_entry
from archive.store import Digest
from gateway.deps import Deps
from gateway.dossiers.dossier import files_of, gather
from gateway.evidence.sealing import seal_due
from gateway.record import Change, record
from gateway.sandbox import authority as sandbox
from gateway.tables import JournalEntry, Seal
from gateway.tables_care import Alarm

DAY = timedelta(days=1)


@dataclass
class Issuer:
    """A root that issued one timestamp certificate and publishes what it thinks of it."""

    now: datetime
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    revoked: bool = False
    forged: bool = False
    stale: bool = False
    gone: bool = False
    asked: list[str] = field(default_factory=list)
    name: ClassVar = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Racine inventée")])

    def issue(self, folder: Path, url: str) -> None:
        """Write the identity of an authority whose certificate names our list and our responder."""
        key = ec.generate_private_key(ec.SECP256R1())
        root = (
            sandbox._certificate(self.name, self.name, self.key.public_key(), self.now - DAY, self.now + 900 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(sandbox._usage(signs_certificates=True), critical=True).sign(self.key, SHA256()))
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{url}/list.crl")], None, None, None)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP,
                                        x509.UniformResourceIdentifier(f"{url}/ocsp"))
        self.leaf = (
            sandbox._certificate(sandbox._name("Horodateur inventé"), self.name, key.public_key(), self.now - DAY,
                                 self.now + 800 * DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.CRLDistributionPoints([point]), critical=False)
            .add_extension(x509.AuthorityInformationAccess([access]), critical=False).sign(self.key, SHA256()))
        self.root = root
        folder.mkdir(parents=True)
        (folder / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "tsa.pem").write_bytes(self.leaf.public_bytes(Encoding.PEM))
        (folder / "tsa-ca.pem").write_bytes(root.public_bytes(Encoding.PEM))

    def listed(self) -> bytes:
        """The revocation list."""
        since = self.now - 2 * DAY if self.stale else self.now
        made = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(since).next_update(
            since + DAY)
        if self.revoked:
            made = made.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(
                self.leaf.serial_number).revocation_date(self.now).build())
        return made.sign(self._signer(), SHA256()).public_bytes(Encoding.DER)

    def answered(self) -> bytes:
        """The answer of the responder."""
        since = self.now - 2 * DAY if self.stale else self.now
        status = ocsp.OCSPCertStatus.REVOKED if self.revoked else ocsp.OCSPCertStatus.GOOD
        return ocsp.OCSPResponseBuilder().add_response(
            cert=self.leaf, issuer=self.root, algorithm=SHA256(), cert_status=status, this_update=since,
            next_update=since + DAY, revocation_time=self.now if self.revoked else None, revocation_reason=None,
        ).responder_id(ocsp.OCSPResponderEncoding.NAME, self.root).sign(self._signer(), SHA256()).public_bytes(
            Encoding.DER)

    def _signer(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1()) if self.forged else self.key


@pytest.fixture
def issuer(deps: Deps, clock) -> Iterator[tuple[Issuer, Deps]]:
    """An issuer that publishes over HTTP, and a gateway whose local authority has its certificate."""
    made = Issuer(clock.now)

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(made.listed())

        def do_POST(self) -> None:
            ocsp.load_der_ocsp_request(self.rfile.read(int(self.headers["Content-Length"])))
            self._say(made.answered())

        def _say(self, data: bytes) -> None:
            made.asked.append(self.path)
            with suppress(OSError):
                self.send_response(503 if made.gone else 200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    place = f"127.0.0.1:{server.server_address[1]}"
    made.issue(deps.settings.data / "tsa", f"http://{place}")
    yield made, replace(deps, settings=deps.settings.model_copy(update={"webhook_allow": (place,)}))
    server.shutdown()
    server.server_close()
    thread.join()


def test_list_and_answer_are_in_the_dossier_and_proved(issuer: tuple[Issuer, Deps], tenant: str) -> None:
    _, deps = issuer
    [invoice] = make_invoices(deps, tenant, [1])
    found = gather(deps, tenant, invoice)
    assert found is not None
    files = files_of(deps, found, pdf=False, seda=False)
    assert x509.load_der_x509_crl(files["checkpoint.crl"]).issuer == issuer[0].name
    assert ocsp.load_der_ocsp_response(files["checkpoint.ocsp"]).serial_number == issuer[0].leaf.serial_number
    [log] = found.logs
    assert log.next is not None
    another = replace(log, next=replace(log.next, published={"crl": files["checkpoint.crl"] + b"x"}))
    with pytest.raises(BadDossier, match=r"checkpoint\.crl"):
        files_of(deps, replace(found, logs=(another,)), pdf=False, seda=False)


def sealed(deps: Deps, tenant: str) -> tuple[Seal, dict[str, bytes]]:
    """The newest seal after one more change, and the objects that its entry names, by role."""
    with deps.db.transaction(tenant) as session:
        record(session, tenant, Change(kind="setting", code="x", actor="key:test"), now=deps.now())
    seal_due(deps)
    with deps.db.reading(tenant) as session:
        seal = session.scalars(select(Seal).order_by(Seal.size.desc()).limit(1)).one()
        told = [read_entry(row.line)[1] for row in session.scalars(select(JournalEntry).order_by(JournalEntry.seq))][-1]
    return seal, {ref.role: deps.store.get(Digest(ref.digest.hex)) for ref in told.objects}


def ringing(deps: Deps, tenant: str) -> list[tuple[str, str]]:
    with deps.db.reading(tenant) as session:
        return [(row.kind, row.subject) for row in session.scalars(select(Alarm).where(Alarm.active.is_(True)))]


def test_list_and_answer_are_kept_with_the_token(issuer: tuple[Issuer, Deps], tenant: str) -> None:
    made, deps = issuer
    seal, kept = sealed(deps, tenant)
    assert seal.token == kept["token"]
    assert seal.ends_at == made.leaf.not_valid_after_utc
    assert x509.load_der_x509_crl(kept["crl"]).issuer == made.name
    assert ocsp.load_der_ocsp_response(kept["ocsp"]).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert made.asked == ["/list.crl", "/ocsp"]


@pytest.mark.parametrize("fault", ["gone", "forged", "stale"])
def test_what_cannot_be_believed_is_not_kept_and_blocks_nothing(
    issuer: tuple[Issuer, Deps], tenant: str, clock, fault: str
) -> None:
    made, deps = issuer
    setattr(made, fault, True)
    seal, kept = sealed(deps, tenant)
    assert seal.token is not None
    assert set(kept) == {"checkpoint", "token"}
    assert [kind for kind, _ in ringing(deps, tenant)] == ["revocation-unknown"] * 2
    setattr(made, fault, False)
    clock.forward(hours=1)
    sealed(deps, tenant)
    assert ringing(deps, tenant) == []


def test_what_an_old_list_calls_revoked_is_revoked(issuer: tuple[Issuer, Deps], tenant: str) -> None:
    made, deps = issuer
    made.revoked = made.stale = True
    assert sealed(deps, tenant)[0].token is None


def test_a_revoked_certificate_stamps_nothing(issuer: tuple[Issuer, Deps], tenant: str) -> None:
    made, deps = issuer
    made.revoked = True
    seal, _ = sealed(deps, tenant)
    assert (seal.token, (seal.trouble or "")[:38]) == (None, "timestamp-refused: certificate-revoked")


def test_nobody_is_asked_inside_the_house_unasked(issuer: tuple[Issuer, Deps], deps: Deps, tenant: str) -> None:
    made, _ = issuer
    seal, kept = sealed(deps, tenant)
    assert seal.token is not None
    assert (set(kept), made.asked) == ({"checkpoint", "token"}, [])
