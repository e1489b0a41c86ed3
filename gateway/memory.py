"""Large blocks of memory go back to the system when they are freed.

A service that takes in documents of 20 MB would otherwise keep the most that it ever needed: the C library raises
the size from which it asks the system directly with every large block that it frees, and keeps a heap per thread.
"""

import ctypes
import sys

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
LARGE = 256 << 10
HEAPS = 2


def give_back_large_blocks() -> None:
    """Fix the size of a large block and the number of heaps, where the C library is glibc; else do nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_ARENA_MAX, HEAPS)
