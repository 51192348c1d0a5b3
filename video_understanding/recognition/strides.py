"""How far windows may lie apart so that they share frames and hops of sound."""

from __future__ import annotations

import math
from dataclasses import dataclass

from video_understanding.errors import SpecError
from video_understanding.spec import ModelSpec

_DEFAULT_PART = 4  # windows follow each other by a quarter of their length


@dataclass(frozen=True)
class Stride:
    """From the beginning of one window to the next: seconds, which are so many frames and so many hops of sound."""

    seconds: float
    frames: int
    hops: int

    @classmethod
    def of(cls, spec: ModelSpec, stride_s: float | None = None) -> Stride:
        """The stride of `stride_s` seconds, or a quarter of the window (or a little more) if None.

        Refused unless it is a whole number both of frame intervals and of hops, and no longer than the window.
        """
        units = math.gcd(spec.frames, spec.hops)  # into so many parts a window can be cut that suit frames and sound
        if stride_s is None:
            return cls._of_units(spec, units, math.ceil(units / _DEFAULT_PART))
        wanted = stride_s * units / spec.window_s if math.isfinite(stride_s) else 0.0
        count = round(wanted)
        if not 1 <= count <= units or abs(count - wanted) > 1e-6:
            near = sorted({min(max(side, 1), units) for side in (math.floor(wanted), math.ceil(wanted))})
            told = " or ".join(f"{cls._of_units(spec, units, side).seconds:g}" for side in near)
            raise SpecError(
                "stride",
                f"{stride_s:g} s does not fit: windows of {spec.window_s:g} s share frames every "
                f"{1 / spec.video.frames_hz:g} s and sound every {spec.audio.hop_s:g} s",
                f"Use {told} s, or another multiple of {spec.window_s / units:g} s up to the window.",
            )
        return cls._of_units(spec, units, count)

    @classmethod
    def _of_units(cls, spec: ModelSpec, units: int, count: int) -> Stride:
        return cls(spec.window_s * count / units, spec.frames * count // units, spec.hops * count // units)
