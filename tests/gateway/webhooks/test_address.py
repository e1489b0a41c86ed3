"""Where a webhook must not go: over a hundred spellings of inner addresses, and names that change their mind."""

import socket
from collections.abc import Iterator

import pytest

from gateway.webhooks import calling
from gateway.webhooks.address import ForbiddenTarget, check_url, is_public, routable

INNER = [
    "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
    "017700000001", "0", "0.0.0.0", "0x0", "localhost", "LOCALHOST", "localhost.", "10.0.0.1", "10.255.255.255",  # noqa: S104 - nothing is bound
    "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.1.254", "169.254.169.254", "169.254.0.1", "2852039166",
    "0xa9fea9fe", "0251.0376.0251.0376", "100.64.0.1", "100.127.255.254", "192.0.0.1", "192.0.2.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "[::1]", "[::]",
    "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]",
    "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b::10.0.0.1]", "[2002:7f00:1::]", "[2002:a00:1::]",
    "[2002:c0a8:101::]", "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::a9fe:a9fe]", "[fc00::1]",
    "[fd00:ec2::254]", "[fd12:3456::1]", "[ff02::1]", "[ff0e::1]", "[2001:db8::1]", "[100::1]", "[::127.0.0.1]",
    "[fec0::1]", "[feff::a00:1]", "192.0.0.192", "192.88.99.1", "168.63.129.16", "[64:ff9b:1::1]",
]
SHAPES = [
    "http://exemple.fr/", "ftp://exemple.fr/", "file:///etc/passwd", "gopher://exemple.fr/", "unix:/run/x.sock", "//x",
    "javascript:alert(1)", "https://", "https:///chemin", "https://exemple.fr:22/", "https://exemple.fr:25/",
    "https://exemple.fr:5432/", "https://exemple.fr:0/", "https://exemple.fr:99999/", "https://exemple.fr:-1/",
    "https://moi:mdp@exemple.fr/", "https://moi@exemple.fr/", "https://exemple.fr@127.0.0.1/", "https://@exemple.fr/",
    "https://127.0.0.1\\@exemple.fr/", "https://exemple.fr/#x", "https://exemple.fr\n.interne/", "https://exemple.fr /",
    "https://exemple.fr\t/", "https://éxemple.fr/", "https://exemple.fr\x00/", "https://[::1/", "https://[v1.x]/",
    "https://127。0。0。1/", "https://①②⑦.0.0.1/", "", " ", "https://" + "a" * 3000 + ".fr/", "HTTP://exemple.fr/",
    "https://exemple.fr:443@127.0.0.1/", "data:text/plain,x", "ws://exemple.fr/", "https:exemple.fr", "exemple.fr",
]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every address that a connection is tried to; none is made."""
    tried: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    return tried


@pytest.mark.parametrize("url", [f"https://{host}/" for host in INNER] + [f"https://{host}:8443/" for host in INNER]
                         + SHAPES)
def test_no_connection_to_what_is_inside(url: str, connections: list[tuple[str, int]]) -> None:
    with pytest.raises((ForbiddenTarget, calling.Unreachable)):
        calling.call(url, {}, b"{}", allowed=(), seconds=2)
    assert connections == []


def test_the_list_is_long_enough() -> None:
    assert 2 * len(INNER) + len(SHAPES) >= 100


def test_a_name_with_one_inner_address_is_refused(monkeypatch, connections: list[tuple[str, int]]) -> None:
    answers = iter([["9.9.9.9", "10.0.0.1"]])
    monkeypatch.setattr(socket, "getaddrinfo", _resolver(answers))
    with pytest.raises(ForbiddenTarget, match=r"10\.0\.0\.1"):
        calling.call("https://deux.exemple/", {}, b"{}", allowed=(), seconds=2)
    assert connections == []


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch, connections: list[tuple[str, int]]) -> None:
    answers = iter([["9.9.9.9"], ["127.0.0.1"], ["127.0.0.1"]])
    monkeypatch.setattr(socket, "getaddrinfo", _resolver(answers))
    with pytest.raises(calling.Unreachable):
        calling.call("https://change.exemple/", {}, b"{}", allowed=(), seconds=2)
    assert connections == [("9.9.9.9", 443)], "resolved once; connected to what was checked"


def _resolver(answers: Iterator[list[str]]):
    def resolve(_host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

    return resolve


def test_the_operator_may_name_systems_of_the_house() -> None:
    allowed = ("erp.interne:8080", "127.0.0.1:9000")
    assert check_url("http://erp.interne:8080/crochet", allowed) == ("erp.interne", 8080)
    assert routable("127.0.0.1", 9000, allowed) == ["127.0.0.1"]
    with pytest.raises(ForbiddenTarget):
        check_url("http://127.0.0.1:9001/", allowed)


@pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe", "64:ff9b::909:909", "::ffff:9.9.9.9"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_a_receiver_that_drips_is_left() -> None:
    """A letter at a time: the deadline counts, not the silence between two letters."""
    import threading
    import time

    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]

    def drip() -> None:
        connection, _ = server.accept()
        with connection:
            for letter in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200:
                try:
                    connection.sendall(bytes([letter]))
                except OSError:
                    return
                time.sleep(0.02)

    thread = threading.Thread(target=drip)
    thread.start()
    start = time.monotonic()
    with pytest.raises(calling.Unreachable):
        calling.call(f"http://127.0.0.1:{port}/", {}, b"{}", allowed=(f"127.0.0.1:{port}",), seconds=0.5)
    assert time.monotonic() - start < 3
    server.close()
    thread.join()
