"""See that what the manifest names is what answers, and that it gives the answers it was judged by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from slipway.adapters import (
    bringing_to_life,
    canaries,
    deploy_tree,
    failed_rollouts,
    git,
    known_answers,
    wanted_rollouts,
)
from slipway.adapters.canaries import Trial
from slipway.adapters.records import Record
from slipway.adapters.rollout import Live
from slipway.adapters.rollout import Rollout as Engine
from slipway.adapters.served_log import GOLDEN_REQUEST
from slipway.adapters.wanted_rollouts import Wanted
from slipway.adapters.workplace import Workplace
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.evidence import Golden
from slipway.domain.pages import Page
from slipway.domain.release import Rollout, Withdrawal
from slipway.domain.rollout_failure import LONGEST_LINE, LONGEST_WORDS, MOST_LINES, RolloutFailure, RolloutProblem
from slipway.errors import NotReleasable, RolloutFailed, ServerRefused, SlipwayError, Unreachable
from slipway.measures import way_back
from slipway.reports.plain import lines, shortened
from slipway.reports.rollout_words import next_steps


class _Fault(Exception):
    """What the version did that was being rolled out for the first time."""

    def __init__(self, problem: RolloutProblem, failure: RolloutFailed, *, golden_equal: int | None) -> None:
        super().__init__(failure.problem)
        self.problem = problem
        self.failure = failure
        self.golden_equal = golden_equal


def run(
    model: str, *, environment: str, on: date, workplace: Workplace, engine: Engine, stays: bool = True
) -> Page[Rollout]:
    """Bring the manifest's digest to life, ask it the golden rows, write the page `rollout`, and mark the commit.

    Run again, it brings to life what died meanwhile, and returns the same page.

    Args:
        model: a model's name.
        environment: one of slipway.yaml.
        on: the day from which the watch counts windows.
        workplace: where the manifest, the ledger and the registry are.
        engine: what runs it.
        stays: whether what is brought to life goes on when this run has ended.

    Raises:
        NotReleasable: the manifest names nothing, or what the ledger never passed, or what is in quarantine.
        NotSigned: slipway.yaml names keys, and none of them signed that digest.
        RolloutFailed: it never became ready, answers otherwise than it did when it was judged, or fell over. The page
            `rollout-failure` of an incident says so; the same failure is the same incident, however often it is seen.
        Unreachable: nobody can say.
    """
    found = wanted(model, environment=environment, workplace=workplace)
    return _run(found, on=on, workplace=workplace, engine=engine, stays=stays)


def run_on_canary(
    model: str, *, environment: str, on: date, workplace: Workplace, engine: Engine
) -> Page[Rollout] | None:
    """The same of a canary, beside what serves the rest; None where the manifest names none.

    Raises:
        as `run`: one that fails is withdrawn, and what serves the rest goes on.
    """
    git.fetch(workplace.repository.root)
    found = wanted_rollouts.wanted_canary(model, environment=environment, workplace=workplace)
    if found is None:
        return None
    if wanted_rollouts.wanted(model, environment=environment, workplace=workplace) is None:
        raise NotReleasable(
            f"{deploy_tree.manifest_path(environment, model)} names a canary, and nothing that answers the rest",
            mend="put back what had all of the traffic",
        )
    bringing_to_life.refuse_unjudged(found, workplace)
    return _run(found, on=on, workplace=workplace, engine=engine, stays=True)


def note_withdrawn(model: str, *, environment: str, workplace: Workplace) -> tuple[Page[Withdrawal], ...]:
    """Write a page `withdrawal` for each canary that left the manifest, after `run` applied what is left."""
    git.fetch(workplace.repository.root)
    gone = canaries.left_behind(model, environment=environment, workplace=workplace)
    return tuple(_note_withdrawn(one, workplace) for one in gone)


def fail_canary(trial: Trial, told: CanaryVerdicts, *, workplace: Workplace) -> Page[RolloutFailure]:
    """Write the incident of a canary that runs, and whose answers were judged to be bad: its way back is as of one that
    never ran."""
    found = trial.canary
    record = workplace.release(found.tag)
    record.seed(workplace.history.pages_of(found.tag))
    golden = known_answers.golden_in(record)
    problems = "; ".join(one.problem or one.title for one in told.failed)
    failure = RolloutFailed(f"{told.rows:,} rows were answered by the canary: {problems}", mend="withdraw it")
    fault = _Fault(RolloutProblem.WORSE, failure, golden_equal=golden.rows)
    return _incident(found, fault, golden, told, on=told.seen, serves=told.stable, workplace=workplace)


def _note_withdrawn(found: Wanted, workplace: Workplace) -> Page[Withdrawal]:
    record = workplace.release(found.tag)
    record.seed(workplace.history.pages_of(found.tag))
    gone = Withdrawal(
        environment=found.environment, version=found.tag.image_tag, digest=found.digest, commit=found.commit
    )
    return record.once_for_each(Withdrawal, reads=found.reads(stays=True), make=lambda: gone)


def _run(found: Wanted, *, on: date, workplace: Workplace, engine: Engine, stays: bool) -> Page[Rollout]:
    record = workplace.release(found.tag)
    record.seed(workplace.history.pages_of(found.tag))
    try:
        bringing_to_life.refuse_unsigned(found, workplace)
        page = _roll_out(record, found, on=on, engine=engine, stays=stays, workplace=workplace)
    except _Fault as fault:
        bringing_to_life.mark_failed(found, fault.failure, workplace.forge)
        raise _written_down(record, found, fault, on=on, engine=engine, workplace=workplace) from fault
    except SlipwayError as failure:
        bringing_to_life.mark_failed(found, failure, workplace.forge)
        raise
    told = f"{found.tag}: {page.body.golden_equal} of {page.body.golden_rows} golden answers"
    bringing_to_life.mark_verified(found, told, workplace.forge)
    return page


def wanted(model: str, *, environment: str, workplace: Workplace) -> Wanted:
    """What a rollout would bring to life; writes nothing.

    Raises:
        NotReleasable: the manifest names nothing, or what the ledger never passed, or what is in quarantine.
    """
    git.fetch(workplace.repository.root)
    found = wanted_rollouts.wanted(model, environment=environment, workplace=workplace)
    if found is None:
        raise NotReleasable(
            f"{deploy_tree.manifest_path(environment, model)} deploys nothing yet",
            mend="merge a release's pull request",
        )
    bringing_to_life.refuse_unjudged(found, workplace)
    return found


def _roll_out(
    record: Record, found: Wanted, *, on: date, engine: Engine, stays: bool, workplace: Workplace
) -> Page[Rollout]:
    """What was verified and does not come to life again later is no rollout that failed: it ran.

    Raises:
        _Fault: it was never verified, and is at fault.
    """
    golden = known_answers.golden_in(record)
    verified = record.written_for(Rollout, reads=found.reads(stays=stays))
    examine = partial(_refuse_wrong, record, golden, engine)
    try:
        live = bringing_to_life.apply(found, workplace, engine, examine=examine if verified is None else None)
    except RolloutFailed as failure:
        if verified is not None:
            raise
        raise _Fault(RolloutProblem.NEVER_READY, failure, golden_equal=None) from failure
    if verified is not None:
        return verified
    examine(live)
    _watch(live, engine, seconds=bringing_to_life.limit_of(found, workplace).settle_seconds, golden_equal=golden.rows)
    return record.once_for_each(
        Rollout,
        reads=found.reads(stays=stays),
        make=lambda: _verified(found, golden, on=on, stays=stays),
    )


def _golden_answers(record: Record, golden: Golden, live: Live, engine: Engine) -> int:
    """How many golden rows are answered as when the version was judged.

    Raises:
        ServerRefused: it answers with a refusal.
        Unreachable: it does not answer, and nothing says that it is its own fault.
        _Fault: it does not answer, since it does not run any more.
    """
    if golden.rows == 0:
        return 0
    declaration = known_answers.declaration_in(record)
    try:
        answers = engine.ask(live, way_back.questions(declaration, golden), request_id=GOLDEN_REQUEST)
    except Unreachable:
        _watch(live, engine, seconds=0, golden_equal=None)
        raise
    return way_back.equal_rows(golden, answers)


def _watch(live: Live, engine: Engine, *, seconds: float, golden_equal: int | None) -> None:
    try:
        engine.watch(live, seconds=seconds)
    except RolloutFailed as failure:
        raise _Fault(RolloutProblem.FELL_OVER, failure, golden_equal=golden_equal) from failure


def _refuse_wrong(record: Record, golden: Golden, engine: Engine, live: Live) -> None:
    try:
        equal = _golden_answers(record, golden, live, engine)
        wrong = f"{golden.rows - equal} of {golden.rows} golden rows"
        told = f"answers in {live.environment}, but {wrong} otherwise than when it was judged"
    except ServerRefused as refused:
        equal, told = 0, f"refuses in {live.environment} what it answered when it was judged: {refused.problem}"
    if equal < golden.rows:
        failure = RolloutFailed(f"{live.version} {told}", mend="go back to what ran before")
        raise _Fault(RolloutProblem.WRONG_ANSWERS, failure, golden_equal=equal)


def _verified(found: Wanted, golden: Golden, *, on: date, stays: bool) -> Rollout:
    return Rollout(
        environment=found.environment,
        version=found.tag.image_tag,
        digest=found.digest,
        commit=found.commit,
        live_since=on,
        golden_rows=golden.rows,
        golden_equal=golden.rows,
        stays=stays,
        canary=found.is_canary,
    )


def _written_down(
    record: Record, found: Wanted, fault: _Fault, *, on: date, engine: Engine, workplace: Workplace
) -> RolloutFailed:
    """The failure, with the incident that tells of it."""
    golden = known_answers.golden_in(record)
    serves = partial(_serves, found, engine)
    page = _incident(found, fault, golden, None, on=on, serves=serves, workplace=workplace)
    failure = fault.failure
    return RolloutFailed(failure.summary, mend=next_steps(page.body), log=failure.log, incident=page.body.name)


def _incident(
    found: Wanted,
    fault: _Fault,
    golden: Golden,
    judged: CanaryVerdicts | None,
    *,
    on: date,
    serves: str | Callable[[], str | None],
    workplace: Workplace,
) -> Page[RolloutFailure]:
    """One for the same failure, whoever sees it again; the same canary may fail when it starts, and later be judged."""
    reads = {**found.reads(stays=True), **({"judged": "worse"} if fault.problem is RolloutProblem.WORSE else {})}
    incident = failed_rollouts.id_of(found, on=on, workplace=workplace, reads=reads)
    kept = workplace.incident(found.tag.model, found.environment, incident)
    kept.seed(workplace.history.pages_of_incident(found.tag.model, found.environment, incident))

    def make() -> RolloutFailure:
        answering = serves if isinstance(serves, str) else serves()
        failure = _failure(found, fault, golden, incident, on=on, serves=answering, workplace=workplace)
        return failure if judged is None else failure.model_copy(update=_judged(judged))

    return kept.once_for_each(RolloutFailure, reads=reads, make=make)


def _judged(told: CanaryVerdicts) -> dict[str, object]:
    """Of a canary that runs and is worse, by the names of the page."""
    counted = {"since": told.since.date(), "rows": told.rows, "labelled": told.labelled}
    return {"findings": told.failed, **counted}


def _failure(
    found: Wanted, fault: _Fault, golden: Golden, incident: str, *, on: date, serves: str | None, workplace: Workplace
) -> RolloutFailure:
    before = failed_rollouts.runs_instead(found, workplace)
    said, *more = lines(fault.failure.summary)
    return RolloutFailure(
        model=found.tag.model,
        environment=found.environment,
        version=found.tag.image_tag,
        digest=found.digest,
        commit=found.commit,
        incident=incident,
        seen=on,
        problem=fault.problem,
        said=shortened(said, longest=LONGEST_WORDS),
        log=_bounded([*more, *fault.failure.log]),
        golden_rows=golden.rows,
        golden_equal=fault.golden_equal,
        serves=serves,
        back_to=before.back_to,
        back_to_digest=before.back_to_digest,
        put_back_after=before.put_back_after,
        history=before.history,
        canary=found.is_canary,
    )


def _bounded(printed: list[str]) -> tuple[str, ...]:
    """What a server printed may hold anything: lines that can be told, and not too many."""
    told = [shortened(line, longest=LONGEST_LINE) for text in printed for line in lines(text)]
    return tuple(told[-MOST_LINES:])


def _serves(found: Wanted, engine: Engine) -> str | None:
    try:
        live = engine.live(found.tag.model, found.environment)
    except SlipwayError:
        return None  # nobody can say
    return live.version if live else None
