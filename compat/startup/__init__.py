"""What happens when a server starts: verify, repair what is safe, copy what waits; once, whatever the workers.

`hook` finds out whether this process serves, `work` does the work and tells what it did.
"""
