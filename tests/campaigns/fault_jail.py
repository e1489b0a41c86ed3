"""Jails that are ready at once: one process compiles the rules, and each new jail is a fork of it.

    python tests/campaigns/fault_jail.py SOCKET          the process that forks
    python -S -E tests/campaigns/fault_jail.py SOCKET -  a jail as the product starts one: hands its pipes over

A gateway that lives for seconds would spend them on compiling. What the jail does is the product's own; that a jail
itself dies is tested elsewhere.
"""

import os
import signal
import socket
import sys


def main() -> None:
    """One of the two."""
    if len(sys.argv) > 2:
        hand_over(sys.argv[1])
    else:
        fork_jails(sys.argv[1])


def hand_over(path: str) -> None:
    """Give standard input and output to a new jail, and live as long as it."""
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(path)
        socket.send_fds(door, [b"."], [0, 1])
        door.recv(1)


def fork_jails(path: str) -> None:
    """A jail for each that comes, until this process is ended."""
    from validation import errands, jail, run  # noqa: F401 - only the process that forks has the time

    run.warm()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen(64)
        while True:
            caller, _ = door.accept()
            _, pipes, _, _ = socket.recv_fds(caller, 1, 2)
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.dup2(pipes[0], 0)
                os.dup2(pipes[1], 1)
                for descriptor in (door.fileno(), *pipes):
                    os.close(descriptor)
                sys.argv = ["jail"]
                jail.main()
                os._exit(0)
            for descriptor in pipes:
                os.close(descriptor)
            caller.close()


if __name__ == "__main__":
    main()
