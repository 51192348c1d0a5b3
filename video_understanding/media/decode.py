"""From a file to clips: one window at a time, or all of them, by the cheapest strategy that gives the exact result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from video_understanding.clip import Clip
from video_understanding.errors import MediaError, SpecError
from video_understanding.media.container import OpenMedia, open_media
from video_understanding.media.landing import LateError
from video_understanding.media.pictures import UnplannableError
from video_understanding.media.walk import Care, Walk, Windows
from video_understanding.spec import ModelSpec

# Up to here a file is read from its beginning; further on, seeking is worth its own cost.
_NEAR_S = 2.0
# How far before a window reading begins: the next is tried until the key frame and the sound it needs are found.
_SEEK_BACK_S = (0.0, 10.0, 60.0)


def read_clip(file: str | Path, spec: ModelSpec, start: float = 0.0, end: float | None = None) -> Clip:
    """One clip of `spec.window_s` seconds that begins at `start` seconds on the file's clock.

    T frames uint8 [T,H,W,3] of `spec.read_shape` at the instants `spec.instants_s(start)` and the sound of the
    same window, float32 [N] mono at `spec.audio.sample_rate_hz`, from one pass over the file. Nothing from
    `end` on is used (that part of the clip is absent), nor is anything needed beyond the window.
    """
    path = Path(file)
    _require_span(path, start, end)
    if end is not None and end - start > spec.window_s + 1e-9:
        raise MediaError(
            path,
            f"the span {start:g}-{end:g} s is longer than the {spec.window_s:g} s window of the spec",
            f"End it at {start + spec.window_s:g}, or walk through it with iter_clips.",
        )
    windows = Windows(spec, start, spec.frames, 1, math.inf if end is None else end)
    return next(_clips(path, windows))


def read_clips(
    file: str | Path, spec: ModelSpec, starts_of: Callable[[float], Sequence[float]], end: float | None = None
) -> list[Clip]:
    """The clips of windows that are chosen by the file's duration; nothing from `end` on is used.

    `starts_of` maps the duration in the file's header, in seconds (0 if there is none), to the starts of the windows. A
    later window that is empty, because the duration in the header is too long, is left out.
    """
    path = Path(file)

    def clip(start: float, opened: OpenMedia | None = None) -> Clip:
        _require_span(path, start, end)
        limit_s = end if end is not None and end < start + spec.window_s else math.inf
        return next(_clips(path, Windows(spec, start, spec.frames, 1, limit_s), opened))

    with open_media(path, probe=False) as media:
        first, *others = starts_of(media.announced_s or 0.0)
        clips = [clip(first, media)]
    for start in others:
        try:
            clips.append(clip(start))
        except MediaError:
            continue
    return clips


def iter_clips(
    file: str | Path,
    spec: ModelSpec,
    stride: float | None = None,
    start: float = 0.0,
    end: float | None = None,
) -> Iterator[Clip]:
    """Clips of `spec.window_s` seconds, each `stride` seconds after the one before, until all is covered.

    One pass over the file in constant memory, however long it is. `stride` is the window by default; it
    must be a whole number of frame intervals, so that overlapping windows share the same frames.
    """
    path = Path(file)
    _require_span(path, start, end)
    stride_s = spec.window_s if stride is None else stride
    stride_frames = round(stride_s * spec.video.frames_hz) if math.isfinite(stride_s) else 0
    if not 1 <= stride_frames <= spec.frames or abs(stride_frames - stride_s * spec.video.frames_hz) > 1e-6:
        raise SpecError(
            "stride",
            f"{stride_s:g} s is not a whole number of frame intervals of {1 / spec.video.frames_hz:g} s "
            f"within the window of {spec.window_s:g} s",
            "Give such a number of seconds.",
        )
    return _clips(path, Windows(spec, start, stride_frames, None, math.inf if end is None else end))


def _require_span(path: Path, start: float, end: float | None) -> None:
    if not (math.isfinite(start) and start >= 0):
        raise MediaError(path, f"cannot be read from {start!r} s", "Give a start of 0 or more seconds.")
    if end is not None and not end > start:
        raise MediaError(path, f"the span {start:g}-{end:g} s is empty", "Give an end after the start.")


def _clips(path: Path, windows: Windows, opened: OpenMedia | None = None) -> Iterator[Clip]:
    """The clip of every window, continuing with the next strategy wherever one fails.

    A file that was `opened` and not yet read is used by the first strategy.
    """
    done = 0
    strict, everything, damaged = True, False, False
    while True:
        for back_s, decode_everything in _ways(windows.start_s(done)):
            if everything and not decode_everything:
                continue
            began = done
            try:
                with nullcontext(opened) if opened else open_media(path, probe=False) as media:
                    opened = None
                    care = Care(decode_everything, strict, damaged)
                    for clip in Walk(media, windows, done, back_s, care).clips():
                        yield clip
                        done += 1
                return
            except LateError:
                continue
            except UnplannableError as failure:
                if failure.open_groups and strict:
                    strict = False
                    break
                everything = True  # from here to the end of the file
                damaged |= failure.damaged
            if done > began:
                break  # some clips were read before the failure: continue after them


def _ways(start_s: float) -> Iterator[tuple[float | None, bool]]:
    """Strategies from the cheapest to the one that works for every file: (seconds to seek back, decode all).

    None seconds means reading from the file's beginning.
    """
    seeks = [back_s for back_s in _SEEK_BACK_S if back_s < start_s] if start_s > _NEAR_S else []
    for back_s in seeks:
        yield back_s, False
    yield None, False
    for back_s in seeks[1:]:  # not from just before: damage there may reach into the window
        yield back_s, True
    yield None, True
