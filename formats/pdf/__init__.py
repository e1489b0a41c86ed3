"""The PDF container, the only rooms of `formats` that open PDFs: extraction, attachments, repair to PDF/A-3b."""
