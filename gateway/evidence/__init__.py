"""The journal, its seals and the dossier, on the service's database and store."""
