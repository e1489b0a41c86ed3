"""One module per command. They run in a process of their own, so they may use every room of the house."""
