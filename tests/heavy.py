"""What takes a second or more to import, or belongs to a stage alone; and what a process has loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = {
    "prefect",
    "prefect_dask",
    "dask",
    "distributed",
    "numpy",
    "pandas",
    "pyarrow",
    "sklearn",
    "sklearnex",
    "scipy",
    "matplotlib",
    "tensorflow",
    "keras",
    "PIL",
    "pooch",
    "jinja2",
    "fsspec",
    "s3fs",
    "botocore",
}


def modules_after(code: str) -> set[str]:
    """Packages that a new process has loaded after this code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in done.stdout.split()}
