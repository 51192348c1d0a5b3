"""Decoded sound to one waveform on the clip's clock: mono, at the spec's rate, every sample at its exact time.

Output samples lie on one grid per track, wherever reading began, so that overlapping windows of a file hold
the very same samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from video_understanding.media.container import Clock

if TYPE_CHECKING:
    import av

LEAD_S = 0.25  # decoded before the first wanted sample: codecs and the resampler have a transient at their start
REACH_S = 0.05  # needed after the last wanted sample: look-ahead of the resampler

# Timestamps rounded to milliseconds are not gaps; a real gap is larger than this.
_JITTER_S = 0.003
# A timestamp in finer ticks than this gives the position of its frame; coarser ones only their mean over frames.
_FINE_TICK_S = 1e-4
# Timestamps that step back more often than this in a row, frame after frame, are ignored.
_STEPS_BACK = 2
_BLOCK_S = 1.0  # resampled at a time
_RATES_HZ = (1_000, 1_000_000)  # rates outside come from damaged files
_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}


class SoundTrack:
    """Collects decoded frames of one stream and returns the waveform between any two samples of its grid.

    A sample's number is its time on the file's clock times `rate_hz`, rounded.
    """

    def __init__(self, stream: av.AudioStream, zero_s: float, rate_hz: int) -> None:
        self._clock = Clock(stream, zero_s)
        self._rate_hz = rate_hz
        self.origin_s = self._clock.time_s(stream.start_time) if stream.start_time is not None else -zero_s
        self._tolerance_s = _JITTER_S + self._clock.tick_s
        self._run: _Run | None = None
        self._free_from_s = self.origin_s  # from here on there is no sound except that of the run
        self._ahead: tuple[av.AudioFrame, float] | None = None  # a frame that begins behind the run's end, and when
        self._pieces: list[tuple[int, np.ndarray]] = []  # (number of the first sample, float32 [n])
        self._steps_back = 0
        self.reached_s = -math.inf
        """Up to where the sound is complete, in seconds: decoded, or known to begin later."""
        self.end_s = -math.inf
        """Where the last sound ends."""

    def add(self, frame: av.AudioFrame) -> None:
        """One more decoded frame, in the order of the stream."""
        if not _RATES_HZ[0] <= frame.sample_rate <= _RATES_HZ[1]:
            raise ValueError("no such sample rate")
        start_s = None if frame.pts is None else self._clock.time_s(frame.pts)
        if self._ahead is not None:
            self._settle_ahead(start_s)
        run = self._run
        if start_s is None:
            start_s = self.end_s if math.isfinite(self.end_s) else self.origin_s
        elif run is not None and start_s > run.end_s + self._tolerance_s and run.fits(frame):
            self._ahead = frame, start_s
            return
        self._place(frame, start_s)

    @property
    def unsettled(self) -> bool:
        """Whether the position of the last frame depends on the next one."""
        return self._ahead is not None

    def _settle_ahead(self, next_s: float | None) -> None:
        """Positions a frame that jumped ahead: after a gap if the next frame follows it, else where the sound ends.

        A single frame may have a wrong timestamp: in Ogg Vorbis each one at which blocks become shorter has.
        """
        (frame, start_s), self._ahead = self._ahead, None
        end_s = self._run.end_s
        if next_s is not None and next_s < start_s + frame.samples / frame.sample_rate - (start_s - end_s) / 2:
            start_s = end_s
        self._place(frame, start_s)

    def _place(self, frame: av.AudioFrame, start_s: float) -> None:
        run, skip = self._run, 0
        if run is not None and start_s < run.end_s - self._tolerance_s and run.frames == 1:
            # The first frame after seeking or a gap may be the one with the wrong time.
            run.move(start_s - run.end_s, self._free_from_s)
        if run is not None and start_s < run.end_s - self._tolerance_s:
            self._steps_back += 1
            if self._steps_back <= _STEPS_BACK:
                # Two parts joined with an overlap: the samples so far stay, only those after them are new.
                skip = min(frame.samples, round((run.end_s - start_s) * frame.sample_rate))
            start_s = run.end_s  # else the timestamps are wrong: the sound continues where it was
        else:
            self._steps_back = 0
        if run is None or not run.fits(frame) or start_s > run.end_s + self._tolerance_s:
            self._end_run()
            run = self._run = _Run(frame, self._rate_hz, self.origin_s, start_s, self._clock.tick_s)
        self._pieces.extend(run.add(frame, skip, start_s))
        self.end_s = run.end_s
        self.reached_s = max(self.reached_s, run.end_s)

    def finish(self) -> None:
        """No frame is still to come."""
        if self._ahead is not None:
            self._settle_ahead(None)
        self._end_run()

    def _end_run(self) -> None:
        if self._run is not None:
            self._pieces.extend(self._run.finish())
            self._free_from_s = self._run.end_s
            self._run = None

    def take(self, start: int, count: int) -> tuple[np.ndarray, tuple[int, int] | None]:
        """float32 [count] from sample number `start` on, zero where there is none; and (first, end) of the rest."""
        if self._ahead is not None and self._run.end_s * self._rate_hz < start + count:
            self._settle_ahead(None)  # nothing follows it for long
        if self._run is not None:
            self._pieces.extend(self._run.flush())
        return laid_out(self._pieces, start, count)

    def discard(self, before: int) -> None:
        """Discards the samples before this number."""
        self._pieces = [piece for piece in self._pieces if piece[0] + len(piece[1]) > before]


def laid_out(
    pieces: Iterable[tuple[int, np.ndarray]], start: int, count: int
) -> tuple[np.ndarray, tuple[int, int] | None]:
    """float32 [count] from sample number `start` on, zero where there is none; and (first, end) of the rest.

    A piece is the number of its first sample and float32 [n]; where pieces overlap, the later one counts.
    """
    waveform = np.zeros(count, np.float32)  # [N]
    first, last = start + count, start
    for number, samples in pieces:
        begin, end = max(number, start), min(number + len(samples), start + count)
        if begin < end:
            waveform[begin - start : end - start] = samples[begin - number : end - number]
            first, last = min(first, begin), max(last, end)
    np.clip(waveform, -1.0, 1.0, out=waveform)  # lossy codecs overshoot
    return waveform, ((first, last) if first < last else None)


class _Run:
    """Sound without a gap and of one sample format, resampled as it arrives."""

    def __init__(self, first: av.AudioFrame, target_hz: int, origin_s: float, start_s: float, tick_s: float) -> None:
        self.rate_hz = first.sample_rate
        self._form = _form(first)
        self._target_hz = target_hz
        self._origin_s = origin_s
        self._start_s = start_s
        self._coarse = tick_s > _FINE_TICK_S
        self._late_s: list[float] = []  # start of each frame by its timestamp, after the end of the sound before it
        self._added = 0
        self.frames = 0
        self._waiting: list[tuple[av.AudioFrame, int]] = []  # and how many of its first samples are left out
        self._waiting_count = 0
        self._resampler = _Resampler(self.rate_hz, target_hz) if self.rate_hz != target_hz else None
        self._next: int | None = None  # number of the next output sample, once the run has its position

    @property
    def end_s(self) -> float:
        return self._start_s + self._added / self.rate_hz

    def fits(self, frame: av.AudioFrame) -> bool:
        """Whether this frame can continue the run: a stream may change its sample format."""
        return frame.sample_rate == self.rate_hz and _form(frame) == self._form

    def move(self, by_s: float, free_from_s: float) -> None:
        """Moves the start by this much, if no other sound is there and the run has no position on the grid yet."""
        if self._next is None and self._start_s + by_s >= free_from_s:
            self._start_s += by_s

    def add(self, frame: av.AudioFrame, skip: int, start_s: float) -> list[tuple[int, np.ndarray]]:
        self.frames += 1
        if self._next is None:
            self._late_s.append(start_s - self.end_s)
        self._waiting.append((frame, skip))
        self._waiting_count += frame.samples - skip
        self._added += frame.samples - skip
        return self.flush() if self._waiting_count >= _BLOCK_S * self.rate_hz else []

    def flush(self) -> list[tuple[int, np.ndarray]]:
        if not self._waiting:
            return []
        block = mono(self._waiting)  # [n]
        self._waiting, self._waiting_count = [], 0
        if self._next is None:
            block = np.concatenate([self._silence_before(), block])
        if self._resampler is not None and len(block):
            block = self._resampler.push(block)  # [n * target / rate]
        return self._numbered(block)

    def _silence_before(self) -> np.ndarray:
        """Fixes the run's position, and returns the silence float32 [n] that aligns its beginning with the grid.

        Where timestamps are rounded, the mean over all frames so far gives the position.
        """
        if self._coarse:
            self._start_s += float(np.mean(self._late_s))
        # Input and output samples coincide every `period` input samples, counted from the track's origin.
        # The run is padded with silence to begin at such a point, and so is on the same grid as any other.
        period = self.rate_hz // math.gcd(self.rate_hz, self._target_hz)
        begin = round((self._start_s - self._origin_s) * self.rate_hz)
        aligned = begin - begin % period
        grid_start = round(self._origin_s * self._target_hz)
        self._next = grid_start + aligned * self._target_hz // self.rate_hz
        self._first = grid_start - (-begin * self._target_hz // self.rate_hz)  # the first sample that is from the file
        return np.zeros(begin - aligned, np.float32)

    def finish(self) -> list[tuple[int, np.ndarray]]:
        pieces = self.flush()
        if self._resampler is not None:
            pieces += self._numbered(self._resampler.push(None))
        return pieces

    def _numbered(self, block: np.ndarray) -> list[tuple[int, np.ndarray]]:
        number = self._next
        self._next += len(block)
        silent = max(0, self._first - number)
        return [(number + silent, block[silent:])] if silent < len(block) else []


class _Resampler:
    """FFmpeg's swresample with a filter long enough that errors stay 100 dB below the signal."""

    def __init__(self, rate_hz: int, target_hz: int) -> None:
        import av

        self._rate_hz = rate_hz
        self._graph = av.filter.Graph()
        self._graph.threads = 1  # by default one for each processor, which none of these filters uses
        source = self._graph.add(
            "abuffer", f"sample_rate={rate_hz}:sample_fmt=flt:channel_layout=mono:time_base=1/{rate_hz}"
        )
        resample = self._graph.add("aresample", f"{target_hz}:filter_size=40")
        sink = self._graph.add("abuffersink")
        source.link_to(resample)
        resample.link_to(sink)
        self._graph.configure()
        self._pushed = 0

    def push(self, block: np.ndarray | None) -> np.ndarray:
        """float32 [m]: the output available after this block, or after the end if it is None."""
        import av

        if block is None:
            self._graph.push(None)
        else:
            frame = av.AudioFrame.from_ndarray(block[None], format="flt", layout="mono")
            frame.sample_rate = self._rate_hz
            frame.time_base = Fraction(1, self._rate_hz)
            frame.pts = self._pushed
            self._pushed += len(block)
            self._graph.push(frame)
        ready = []
        while True:
            try:
                ready.append(self._graph.pull().to_ndarray()[0])
            except (av.error.BlockingIOError, av.error.EOFError):
                return np.concatenate(ready) if ready else np.zeros(0, np.float32)


