"""One labelled clip prepared on disk: the pixels and samples of its windows, mapped into memory to read."""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np

from video_understanding.clip import SILENCE_PEAK, Clip

_MAGIC = b"VUCLIPS1"
_LENGTH_BYTES = 8  # of the number that tells how long the header is
_BINARY = getattr(os, "O_BINARY", 0)  # on Windows, where files are texts otherwise
_ALIGNMENT = 64  # bytes; so that arrays begin where vector instructions like it
FULL_SCALE = 32767  # of int16 sound


@dataclass(frozen=True, eq=False)
class Record:
    """The windows of one clip.

    frames          uint8 [W,T,H,W,3], mapped from disk
    sound           int16 [W,N], mapped from disk; full scale is 32767
    facts           one dict per window: times, presence, notes, as in `Clip`
    """

    frames: np.ndarray
    sound: np.ndarray
    facts: tuple[dict, ...]

    @cached_property
    def presence(self) -> np.ndarray:
        """bool [W,2]: which modalities (video, audio) each window has, by the rule of `Clip.senses`."""
        presence = np.empty((len(self.facts), 2), bool)  # [W,2]
        for window, facts in enumerate(self.facts):
            sound = self.sound[window]
            # The largest and the smallest, not the absolute: int16 has no +32768.
            peak = max(int(sound.max(initial=0)), -int(sound.min(initial=0))) / FULL_SCALE
            presence[window] = any(facts["frame_present"]), facts["sound_span_s"] is not None and peak >= SILENCE_PEAK
        return presence

    def clip(self, window: int) -> Clip:
        """The clip of one window; its frames stay on disk until they are looked at."""
        facts = self.facts[window]
        times_s = np.array([np.nan if time_s is None else time_s for time_s in facts["frame_times_s"]])  # [T]
        return Clip(
            frames=self.frames[window],
            frame_times_s=times_s,
            frame_present=np.array(facts["frame_present"], bool),
            waveform=self.sound[window].astype(np.float32) / FULL_SCALE,
            sample_rate_hz=facts["sample_rate_hz"],
            start_s=facts["start_s"],
            sound_span_s=tuple(facts["sound_span_s"]) if facts["sound_span_s"] else None,
            source=facts["source"],
            notes=tuple(facts["notes"]),
        )


def write_record(file: BinaryIO, clips: Sequence[Clip]) -> None:
    """Writes the windows of one clip into an empty file."""
    header = json.dumps(
        {
            "frames_shape": [len(clips), *clips[0].frames.shape],
            "samples": len(clips[0].waveform),
            "facts": [_facts(clip) for clip in clips],
        }
    ).encode()
    file.write(_MAGIC + len(header).to_bytes(_LENGTH_BYTES, "little") + header)
    file.write(b"\0" * _padding(file.tell()))
    for clip in clips:
        file.write(np.ascontiguousarray(clip.frames).data)
    file.write(b"\0" * _padding(file.tell()))
    for clip in clips:
        scaled = clip.waveform * FULL_SCALE
        file.write(np.rint(scaled, out=scaled).astype(np.int16).data)


def read_record(path: Path) -> Record | None:
    """The record of a file, or None if it is not there or is not whole."""
    try:
        opened = os.open(path, os.O_RDONLY | _BINARY)
        try:
            mapped = mmap.mmap(opened, 0, access=mmap.ACCESS_READ)  # NumPy's own mapping takes twice as long
        finally:
            os.close(opened)
        if mapped[: len(_MAGIC)] != _MAGIC:
            return None
        begin = len(_MAGIC) + _LENGTH_BYTES
        frames_at = begin + int.from_bytes(mapped[len(_MAGIC) : begin], "little")
        header = json.loads(mapped[begin:frames_at])
        frames_at += _padding(frames_at)
        shape = tuple(header["frames_shape"])  # [W,T,H,W,3]
        sound_at = frames_at + math.prod(shape)
        sound_at += _padding(sound_at)
        sound_shape = (shape[0], header["samples"])  # [W,N]
        if len(mapped) != sound_at + 2 * math.prod(sound_shape):
            return None
    except (OSError, ValueError, KeyError):
        return None
    frames = np.frombuffer(mapped, np.uint8, math.prod(shape), frames_at).reshape(shape)
    sound = np.frombuffer(mapped, np.int16, offset=sound_at).reshape(sound_shape)
    return Record(frames, sound, tuple(header["facts"]))


def _facts(clip: Clip) -> dict:
    return {
        "frame_times_s": [None if np.isnan(time_s) else float(time_s) for time_s in clip.frame_times_s],
        "frame_present": clip.frame_present.tolist(),
        "sample_rate_hz": clip.sample_rate_hz,
        "start_s": clip.start_s,
        "sound_span_s": clip.sound_span_s,
        "source": clip.source,
        "notes": clip.notes,
    }


def _padding(at: int) -> int:
    return -at % _ALIGNMENT
