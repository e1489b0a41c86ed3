"""`passerelle entity add | key create | user create | scenario set`: an operator's first steps, on the database.

Exit codes: 0 done; 1 refused (the reason is printed); 2 could not run.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from gateway.accounts.people import create_user
from gateway.accounts.schemas import ConnectionIn, EntityIn
from gateway.accounts.service import (
    create_connection,
    create_entity,
    create_key,
    create_tenant,
    enable_entity,
    find_tenant,
)
from gateway.assembly import assembled
from gateway.auth import ROLES, Permission, Principal
from gateway.deps import Deps
from gateway.platforms.presets import presets
from gateway.problems import Problem
from gateway.reminders.people import save_scenario
from gateway.reminders.scenario import DEFAULT, to_json
from gateway.settings import Settings, UnsafeSetup

ACTOR = "operator:cli"


def main(argv: Sequence[str]) -> int:
    """Run `argv[0]`, one of entity, key, user, scenario."""
    options = parser(argv[0]).parse_args(argv[1:])
    try:
        with assembled(Settings()) as deps:
            tenant = find_tenant(deps, options.tenant) or create_tenant(deps, options.tenant, ACTOR)
            answer = ACTIONS[argv[0]](deps, tenant.id, options)
    except Problem as problem:
        print(f"{problem.code}: {problem.detail}", file=sys.stderr)
        return 1
    except ValidationError as error:
        for one in error.errors():
            print(f"{'.'.join(map(str, one['loc']))}: {one['msg']}", file=sys.stderr)
        return 1
    except (UnsafeSetup, SQLAlchemyError) as error:
        print(f"passerelle: {error}", file=sys.stderr)
        return 2
    print(json.dumps(answer, ensure_ascii=False))
    return 0


def parser(command: str) -> argparse.ArgumentParser:
    """The options of one command."""
    made = argparse.ArgumentParser(prog=f"passerelle {command}")
    made.add_argument("verb", choices=(VERBS[command],))
    made.add_argument("--tenant", default="default", help="organisation, créée au besoin / made when missing")
    for name, options in OPTIONS[command].items():
        made.add_argument(name, **options)
    return made


VERBS = {"entity": "add", "key": "create", "user": "create", "scenario": "set"}
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "entity": {
        "--siren": {"required": True},
        "--name": {"required": True},
        "--vat-number": {},
        "--address": {"default": "", "help": "numéro et voie / street"},
        "--postcode": {"default": ""},
        "--city": {"default": ""},
        "--format": {"choices": ("factur-x", "cii", "ubl"), "default": "factur-x"},
        "--vat-on-debits": {"action": "store_true"},
        "--contact-name": {},
        "--contact-email": {},
        "--platform-name": {"help": "avec les quatre suivants : crée la connexion et active l'entité"},
        "--preset": {"choices": sorted(presets()), "help": "ce que l'on sait de la plateforme / what is known of it"},
        "--extra-header": {"action": "append", "default": [], "metavar": "NAME=VALUE"},
        "--flow-url": {},
        "--directory-url": {},
        "--token-url": {},
        "--client-id": {},
        "--allow-loopback": {"action": "store_true", "help": "plateforme de démonstration / sandbox only"},
    },
    "key": {
        "--name": {"required": True},
        "--scope": {"action": "append", "choices": [p.value for p in Permission], "required": True},
    },
    "user": {
        "--email": {"required": True},
        "--name": {"required": True},
        "--role": {"action": "append", "choices": sorted(ROLES), "required": True},
    },
    "scenario": {
        "--any-day": {"action": "store_true", "help": "tous les jours, à toute heure / every day, at any hour"},
    },
}


def add_entity(deps: Deps, tenant_id: str, options: argparse.Namespace) -> dict[str, str | bool]:
    """A legal entity; with a platform it is switched on. The client secret comes from PASSERELLE_CLIENT_SECRET."""
    connection_id = None
    if options.flow_url or options.preset:
        given = {name: getattr(options, name) for name in ("preset", "flow_url", "token_url", "directory_url",
                                                           "client_id", "allow_loopback")}
        connection = create_connection(deps, tenant_id, ConnectionIn.model_validate({
            **{name: value for name, value in given.items() if value is not None},
            "name": options.platform_name or "Plateforme",
            "extra_headers": dict(header.split("=", 1) for header in options.extra_header if "=" in header),
            "client_secret": secret("PASSERELLE_CLIENT_SECRET", "client secret: "),
        }), ACTOR)
        connection_id = connection.id
    entity = create_entity(deps, tenant_id, EntityIn.model_validate({
        "siren": options.siren, "name": options.name, "vat_number": options.vat_number, "format": options.format,
        "vat_on_debits": options.vat_on_debits, "connection_id": connection_id,
        "contact_name": options.contact_name, "contact_email": options.contact_email,
        "address": {"line_1": options.address, "post_code": options.postcode, "city": options.city},
    }), ACTOR)
    if connection_id is not None:
        enable_entity(deps, tenant_id, entity.id, ACTOR)
    return {"tenant": tenant_id, "entity": entity.id, "enabled": connection_id is not None}


def make_key(deps: Deps, tenant_id: str, options: argparse.Namespace) -> dict[str, str | bool]:
    """An API key, shown once."""
    scopes = [Permission(scope) for scope in options.scope]
    return {"tenant": tenant_id, "key": create_key(deps, tenant_id, options.name, scopes, ACTOR)}


def make_user(deps: Deps, tenant_id: str, options: argparse.Namespace) -> dict[str, str | bool]:
    """A person of the console. The password comes from PASSERELLE_PASSWORD or is asked for."""
    password = secret("PASSERELLE_PASSWORD", "Mot de passe / password: ")
    user = create_user(deps, tenant_id, options.email, options.name, password, options.role, ACTOR)
    return {"tenant": tenant_id, "user": user.id}


def set_scenario(deps: Deps, tenant_id: str, options: argparse.Namespace) -> dict[str, str | bool]:
    """The built-in reminder scenario as a version of the tenant's own, with what the options change."""
    principal = Principal(tenant_id=tenant_id, actor=ACTOR, name="operator", permissions=frozenset())
    always = {"working_days_only": False, "hours": (0, 24)} if options.any_day else {}
    definition = {**to_json(DEFAULT), **always}
    return {"tenant": tenant_id, "scenario": save_scenario(deps, principal, definition).name}


ACTIONS: dict[str, Callable[[Deps, str, argparse.Namespace], dict[str, str | bool]]] = {
    "entity": add_entity, "key": make_key, "user": make_user, "scenario": set_scenario,
}


def secret(variable: str, prompt: str) -> Any:
    """A secret never travels on a command line: the environment, else a hidden prompt."""
    return os.environ.get(variable) or getpass.getpass(prompt)
