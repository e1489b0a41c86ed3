"""Where a bearer token may go."""

import pytest

from gateway.platforms.port import Precondition
from gateway.platforms.registry import ConnectionSettings, open_platform

SAFE = "https://flow.example.org/flow-service"


def settings(url: str, *, allow_loopback: bool = False) -> ConnectionSettings:
    return ConnectionSettings(flow_url=url, token_url=SAFE, client_id="c", client_secret="s",
                              allow_loopback=allow_loopback)


@pytest.mark.parametrize("url", [
    "http://flow.example.org", "ftp://flow.example.org", "flow.example.org", "", "https://", "https://user@example.org",
    "https://user:word@example.org", "https://example.org?x=1", "https://example.org#x", "https://10.0.0.1",
    "https://169.254.169.254", "https://[::ffff:10.0.0.1]", "https://2130706433", "https://0x7f.1", "https://[bad",
    "http://127.0.0.1:8080", "http://localhost", "https://localhost", "http://[::1]:1",
])
def test_unsafe_addresses_are_refused(url: str) -> None:
    with pytest.raises(Precondition) as refused:
        open_platform(settings(url))
    assert refused.value.code == "INSECURE_URL"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/flow-service", "http://localhost:1", "http://[::1]:1", SAFE])
def test_loopback_is_open_only_where_allowed(url: str) -> None:
    open_platform(settings(url, allow_loopback=True))


def test_a_driver_that_is_not_there_is_named() -> None:
    with pytest.raises(Precondition, match="pigeon"):
        open_platform(ConnectionSettings(driver="pigeon", flow_url=SAFE, token_url=SAFE, client_id="c",
                                         client_secret="s"))


def test_the_secret_is_not_shown() -> None:
    shown = repr(ConnectionSettings(flow_url=SAFE, token_url=SAFE, client_id="c", client_secret="hush",
                                    extra_headers={"X-Key": "hush"}))
    assert "hush" not in shown
