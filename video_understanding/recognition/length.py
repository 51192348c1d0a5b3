"""How long a file is, by what it announces and by what its windows really hold."""

from __future__ import annotations

import numpy as np

from video_understanding.clip import Clip


class FileLength:
    """Gathers from window to window where the last picture and the last sound of a file are."""

    def __init__(self) -> None:
        self._announced_s: float | None = None
        self._end_s = self._step_s = 0.0

    def look_at(self, clip: Clip) -> None:
        """The next window of the file."""
        self._announced_s = clip.announced_s
        self._step_s = clip.duration_s / len(clip.frames)
        if clip.sound_span_s is not None:
            self._end_s = max(self._end_s, clip.sound_span_s[1])
        if clip.has_video:
            self._end_s = max(self._end_s, clip.start_s + (np.flatnonzero(clip.frame_present)[-1] + 1) * self._step_s)

    def seconds(self) -> float:
        """What the file announces, if that agrees with what was found in it; else what was found.

        A picture is looked at once a frame interval: by so much both may differ.
        """
        announced_s = self._announced_s
        agree = announced_s is not None and abs(announced_s - self._end_s) <= self._step_s
        return announced_s if agree else float(self._end_s)
