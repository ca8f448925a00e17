"""Whole steps against a GitHub that fails: every request of every step, in every way, in one process and at once."""
