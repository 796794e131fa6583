"""Breaking migrate_performance on purpose."""
