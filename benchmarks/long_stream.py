"""Hours of drawn pictures and sound, pushed into a stream as fast as it goes: its memory and time on the way.

    python -m benchmarks.long_stream MODEL.tflite SECONDS

A process of its own, whose memory is nothing else's. It tells as JSON how many answers came, and rows of
[seconds pushed, megabytes in memory, seconds of CPU time since the last row].
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from video_understanding.edge import LiteRTScorer
from video_understanding.recognition import StreamingRecognizer
from video_understanding.spec import ModelSpec

ROWS = 60
_PORTION_S, _FRAMES_HZ = 0.1, 10  # what comes at once, and how often the camera looks
_SEED = 5


def main() -> None:
    stream = StreamingRecognizer(LiteRTScorer(sys.argv[1]))
    seconds = int(sys.argv[2])
    answers, rows, began_s = 0, [], time.process_time()
    for number, (frames, sound) in enumerate(_drawn(stream.spec, seconds)):
        at_s = number * _PORTION_S
        events = stream.push_frames(frames, at_s + np.arange(len(frames)) / _FRAMES_HZ)
        events += stream.push_sound(sound, at_s)
        answers += len(events)
        pushed = number + 1
        if pushed % round(seconds / _PORTION_S / ROWS) == 0:
            rows.append((pushed * _PORTION_S, memory_mb(), time.process_time() - began_s))
            began_s = time.process_time()
    print(json.dumps({"answers": answers, "rows": rows}))


def memory_mb() -> float:
    """What of this process lies in memory now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def _drawn(spec: ModelSpec, seconds: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Portion after portion: frames uint8 [n,H,W,3] that drift over a texture, sound float32 [m] of two notes in hiss.

    No two frames are the same, or the stream would know them again; drawing takes little beside the answers.
    """
    rng = np.random.default_rng(_SEED)
    _, height, width, _ = spec.read_shape
    texture = rng.integers(0, 256, (2 * height, 2 * width, 3), np.uint8)
    samples, frames = round(_PORTION_S * spec.audio.sample_rate_hz), round(_PORTION_S * _FRAMES_HZ)
    turns = 2 * math.pi * np.arange(samples, dtype=np.float32) / spec.audio.sample_rate_hz
    notes = [np.sin(hz * turns, dtype=np.float32) / 4 for hz in (220, 440)]
    for number in range(round(seconds / _PORTION_S)):
        places = range(number * frames, (number + 1) * frames)
        pictures = np.stack([texture[place % height :, place % width :][:height, :width] for place in places])
        pictures[:, 0, 0, :] = np.array([number >> 16 & 255, number >> 8 & 255, number & 255])
        yield pictures, notes[number // 30 % 2] + rng.normal(0, 0.02, samples).astype(np.float32)


if __name__ == "__main__":
    main()
