"""The seeded tenant, and people who are signed in."""

import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parent))

import console_seed

from gateway.app import create_app
from gateway.deps import Deps
from validation.workshop import Workshop

CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Visitor(TestClient):
    """A browser that fills in forms: it reads the token from the page first."""

    def token(self, page: str) -> str:
        """The form token on a page."""
        found = CSRF.search(self.get(page).text)
        assert found is not None, page
        return found[1]

    def sign_in(self, email: str, password: str) -> None:
        """Through the form, as a person does."""
        answer = self.post("/connexion", data={"csrf": self.token("/connexion"), "email": email, "password": password,
                                               "suite": "/"}, follow_redirects=False)
        assert answer.status_code == 303, answer.text


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, workshop: Workshop) -> Iterator[tuple[Deps, object]]:
    with console_seed.seeded(tmp_path_factory.mktemp("console"), workshop) as made:
        yield made


@pytest.fixture
def seed() -> ModuleType:
    return console_seed


@pytest.fixture
def seeded_deps(world: tuple[Deps, object]) -> Deps:
    return world[0]


@pytest.fixture
def story(world: tuple[Deps, object]) -> object:
    """The Seeded of the seed: ids by number, the other tenant."""
    return world[1]


@pytest.fixture
def stranger(seeded_deps: Deps) -> Visitor:
    """Nobody is signed in."""
    return Visitor(create_app(seeded_deps), base_url="http://passerelle.example", headers={"Accept": "text/html"})


@pytest.fixture(scope="session")
def signed_in(world: tuple[Deps, object]) -> Callable[[str], Visitor]:
    """Somebody with this role, or `tous` with all of them. One session per role: hashing a password takes time."""

    @cache
    def make(role: str) -> Visitor:
        email = console_seed.EVERYONE[0] if role == "tous" else console_seed.PEOPLE[role][0]
        visitor = Visitor(create_app(world[0]), base_url="http://passerelle.example", headers={"Accept": "text/html"})
        visitor.sign_in(email, console_seed.PASSWORD)
        return visitor

    return make


@pytest.fixture
def visitor(signed_in: Callable[[str], Any]) -> Any:
    return signed_in("tous")
