"""Evidence on its way out of the house: whole periods, and what other systems read."""
