"""A TCP proxy that mistreats what passes: answers late, lost or twice, questions cut in the middle. Seeded.

Every exchange over a connection draws its own fate, so that connections kept open are hit as well.
"""

import random
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

FATES = {"pass": 80, "late": 8, "lost": 6, "cut": 3, "twice": 3}
"""In percent: as it should be; answered late; taken in, the answer never arrives; half a question; answered twice."""

QUIET_S = 0.05
"""An answer is over when nothing more came for so long."""


@dataclass(slots=True)
class Proxy:
    """Between clients and one server. `calm` ends the mistreatment."""

    target: tuple[str, int]
    chance: random.Random
    weights: Mapping[str, int] = field(default_factory=lambda: FATES)
    calm: bool = False
    fates: Counter[str] = field(default_factory=Counter)
    door: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        """Open the door on a free port."""
        self.door = socket.create_server(("127.0.0.1", 0), backlog=128)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.door.getsockname()[1])

    def serve(self) -> None:
        """One thread per connection, until the door is closed."""
        while True:
            try:
                client, _ = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client: socket.socket) -> None:
        """One connection, until either side or fate ends it."""
        with client, suppress(OSError), socket.create_connection(self.target, timeout=30) as server:
            while self.exchange(client, server):
                pass

    def exchange(self, client: socket.socket, server: socket.socket) -> bool:
        """One question and its answer; whether the connection goes on."""
        ready, _, _ = select.select([client, server], [], [])
        if server in ready:
            return False  # the server speaks unasked: it ends the connection
        fate = self.draw()
        answer = b""
        while True:
            ready, _, _ = select.select([client, server], [], [], QUIET_S if answer else 60)
            if client in ready and not answer:
                question = client.recv(1 << 16)
                if not question:
                    return False
                if fate == "cut":
                    server.sendall(question[:len(question) // 2])
                    return False
                server.sendall(question)
            elif server in ready:
                piece = server.recv(1 << 16)
                if not piece or fate == "lost":
                    return False
                if fate == "late" and not answer:
                    time.sleep(self.chance.uniform(0.05, 1.5))
                answer += piece
                client.sendall(piece)
            else:
                if fate == "twice" and answer:
                    client.sendall(answer)
                return bool(answer)

    def draw(self) -> str:
        """What happens to the next exchange."""
        fate = "pass" if self.calm else self.chance.choices([*self.weights], [*self.weights.values()])[0]
        self.fates[fate] += 1
        return fate


@contextmanager
def proxied(host: str, port: int, seed: int, weights: Mapping[str, int] = FATES) -> Iterator[Proxy]:
    """A proxy before this address, as long as the block lasts."""
    proxy = Proxy((host, port), random.Random(seed), weights)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.door.shutdown(socket.SHUT_RDWR)
        proxy.door.close()
        thread.join(timeout=5)
