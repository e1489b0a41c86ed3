"""What can be asked of any platform to know how it behaves: numbered checks and their verdicts."""
