"""How git shows the token of a job to GitHub: in its environment, never in its arguments or in a file.

A workflow checks out with `persist-credentials: false`, so that no token lies in the workspace; a private repository
gives nothing to a fetch without one.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

_GITHUB = "https://github.com"


def shown_to(url: str | None, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that make git send the token to `url`; none without a token, or to any other server."""
    server = environment.get("GITHUB_SERVER_URL") or _GITHUB
    token = environment.get("GITHUB_TOKEN") or environment.get("SLIPWAY_APP_TOKEN")
    if not token or url is None or not url.startswith(f"{server}/"):
        return {}
    header = "Authorization: Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()
    first, name = int(environment.get("GIT_CONFIG_COUNT") or 0), f"http.{server}/.extraheader"
    settings = {first: "", first + 1: header}  # the empty one forgets a header that the checkout may hold
    return {
        "GIT_CONFIG_COUNT": str(first + len(settings)),
        **{f"GIT_CONFIG_KEY_{number}": name for number in settings},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, value in settings.items()},
    }
