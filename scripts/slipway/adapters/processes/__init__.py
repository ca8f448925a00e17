"""Processes that run a team's code: their environments, their walls and limits, and how they ended."""
