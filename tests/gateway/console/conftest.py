"""The seeded tenant, people who are signed in, and a real browser."""

import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

import console_seed
from console_browser import ARGUMENTS, CHROMIUM, WIDTHS

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


@pytest.fixture(scope="module")
def address(world: tuple[Deps, object]) -> Iterator[str]:
    """The whole application on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(world[0]), log_level="error", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def opened(chromium: Browser, address: str, signed_in: Callable[[str], Any]) -> Iterator[Callable[..., Page]]:
    """A page of somebody (with every role), at a width, with or without scripts; complaints of the browser fail."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(width: str, *, scripts: bool = True, role: str = "tous") -> Page:
        wide, high = WIDTHS[width]
        cookie = signed_in(role).cookies["passerelle_session"]
        context = chromium.new_context(viewport={"width": wide, "height": high}, java_script_enabled=scripts)
        context.add_cookies([{"name": "passerelle_session", "value": cookie, "url": address}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)  # a machine with others on it is slow, not wrong
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []
