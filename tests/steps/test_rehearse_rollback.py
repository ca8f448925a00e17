"""Going back, tried before going forward."""

from __future__ import annotations

from slipway.domain.release import Rehearsal
from slipway.steps import rehearse_rollback, resolve_tag

from tests.team import ENVIRONMENT, Team, Tip


def rehearsed(team: Team, tag: str) -> Rehearsal:
    resolve_tag.run(tag, workplace=team.workplace)
    return rehearse_rollback.run(team.record(tag), environment=ENVIRONMENT).body


def test_before_anything_is_deployed_there_is_nothing_to_go_back_to(team: Team) -> None:
    """The first release must not fail for want of a version before it."""
    team.tag("tip@v1.0.0")

    assert rehearsed(team, "tip@v1.0.0").to is None


def test_the_deployed_version_gives_its_golden_answers_again(live: Team) -> None:
    """Fetched by digest, loaded and asked: that is what the night of a rollback needs."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))

    found = rehearsed(live, "tip@v1.1.0")

    assert found.to is not None and found.to.version == "v1.0.0"
    assert (found.fetched, found.loaded, found.golden_rows, found.golden_equal) == (True, True, 50, 50)
    assert found.onnxruntime


def test_an_image_that_is_gone_is_found_out_and_told(live: Team) -> None:
    """Nothing else looks at the image of the version before until it is needed."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    live.lose_images()

    found = rehearsed(live, "tip@v1.1.0")

    assert (found.fetched, found.loaded) == (False, False)
    assert found.problem


def test_a_way_back_that_was_rehearsed_is_not_rehearsed_again(live: Team) -> None:
    """Until something else is deployed, or another onnxruntime runs it."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    rehearsed(live, "tip@v1.1.0")

    assert rehearse_rollback.run(live.record("tip@v1.1.0"), environment=ENVIRONMENT).number == 1
