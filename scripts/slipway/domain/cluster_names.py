"""What names a cluster takes: deploy/base makes a Service `<prefix>server<suffix>`, whose name is one of DNS.

Rules of Kubernetes' Service, RFC 1035: https://kubernetes.io/docs/concepts/overview/working-with-objects/names
"""

from __future__ import annotations

_SERVICE = "server"  # as deploy/base/service.yaml calls it
_LONGEST = 63  # all else that deploy/base makes may be longer, also the Deployment of a canary


def refused_service(prefix: str, suffix: str = "") -> str | None:
    """Why a cluster takes no Service of that name; None where it does."""
    name = f"{prefix}{_SERVICE}{suffix}"
    if len(name) > _LONGEST:
        return f"the Service would be called `{name}`, {len(name)} characters, and Kubernetes takes {_LONGEST}"
    if not name[0].isalpha():
        return f"the Service would be called `{name}`, and Kubernetes takes none that does not begin with a letter"
    return None


def refused_model(model: str) -> str | None:
    """The same of the manifest that a release writes for a model."""
    return refused_service(f"{model}-")
