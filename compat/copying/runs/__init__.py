"""Runs: their store, lease, requests, events and lifecycle."""
