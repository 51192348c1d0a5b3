"""The exported preset "edge" that several benchmarks run: made unless it is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import material

BUNDLE = material.FOLDER / "edge"
_MADE_LAST = BUNDLE / "facts.json"


def made_edge() -> dict[str, Path]:
    """The TFLite files by their mode, in the folder of the bundle."""
    if not _MADE_LAST.exists():
        subprocess.run([sys.executable, "-m", "benchmarks.edge_material", str(BUNDLE)], check=True)
    return {mode: BUNDLE / f"model_{mode}.tflite" for mode in ("fp32", "int8")}
