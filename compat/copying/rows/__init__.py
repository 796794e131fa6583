"""The SQL of a copy: batches, statements, staging, row constraints, rejects, verification, rollback."""
