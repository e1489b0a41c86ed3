"""Money received and money still due."""
