"""Mails that came back: read from the mailbox of bounces, matched with the letters they are about."""
