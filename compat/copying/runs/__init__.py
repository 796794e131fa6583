"""Runs: their store, lease, heartbeat, requests and events."""