def mono(frames: Sequence[tuple[av.AudioFrame, int]]) -> np.ndarray:
    """float32 [n] in [-1, 1] of frames of one sample format, each without its first `skip` samples, as (frame, skip).

    The mean of the channels: FFmpeg's own mix of two would be 3 dB louder.
    """
    first = frames[0][0]
    channels, dtype = first.layout.nb_channels, np.dtype(_DTYPES[first.format.name.removesuffix("p")])
    rows: list[list[np.ndarray]] = [[] for _ in range(channels if first.format.is_planar else 1)]
    width = 1 if first.format.is_planar else channels  # values of a plane that belong to one instant
    for frame, skip in frames:
        for row, plane in zip(rows, frame.planes, strict=False):
            row.append(np.frombuffer(plane, dtype, frame.samples * width)[skip * width :])
    planes = [np.concatenate(row) for row in rows]  # C times [n], packed once [n*C]
    if width > 1:
        planes = list(planes[0].reshape(-1, width).T)  # C times [n]
    mean = np.ascontiguousarray(planes[0], np.float32)  # [n], a copy: it is changed below
    for plane in planes[1:]:
        mean += plane
    mean /= channels
    if dtype == np.uint8:
        mean = mean / 128 - 1
    elif np.issubdtype(dtype, np.integer):
        mean = mean / -float(np.iinfo(dtype).min)
    return mean if np.isfinite(mean).all() else np.nan_to_num(mean, nan=0.0, posinf=1.0, neginf=-1.0)


def _form(frame: av.AudioFrame) -> tuple[str, int]:
    return frame.format.name, frame.layout.nb_channels
