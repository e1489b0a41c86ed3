"""What a report looks like to whoever reads it: text, page, print, machine; and the printed index of a dossier."""
