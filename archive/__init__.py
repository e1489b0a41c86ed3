"""Evidence: bytes in, proofs out. Imports none of the other packages."""
