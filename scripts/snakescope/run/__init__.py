"""A run of Snakemake: what it will take, what it does, who works, what became of it."""
