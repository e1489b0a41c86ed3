"""Places that keep objects: a directory, S3 with Object Lock, two of them as copies of each other."""
