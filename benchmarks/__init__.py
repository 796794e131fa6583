"""Measurements, not tests. Compare ratios of one run."""
