"""What is particular to a Factur-X: its container, its PDF/A claim, its metadata against its XML."""
