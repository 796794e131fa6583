"""What keeps a database from being verified."""


class Unverifiable(Exception):
    """The structure could not be read or judged; the text says why, and what to do."""
