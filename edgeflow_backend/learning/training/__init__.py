"""The training of a project's version: a process of its own, which gives way to everything else."""
