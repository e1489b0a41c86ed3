"""Objects in an S3 bucket with Object Lock: nobody, not even the bucket's owner, removes or changes one while it lasts.

An object is `<prefix>sha256/ab/cd/<hex>`, written with `If-None-Match: *` (never over another), its SHA-256 checksum
(which the server checks) and a COMPLIANCE lock. The version id that the server gave is told to `versions` before `put`
returns, and reading asks for exactly that version: one that somebody put on top later does not count. A legal hold is
S3's own. Credentials come from where boto3 looks for them (environment, profile, role).
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from archive.errors import (
    DestructionRefused,
    ObjectDamaged,
    ObjectMissing,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)
from archive.store import HEX, Digest, Meta

_CHUNK = 1 << 20
_ABSENT = {"NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed"}  # the last one: a delete marker
_TAKEN = {"PreconditionFailed", "412"}
_FULL = {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "EntityTooLarge", "507"}
_DENIED = {"AccessDenied", "AllAccessDisabled", "403", "ReadOnly", "InvalidObjectState"}


class Versions(Protocol):
    """Where version ids are kept: outside the bucket, so that the bucket alone cannot exchange an object."""

    def find(self, digest: Digest) -> str | None:
        """The version id that was remembered last; None for an object never heard of."""

    def remember(self, digest: Digest, version: str) -> None:
        """Keep a version id for good, in place of an earlier one."""


class S3Store:
    """A Store in the bucket that `url` names: `s3://bucket/prefix?endpoint=https://…&region=…`.

    `lock_until` gives the end of the lock of what is put now (aware); `keep` makes it later.

    Raises:
        StoreUnavailable: the bucket cannot be asked, or has no Object Lock.
    """

    def __init__(self, url: str, versions: Versions, lock_until: Callable[[], datetime]) -> None:
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self._bucket = parts.netloc
        prefix = parts.path.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._versions = versions
        self._lock_until = lock_until
        self._client: Any = boto3.client(
            "s3", endpoint_url=options.get("endpoint"), region_name=options.get("region", "us-east-1"),
            config=Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 3},
                          max_pool_connections=32))
        with _named_errors():
            found = self._client.get_object_lock_configuration(Bucket=self._bucket)
        if found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise StoreUnavailable(f"the bucket {self._bucket} has no Object Lock")

    def put(self, data: bytes, *, expected: Digest | None = None) -> Digest:
        """See Store."""
        digest = Digest.of(data)
        if expected is not None and expected != digest:
            raise ObjectDamaged(f"announced {expected}, received {digest}")
        with _named_errors(digest):
            try:
                version = self._write(data, digest, IfNoneMatch="*")
            except ClientError as error:
                if _code(error) not in _TAKEN:
                    raise
                version = self._intact(digest)
            if self._versions.find(digest) != version:
                self._versions.remember(digest, version)
        return digest

    def get(self, digest: Digest) -> bytes:
        """See Store."""
        with _named_errors(digest):
            version = self._intact(digest)
            data: bytes = self._client.get_object(**self._at(digest), VersionId=version)["Body"].read()
        if Digest.of(data) != digest:
            raise ObjectDamaged(f"{digest} changed while it was read")
        return data

    def control(self, digest: Digest) -> Meta:
        """See Store."""
        with _named_errors(digest):
            return self._meta(digest, self._intact(digest))

    def meta(self, digest: Digest) -> Meta:
        """See Store."""
        with _named_errors(digest):
            return self._meta(digest, self._versions.find(digest))

    def list(self, after: Digest | None = None) -> Iterator[Digest]:
        """See Store."""
        folder = f"{self._prefix}sha256/"
        start = self._at(after)["Key"] if after is not None else folder
        with _named_errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=folder, StartAfter=start)
            for page in pages:
                for found in page.get("Contents", ()):
                    name = found["Key"].rpartition("/")[2]
                    if HEX.fullmatch(name):
                        yield Digest(name)

    def count(self) -> int:
        """See Store."""
        return sum(1 for _ in self.list())

    def destroy(self, digest: Digest, *, reason: str) -> None:
        """See Store. Every version goes; the first that is locked or held refuses."""
        if not reason.strip():
            raise DestructionRefused(f"{digest}: no reason given")
        with _named_errors(digest):
            versions = list(self._all_versions(digest))
            if not versions:
                raise ObjectMissing(str(digest))
            for version in versions:
                try:
                    self._client.delete_object(**self._at(digest), VersionId=version)
                except ClientError as error:
                    if _code(error) not in _DENIED:
                        raise
                    raise DestructionRefused(f"{digest}: {error}") from error

    def hold(self, digest: Digest, *, standing: bool) -> None:
        """See Store."""
        with _named_errors(digest):
            self._client.put_object_legal_hold(**self._at(digest), VersionId=self._known(digest),
                                               LegalHold={"Status": "ON" if standing else "OFF"})

    def keep(self, digest: Digest, until: datetime) -> None:
        """See Store."""
        with _named_errors(digest):
            which = {**self._at(digest), "VersionId": self._known(digest)}
            locked = self._client.head_object(**which).get("ObjectLockRetainUntilDate")
            if locked is None or locked < until:
                self._client.put_object_retention(**which, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until})

    def mend(self, data: bytes) -> Digest:
        """See Store. What was damaged stays as an older version."""
        digest = Digest.of(data)
        with _named_errors(digest):
            try:
                version = self._intact(digest)
            except (ObjectMissing, ObjectDamaged):
                version = self._write(data, digest)
            self._versions.remember(digest, version)
        return digest

    def heal(self, digest: Digest) -> tuple[str, ...]:
        """See Store: there is no second copy here."""
        self.control(digest)
        return ()

    def check_writable(self) -> None:
        """See Store. Asks for the bucket; that it takes no more is known only when something is put."""
        with _named_errors():
            self._client.head_bucket(Bucket=self._bucket)

    def _at(self, digest: Digest) -> dict[str, str]:
        key = f"{self._prefix}sha256/{digest.hex[:2]}/{digest.hex[2:4]}/{digest.hex}"
        return {"Bucket": self._bucket, "Key": key}

    def _write(self, data: bytes, digest: Digest, **condition: str) -> str:
        answer = self._client.put_object(
            **self._at(digest), **condition, Body=data, ChecksumAlgorithm="SHA256",
            ChecksumSHA256=base64.b64encode(bytes.fromhex(digest.hex)).decode(),
            ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=self._lock_until())
        return str(answer["VersionId"])

    def _known(self, digest: Digest) -> str:
        return self._versions.find(digest) or self._intact(digest)

    def _intact(self, digest: Digest) -> str:
        """The version whose bytes have the hash: the remembered one, else the oldest that has it."""
        known = self._versions.find(digest)
        trouble: Exception = ObjectMissing(str(digest))
        if known is not None:
            try:
                found = self._hash(digest, known)
            except ClientError as error:
                if _code(error) not in _ABSENT:
                    raise
            else:
                if found == digest.hex:
                    return known
                trouble = ObjectDamaged(f"{digest} version {known} now holds {found}")
        for version in self._all_versions(digest):
            if version != known:
                found = self._hash(digest, version)
                if found == digest.hex:
                    return version
                trouble = ObjectDamaged(f"{digest} version {version} holds {found}")
        raise trouble

    def _hash(self, digest: Digest, version: str) -> str:
        computed = hashlib.sha256()
        for chunk in self._client.get_object(**self._at(digest), VersionId=version)["Body"].iter_chunks(_CHUNK):
            computed.update(chunk)
        return computed.hexdigest()

    def _all_versions(self, digest: Digest) -> Iterator[str]:
        """Every version, the oldest first; markers of deletion are none."""
        where = self._at(digest)
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=where["Bucket"], Prefix=where["Key"])
        found = [(one["LastModified"], str(one["VersionId"])) for page in pages for one in page.get("Versions", ())]
        yield from (version for _, version in sorted(found))

    def _meta(self, digest: Digest, version: str | None) -> Meta:
        which = {**self._at(digest), "VersionId": version} if version is not None else self._at(digest)
        head = self._client.head_object(**which)
        return Meta(digest, head["ContentLength"], head["LastModified"], version=head.get("VersionId"))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _named_errors(digest: Digest | None = None) -> Iterator[None]:
    """The server's errors as those of the port."""
    try:
        yield
    except ClientError as error:
        code = _code(error)
        if code in _ABSENT and digest is not None:
            raise ObjectMissing(str(digest)) from None
        kind = StoreFull if code in _FULL else StoreReadOnly if code in _DENIED else StoreUnavailable
        raise kind(str(error)) from error
    except (BotoCoreError, OSError) as error:
        raise StoreUnavailable(str(error)) from error
