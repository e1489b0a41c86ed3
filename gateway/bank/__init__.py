"""Statements of the bank account (CAMT.053): taken in once, matched with what is open, confirmed by a person."""
