"""How long `vu train` takes where clips are encoded already: 200 clips, and ten more.

    python -m benchmarks.accuracy.quick [--json FILE]

Each number is of a process that has TensorFlow loaded: wall time, and processor time where the machine is shared. The
clips are the first of the surveillance fights; a training before, which is not counted, encodes them.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.accuracy.sets import DATA, SETS, manifest_of
from benchmarks.tables import machine
from video_understanding.presets import DEFAULT, preset
from video_understanding.training.train import train

CLIPS, MORE = 200, 10
PACKAGES = ("tensorflow", "numpy")


def main() -> None:
    """Measures, prints, and writes where asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args()
    if not SETS["fights"].place.is_dir():
        print(f"fights: left out, {SETS['fights'].folder} is not in {DATA}")
        return
    manifest, found = manifest_of("fights"), []
    with tempfile.TemporaryDirectory() as folder:
        train(manifest, preset(DEFAULT), Path(folder) / "encoded")
        for clips in (CLIPS, CLIPS + MORE):
            began_s, began_cpu_s = time.monotonic(), time.process_time()
            own = manifest.with_rows(manifest.rows[:clips])
            bundle = train(own, preset(DEFAULT), Path(folder) / str(clips))
            found.append(
                {
                    "clips": clips,
                    "seconds": round(time.monotonic() - began_s, 1),
                    "processor_seconds": round(time.process_time() - began_cpu_s, 1),
                    "closed_form_seconds": bundle.facts["training"]["closed_form_seconds"],
                }
            )
            print(found[-1], flush=True)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"machine": machine(PACKAGES), "runs": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
