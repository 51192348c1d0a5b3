"""A clip: frames and sound on one clock, with the true time of each and what is really there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from video_understanding.errors import ClipError

# About -79 dBFS: below the quietest sound anyone would record in 16 bits. It lies in the middle between two of their
# steps, so that a waveform kept in 16 bits (the cache of prepared clips) is silent exactly where its original is.
SILENCE_PEAK = 3.5 / 32767


@dataclass(frozen=True, eq=False, repr=False)
class Clip:
    """One window of a file; all times are seconds on the file's clock, whose zero is its first moment.

    frames          uint8 [T,H,W,3], RGB; where the file has no picture, the nearest one is held (or black)
    frame_times_s   float64 [T], when the picture in each place was shown first; NaN where there is none at all
    frame_present   bool [T], whether the file shows a picture at that place's instant
    waveform        float32 [N], mono in [-1, 1]; zero where the file has no sound
    sample_rate_hz  samples per second of the waveform
    start_s         when the window begins
    sound_span_s    (begin, end) of the file's own sound inside the window, or None without any
    source          the file's name, for messages
    announced_s     how long the file says it is; None where it says nothing
    notes           what is odd or damaged, in words
    derived         modality -> its array, or None where the clip lacks it; of modalities other than video and audio,
                    derived from the clip as it was read. What changes frames or sound later leaves it as it is
    """

    frames: np.ndarray
    frame_times_s: np.ndarray
    frame_present: np.ndarray
    waveform: np.ndarray
    sample_rate_hz: int
    start_s: float = 0.0
    sound_span_s: tuple[float, float] | None = None
    source: str = ""
    announced_s: float | None = None
    notes: tuple[str, ...] = ()
    derived: Mapping[str, np.ndarray | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._require("frames", np.uint8, 4)
        if self.frames.shape[-1] != 3 or 0 in self.frames.shape:
            raise self._wrong("frames", "[T,H,W,3] with nothing empty", self.frames)
        count = len(self.frames)
        for name, dtype in (("frame_times_s", np.float64), ("frame_present", np.bool_)):
            self._require(name, dtype, 1)
            if len(getattr(self, name)) != count:
                raise self._wrong(name, f"[{count}], one for each frame", getattr(self, name))
        self._require("waveform", np.float32, 1)
        if not len(self.waveform):
            raise self._wrong("waveform", "one sample or more", self.waveform)
        if not self.sample_rate_hz > 0:
            raise ClipError(
                self._name, f"sample_rate_hz is {self.sample_rate_hz!r}", "Give the waveform's samples per second."
            )
        if not np.isfinite(self.frame_times_s[self.frame_present]).all():
            raise ClipError(self._name, "a present frame has no time", "Give the time of every frame that is there.")
        if not np.isfinite(self.waveform).all():
            raise ClipError(self._name, "the waveform holds NaN or infinite samples", "Replace them by zero.")
        for name in ("frames", "frame_times_s", "frame_present", "waveform"):
            view = getattr(self, name).view()
            view.flags.writeable = False  # a value: nobody changes it behind another's back
            object.__setattr__(self, name, view)

    def _require(self, name: str, dtype: type, dimensions: int) -> None:
        array = getattr(self, name)
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != dimensions:
            raise self._wrong(name, f"{np.dtype(dtype)} with {dimensions} dimension(s)", array)

    def _wrong(self, name: str, wanted: str, got: object) -> ClipError:
        found = f"{got.dtype} {list(got.shape)}" if isinstance(got, np.ndarray) else type(got).__name__
        return ClipError(self._name, f"{name} should be {wanted}, and is {found}", "See the docstring of Clip.")

    @property
    def _name(self) -> str:
        return self.source or "clip"

    @property
    def has_video(self) -> bool:
        """Whether any frame is really in the file."""
        return bool(self.frame_present.any())

    @property
    def has_audio(self) -> bool:
        """Whether the file has sound in this window, be it silent."""
        return self.sound_span_s is not None

    @property
    def modalities(self) -> dict[str, bool]:
        """Which modalities a model gets of this clip; a sound track of digital silence counts as absent.

        It carries nothing, and in real collections it betrays who recorded a clip rather than what happens in it: a
        model that could tell "silent" from "absent" would learn that.
        """
        derived = {name: array is not None for name, array in self.derived.items()}
        return {"video": self.has_video, "audio": not self.is_silent, **derived}

    @property
    def is_silent(self) -> bool:
        """Whether nothing can be heard: no sound track, or digital silence."""
        return not self.has_audio or bool(np.abs(self.waveform).max(initial=0.0) < SILENCE_PEAK)

    @property
    def duration_s(self) -> float:
        return len(self.waveform) / self.sample_rate_hz

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s

    def __repr__(self) -> str:
        frames, height, width, _ = self.frames.shape
        present = int(self.frame_present.sum())
        picture = f"{frames} frames {width}x{height}"
        if present < frames:
            picture += f" ({present} present)" if present else " (no picture)"
        sound = f"{len(self.waveform)} samples at {self.sample_rate_hz} Hz"
        if not self.has_audio:
            sound += " (no sound)"
        elif self.is_silent:
            sound += " (silent)"
        noted = f", {len(self.notes)} note(s)" if self.notes else ""
        span = f"{self.start_s:.3f}-{self.end_s:.3f} s"
        return f"Clip({self._name}, {span}, {picture}, {sound}{noted})"
