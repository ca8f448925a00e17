"""A session of Spark, as Spark's own settings say: SPARK_HOME, SPARK_CONF_DIR, `spark.master` in spark-defaults.conf.

Without any of them it is this machine with all of its processors. Workers are sent `slipway.maths`, and need numpy and
pyarrow of their own.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slipway
from slipway.errors import BadFile, Unreachable

_INSTALL = "install it: pip install --require-hashes -r requirements/spark.txt"
_SETTINGS = {
    "spark.sql.caseSensitive": "true",  # names of columns are those of model.yaml
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(1 << 16),  # each is sorted: larger ones are counted faster
}


@functools.cache
def session() -> Any:
    """The one session of this process, a `SparkSession`.

    Raises:
        BadFile: PySpark or Java is not there, or Spark refuses its settings.
    """
    try:
        from pyspark.errors import PySparkException  # noqa: PLC0415 - half a gigabyte that most never install
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError as missing:
        raise BadFile(
            "slipway.yaml: `watch_on: spark` needs PySpark, which is not installed", mend=_INSTALL
        ) from missing
    _need_java()
    try:
        found = SparkSession.builder.appName("slipway").config("spark.ui.showConsoleProgress", "false").getOrCreate()
    except (PySparkException, OSError) as error:
        raise BadFile(
            f"Spark does not start: {_first_line(error)}",
            mend="let `spark-submit --version` and `pyspark` run here; SPARK_HOME and SPARK_CONF_DIR say which Spark",
        ) from error
    context = found.sparkContext
    if context.master.startswith("local") and "PYSPARK_PYTHON" not in os.environ:
        context.pythonExec = sys.executable  # and not the first `python3` of the path, which may have no numpy
    for name, value in _SETTINGS.items():
        found.conf.set(name, value)
    context.addPyFile(str(_packed()))
    return found


@contextmanager
def in_our_words() -> Iterator[None]:
    """Say what Spark says without its traceback of a hundred lines.

    Raises:
        BadFile: a worker lacks what it needs.
        Unreachable: Spark did not finish.
    """
    from py4j.protocol import Py4JError  # noqa: PLC0415 - as above
    from pyspark.errors import PySparkException  # noqa: PLC0415

    try:
        yield
    except (PySparkException, Py4JError, OSError) as error:
        lacking = next((line.strip() for line in str(error).splitlines() if "ModuleNotFoundError: " in line), None)
        if lacking is not None:
            raise BadFile(
                f"a worker of Spark lacks a package: {lacking}",
                mend="install numpy and pyarrow where Spark's workers run, and name that Python in PYSPARK_PYTHON",
            ) from error
        raise Unreachable(
            f"Spark did not count the window: {_first_line(error)}",
            mend="run again when Spark answers; its log says more. Workers must reach the served log themselves",
        ) from error


def _need_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if java is None:
        raise BadFile(
            f"Spark needs Java, and there is none in {'JAVA_HOME' if home else 'PATH'}",
            mend="install Java 17 or 21 (Debian: openjdk-17-jre-headless), or say in JAVA_HOME where it is",
        )


def _packed() -> Path:
    """What is sent to workers: the package of the arithmetic, and nothing else of Slipway."""
    package = Path(slipway.__file__).parent
    folder = Path(tempfile.mkdtemp(prefix="slipway-spark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # workers fetch it whenever they start
    with zipfile.ZipFile(folder / "slipway_maths.zip", "w") as packed:
        for path in [package / "__init__.py", *sorted((package / "maths").glob("*.py"))]:
            packed.write(path, Path("slipway") / path.relative_to(package))
    return folder / "slipway_maths.zip"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
