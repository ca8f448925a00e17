"""Commands that a person is told to type: of names and versions that were checked, so that nothing needs quoting."""

from __future__ import annotations


def adopt(model: str, *, environment: str, version: str, what: str) -> str:
    """`what` is `--image DIGEST` or `--onnx FILE`."""
    return f"slipway adopt {model} --environment {environment} --version {version} {what}"


def rollback(model: str, *, environment: str, to: str = "VERSION") -> str:
    return f"slipway rollback {model} --environment {environment} --to {to}"


def rollout(model: str, *, environment: str) -> str:
    return f"slipway rollout {model} --environment {environment}"


def verify_rollout(model: str, *, environment: str) -> str:
    return f"slipway verify-rollout {model} --environment {environment}"
