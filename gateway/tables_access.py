"""Tables of who comes in: keys of programs, persons, their browsers, answered requests. Loaded by gateway/db.py."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.tables import Base, Row, TenantScoped


class ApiKey(Row, Base):
    """A key of a program. Only the digest is kept."""

    __tablename__ = "api_keys"
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    name: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class User(Row, Base):
    """A person of the console."""

    __tablename__ = "users"
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    roles: Mapped[list[str]]
    """officer, credit, operator, billing."""

    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class ConsoleSession(Row, Base):
    """A signed-in browser. The id is the SHA-256 of the cookie's value."""

    __tablename__ = "console_sessions"
    user_id: Mapped[str]
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SignInFailure(Base):
    """Failed sign-ins under one e-mail address, known to us or not: what slows down guessing."""

    __tablename__ = "sign_in_failures"
    email_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]


class IdempotencyKey(TenantScoped, Base):
    """A remembered Idempotency-Key with its first answer."""

    __tablename__ = "idempotency_keys"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    status: Mapped[int | None]
    """None while the first request still runs."""

    answer: Mapped[dict[str, Any] | None]
