"""What one can run instead of the outside: a platform that speaks XP Z12-013 and plays the other side."""
