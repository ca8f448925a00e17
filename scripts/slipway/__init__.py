"""Slipway: a git tag releases a machine-learning model."""

__version__ = "0.1.0"
