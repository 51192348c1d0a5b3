"""The state of a training on disk, so that one that was interrupted goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from video_understanding.whole_file import whole_file

_DONE = "done"


def save_state(file: Path, variables: list, done: int) -> None:
    """Writes the values of all variables, and how many rounds are done, in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    values = {str(place): np.asarray(variable) for place, variable in enumerate(variables)}
    with whole_file(file) as unfinished, unfinished.open("wb") as out:
        np.savez(out, **{_DONE: np.array(done)}, **values)


def load_state(file: Path, variables: list) -> int:
    """Gives the variables what is in the file; returns how many rounds are done, 0 where there is no file."""
    if not file.exists():
        return 0
    with np.load(file) as stored:
        for place, variable in enumerate(variables):
            variable.assign(stored[str(place)])
        return int(stored[_DONE])
