"""The whole story of a release, as `slipway explain` tells it."""

from __future__ import annotations

from datetime import date

from slipway.domain.explanation import (
    Asking,
    Code,
    Data,
    Event,
    Explanation,
    FoundAs,
    IncidentTold,
    Judged,
    LedgerSeen,
    Merge,
    Moment,
    Place,
    RefSeen,
    Standing,
    Stay,
    Tagging,
    Way,
)
from slipway.domain.incident import IncidentKind, Outcome
from slipway.domain.origin import Dataset, FetchedFile, Origin, Training
from slipway.domain.tag import Bump
from slipway.domain.verdict import Verdict

from tests.pages.release import MODEL, conversion, digest, evidence, file, identity, image, rehearsal, verdicts, waiver

MERGE = "9db4eeccae20c4d6d04144a5598f9ab2e7d60707"
_ADA, _GRACE = "Ada Example <ada@example.org>", "Grace Example <grace@example.org>"


def merge(**changes: object) -> Merge:
    by_hand = Merge(
        commit=MERGE,
        by=_GRACE,
        at="2026-11-03T10:02:00+01:00",
        subject="Merge pull request #12 from release/production/flight-delay/v1.4.0",
        is_merge=True,
        by_slipway=False,
    )
    return by_hand.model_copy(update=changes)


def place(standing: Standing = Standing.RUNS, **changes: object) -> Place:
    here = Place(
        environment="production",
        standing=standing,
        runs_now="v1.4.0",
        instead_of="v1.3.0",
        stays=(Stay(since=date(2026, 11, 3)),),
        merges=(merge(),),
        pulls=(12,),
    )
    return here.model_copy(update=changes)


def origin() -> Origin:
    """Fetched from MLflow, which knows the run that made it."""
    model = file("model.onnx")
    return Origin(
        address="models:/flight-delay@champion",
        resolved="models:/flight-delay/7",
        sha256=digest("tree"),
        files=(FetchedFile(name="model.onnx", sha256=model.sha256, size=model.size),),
        training=Training(
            tracking_server="mlflow.example.org",
            run_id="0f3c1d2e",
            experiment="late flights",
            datasets=(Dataset(name="flights-2013", digest="7c1f9a20"),),
            commit="1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
        ),
    )


def incident(**changes: object) -> IncidentTold:
    found = IncidentTold(
        name=f"{MODEL}/production/2026-11-20-drift",
        environment="production",
        day=date(2026, 11, 20),
        about=IncidentKind.DRIFT,
        outcome=Outcome.WATCH,
        is_open=True,
        issue=14,
        problem="carrier moved by 0.310, more than 0.15",
    )
    return found.model_copy(update=changes)


def judged(**changes: object) -> Judged:
    found = verdicts(identity(), evidence(), rehearsal())
    told = Judged(
        verdict=Verdict.PASS,
        at="2026-11-02T09:41:00+00:00",
        findings=found.findings[:4],
        waivers=(),
        void_waivers=(),
        policies_digest=digest("policies"),
    )
    return told.model_copy(update=changes)


def story() -> tuple[Event, ...]:
    return (
        Event(at="2026-11-02T09:20:00+00:00", what=Moment.TAGGED, by=_ADA),
        Event(at="2026-11-02T09:41:00+00:00", what=Moment.JUDGED, said="pass"),
        Event(
            at="2026-11-02T09:43:00+00:00",
            what=Moment.PROPOSED,
            environment="production",
            version="v1.3.0",
            number=12,
        ),
        Event(at="2026-11-03T09:02:00+00:00", what=Moment.MERGED, environment="production", by=_GRACE, commit=MERGE),
        Event(
            at="2026-11-03T09:05:00+00:00",
            what=Moment.WENT_LIVE,
            environment="production",
            day=date(2026, 11, 3),
            said="50 of 50 golden answers",
        ),
    )


def explanation(**changes: object) -> Explanation:
    """A minor version that runs in production, by its image's digest."""
    released = identity()
    plain = Explanation(
        asked=Asking(text=image().digest[:19], found_as=FoundAs.IMAGE, where=f"{MODEL}/v1.4.0/image.1.json"),
        release=f"{MODEL}@v1.4.0",
        model=MODEL,
        version="v1.4.0",
        bump=Bump.MINOR,
        compared_with="v1.3.0",
        tag=Tagging(
            tag=released.tag,
            object_id=released.tag_object,
            by=_ADA,
            message=released.message,
            at="2026-11-02T10:20:00+01:00",
        ),
        code=Code(
            commit=released.commit,
            committed_at=released.committed_at,
            tooling="0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d",
            slipway="0.9.0",
            run_url="https://github.example/team/flights/actions/runs/7",
        ),
        data=Data(source=released.source_digest, samples=released.samples, origin=None, onnx=conversion().onnx),
        judged=judged(),
        adopted=None,
        image=image(),
        rebased_from=None,
        attempts=(),
        places=(place(),),
        incidents=(),
        quarantine=(),
        ways=(
            Way(
                environment="production",
                to="v1.3.0",
                command=f"slipway rollback {MODEL} --environment production --to v1.3.0",
            ),
        ),
        story=story(),
        ledger=LedgerSeen(
            ref="refs/remotes/origin/ledger",
            commit="12ab34cd56ef7890a1b2c3d4e5f60718293a4b5c",
            at="2026-11-28T05:00:00+00:00",
            fetched_at="2026-11-28T07:30:00+00:00",
        ),
        manifests=RefSeen(ref="refs/remotes/origin/main", commit=MERGE, at="2026-11-27T16:00:00+00:00"),
    )
    return plain.model_copy(update=changes)


def refused() -> Explanation:
    """Major by its number, and worse than its policy allows; nobody deploys it."""
    failed = tuple(
        one.model_copy(update={"verdict": Verdict.FAIL, "problem": "F1 is 0.312", "mend": "train on more months"})
        for one in judged().findings[:1]
    )
    return explanation(
        asked=Asking(text="#15", found_as=FoundAs.ISSUE),
        judged=judged(verdict=Verdict.FAIL, findings=failed, waivers=(waiver(),), earlier=(Verdict.PASS,)),
        image=None,
        places=(),
        ways=(),
        story=(*story()[:1], Event(at="2026-11-02T09:41:00+00:00", what=Moment.ISSUE, number=15, said="opened")),
    )
