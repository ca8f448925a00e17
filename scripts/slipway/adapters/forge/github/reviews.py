"""Asking people and teams for a review on GitHub."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slipway.adapters import crash_points
from slipway.adapters.forge.github.answers import Refused
from slipway.adapters.forge.github.conversation import Conversation

log = logging.getLogger(__name__)


class GitHubReviews:
    _talk: Conversation

    def _ask_for_reviews(self, fields: Mapping[str, Any], reviewers: Sequence[str]) -> None:
        """Ask who was never asked, each by a request of its own: for one that it does not take, GitHub refuses all.

        Who has reviewed stands no more among those who are asked, but in what happened to the pull request.
        """
        number = int(fields["number"])
        missing = _without(reviewers, _names(fields["requested_reviewers"], fields["requested_teams"]))
        if missing:
            for reviewer in _without(missing, self._asked_ever(number)):
                self._ask_for_review(number, reviewer)

    def _asked_ever(self, number: int) -> set[str]:
        events = list(self._talk.pages(f"/issues/{number}/events"))
        asked = [event for event in events if event["event"] == "review_requested"]
        people = [event["requested_reviewer"] for event in asked if event.get("requested_reviewer")]
        return _names(people, [event["requested_team"] for event in asked if event.get("requested_team")])

    def _ask_for_review(self, number: int, reviewer: str) -> None:
        organisation, slash, name = reviewer.removeprefix("@").rpartition("/")
        if slash and organisation.lower() != self._talk.owner.lower():
            log.warning("%s is not asked for a review: it is a team of another organisation", reviewer)
            return
        body = {"team_reviewers" if slash else "reviewers": [name]}
        try:
            with crash_points.external_write("ask-for-review"):
                self._talk.write("POST", f"/pulls/{number}/requested_reviewers", body, repeat=True)
        except Refused as refused:
            if refused.status not in (403, 422):  # the token may open the request, so 403 is about this reviewer
                raise
            log.warning("%s is not asked for a review: %s", reviewer, refused.said)


def _without(reviewers: Iterable[str], names: set[str]) -> list[str]:
    return [each for each in dict.fromkeys(reviewers) if _name(each) not in names]


def _name(reviewer: str) -> str:
    """A team has a slash before its name, whatever its organisation is called."""
    return "".join(reviewer.removeprefix("@").rpartition("/")[1:]).lower()


def _names(people: Sequence[Mapping[str, Any]] | None, teams: Sequence[Mapping[str, Any]] | None) -> set[str]:
    logins = {str(person["login"]).lower() for person in people or ()}
    return logins | {f"/{team['slug']}".lower() for team in teams or ()}
