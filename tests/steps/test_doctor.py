"""Each finding goes from bad to good, and what cannot be seen is neither."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import stamina
import yaml
from slipway.adapters import git
from slipway.adapters.forge.github import GitHubForge, Pace
from slipway.adapters.forge.github.settings import GitHubSettings
from slipway.adapters.ledger import Ledger
from slipway.adapters.template_files import digest
from slipway.adapters.workplace import Workplace
from slipway.domain.checkup import Checkup, Finding, State
from slipway.domain.checkup.work_tree import LISTED
from slipway.domain.settings import RolloutEngine
from slipway.reports.checkup import checkup_text
from slipway.steps import doctor

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.description import violations
from tests.github_stand_in.faults import Fault
from tests.github_stand_in.server import served
from tests.github_stand_in.store import Hosted
from tests.github_stand_in.switches import Environment, Switches
from tests.team import ROOT, TODAY, Team

TOKEN = "secret-token"
AT_ONCE = Pace(between_writes=0.0, attempts=2, first_wait=0.0, silence=1)
RULESETS = {
    "Slipway: people create release tags",
    "Slipway: release tags are never moved",
    "Slipway: the ledger only grows",
    "Slipway: manifests pass before a merge",
}


@pytest.fixture(scope="session")
def github() -> Iterator[GitHub]:
    with served(GitHub()) as github:
        yield github


@dataclass(frozen=True)
class Office:
    """A team's repository on the stand-in, and what it is set to there."""

    team: Team
    github: GitHub
    hosted: Hosted

    @property
    def switches(self) -> Switches:
        return self.hosted.switches

    @property
    def place(self) -> Workplace:
        given = {"api": self.github.url, "token": TOKEN, "pace": AT_ONCE}
        return replace(
            self.team.workplace,
            forge=GitHubForge(self.hosted.name, **given),  # type: ignore[arg-type]
            switches=GitHubSettings(self.hosted.name, **given),  # type: ignore[arg-type]
        )

    def look(self) -> Checkup:
        return doctor.run(today=TODAY, workplace=self.place)

    def finding(self, name: str) -> Finding:
        (found,) = [finding for finding in self.look().findings if finding.name == name]
        return found

    def disturb(self, **fault: object) -> None:
        self.github.faults.waiting[:] = [Fault(**fault) for _ in range(AT_ONCE.attempts)]  # type: ignore[arg-type]


@pytest.fixture
def office(team: Team, github: GitHub) -> Iterator[Office]:
    """With the workflows and rulesets of the template, and a list of two files that came from it."""
    for workflow in ("watch.yml", "reconcile.yml"):
        team.write(f".github/workflows/{workflow}", 'on:\n  schedule:\n    - cron: "17 5 * * *"\n')
    shutil.copytree(ROOT / ".github" / "rulesets", team.root / ".github" / "rulesets")
    ours = [".github/workflows/watch.yml", "serving/server.py"]
    team.write(LISTED, "".join(f"{digest(team.root / name)}  {name}\n" for name in ours))
    team.commit("Generate")
    office = Office(team, github, github.host(Hosted(team.bare, f"acme/{team.root.parent.name}")))
    said_before = len(github.exchanges)
    yield office
    github.faults.waiting.clear()
    assert [problem for said in github.exchanges[said_before:] for problem in violations(said)] == []


def set_up(office: Office) -> None:
    """All that a team lead does after `doctor` has said it."""
    office.switches.actions_open_pulls = True
    only = {"protected_branches": False, "custom_branch_policies": True}
    office.switches.environments["slipway"] = Environment(policy=only, branches=[("branch", "main")])
    office.switches.variables.add("SLIPWAY_RUNNER")
    doctor.fix(workplace=office.place)


