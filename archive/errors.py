"""What can go wrong with evidence, as one family with stable codes."""

from typing import ClassVar


class ArchiveError(Exception):
    """Base of all. `code` is stable, the text is for people."""

    code: ClassVar[str] = "archive-error"


class BadDigest(ArchiveError):
    """A text that is not 64 lower-case hexadecimal digits."""

    code = "bad-digest"


class ObjectMissing(ArchiveError):
    """The store has no such object (any more)."""

    code = "object-missing"


class ObjectDamaged(ArchiveError):
    """What is stored under a hash does not have that hash, or what was handed in is not what was announced."""

    code = "object-damaged"


class StoreUnavailable(ArchiveError):
    """The store cannot be reached, or its disk fails. Nothing was acknowledged; trying again later may help."""

    code = "store-unavailable"


class StoreFull(StoreUnavailable):
    """No room is left in the store. It works again by itself once there is some."""

    code = "store-full"


class StoreReadOnly(StoreUnavailable):
    """The store may be read and not written. It works again by itself once it may."""

    code = "store-read-only"


class CallRefused(ArchiveError):
    """The caller may not call this verb, or not on this object; also when there is no such object of his."""

    code = "call-refused"


class DestructionRefused(ArchiveError):
    """An object is destroyed only on purpose, with a reason."""

    code = "destruction-refused"


class BadEntry(ArchiveError):
    """A journal entry that is too long, is not canonical, or holds more than ids and hashes."""

    code = "bad-entry"


class JournalDamaged(ArchiveError):
    """The rows of a log contradict each other. `seq` is the first bad row."""

    code = "journal-damaged"

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(f"entry {seq}: {why}")
        self.seq = seq


class BadProof(ArchiveError):
    """An inclusion or consistency proof that does not prove it."""

    code = "bad-proof"


class BadKey(ArchiveError):
    """A key file that is absent, readable by others, or not an Ed25519 key."""

    code = "bad-key"


class BadCheckpoint(ArchiveError):
    """A checkpoint or tlog-proof that is malformed, or whose signature is not by the given key."""

    code = "bad-checkpoint"


class TimestampUnavailable(ArchiveError):
    """The timestamp authority gave no answer in time. Trying again later may help."""

    code = "timestamp-unavailable"


class TimestampRefused(ArchiveError):
    """The answer is no valid timestamp of what was asked. It must not be kept as one. `reason` is stable."""

    code = "timestamp-refused"

    def __init__(self, why: str, reason: str = "unsound") -> None:
        super().__init__(f"{reason}: {why}")
        self.reason = reason


class BadDossier(ArchiveError):
    """A dossier that cannot be built as asked."""

    code = "bad-dossier"


class BadTrust(ArchiveError):
    """A trust file that cannot be read or that trusts nobody in one of the three roles."""

    code = "bad-trust"
