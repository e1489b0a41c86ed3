"""Chat and SMS: channels of a tenant, the rules that say what goes there, and what became of each message."""
