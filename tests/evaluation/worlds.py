"""Clips whose pixels and samples say which scores they get, and the scorer that reads them: every answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from video_understanding.datasets.cache import PreparedClips, SetAside
from video_understanding.datasets.record import Record
from video_understanding.datasets.rows import Row
from video_understanding.labels import Labels
from video_understanding.scorer import ModelInputs, Scores
from video_understanding.spec import ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=0.5, video=VideoSpec(frames_hz=4, height_px=4, width_px=4))
LABELS = Labels(action=("jump", "run", "swim"), emotion=("calm", "glad"))


def row(name: str = "a.mp4", *, action: str | None = None, emotion: str | None = None, **fields: object) -> Row:
    return Row(Path("/set") / name, {"action": action, "emotion": emotion}, root=Path("/set"), **fields)


def window(seen: list[int] | None, heard: list[int] | None, noise: np.ndarray | None = None) -> tuple:
    """A window whose picture and sound each say percents for the three actions; None is an absent sense."""
    frames = np.zeros(SPEC.frames_shape, np.uint8)
    frames[..., 0, :] = seen or [0, 0, 0]  # [T,H,3]: the first column of pixels holds the percents as R, G, B
    sound = np.zeros(SPEC.samples, np.int16)
    if heard:
        sound[:] = np.resize(np.array(heard) * 300, SPEC.samples)  # 100 % is 30000
    if noise is not None:
        sound[:] = noise
    facts = {
        "frame_times_s": SPEC.instants_s().tolist() if seen else [None] * SPEC.frames,
        "frame_present": [bool(seen)] * SPEC.frames,
        "sample_rate_hz": SPEC.audio.sample_rate_hz,
        "start_s": 0.0,
        "sound_span_s": [0.0, SPEC.window_s] if heard or noise is not None else None,
        "source": "",
        "notes": [],
    }
    return frames, sound, facts


def prepared_from(clips: list[list[tuple] | None], rows: list[Row]) -> PreparedClips:
    """The windows of each clip; None stands for a clip that could not be read."""
    records = [
        (number, Record(np.stack(frames), np.stack(sound), facts))
        for number, windows in enumerate(clips)
        if windows
        for frames, sound, facts in [zip(*windows, strict=True)]
    ]
    aside = [SetAside(rows[number], "is damaged.") for number, windows in enumerate(clips) if not windows]
    return PreparedClips(SPEC, records, aside, rows)


class ReadingScorer:
    """Says what the picture says, else what the sound says, else the same for all; glad as far as it is a jump."""

    def __init__(self, labels: Labels = LABELS, spec: ModelSpec = SPEC) -> None:
        self.labels, self.spec = labels, spec
        self.batches: list[ModelInputs] = []

    def __call__(self, inputs: ModelInputs) -> Scores:
        self.batches.append(inputs)
        seen = inputs["video"][:, 0, 0, 0, :] / 100  # [B,3]
        heard = np.abs(inputs["audio"][:, :3]) * 32767 / 30000  # [B,3]
        video, audio = inputs.presence[:, :1], inputs.presence[:, 1:]  # [B,1]
        action = np.where(video, seen, np.where(audio, heard, 1 / 3)).astype(np.float32)  # [B,3]
        heads = {"action": action, "emotion": np.stack([1 - action[:, 0], action[:, 0]], axis=1)}
        return Scores(self.labels, {head: heads[head] for head in self.labels.heads})
