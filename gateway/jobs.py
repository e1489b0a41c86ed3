"""Long work that a person starts and watches: a row with its progress, done by the worker, its result kept.

A job belongs to the tenant, is journaled when it begins and when it ends, and is started once however often one clicks.
Whoever dies in the middle of one leaves it to the next worker, which does it again from the start.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.alarms.sounding import sound
from gateway.deps import Deps
from gateway.evidence.checking import Point, Tell, check_invoice, check_tenant
from gateway.outbox import Entry
from gateway.problems import not_found
from gateway.record import Change, Work, lock_tenant, record
from gateway.replay import service as replaying
from gateway.tables import Submission
from gateway.tables_care import Job

TOPIC: Final = "job"
CHECK: Final = "check"
REPLAY: Final = "replay"
OPEN: Final = ("waiting", "running")
EVERY_SECONDS: Final = 0.5
"""How often progress is written down."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a job has come to."""

    result: dict[str, Any]
    code: str
    """Of the event that tells it."""

    trouble: tuple[str, ...] = ()
    """What somebody must know at once."""


def start_check(deps: Deps, tenant_id: str, invoice_id: str, actor: str) -> Job:
    """Check an invoice, or everything (empty id); the one at work already, if there is one. Raises Problem 404."""
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        if invoice_id and session.get(Submission, (tenant_id, invoice_id)) is None:
            raise not_found()
        return _start(deps, session, tenant_id, (CHECK, invoice_id), actor)


def start_replay(deps: Deps, tenant_id: str, wanted: replaying.Wanted, actor: str) -> Job:
    """Judge invoices of a period again under other rules; the same replay at work already, if there is one."""
    with deps.db.transaction(tenant_id) as session:
        lock_tenant(session, tenant_id)
        return _start(deps, session, tenant_id, (REPLAY, wanted.to_text()), actor)


def _start(deps: Deps, session: Session, tenant_id: str, asked: tuple[str, str], actor: str) -> Job:
    """`asked` is the kind and the subject. A job whose work was parked or given up keeps no other from it."""
    kind, subject = asked
    running = session.scalar(select(Job).where(Job.kind == kind, Job.subject == subject, Job.state.in_(OPEN))
                             .order_by(Job.created_at.desc()).limit(1))
    if running is not None and outbox.is_pending(session, TOPIC, running.id):
        return running
    job = Job(tenant_id=tenant_id, id=str(uuid.uuid4()), kind=kind, subject=subject, actor=actor,
              created_at=deps.now(), started_at=None, finished_at=None, state="waiting", done=0, total=0,
              step="En file d'attente", result={})
    session.add(job)
    _tell(deps, session, job, f"{kind}-started", Work(topic=TOPIC, subject_id=job.id))
    return job


def handle_job(deps: Deps, entry: Entry) -> None:
    """Handle one `job` entry (subject: the job)."""
    with deps.db.transaction(entry.tenant_id) as session:
        job = session.get(Job, (entry.tenant_id, entry.subject_id), with_for_update=True)
        if job is None or job.state not in OPEN:
            return
        job.state, job.started_at, job.step = "running", deps.now(), "Préparation"
    done = WORK[job.kind](deps, job, Progress(deps, job))
    with deps.db.transaction(entry.tenant_id) as session:
        lock_tenant(session, entry.tenant_id)
        row = session.get_one(Job, (entry.tenant_id, job.id))
        row.state, row.finished_at, row.step = "done", deps.now(), "Terminé"
        row.done = row.total = max(row.total, 1)
        row.result = done.result
        _tell(deps, session, row, done.code)
    if done.trouble:
        sound(deps, entry.tenant_id, done.code, job.subject, {"error": done.trouble[0], "count": len(done.trouble)})


def _check(deps: Deps, job: Job, tell: Tell) -> Done:
    points = (check_invoice(deps, job.tenant_id, job.subject, tell) if job.subject
              else check_tenant(deps, job.tenant_id, tell))
    faults = tuple(fault for point in points for fault in point.faults)
    result = {"points": [asdict(point) for point in points], "verdict": verdict_of(points)}
    return Done(result, "check-failed" if faults else "checked", faults)


def _replay(deps: Deps, job: Job, tell: Tell) -> Done:
    return Done(replaying.replayed(deps, job.tenant_id, replaying.Wanted.of_text(job.subject), tell), "replayed")


WORK: Final[Mapping[str, Callable[[Deps, Job, Tell], Done]]] = {CHECK: _check, REPLAY: _replay}


def verdict_of(points: Sequence[Point]) -> str:
    """damaged, incomplete (something waits for its seal), or intact."""
    if any(point.faults for point in points):
        return "damaged"
    return "incomplete" if any(point.waiting for point in points) else "intact"


def jobs(session: Session, kind: str, *, limit: int = 30) -> Sequence[Job]:
    """The newest jobs of a kind of the session's tenant."""
    return session.scalars(
        select(Job).where(Job.kind == kind).order_by(Job.created_at.desc(), Job.id).limit(limit)).all()


def get_job(session: Session, kind: str, tenant_id: str, job_id: str) -> Job:
    """One of them. Raises Problem 404."""
    job = session.get(Job, (tenant_id, job_id))
    if job is None or job.kind != kind:
        raise not_found()
    return job


class Progress:
    """Writes down how far a job is, now and then."""

    def __init__(self, deps: Deps, job: Job) -> None:
        self._deps = deps
        self._job = job
        self._written = 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        """Where the work stands."""
        if time.monotonic() - self._written < EVERY_SECONDS:
            return
        self._written = time.monotonic()
        with self._deps.db.transaction(self._job.tenant_id) as session:
            row = session.get_one(Job, (self._job.tenant_id, self._job.id))
            row.step, row.done, row.total = step, done, total


def _tell(deps: Deps, session: Session, job: Job, code: str, *then: Work) -> None:
    subject = f"{job.kind}:{job.id}"
    about = "invoice" if job.kind == CHECK else "asked"
    record(session, job.tenant_id, Change(
        kind="evidence", code=code, actor=job.actor, subject=subject, then=then,
        data={"subject": subject, about: job.subject}), now=deps.now())
