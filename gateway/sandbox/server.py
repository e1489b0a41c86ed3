"""The sandbox platform: a program of its own that speaks XP Z12-013 (1.3, 1.2 or 1.1) and plays the other side.

    python -m gateway.sandbox.server --host 127.0.0.1 --port 0 --state DIR

When it is ready it prints one JSON line: `base_url`, the three service addresses, and the client's credentials.
DIR keeps the ledger, the credentials and, if you put one there, `participants.toml` (its form: the built-in file
beside this module). SIGTERM ends it.
"""

import argparse
import base64
import json
import re
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Any, get_args

import uvicorn
from fastapi import FastAPI, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gateway.platforms.callbacks import Reading
from gateway.sandbox import admin, directory, flows, webhooks
from gateway.sandbox.faults import CuttableProtocol, FaultBox, Gate
from gateway.sandbox.ledger import Ledger
from gateway.sandbox.participants import load_participants
from gateway.sandbox.play import Player
from gateway.sandbox.stage import Problem, Stage
from gateway.sandbox.tokens import Tokens, credentials_of
from gateway.sandbox.wire import Version, error_json
from validation.workshop import Workshop

MAIN = "main"
"""The tenant whose credentials the ready line begins with."""

FLOW_PREFIXES = ("/flow-service", "/afnor-flow")
DIRECTORY_PREFIXES = ("/directory-service", "/afnor-directory")
"""The service names of the descriptions, and those of a platform in the field that a public client expects."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it."""
    options = parse_options(argv)
    options.state.mkdir(parents=True, exist_ok=True)
    listener = socket.create_server((options.host, options.port))
    base_url = f"http://{options.host}:{listener.getsockname()[1]}"
    faults = FaultBox()
    with Workshop() as workshop:
        stages = {name: make_stage(name, options, workshop, faults) for name in (MAIN, *options.tenant)}
        ready: dict[str, Any] = {"base_url": base_url, "flow_url": base_url + FLOW_PREFIXES[0],
                 "directory_url": base_url + DIRECTORY_PREFIXES[0], "token_url": base_url + "/oauth2/token",
                 **stages[MAIN].tokens.credentials, **subscribe(stages[MAIN].ledger, options.callback_url)}
        if options.tenant:
            ready["tenants"] = {name: stages[name].tokens.credentials for name in options.tenant}
        gate = Gate(build_app(stages, ready), faults)
        config = uvicorn.Config(gate, http=CuttableProtocol, lifespan="on", log_level="warning", access_log=False,
                                timeout_graceful_shutdown=2, timeout_keep_alive=30)
        uvicorn.Server(config).run(sockets=[listener])
    for stage in stages.values():
        stage.ledger.close()
    return 0


def make_stage(name: str, options: argparse.Namespace, workshop: Workshop, faults: FaultBox) -> Stage:
    """A tenant: a folder, a ledger, a client and its mailbox of its own. Workshop and faults are common to all."""
    folder: Path = options.state if name == MAIN else options.state / "tenants" / name
    folder.mkdir(parents=True, exist_ok=True)
    client_id = options.client_id if name == MAIN else name
    credentials = load_credentials(folder, client_id, options.client_secret if name == MAIN else None)
    return Stage(ledger=Ledger(folder / "ledger.sqlite3", faults=faults), participants=load_participants(options.state),
                 workshop=workshop, tokens=Tokens(**credentials, lifetime_s=options.token_lifetime), faults=faults,
                 speed=options.speed, version=options.norm, reading=Reading(options.signature))


def parse_options(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="passerelle sandbox", description="A platform to try Passerelle against.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--state", type=Path, default=Path("var/sandbox"), help="folder of the ledger (var/sandbox)")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster scripts run")
    parser.add_argument("--callback-url", help="tell this address about every flow")
    parser.add_argument("--client-id", default="passerelle")
    parser.add_argument("--client-secret", help="default: made at first start, kept in the folder")
    parser.add_argument("--token-lifetime", type=int, default=1800, help="seconds")
    parser.add_argument("--norm", choices=get_args(Version), default="1.3", help="version of XP Z12-013")
    parser.add_argument("--tenant", action="append", default=[], type=tenant_name, metavar="NAME",
                        help="one more client with a mailbox of its own; repeatable")
    parser.add_argument("--signature", choices=[reading.value for reading in Reading], default="A",
                        help="how callbacks are signed (see gateway/platforms/callbacks.py)")
    return parser.parse_args(argv)


