"""Is a buyer reachable: what the directory says, and what we do about it."""
