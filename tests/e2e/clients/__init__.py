"""Clients who ask a model server while something is done to it, wherever it runs."""
