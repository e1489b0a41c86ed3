"""Judging invoices of the past under other rules, to see what a change of rules would do."""
