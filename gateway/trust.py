"""Whom a connection that we open trusts: the certificate authorities of the operating system."""

import ssl
from functools import cache


@cache
def trust() -> ssl.SSLContext:
    """The context of every encrypted connection but the platforms', read once in a process: reading takes 27 ms.

    Authorities that the system learns of later are trusted after a restart.
    """
    return ssl.create_default_context()
