"""Our own rules, Python over the model: `mentions` is French law, `business` all else."""
