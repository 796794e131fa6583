"""CSMS: the models, the copy of its performance data, and what happens when a server starts."""
