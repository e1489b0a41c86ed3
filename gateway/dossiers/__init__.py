"""What leaves the house with its proofs: one invoice, a period, everything of a tenant."""
