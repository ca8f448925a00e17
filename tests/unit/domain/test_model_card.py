"""Whether a model card says what a major version breaks."""

from __future__ import annotations

import pytest
from slipway.domain.model_card import states_break


@pytest.mark.parametrize(
    ("card", "stated"),
    [
        ("## Breaking changes\n### v2.0.0\nClients must send guests.\n", True),
        ("## Breaking changes\r\n### v2.0.0\r\nClients must send guests.\r\n", True),
        ("## Breaking changes\n\n### v2.0.0\n\nClients must send guests.\n\n## More\n", True),
        ("## Breaking changes\n### v2.0.0\n", False),
        ("## Breaking changes\n### v2.0.0\n### v1.0.0\nOld news.\n", False),
        ("## Breaking changes\n### v2.0.0-rc.1\nOld news.\n", False),
        ("## Breaking changes\n### v12.0.0\nOther.\n", False),
        ("### v2.0.0\nNot under the heading.\n", False),
        ("## Breaking changes\nNothing.\n## Later\n### v2.0.0\nElsewhere.\n", False),
        ("", False),
    ],
)
def test_a_break_is_stated_by_a_sentence_under_its_own_heading(card: str, stated: bool) -> None:
    """An empty heading would be a box to tick."""
    assert states_break(card, "v2.0.0") is stated