def test_a_new_repository_is_told_all_that_would_fail_and_afterwards_nothing(office: Office) -> None:
    """The first thing that a team lead runs: what is not said here is found out by a release that ends in silence."""
    before = office.look()
    set_up(office)
    after = office.look()

    names = {finding.name for finding in before.problems}
    assert names == {
        "pull requests by Actions",
        "labels",
        *(f"ruleset `{name}`" for name in RULESETS),
        "environment `slipway`",
        "runner",
        "image registry",
    }
    assert all(finding.mend for finding in before.problems)
    assert before.exit_code == 2
    assert [finding.text for finding in after.findings if finding.state is not State.OK] == []
    assert after.exit_code == 0


# --- one by one ----------------------------------------------------------------------------------------------

Change = Callable[[Office], object]


def _app_without_key(office: Office) -> None:
    office.switches.variables.add("SLIPWAY_APP_CLIENT_ID")


def _key_without_app(office: Office) -> None:
    office.switches.environments["slipway"].secrets.add("SLIPWAY_APP_KEY")


def _key_for_all_branches(office: Office) -> None:
    office.switches.secrets.add("SLIPWAY_APP_KEY")


def _environment_for_protected_branches(office: Office) -> None:
    office.switches.environments["slipway"].policy = {"protected_branches": True, "custom_branch_policies": False}


def _environment_for_a_tag_too(office: Office) -> None:
    office.switches.environments["slipway"].branches.append(("tag", "m@*"))


def _environment_for_all(office: Office) -> None:
    office.switches.environments["slipway"].policy = None


def _weaken(part: str, value: object) -> Change:
    def weaken(office: Office) -> None:
        (ledger,) = [one for one in office.switches.rulesets if "ledger" in one["name"]]
        ledger[part] = value

    return weaken


def _state(file: str, state: str) -> Change:
    return lambda office: office.switches.workflow_states.update({file: state})


def _no_workflow(office: Office) -> None:
    git.run("rm", "--quiet", ".github/workflows/reconcile.yml", cwd=office.team.root)
    office.team.commit("Stop")


def _another_registry(office: Office) -> None:
    office.team.edit("slipway.yaml", "layout:.slipway/registry", "registry.example.com/acme")


def _public_key_alone(office: Office) -> None:
    office.team.edit("slipway.yaml", "layout:.slipway/registry", "ghcr.io/acme\nsigning_keys: [cosign.pub]")


def _committed_without_its_public_key(office: Office) -> None:
    _public_key_alone(office)
    office.team.commit("Sign what is released")


def _private_key_alone(office: Office) -> None:
    office.switches.environments["slipway"].secrets.add("SLIPWAY_SIGNING_KEY")


def _signing_key_for_all_branches(office: Office) -> None:
    office.switches.secrets.add("SLIPWAY_SIGNING_KEY")


