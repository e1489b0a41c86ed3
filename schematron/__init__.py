"""The rule supply: which published rule sets exist, where they come from, and their fast form."""
