"""Invoices that leave: intake over HTTP, deposit at the platform."""
