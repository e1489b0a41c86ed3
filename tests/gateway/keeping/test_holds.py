"""A legal hold reaches the store (S3 with Object Lock) for what was kept before it, and for what comes after it."""

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from archive.errors import DestructionRefused
from archive.store import Digest
from gateway.deps import Deps
from gateway.evidence.ledger import Kept
from gateway.evidence.stores import open_objects
from gateway.keeping import holds
from gateway.record import Change, record

BUCKET = "evidence"


@pytest.fixture
def locked(deps: Deps, monkeypatch) -> Iterator[Deps]:
    """The service on a bucket with Object Lock, whose locks end at once: what stands is the hold alone."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        settings = deps.settings.model_copy(update={"objects_url": f"s3://{BUCKET}/here?region=us-east-1"})
        yield replace(deps, settings=settings, store=open_objects(settings, deps.db, deps.now))


def keep(deps: Deps, tenant: str, invoice: str, words: str) -> str:
    """One more object of an invoice."""
    data = f"<Invoice>{words}</Invoice>".encode()
    kept = Kept("status", deps.store.put(data).hex, len(data))
    with deps.db.transaction(tenant) as session:
        record(session, tenant, Change(kind="lifecycle", code="200", actor="platform:pa", submission_id=invoice,
                                       objects=(kept,)), now=deps.now())
    return kept.sha256


def held(sha256: str) -> bool:
    """As the bucket says it."""
    key = f"here/sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"
    told = boto3.client("s3", region_name="us-east-1").head_object(Bucket=BUCKET, Key=key)
    return told.get("ObjectLockLegalHoldStatus") == "ON"


@pytest.mark.parametrize("everything", [False, True])
def test_what_comes_after_a_hold_is_under_it_in_the_store_too(
    locked: Deps, tenant: str, make_invoice, drain, clock, everything: bool  # noqa: FBT001 - a parameter of the test
) -> None:
    invoice, other = make_invoice(), make_invoice(number="F-2026-002")
    before, elsewhere = keep(locked, tenant, invoice.id, "before"), keep(locked, tenant, other.id, "elsewhere")
    row = holds.set_hold(locked, tenant, "user:officer", "all" if everything else invoice.id, "contrôle fiscal")
    drain(locked)
    assert (held(before), held(elsewhere)) == (True, everything)
    clock.forward(hours=1)
    later = keep(locked, tenant, invoice.id, "later")
    assert not held(later)
    holds.tell_new(locked)
    assert (held(later), held(elsewhere)) == (True, everything)
    clock.forward(days=30 * 366)  # no lock of the bucket stands any more
    with pytest.raises(DestructionRefused):
        locked.store.destroy(Digest(later), reason="round the service")
    holds.lift_hold(locked, tenant, row.id, "user:officer", "clos")
    drain(locked)
    holds.tell_new(locked)
    assert [held(sha256) for sha256 in (before, later, elsewhere)] == [False] * 3


def test_the_store_is_told_once_of_what_does_not_change(locked: Deps, tenant: str, make_invoice, drain) -> None:
    invoice = make_invoice()
    keep(locked, tenant, invoice.id, "before")
    holds.set_hold(locked, tenant, "user:officer", invoice.id, "contrôle fiscal")
    drain(locked)
    holds.tell_new(replace(locked, store=None))  # it has nothing to say, or this would fail
