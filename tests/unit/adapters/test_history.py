"""What the ledger says, as pages."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from semver import Version
from slipway.adapters.forge import Forge
from slipway.adapters.history import History, incident_folder, release_folder, windows_folder
from slipway.adapters.ledger import Ledger
from slipway.domain.identity import Identity
from slipway.domain.incident import IncidentVerdicts, Outcome, Window
from slipway.domain.pages import Body, Circumstances, Page
from slipway.domain.release import Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.unlabelled import LabelArrival, LabelledDay
from slipway.domain.verdict import Verdict
from slipway.errors import BadFile, NewerSchema

from tests import pages


@pytest.fixture
def history(forge: Forge) -> History:
    return History(Ledger(forge))


def page_of(body: Body, number: int = 1) -> bytes:
    told = Circumstances(written_at="2026-01-01T00:00:00+00:00", seconds=0.0, host="here", slipway="0.1.0")
    page = Page[Body](
        kind=body.kind, subject="x", number=number, reads={}, key=f"key-{number}", body=body, circumstances=told
    )
    return json.dumps({**json.loads(page.to_json()), "body": body.model_dump(mode="json")}).encode()


def verdicts(*, passes: bool) -> Verdicts:
    found = pages.verdicts(pages.first_identity(), pages.evidence(comparison=None), pages.nothing_to_rehearse())
    return found.model_copy(update={"verdict": Verdict.PASS if passes else Verdict.FAIL})


def record(history: History, **versions: bool) -> None:
    """`v1_0_0=True` is a version that passed."""
    files = {
        f"flight-delay/{name.replace('_', '.')}/verdicts.1.json": page_of(verdicts(passes=passes))
        for name, passes in versions.items()
    }
    history.ledger.append(files, message="Record")


def tag(version: str) -> ReleaseTag:
    return ReleaseTag.parse(f"flight-delay@{version}")


def test_an_empty_ledger_knows_nothing(history: History) -> None:
    """A repository before its first release has no such branch."""
    assert history.models() == []
    assert history.versions("flight-delay") == []
    assert list(history.passed_versions("flight-delay")) == []
    assert history.page(tag("v1.0.0"), Identity) is None
    assert history.incidents("flight-delay", "production") == []
    assert history.windows("flight-delay", "production", version="v1.0.0") == ()


def test_versions_are_ordered_as_versions(history: History) -> None:
    """As text, v1.10.0 comes before v1.9.0; and an environment's folder is no version."""
    record(history, v1_9_0=True, v1_10_0=True, v1_2_0=True)
    history.ledger.append({}, lines={"flight-delay/production/windows/2026-03.jsonl": ["{}"]}, message="Look")

    assert history.versions("flight-delay") == [Version(1, 2, 0), Version(1, 9, 0), Version(1, 10, 0)]
    assert history.models() == ["flight-delay"]


def test_what_passed_comes_highest_first(history: History) -> None:
    """The next promise is measured by the first of them; what failed promised nothing to anybody."""
    record(history, v1_0_0=True, v1_1_0=True, v1_2_0=False, v1_10_0=True)

    assert list(history.passed_versions("flight-delay")) == [tag("v1.10.0"), tag("v1.1.0"), tag("v1.0.0")]
    assert list(history.passed_versions("flight")) == []


def test_the_newest_page_counts(history: History) -> None:
    """Also where its number has two digits."""
    files = {
        f"{release_folder(tag('v1.0.0'))}/verdicts.{n}.json": page_of(verdicts(passes=n == 10), n) for n in (2, 10)
    }
    history.ledger.append(files, message="Record")

    assert history.passed(tag("v1.0.0"))
    assert [page.number for page in history.pages(tag("v1.0.0"), Verdicts)] == [2, 10]
    assert sorted(history.pages_of(tag("v1.0.0"))) == ["verdicts.10.json", "verdicts.2.json"]


def test_a_page_of_a_newer_slipway_is_refused_with_its_place(history: History) -> None:
    """The reader must find out which file it was."""
    newer = {**json.loads(page_of(verdicts(passes=True))), "schema_version": 99}
    history.ledger.append({"flight-delay/v1.0.0/verdicts.1.json": json.dumps(newer).encode()}, message="Record")

    with pytest.raises(NewerSchema, match=r"ledger:flight-delay/v1\.0\.0/verdicts\.1\.json has schema 99"):
        history.passed(tag("v1.0.0"))


