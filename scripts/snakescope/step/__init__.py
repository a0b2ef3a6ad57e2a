"""How a step behaves as a command: its errors, its outputs, its tables, its progress.

Shared by every tree, and free of imaging and of learning, so that the Snakefile
can import it without paying for either.
"""
