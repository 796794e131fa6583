"""Working on a run: ranges, workers, batch size, throttle, deferred indexes, verification at the end."""
