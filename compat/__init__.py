"""CSMS: its models, the copy of its performance data, its admin pages and its start-up hook."""
