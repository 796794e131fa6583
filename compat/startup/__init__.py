"""The start of a server: verify, apply the safe repairs and copy, once regardless of the number of workers.

`hook` finds out whether this process serves, `work` does the work and reports it.
"""
