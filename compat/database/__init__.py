"""What both engines need from a database: its dialect, SQL, errors, retries, locks, and the stop request.

The engines `compat.structure` and `compat.copying` build on this package and do not know each other.
"""
