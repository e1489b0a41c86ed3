"""What goes out: the words, the mail, the paper for a person, the links that answer, the file for an agency."""