BAD = {
    "an App without its key": (_app_without_key, "GitHub App", "no SLIPWAY_APP_KEY"),
    "a key without its App": (_key_without_app, "GitHub App", "the App is never asked"),
    "a key that all branches read": (_key_for_all_branches, "GitHub App", "a workflow of any branch can read its key"),
    "an environment for all": (_environment_for_all, "environment `slipway`", "open to all branches"),
    "one for protected ones": (_environment_for_protected_branches, "environment `slipway`", "all protected branches"),
    "one for a tag too": (_environment_for_a_tag_too, "environment `slipway`", "open to branch main, tag m@*"),
    "a ruleset switched off": (_weaken("enforcement", "disabled"), "ruleset `Slipway: the ledger only grows`", "else"),
    "a rule less": (_weaken("rules", [{"type": "deletion"}]), "ruleset `Slipway: the ledger only grows`", "else"),
    "somebody who may bypass it": (
        _weaken("bypass_actors", [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]),
        "ruleset `Slipway: the ledger only grows`",
        "something else than its file",
    ),
    "a schedule that ran out": (_state("watch.yml", "disabled_inactivity"), "schedule of watch.yml", "60 days"),
    "one switched off": (
        _state("reconcile.yml", "disabled_manually"),
        "schedule of reconcile.yml",
        "disabled_manually",
    ),
    "one that is gone": (_no_workflow, "schedule of reconcile.yml", "no .github/workflows/reconcile.yml on main"),
    "a public key alone": (_public_key_alone, "signing key", "the environment has no SLIPWAY_SIGNING_KEY"),
    "one that main does not name": (_public_key_alone, "public keys", "none on main: images are not signed"),
    "one that the branch lacks": (
        _committed_without_its_public_key,
        "public keys",
        "cosign.pub, which slipway.yaml names",
    ),
    "a private key alone": (_private_key_alone, "signing key", "nothing is signed"),
    "a signing key that all read": (
        _signing_key_for_all_branches,
        "signing key",
        "a workflow of any branch can read it",
    ),
    "a registry of somebody's": (_another_registry, "image registry", "nothing to show to registry.example.com"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_goes_wrong_later_is_found(case: str, office: Office) -> None:
    """Nothing else tells: GitHub skips, hides and refuses without a word to the team."""
    break_it, name, text = BAD[case]
    set_up(office)
    assert office.finding(name).state is State.OK

    break_it(office)

    found = office.finding(name)
    assert (found.state, text in found.text) == (State.PROBLEM, True), found.text
    assert found.mend


def test_with_the_app_actions_need_not_open_pull_requests(office: Office) -> None:
    """The safer of the two settings must not be told as a problem."""
    set_up(office)
    office.switches.actions_open_pulls = False
    office.switches.variables.add("SLIPWAY_APP_CLIENT_ID")
    office.switches.environments["slipway"].secrets.add("SLIPWAY_APP_KEY")

    assert office.finding("pull requests by Actions").state is State.OK
    assert office.finding("GitHub App").state is State.OK


@pytest.mark.parametrize(("private", "state"), [(False, State.OK), (True, State.UNAVAILABLE)])
def test_attestations_of_a_private_repository_are_told_what_they_take(
    private: bool, state: State, office: Office
) -> None:
    """GitHub refuses them on most plans, and a release would only warn of it, each time."""
    set_up(office)
    assert office.finding("GitHub's attestations").text == "none: the variable SLIPWAY_ATTESTATIONS is not set"

    office.switches.variables.add("SLIPWAY_ATTESTATIONS")
    office.switches.private = private

    found = office.finding("GitHub's attestations")
    assert found.state is state
    assert ("Enterprise Cloud" in found.text, "gh variable delete" in found.mend) == (private, private)


def test_variables_of_the_organisation_count(office: Office) -> None:
    """A job sees them as it sees those of the repository, and past the 30 that GitHub gives at once."""
    set_up(office)
    office.switches.variables.clear()
    office.switches.of_organisation = True
    office.switches.organisation_variables = {f"A_{number:02}" for number in range(40)} | {"SLIPWAY_RUNNER"}

    assert office.finding("runner").state is State.OK


def test_variables_of_the_environment_choose_no_runner(office: Office) -> None:
    """A job sees them once it runs: the App is found, and the runner is the hosted one without a word."""
    set_up(office)
    office.switches.variables.clear()
    inside = office.switches.environments["slipway"]
    inside.variables, inside.secrets = {"SLIPWAY_RUNNER", "SLIPWAY_APP_CLIENT_ID"}, {"SLIPWAY_APP_KEY"}

    assert office.finding("runner").state is State.PROBLEM
    assert office.finding("GitHub App").text.startswith("configured")


def _on_a_cluster(office: Office) -> None:
    set_up(office)
    office.switches.variables.clear()
    engine = "ghcr.io/acme\nrollout_engine: kubernetes"
    office.team.edit("slipway.yaml", "layout:.slipway/registry", engine)


def test_a_cluster_is_reached_by_a_kubeconfig_or_from_a_runner_that_has_one(office: Office) -> None:
    """A hosted runner has kubectl and nobody to ask: the first merge would say so, too late."""
    _on_a_cluster(office)
    before = office.finding("runner")
    office.switches.environments["slipway"].secrets.add("SLIPWAY_KUBECONFIG")

    assert (before.state, "with a kubeconfig, of which a hosted runner has none" in before.text) == (
        State.PROBLEM,
        True,
    )
    assert "gh secret set SLIPWAY_KUBECONFIG --env slipway" in before.mend and "SLIPWAY_RUNNER" in before.mend
    assert office.finding("runner").state is State.OK


def test_a_kubeconfig_that_all_branches_read_is_told(office: Office) -> None:
    """Whoever may push a branch would roll out what nobody judged."""
    _on_a_cluster(office)
    office.switches.secrets.add("SLIPWAY_KUBECONFIG")

    assert office.finding("kubeconfig").state is State.PROBLEM


def test_what_this_machine_lacks_to_ask_a_cluster_is_told(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without kubectl or a kubeconfig `slipway rollout` ends here, whatever the workflows have."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("SLIPWAY_KUBECONFIG", raising=False)
    _on_a_cluster(office)
    (environment,) = office.place.settings.environments

    found = office.finding(f"cluster of {environment.name}")

    assert found.state is State.UNKNOWN
    assert "kube" in found.text and found.mend


def test_whose_token_it_is_is_told(office: Office) -> None:
    """Whether the checks of a pull request start depends on it."""
    told = {}
    for login in ("github-actions[bot]", "slipway-app[bot]", "ada"):
        office.github.tokens[TOKEN] = login
        told[login] = office.finding("token").text
    office.github.tokens[TOKEN] = "slipway[bot]"

    assert "wait until somebody approves" in told["github-actions[bot]"]
    assert "GitHub App slipway-app" in told["slipway-app[bot]"]
    assert told["ada"].startswith("of a person, ada, with the role admin")


# --- what cannot be looked at --------------------------------------------------------------------------------


def test_a_right_that_is_missing_is_named_and_is_no_problem(office: Office) -> None:
    """A workflow's token sees none of this: a red check that nobody can mend is soon looked at by nobody."""
    set_up(office)
    office.switches.withheld = {"administration", "actions", "variables", "secrets", "environments"}
    office.switches.actions_open_pulls = False

    checkup = office.look()

    unknown = {finding.name: finding.text for finding in checkup.findings if finding.state is State.UNKNOWN}
    assert "`administration: read`" in unknown["pull requests by Actions"]
    assert "`actions: read`" in unknown["environment `slipway`"]
    assert "`variables: read`" in unknown["runner"]
    assert {"schedule of watch.yml", "GitHub App"} <= set(unknown)
    assert (checkup.problems, checkup.exit_code) == ((), 0)


def test_nothing_is_said_of_the_app_where_half_of_it_is_hidden(office: Office) -> None:
    """A key may lie where every branch reads it; and whether Actions must open pull requests hangs on the App."""
    set_up(office)
    office.switches.variables.add("SLIPWAY_APP_CLIENT_ID")
    office.switches.environments["slipway"].secrets.add("SLIPWAY_APP_KEY")
    office.switches.withheld = {"secrets"}
    assert "`secrets: read`" in office.finding("GitHub App").text

    office.switches.actions_open_pulls, office.switches.withheld = False, {"variables"}
    assert "`variables: read`" in office.finding("pull requests by Actions").text


def test_what_a_plan_lacks_is_said_in_plain_words_and_is_no_problem(office: Office) -> None:
    """A private repository on the free plan has neither rulesets nor environments, whatever its owner does."""
    office.switches.private = office.switches.free_plan = True

    found = {finding.name: finding for finding in office.look().findings}

    for name in (*(f"ruleset `{name}`" for name in RULESETS), "environment `slipway`"):
        assert found[name].state is State.UNAVAILABLE
        assert "this plan has none for a private repository; GitHub says: Upgrade to" in found[name].text
    doctor.fix(workplace=office.place)
    assert office.switches.rulesets == []
    assert office.finding("labels").state is State.OK


FAULTS = {
    "401": ({"status": 401, "path": "waiters|acme"}, "GitHub", State.PROBLEM, "401 Bad credentials", 2),
    "a stall of all": ({"stall": 1.5, "path": "/repos/acme/[^/]+$"}, "GitHub", State.UNKNOWN, "did not answer", 12),
    "404 of all": ({"status": 404, "path": "/repos/acme/[^/]+$"}, "GitHub", State.PROBLEM, "404 Not Found", 2),
    "500": ({"status": 500, "path": "/rulesets$"}, f"ruleset `{min(RULESETS)}`", State.UNKNOWN, "HTTP 500", 12),
    "403": (
        {"status": 403, "path": "/labels$", "message": "Resource not accessible by integration", "retry_after": ""},
        "labels",
        State.UNKNOWN,
        "`issues: read`",
        0,
    ),
    "404": ({"status": 404, "path": "/actions/secrets$"}, "GitHub App", State.OK, "none", 0),
    "a reset": ({"path": "/actions/workflows$"}, "schedule of watch.yml", State.UNKNOWN, "did not answer", 12),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_one_clear_line_and_hides_nothing_else(case: str, office: Office) -> None:
    """`doctor` is run when something is wrong: it must be the last to end in a traceback."""
    fault, name, state, text, code = FAULTS[case]
    set_up(office)
    office.team.edit("slipway.yaml", "layout:.slipway/registry", "ghcr.io/acme")
    office.disturb(**fault)  # type: ignore[arg-type]

    checkup = office.look()

    (found,) = [finding for finding in checkup.findings if finding.name == name]
    assert (found.state, text in found.text) == (state, True), found.text
    assert "\n" not in found.text and TOKEN not in found.text + found.mend
    assert {"files of the template", "leftovers of an update"} <= {finding.name for finding in checkup.findings}
    assert checkup.exit_code == code


# --- what `--fix` makes --------------------------------------------------------------------------------------


def test_fix_twice_is_fix_once(office: Office) -> None:
    """A second ruleset of a name, or a second label, would be there for somebody to clean up."""
    set_up(office)
    made = ([one["name"] for one in office.switches.rulesets], sorted(office.hosted.labels))
    office.github.faults.asked.clear()

    doctor.fix(workplace=office.place)

    assert ([one["name"] for one in office.switches.rulesets], sorted(office.hosted.labels)) == made
    assert set(made[0]) == RULESETS and len(made[0]) == len(RULESETS)
    assert [asked for asked in office.github.faults.asked if asked.split()[0] in ("POST", "PUT")] == ["POST /graphql"]


def test_fix_brings_a_ruleset_back_to_its_file_and_leaves_what_a_team_added(office: Office) -> None:
    """The file is reviewed, the page of settings is not; but a stricter rule of a team's is nobody's fault."""
    set_up(office)
    by_name = {one["name"]: one for one in office.switches.rulesets}
    ledger, tags = by_name["Slipway: the ledger only grows"], by_name["Slipway: release tags are never moved"]
    ledger["enforcement"] = "disabled"
    tags["rules"] = [*tags["rules"], {"type": "required_signatures"}]

    doctor.fix(workplace=office.place)

    assert ledger["enforcement"] == "active"
    assert {"type": "required_signatures"} in tags["rules"]
    assert len(office.switches.rulesets) == len(RULESETS)


def test_a_ruleset_of_the_organisation_counts_and_is_left_alone(office: Office) -> None:
    """The repository may not write it; a second one of the name would only confuse."""
    set_up(office)
    (ledger,) = [one for one in office.switches.rulesets if "ledger" in one["name"]]
    ledger |= {"source_type": "Organization", "source": "acme"}
    doctor.fix(workplace=office.place)
    assert office.finding("ruleset `Slipway: the ledger only grows`").state is State.OK

    ledger["enforcement"] = "evaluate"
    doctor.fix(workplace=office.place)

    found = office.finding("ruleset `Slipway: the ledger only grows`")
    assert (found.state, found.fixable) == (State.PROBLEM, False)
    assert len(office.switches.rulesets) == len(RULESETS)


@pytest.mark.parametrize("path", ["/labels$", "/rulesets$"])
def test_a_lost_answer_makes_nothing_twice(path: str, office: Office) -> None:
    """GitHub did it, and the answer was lost: the second try is refused, and that is well."""
    office.github.faults.waiting[:] = [Fault(502, verb="POST", path=path, after=True)]
    doctor.fix(workplace=office.place)

    assert not office.github.faults.waiting
    assert office.finding("labels").state is State.OK
    assert sorted(one["name"] for one in office.switches.rulesets) == sorted(RULESETS)


# --- the checkout --------------------------------------------------------------------------------------------


def _edit(team: Team) -> None:
    team.edit("serving/server.py", '"""', '"""Ours now. ')


def _delete(team: Team) -> None:
    (team.root / "serving" / "server.py").unlink()


def _plant(name: str, text: str) -> Callable[[Team], None]:
    return lambda team: team.write(name, text)


def _conflict(team: Team) -> None:
    """As `cruft update` leaves it: in the index, and in the file."""
    git.run("checkout", "--quiet", "-b", "theirs", cwd=team.root)
    team.write("README.md", "theirs\n")
    team.commit("Theirs", push=False)
    git.run("checkout", "--quiet", "main", cwd=team.root)
    team.write("README.md", "ours\n")
    team.commit("Ours", push=False)
    assert git.ask("merge", "theirs", cwd=team.root).code == 1


LEFT = {
    "an edit": (_edit, "files of the template", "serving/server.py edited"),
    "a file that is gone": (_delete, "files of the template", "serving/server.py deleted"),
    "an unmerged file": (_conflict, "leftovers of an update", "README.md is not merged"),
    "marks in a file": (
        _plant("policies/drift.yaml", "<<<<<<< ours\na: 1\n=======\na: 2\n>>>>>>> theirs\n"),
        "leftovers of an update",
        "policies/drift.yaml has a conflict's marks",
    ),
    "a patch": (_plant("serving/server.py.rej", "@@\n"), "leftovers of an update", "server.py.rej was not applied"),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_an_update_left_and_what_a_team_edited_is_found(case: str, office: Office) -> None:
    """cruft ends with "Good work!" over all of it."""
    plant, name, text = LEFT[case]
    assert office.finding(name).state is State.OK

    plant(office.team)

    found = office.finding(name)
    assert (found.state, text in found.text) == (State.PROBLEM, True), found.text


def test_a_schedule_is_a_teams_own(office: Office) -> None:
    """The guide says so: an edit of it must not be told at each look."""
    office.team.edit(".github/workflows/watch.yml", "17 5 * * *", "17 9 * * 1")

    assert office.finding("files of the template").state is State.OK


def test_what_is_taken_as_ones_own_is_not_told_again(office: Office) -> None:
    """The mend that `doctor` names must work."""
    _edit(office.team)
    listed = (office.team.root / LISTED).read_text()
    office.team.write(LISTED, "".join(line for line in listed.splitlines(keepends=True) if "server.py" not in line))

    assert office.finding("files of the template").state is State.OK


def test_without_the_list_nothing_is_claimed(office: Office) -> None:
    """Generated without hooks: nobody knows how the files came."""
    (office.team.root / LISTED).unlink()

    assert office.finding("files of the template").state is State.UNKNOWN


# --- what was recorded ---------------------------------------------------------------------------------------


def test_a_watch_that_fell_silent_is_found(office: Office) -> None:
    """A schedule that GitHub drops leaves no failed run to look at."""
    assert "none yet" in office.finding("heartbeat of watch").text
    for last, state in ((TODAY - timedelta(days=30), State.PROBLEM), (TODAY - timedelta(days=1), State.OK)):
        _beat(office, last)
        assert office.finding("heartbeat of watch").state is state


def _beat(office: Office, day: date) -> None:
    ledger = Ledger(office.place.forge)
    path = f"_heartbeats/watch/{day:%Y-%m}.jsonl"
    ledger.append({}, lines={path: [f'{{"key": "{day}", "day": "{day}"}}']}, message="Beat")


def test_an_image_that_cannot_be_fetched_is_found(live: Team) -> None:
    """The next release compares with it, and a way back is tried with it."""
    before = {finding.name: finding for finding in doctor.run(today=TODAY, workplace=live.workplace).findings}
    live.lose_images()
    after = {finding.name: finding for finding in doctor.run(today=TODAY, workplace=live.workplace).findings}

    assert before["packages"].state is State.OK
    assert after["packages"].state is State.PROBLEM
    assert after["packages"].mend


def test_a_runtime_image_that_is_named_and_not_there_is_found(office: Office) -> None:
    """The next release would end where it builds its image."""
    assert "needs none" in office.finding("runtime image").text
    office.team.write(
        "slipway.yaml",
        f"{office.team.workplace.repository.root.joinpath('slipway.yaml').read_text()}"
        f"runtime_image: localhost:1/acme/runtime@sha256:{'0' * 64}\n",
    )

    with stamina.set_testing(True, attempts=6, cap=True):  # it is asked as often, and nobody waits in between
        found = office.finding("runtime image")
    assert (found.state, found.unanswered) == (State.UNKNOWN, True), found.text


def test_a_freeze_of_an_environment_that_is_none_is_found(team: Team) -> None:
    """It would freeze nothing, and nobody would know before the holidays."""
    freeze = "{reason: Weekend, start: friday 16:00, end: monday 08:00, zone: UTC, environments: [%s]}"
    words = "question: Does it run?\nmotivation: Things break.\nremedy: Mend it.\n"
    limit = f"{{weekly_freezes: [{freeze % 'prodction'}]}}"
    team.write(
        "policies/rollout.yaml", f"{words}limit: {{}}\nmodels: {{tip: {{reason: It is dear to us, limit: {limit}}}}}\n"
    )

    found = {one.name: one for one in doctor.run(today=TODAY, workplace=team.workplace).findings}
    assert "names `prodction`, and slipway.yaml has production" in found["freezes"].text

    team.edit("policies/rollout.yaml", "prodction", "production")
    found = {one.name: one for one in doctor.run(today=TODAY, workplace=team.workplace).findings}
    assert found["freezes"].state is State.OK
    team.write("policies/rollout.yaml", "question: x\n")
    found = {one.name: one for one in doctor.run(today=TODAY, workplace=team.workplace).findings}
    assert "policies/rollout.yaml" in found["policies"].text


def test_a_canary_that_no_engine_can_run_is_found(team: Team) -> None:
    """Else the first release that it is asked of would end at its last step."""
    words = "question: Does it run?\nmotivation: Things break.\nremedy: Mend it.\n"
    team.write("policies/rollout.yaml", f"{words}limit: {{canary: {{share: 0.1, environments: [prodction]}}}}\n")

    def found(engine: RolloutEngine) -> Finding:
        place = team.workplace
        on = replace(place, settings=place.settings.model_copy(update={"rollout_engine": engine}))
        return {one.name: one for one in doctor.run(today=TODAY, workplace=on).findings}["canaries"]

    assert "the engine docker serves one version of a model at a time" in found(RolloutEngine.DOCKER).text
    assert "names `prodction`, and slipway.yaml has production" in found(RolloutEngine.FLUX).text
    team.edit("policies/rollout.yaml", "prodction", "production")
    assert found(RolloutEngine.FLUX).state is State.OK


def test_on_a_laptop_nothing_of_github_is_claimed(team: Team) -> None:
    """Without an account, the rest is looked at, and nothing is red."""
    checkup = doctor.run(today=TODAY, workplace=team.workplace)
    doctor.fix(workplace=team.workplace)

    names = {finding.name: finding.state for finding in checkup.findings}
    assert names["GitHub"] is State.UNAVAILABLE
    assert {"packages", "files of the template", "leftovers of an update"} <= set(names)
    assert checkup.exit_code == 0


def test_the_text_has_the_gravest_first_and_each_mend_below(office: Office) -> None:
    """Who reads one line reads the one that matters."""
    office.switches.withheld = {"variables"}
    lines = checkup_text(office.look()).splitlines()

    assert lines[0].startswith("to mend")
    assert lines[1].lstrip().startswith("mend: ")
    words = [line.split("  ")[0] for line in lines[:-1] if not line.startswith(" ")]
    assert words == sorted(words, key=["to mend", "not seen", "not to be had here", "well"].index)
    assert lines[-1].startswith(f"{words.count('to mend')} to mend, ")


def test_a_broken_ruleset_file_is_named(office: Office) -> None:
    """It is a team's to edit."""
    path = Path(".github/rulesets/ledger.json")
    office.team.write(str(path), "{")
    found = office.finding("rulesets")
    assert (found.state, "ledger.json is no JSON" in found.text) == (State.PROBLEM, True)


def test_what_a_cluster_cannot_run_or_read_is_found_in_the_checkout(office: Office) -> None:
    """The engine was changed: manifests of another one, a log that no pod writes, a name that is no Service's."""
    office.team.write("deploy/production/tip/kustomization.yaml", "images: []\n")
    _on_a_cluster(office)
    office.team.write("models/3d-shapes/model.yaml", "name: 3d-shapes\n")

    found = {one.name: one.text for one in office.look().problems}

    assert "deploy/production/tip/kustomization.yaml: it builds on nothing" in found["manifests"]
    assert ".slipway/served" in found["served log"]
    assert "models/3d-shapes/model.yaml: name:" in found["names of models"]


def test_a_secret_that_is_named_by_a_setting_and_given_to_no_job_is_found(office: Office) -> None:
    """Two things are missing one after the other: the line of the workflow, and what GitHub has."""
    text = (office.team.root / "slipway.yaml").read_text()
    office.team.write("slipway.yaml", f"{text}incident_webhook: https://example.com/hook\n")
    name = "secret SLIPWAY_WEBHOOK_SECRET"
    assert ".github/workflows/watch.yml passes it to no job" in office.finding(name).text

    shutil.copy(ROOT / ".github/workflows/watch.yml", office.team.root / ".github/workflows/watch.yml")
    assert "gh secret set SLIPWAY_WEBHOOK_SECRET --env slipway" in office.finding(name).mend

    office.switches.environments["slipway"] = Environment(secrets={"SLIPWAY_WEBHOOK_SECRET"})
    assert office.finding(name).state is State.OK


def test_what_a_source_elsewhere_mlflow_and_pages_ask_for_is_looked_for(office: Office) -> None:
    """Three settings of GitHub that nothing else misses before a release, a rollout or a stranger does."""
    set_up(office)
    names = ("secret SLIPWAY_SOURCE_ENVIRONMENT", "MLflow", "status page")
    assert not {finding.name for finding in office.look().findings} & {*names}
    _fetch_from(office, "models:/tip@champion")
    office.switches.variables.update({"MLFLOW_TRACKING_URI", "SLIPWAY_PAGES"})
    office.switches.private = True
    asked = [office.finding(name).state for name in names]
    office.switches.private = False
    office.switches.secrets.add("SLIPWAY_SOURCE_ENVIRONMENT")
    office.switches.environments["slipway"].secrets.add("MLFLOW_TRACKING_TOKEN")

    assert asked == [State.PROBLEM, State.UNKNOWN, State.UNKNOWN]
    assert [office.finding(name).state for name in names] == [State.OK] * 3


def test_a_model_that_cannot_be_read_hides_no_secret_of_another(office: Office) -> None:
    """What is wrong with it is told by who checks it."""
    _fetch_from(office, "s3://models/tip/")
    office.team.write("models/broken/model.yaml", "name: [\n")

    assert "models/tip/model.yaml names a source" in office.finding("secret SLIPWAY_SOURCE_ENVIRONMENT").text


def _fetch_from(office: Office, address: str) -> None:
    path = office.team.root / "models" / "tip" / "model.yaml"
    declared = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**declared, "source": address}))
