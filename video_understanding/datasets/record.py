"""One labelled clip prepared on disk: the pixels and samples of its windows, mapped into memory to read."""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    name            the file's name, which follows from all that the record depends on
    derived         modality -> array [W,...], mapped from disk, of further modalities that any window has
    """

    frames: np.ndarray
    sound: np.ndarray
    facts: tuple[dict, ...]
    name: str = ""
    derived: Mapping[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def presence(self) -> list[dict[str, bool]]:
        """For each window which modalities it has, by the rule of `Clip.modalities`."""
        presence = []
        for facts, sound in zip(self.facts, self.sound, strict=True):
            # The largest and the smallest, not the absolute: int16 has no +32768.
            peak = max(int(sound.max(initial=0)), -int(sound.min(initial=0))) / FULL_SCALE
            audio = facts["sound_span_s"] is not None and peak >= SILENCE_PEAK
            presence.append({"video": any(facts["frame_present"]), "audio": audio, **facts.get("derived", {})})
        return presence

    def array(self, modality: str, window: int) -> np.ndarray:
        """What the network takes of a window: uint8 [T,H,W,3] of video, float32 [N] of audio."""
        if modality == "audio":
            return self.sound[window].astype(np.float32) / FULL_SCALE
        return (self.frames if modality == "video" else self.derived[modality])[window]

    def clip(self, window: int) -> Clip:
        """The clip of one window; its frames stay on disk until they are looked at."""
        facts = self.facts[window]
        times_s = np.array([np.nan if time_s is None else time_s for time_s in facts["frame_times_s"]])  # [T]
        return Clip(
            frames=self.frames[window],
            frame_times_s=times_s,
            frame_present=np.array(facts["frame_present"], bool),
            waveform=self.array("audio", window),
            sample_rate_hz=facts["sample_rate_hz"],
            start_s=facts["start_s"],
            sound_span_s=tuple(facts["sound_span_s"]) if facts["sound_span_s"] else None,
            source=facts["source"],
            notes=tuple(facts["notes"]),
            derived={
                name: self.array(name, window) if there else None for name, there in facts.get("derived", {}).items()
            },
        )


def write_record(file: BinaryIO, clips: Sequence[Clip]) -> None:
    """Writes the windows of one clip into an empty file."""
    derived = {
        name: next((clip.derived[name] for clip in clips if clip.derived[name] is not None), None)
        for name in clips[0].derived
    }
    derived = {name: array for name, array in derived.items() if array is not None}
    values = {
        "frames_shape": [len(clips), *clips[0].frames.shape],
        "samples": len(clips[0].waveform),
        "facts": [_facts(clip) for clip in clips],
    }
    if derived:
        values["derived"] = [[name, array.dtype.str, list(array.shape)] for name, array in derived.items()]
    header = json.dumps(values).encode()
    file.write(_MAGIC + len(header).to_bytes(_LENGTH_BYTES, "little") + header)
    file.write(b"\0" * _padding(file.tell()))
    for clip in clips:
        file.write(np.ascontiguousarray(clip.frames).data)
    file.write(b"\0" * _padding(file.tell()))
    for clip in clips:
        scaled = clip.waveform * FULL_SCALE
        file.write(np.rint(scaled, out=scaled).astype(np.int16).data)
    for name, array in derived.items():
        file.write(b"\0" * _padding(file.tell()))
        for clip in clips:
            own = clip.derived[name]
            file.write(np.ascontiguousarray(np.zeros_like(array) if own is None else own).data)


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
        count = header["frames_shape"][0]  # W
        forms = [("frames", "|u1", header["frames_shape"][1:]), ("sound", "<i2", [header["samples"]])]
        arrays, end = {}, frames_at
        for name, dtype, shape in [*forms, *header.get("derived", ())]:
            begin = end + _padding(end)
            numbers = count * math.prod(shape)
            end = begin + numbers * np.dtype(dtype).itemsize
            if end > len(mapped):
                return None
            arrays[name] = np.frombuffer(mapped, dtype, numbers, begin).reshape(count, *shape)
        if end != len(mapped):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Record(arrays.pop("frames"), arrays.pop("sound"), tuple(header["facts"]), path.stem, arrays)


def _facts(clip: Clip) -> dict:
    return {
        "frame_times_s": [None if np.isnan(time_s) else float(time_s) for time_s in clip.frame_times_s],
        "frame_present": clip.frame_present.tolist(),
        "sample_rate_hz": clip.sample_rate_hz,
        "start_s": clip.start_s,
        "sound_span_s": clip.sound_span_s,
        "source": clip.source,
        "notes": clip.notes,
        **({"derived": {name: clip.modalities[name] for name in clip.derived}} if clip.derived else {}),
    }


def _padding(at: int) -> int:
    return -at % _ALIGNMENT
