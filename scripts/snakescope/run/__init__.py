"""Running the workflow on a cluster: what it will take, what it does, what became of it.

Knows of rules, jobs and Slurm, and of no tree. The Snakefile imports ``settings``, ``events``
and ``announce``, which import neither pandas nor anything that is slow.
"""
