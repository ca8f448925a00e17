"""Each step of a workflow is there for something: a test that passes must turn red when that step does nothing.

A test with the mark `needs_each_step` is run once as it is, and once more a step with a workflow in which just that
step was replaced by `true`; then it must fail. `test_breaking.py` sees that no step of any workflow is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager

import pytest

from tests.github_stand_in.store import Says
from tests.workflows.attempts import Broken
from tests.workflows.rig import expected_steps, workflow

MARK = "needs_each_step(workflow, *, but=None, only=None): fails when one step of the workflow does nothing"
_RED = (AssertionError, LookupError, ValueError, Says)  # what it looked for is not there, or is not what it should be


def steps_of(
    name: str,
    *,
    but: Mapping[str, Collection[str]] | None = None,
    only: Mapping[str, Collection[str]] | None = None,
) -> list[Broken]:
    """The steps of a workflow, `but` those of some names in some jobs, or `only` those."""
    return [
        Broken(name, job, number, title)
        for job, about in workflow(name)["jobs"].items()
        for number, title in enumerate(expected_steps(about))
        if title.split("@")[0] not in (but or {}).get(job, ())
        and (only is None or title.split("@")[0] in only.get(job, ()))
    ]


def marked_steps(marks: Collection[pytest.Mark]) -> list[Broken]:
    return [step for mark in marks for step in steps_of(*mark.args, **mark.kwargs)]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All of one test in one worker: what is before the broken step is run once for all of them."""
    steps = marked_steps([*metafunc.definition.iter_markers("needs_each_step")])
    if steps:
        grouped = metafunc.definition.get_closest_marker("xdist_group")
        marks = () if grouped else (pytest.mark.xdist_group(metafunc.definition.name),)
        each = [pytest.param(step, id=str(step or "whole"), marks=marks) for step in (None, *steps)]
        metafunc.parametrize("broken", each)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test whose step was broken passes by failing."""
    broken = pyfuncitem.callspec.params.get("broken") if hasattr(pyfuncitem, "callspec") else None
    if not isinstance(broken, Broken):
        return (yield)
    with turning_red(broken):
        yield
    return True


@contextmanager
def turning_red(broken: Broken) -> Iterator[None]:
    """The body must fail, and not because the run ended before the step."""
    try:
        yield
    except _RED:
        return
    pytest.fail(f"green {broken}: what the step is for is asserted nowhere")
