"""CSMS in Django's admin: the models, and the pages Structure, Runs and Rejected rows."""

from compat.admin import csms, rejects, runs, structure

__all__ = ["csms", "rejects", "runs", "structure"]
