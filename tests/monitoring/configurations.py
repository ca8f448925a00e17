"""The files of monitoring/, with the addresses of a test and a clock that runs faster."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "monitoring"


def read(name: str) -> Any:
    return yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))


def alerts() -> list[dict[str, Any]]:
    """All of rules.yml, in their order."""
    return [rule for group in read("rules.yml")["groups"] for rule in group["rules"] if "alert" in rule]


def expressions() -> dict[str, str]:
    """By the name of rule or alert, what it asks."""
    rules = (rule for group in read("rules.yml")["groups"] for rule in group["rules"])
    return {rule.get("alert") or rule["record"]: rule["expr"] for rule in rules}


def write_prometheus(folder: Path, *, targets: Mapping[str, Sequence[dict[str, Any]]], alertmanager: str) -> Path:
    """prometheus.yml with the targets of each job, read twice a second, and rules.yml beside it."""
    config = read("prometheus.yml")
    config["global"] = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [alertmanager]}]}]
    assert {job["job_name"] for job in config["scrape_configs"]} == set(targets)
    for job in config["scrape_configs"]:
        job["static_configs"] = targets[job["job_name"]]
    (folder / "rules.yml").write_text(hastened((MONITORING / "rules.yml").read_text(encoding="utf-8")))
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return path


def hastened(rules: str) -> str:
    """Minutes are seconds, nothing waits, and a push is stale after two seconds; what is asked stays as it is."""
    rules, ranges = re.subn(r"(\[|offset )(\d+)m\b", r"\1\g<2>s", rules)
    rules, waits = re.subn(r"for: \d+[mhd]\b", "for: 0s", rules)
    rules, pushes = re.subn(r"(push_time_seconds\{[^}]*\}) > 86400", r"\1 > 2", rules)
    assert (bool(ranges), bool(waits), pushes) == (True, True, 1)
    return rules


def write_alertmanager(folder: Path, *, webhook: str) -> Path:
    """alertmanager.yml, which tells `webhook` what it hears within a second."""
    config = read("alertmanager.yml")
    config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    ((hook,),) = [receiver["webhook_configs"] for receiver in config["receivers"]]
    hook["url"] = webhook
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    return path
