"""The copy engine: brings the rows of one table over to another, exactly once, proven and reversible."""
