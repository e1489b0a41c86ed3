"""Number series of outgoing invoices: what is missing, what is there twice, what is out of order."""
