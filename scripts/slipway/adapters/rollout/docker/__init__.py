"""Rollouts by docker compose: a project a model and environment, a front that stays and two colours in turn."""
