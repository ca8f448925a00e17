"""What the ledger says, as pages: which versions passed, what they were, what production saw."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from pydantic import ValidationError
from semver import Version

from slipway.adapters.ledger import Ledger
from slipway.domain.incident import Window
from slipway.domain.pages import Body, Page, parse_page
from slipway.domain.release import Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.errors import BadFile

BodyT = TypeVar("BodyT", bound=Body)


@dataclass(frozen=True, slots=True)
class History:
    """A typed view of the ledger; it writes nothing."""

    ledger: Ledger

    def versions(self, model: str) -> list[Version]:
        """All versions that have a page, lowest first."""
        names = {PurePosixPath(path).parts[1] for path in self._paths(model) if path.count("/") >= 2}
        return sorted(Version.parse(name[1:]) for name in names if name[:1] == "v" and Version.is_valid(name[1:]))

    def models(self) -> list[str]:
        return sorted({PurePosixPath(path).parts[0] for path in self._paths("")})

    def page(self, tag: ReleaseTag, kind: type[BodyT]) -> Page[BodyT] | None:
        """The newest page of a kind of one release."""
        return self._latest(release_folder(tag), kind)

    def pages(self, tag: ReleaseTag, kind: type[BodyT]) -> list[Page[BodyT]]:
        """Every page of a kind of one release, oldest first."""
        found = [
            parse_page(kind, content, where=f"ledger:{tag}/{name}")
            for name, content in self.pages_of(tag).items()
            if name.startswith(f"{kind.kind}.")
        ]
        return sorted(found, key=lambda page: page.number)

    def incident_page(self, model: str, environment: str, incident: str, kind: type[BodyT]) -> Page[BodyT] | None:
        return self._latest(incident_folder(model, environment, incident), kind)

    def incidents(self, model: str, environment: str) -> list[str]:
        """The ids of all incidents, oldest first: an id begins with its day."""
        under = f"{model}/{environment}/incidents"
        return sorted({PurePosixPath(path).parts[3] for path in self._paths(under)})

    def pages_of(self, tag: ReleaseTag) -> dict[str, bytes]:
        """File name → content of every page of one release."""
        return {PurePosixPath(path).name: content for path, content in self.ledger.pages(release_folder(tag)).items()}

    def passed_versions(self, model: str) -> Iterator[ReleaseTag]:
        """The releases that passed, highest first."""
        tags = (ReleaseTag(model, version) for version in reversed(self.versions(model)))
        return (tag for tag in tags if self.passed(tag))

    def passed(self, tag: ReleaseTag) -> bool:
        verdicts = self.page(tag, Verdicts)
        return verdicts is not None and verdicts.body.verdict is Verdict.PASS

    def windows(self, model: str, environment: str, *, version: str) -> tuple[Window, ...]:
        """The windows that one version served, oldest first; a window that was measured again counts once."""
        newest: dict[object, Window] = {}
        for path, content in sorted(self.ledger.pages(windows_folder(model, environment)).items()):
            for line in content.decode().splitlines():
                window = _window(line, where=path)
                if window.version == version:
                    newest[window.start] = window
        return tuple(sorted(newest.values(), key=lambda window: window.start))

    def _latest(self, folder: str, kind: type[BodyT]) -> Page[BodyT] | None:
        stored = self.ledger.latest(folder, kind.kind)
        return None if stored is None else parse_page(kind, stored.content, where=f"ledger:{stored.path}")

    def _paths(self, under: str) -> Mapping[str, str]:
        head = self.ledger.forge.head("ledger")
        return {} if head is None else self.ledger.forge.list_files(head, under)


def release_folder(tag: ReleaseTag) -> str:
    return f"{tag.model}/{tag.image_tag}"


def incident_folder(model: str, environment: str, incident: str) -> str:
    return f"{model}/{environment}/incidents/{incident}"


def windows_folder(model: str, environment: str) -> str:
    return f"{model}/{environment}/windows"


def _window(line: str, *, where: str) -> Window:
    try:
        told = json.loads(line)
        return Window.model_validate(told["window"])
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise BadFile(
            f"ledger:{where} has a line that is no window", mend="update Slipway in this repository"
        ) from error
