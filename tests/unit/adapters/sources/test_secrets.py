"""The environment of what fetches, and what of it may be shown."""

from __future__ import annotations

import pytest
from slipway.adapters.sources import secrets
from slipway.errors import BadFile


def test_lines_of_the_secret_reach_the_process_and_tokens_of_the_job_do_not() -> None:
    """What fetches from a store has no business with the repository."""
    ours = {"PATH": "/bin", "GITHUB_TOKEN": "ghs_1", secrets.VARIABLE: "# a store\n\nAWS_SECRET_ACCESS_KEY=a=b\nA=\n"}

    assert secrets.for_the_process(ours) == {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "a=b", "A": ""}


@pytest.mark.parametrize("line", ["hunter2", "export TOKEN=hunter2", "=hunter2", "TO KEN=hunter2"])
def test_a_line_that_is_none_is_named_by_its_number(line: str) -> None:
    """It may hold a password, so it is not repeated."""
    with pytest.raises(BadFile, match="line 2") as caught:
        secrets.for_the_process({secrets.VARIABLE: f"A=1\n{line}"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "PYTHONPATH", "GIT_CONFIG_COUNT", "BASH_ENV"])
def test_no_line_decides_what_runs_beside_the_secret(name: str) -> None:
    """Who may write a secret is not always who may write code, and a PATH of another machine breaks the job."""
    with pytest.raises(BadFile, match=f"line 1, sets {name}"):
        secrets.for_the_process({secrets.VARIABLE: f"{name}=/somewhere"})

    assert "LDAP_USER" in secrets.for_the_process({secrets.VARIABLE: "LDAP_USER=ada"})


def test_values_of_secrets_are_hidden_wherever_they_stand() -> None:
    """Libraries repeat the address that they asked, with all that is in it."""
    variables = {"HF_TOKEN": "hf_abcdef", "MY_PASSWORD": "hf_abcdef-longer", "REGION": "eu-central-1", "KEY": "abc"}

    assert secrets.hidden("hf_abcdef-longer hf_abcdef eu-central-1 abc", variables) == "*** *** eu-central-1 abc"
