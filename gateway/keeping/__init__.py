"""How long things are kept, who may read, hold or destroy them, and what is left of what is gone."""
