"""The readable invoice: data in, PDF/A-3 pages out."""
