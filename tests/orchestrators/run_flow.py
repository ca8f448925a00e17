"""Run the flow of a file against a server of this process alone, in Prefect's environment; the last line tells how it
ended, as JSON.
"""

from __future__ import annotations

import json
import runpy
import sys

from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness

with prefect_test_harness():
    state = runpy.run_path(sys.argv[1])["release"](return_state=True)
    with get_client(sync_client=True) as client:
        runs = client.read_task_runs()
    tasks = {run.name.split("-")[0]: run.state_type.value.lower() for run in runs}
    attempts = {run.name.split("-")[0]: run.run_count for run in runs}
    told = {"state": state.type.value.lower(), "tasks": tasks, "attempts": attempts, "said": state.message}
    sys.stdout.write(json.dumps(told))