def line(window: Window, key: str) -> str:
    return json.dumps({"key": key, "window": window.model_dump(mode="json")})


def test_windows_of_a_version_come_oldest_first_and_count_once(history: History) -> None:
    """A week that was measured again, with the labels that came late, is one week."""
    folder = windows_folder("flight-delay", "production")
    first, second, other = pages.window(0), pages.window(1), pages.window(2, version="v9.0.0")
    late = first.model_copy(update={"labelled": 4_321})
    lines = [line(second, "b"), line(first, "a"), line(other, "c"), line(late, "d")]
    history.ledger.append({}, lines={f"{folder}/2013-08.jsonl": lines}, message="Look")

    found = history.windows("flight-delay", "production", version="v1.3.0")

    assert [window.start for window in found] == [date(2013, 8, 2), date(2013, 8, 2) + timedelta(weeks=1)]
    assert found[0].labelled == 4_321


def test_what_windows_tell_since_stands_beside_their_first_form(history: History) -> None:
    """A Slipway of before refuses a window with a field that it does not know, and every later watch with it."""
    window = pages.window(0).model_copy(
        update={
            "outputs": (pages.feature_drift("score", 0.1),),
            "arrival": LabelArrival(days=(LabelledDay(day=date(2013, 8, 2), rows=9, labelled=3),), median_days=1.5),
        }
    )
    told = json.loads(json.dumps(window.to_line()))
    folder = windows_folder("flight-delay", "production")
    history.ledger.append({}, lines={f"{folder}/2013-08.jsonl": [json.dumps(told)]}, message="Look")

    assert history.windows("flight-delay", "production", version="v1.3.0") == (window,)
    assert not {"outputs", "arrival", "estimated"} & told["window"].keys()
    assert Window.model_validate(told["window"]).start == window.start


def test_a_line_that_is_no_window_is_named(history: History) -> None:
    """By a later Slipway, or by hand."""
    path = f"{windows_folder('flight-delay', 'production')}/2013-08.jsonl"
    history.ledger.append({}, lines={path: ['{"key": "a", "window": {"start": "yesterday"}}']}, message="Look")

    with pytest.raises(BadFile, match="has a line that is no window"):
        history.windows("flight-delay", "production", version="v1.3.0")


def test_incidents_come_in_the_order_of_their_days(history: History) -> None:
    """The newest is the one that may still be open."""
    body = pages.incident_verdicts(pages.calm(), Outcome.WATCH)
    ids = ["2013-10-02-metric", "2013-08-15-drift"]
    files = {
        f"{incident_folder('flight-delay', 'production', one)}/incident-verdicts.1.json": page_of(body) for one in ids
    }
    history.ledger.append(files, message="Record")

    assert history.incidents("flight-delay", "production") == sorted(ids)
    assert history.incident_page("flight-delay", "production", ids[0], IncidentVerdicts) is not None
    assert history.incident_page("flight-delay", "staging", ids[0], IncidentVerdicts) is None


def test_a_heartbeat_is_the_last_day_and_stops_after_three(history: History) -> None:
    """GitHub skips a night now and then; three in a row are no accident."""
    assert history.heartbeat("watch") is None
    assert history.stopped("watch", today=date(2026, 9, 1)) == ()
    lines = {
        f"_heartbeats/watch/{day:%Y-%m}.jsonl": [json.dumps({"day": f"{day}"})]
        for day in (date(2026, 8, 31), date(2026, 9, 2))
    }
    history.ledger.append({}, lines=lines, message="Beat")

    assert history.heartbeat("watch") == date(2026, 9, 2)
    assert history.heartbeat("reconcile") is None
    assert history.stopped("watch", "reconcile", today=date(2026, 9, 5)) == ()
    assert [one.workflow for one in history.stopped("watch", "reconcile", today=date(2026, 9, 6))] == ["watch"]
    assert history.models() == []


def test_a_line_that_is_no_heartbeat_names_its_file(history: History) -> None:
    """Somebody edited the ledger by hand."""
    history.ledger.append({}, lines={"_heartbeats/watch/2026-09.jsonl": ['{"day": "soon"}']}, message="Beat")
    with pytest.raises(BadFile, match=r"_heartbeats/watch/2026-09\.jsonl"):
        history.heartbeat("watch")
