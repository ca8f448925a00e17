"""Run the DAG of a file as `dag.test()` does, in Airflow's environment; the last line tells how it ended, as JSON."""

from __future__ import annotations

import json
import runpy
import sys

run = runpy.run_path(sys.argv[1])["release_of_this_model"].test()
tasks = {one.task_id: str(one.state) for one in run.get_task_instances()}
sys.stdout.write(json.dumps({"state": str(run.state), "tasks": tasks}))
