"""The exported preset "edge" that several benchmarks run: made unless it is there for the preset as it is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import material
from video_understanding.presets import preset

BUNDLE = material.FOLDER / "edge"
_MADE_LAST = BUNDLE / "facts.json"


def made_edge() -> dict[str, Path]:
    """The TFLite files by their mode, in the folder of the bundle."""
    if edge_facts().get("spec") != json.loads(preset("edge").to_json()):
        shutil.rmtree(BUNDLE, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "benchmarks.edge_material", str(BUNDLE)], check=True)
    return {mode: BUNDLE / f"model_{mode}.tflite" for mode in ("fp32", "int8")}


def edge_facts() -> dict[str, Any]:
    """What was noted of the files when they were made; nothing if they are not there."""
    return json.loads(_MADE_LAST.read_text(encoding="utf-8")) if _MADE_LAST.exists() else {}
