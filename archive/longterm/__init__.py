"""What keeps evidence good for longer than a certificate and a hash function live: chains of seals, hash renewal."""
