"""Making a dossier: the files of one invoice, and the texts and the script that go in as they are, or nearly."""