def tenant_name(text: str) -> str:
    """A name that may be a folder and a client id. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", text) or text == MAIN:
        raise argparse.ArgumentTypeError("lower-case letters, digits and hyphens, and not the name of the first")
    return text


def load_credentials(state: Path, client_id: str, client_secret: str | None) -> dict[str, str]:
    """The client's credentials: as given, else those of the folder, else new ones kept there."""
    path = state / "credentials.json"
    if client_secret is None and path.exists():
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    credentials = {"client_id": client_id, "client_secret": client_secret or secrets.token_urlsafe(24)}
    path.touch(mode=0o600)
    path.write_text(json.dumps(credentials), encoding="utf-8")
    return credentials


def subscribe(ledger: Ledger, callback_url: str | None) -> dict[str, str]:
    """A webhook for `--callback-url`, made once; its signing key goes into the ready line."""
    if callback_url is None:
        return {}
    known = next((item for item in ledger.webhooks() if item["callbackUrl"] == callback_url), None)
    if known is None:
        with ledger.transaction():
            known = ledger.add_webhook({"callbackUrl": callback_url},
                                       base64.b64encode(secrets.token_bytes(32)).decode())
    return {"webhook_id": known["webhookId"], "signing_key": known["signingKey"]}


def build_app(stages: Mapping[str, Stage], ready: dict[str, Any]) -> FastAPI:
    """The application: both services, the token address, the administration."""
    players = {name: (Player(stage, ("acknowledge", "step")), Player(stage, ("callback",)))
               for name, stage in stages.items()}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stop = Event()
        threads = [Thread(target=player.play, args=(stop,), daemon=True)
                   for pair in players.values() for player in pair]
        for thread in threads:
            thread.start()
        print(json.dumps(ready), flush=True)  # noqa: T201  the promised line
        yield
        stop.set()
        for stage in stages.values():
            stage.bell.set()
        for thread in threads:
            thread.join(timeout=10)

    app = FastAPI(title="Passerelle sandbox platform", lifespan=lifespan, openapi_url=None)
    app.state.stages = stages
    app.state.players = players
    for prefix in FLOW_PREFIXES:
        app.include_router(flows.router, prefix=prefix)
        app.include_router(webhooks.router, prefix=prefix)
    for prefix in DIRECTORY_PREFIXES:
        app.include_router(directory.router, prefix=prefix)
    for prefix in (*FLOW_PREFIXES, *DIRECTORY_PREFIXES):
        app.get(f"{prefix}/v1/healthcheck")(healthcheck)
    app.include_router(admin.router)
    app.post("/oauth2/token")(token)
    app.exception_handler(Problem)(answer_problem)
    app.exception_handler(HTTPException)(answer_problem)
    app.exception_handler(RequestValidationError)(answer_bad_request)
    return app


def healthcheck() -> Response:
    """200 without content. Needs no token: the descriptions list no 401 here."""
    return Response(status_code=200)


def token(request: Request, grant_type: Annotated[str, Form()],
          client_id: Annotated[str | None, Form()] = None,
          client_secret: Annotated[str | None, Form()] = None) -> JSONResponse:
    """OAuth 2 client credentials (RFC 6749, 4.4)."""
    if grant_type != "client_credentials":
        return JSONResponse({"error": "unsupported_grant_type"}, 400)
    given = credentials_of(request.headers.get("Authorization"), client_id, client_secret)
    stages: Mapping[str, Stage] = request.app.state.stages
    stage = next((stage for stage in stages.values() if stage.tokens.knows(*given)), None)
    if stage is None:
        return JSONResponse({"error": "invalid_client"}, 401)
    return JSONResponse({"access_token": stage.tokens.issue(stage.ledger.now()), "token_type": "Bearer",
                         "expires_in": stage.tokens.lifetime_s}, headers={"Cache-Control": "no-store"})


def answer_problem(_: Request, problem: Exception) -> JSONResponse:
    """The `Error` object for a Problem, or for an address or method that is not there."""
    if isinstance(problem, Problem):
        return JSONResponse(error_json(problem.code, problem.message), problem.status)
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    return JSONResponse(error_json("MISSING_RESOURCE" if status == 404 else f"HTTP_{status}", str(problem)), status)


def answer_bad_request(_: Request, error: Exception) -> JSONResponse:
    """The `Error` object for a request that is not as the descriptions say."""
    items = error.errors() if isinstance(error, RequestValidationError) else ()
    where = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in items)
    return JSONResponse(error_json("MISSING_REQUIRED_FIELD", where), 400)


if __name__ == "__main__":
    raise SystemExit(main())
