"""The texts and the script that go into every dossier as they are, or nearly."""
