"""The environment of requirements/spark.txt, and Spark's own settings, as a team has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs
import uv
from filelock import FileLock
from slipway.adapters.records import sha256_of

REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "spark.txt"


def spark_python() -> Path:
    """Made once a machine, from hashed requirements; PySpark is built, for it comes as source alone."""
    cache = Path(os.environ.get("SLIPWAY_CACHE") or platformdirs.user_cache_dir("slipway")) / "environments"
    folder = cache / f"spark-{sha256_of(REQUIREMENTS)[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder)
            (folder / ".complete").touch()
    return folder / "bin" / "python"


def _install(folder: Path) -> None:
    run = [uv.find_uv_bin(), "--quiet"]
    sync = ["pip", "sync", "--require-hashes", "--python", str(folder / "bin" / "python"), str(REQUIREMENTS)]
    subprocess.run([*run, "venv", "--no-project", "--python", sys.executable, str(folder)], check=True)
    subprocess.run([*run, *sync], check=True, cwd=folder)


def settings_for(folder: Path, *, processors: int = 2, memory: str = "1g") -> Path:
    """A folder for SPARK_CONF_DIR: so many processors of this machine, and nobody beyond it."""
    folder.mkdir()
    (folder / "spark-defaults.conf").write_text(
        f"spark.master local[{processors}]\n"
        "spark.driver.host 127.0.0.1\n"
        "spark.driver.bindAddress 127.0.0.1\n"
        f"spark.driver.memory {memory}\n"
        "spark.ui.enabled false\n"
    )
    (folder / "log4j2.properties").write_text(
        "rootLogger.level = error\nrootLogger.appenderRef.stderr.ref = stderr\n"
        "appender.stderr.type = Console\nappender.stderr.name = stderr\nappender.stderr.target = SYSTEM_ERR\n"
        "appender.stderr.layout.type = PatternLayout\nappender.stderr.layout.pattern = %p %c: %m%n\n"
    )
    return folder
