"""Clips whose label has a known cause: a tone from 1.0 to 1.5 s tells the action, a patch in one corner the emotion.

Elsewhere in time there are tones, and elsewhere in the picture patches, that mean nothing.
"""

from __future__ import annotations

import keras
import numpy as np

from video_understanding.clip import Clip
from video_understanding.labels import Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.spec import AudioSpec, LogMelSpec, ModelSpec, NetworkSpec, VideoSpec

SPEC = ModelSpec(
    window_s=2.0,
    video=VideoSpec(frames_hz=1, height_px=48, width_px=48),
    audio=AudioSpec(sample_rate_hz=8000, hop_s=0.25, log_mel=LogMelSpec(bands=32, low_hz=100, high_hz=3800)),
    network=NetworkSpec(token_size=32, attention_heads=4, tokens_per_hop=1, dropout=0.0, modality_dropout=0.1),
)
LABELS = Labels(action=("high", "low"), emotion=("blue", "red"))
CAUSE_S = (1.0, 1.5)
_TONES_HZ = (2400.0, 500.0)
_COLOURS = ((40, 40, 230), (230, 40, 40))
_PATCH_PX, _HALF_PX = 12, 24


def scenes(count: int, seed: int) -> tuple[list[Clip], np.ndarray, np.ndarray]:
    """Clips, and the places of their action and emotion among the labels; the telling corner is the upper left."""
    rng = np.random.default_rng(seed)
    actions, emotions = rng.integers(0, 2, count), rng.integers(0, 2, count)
    clips = [_clip(rng, *pair) for pair in zip(actions, emotions, strict=True)]
    return clips, actions, emotions


def _clip(rng: np.random.Generator, action: int, emotion: int) -> Clip:
    times_s = np.arange(SPEC.samples) / SPEC.audio.sample_rate_hz
    waveform = rng.normal(0, 0.01, SPEC.samples)
    frames = rng.integers(100, 116, SPEC.frames_shape).astype(np.uint8)

    def tone(kind: int, begin_s: float, end_s: float) -> None:
        on = (times_s >= begin_s) & (times_s < end_s)
        waveform[on] += 0.3 * np.sin(2 * np.pi * _TONES_HZ[kind] * times_s[on] + rng.uniform(0, 6))

    def patch(kind: int, top: int, left: int) -> None:
        top, left = top + rng.integers(3, 10), left + rng.integers(3, 10)
        frames[:, top : top + _PATCH_PX, left : left + _PATCH_PX] = _COLOURS[kind]

    tone(action, *CAUSE_S)
    for begin_s in (0.0, 0.5, 1.5):
        begin_s += rng.uniform(0, 0.15)
        tone(rng.integers(2), begin_s, begin_s + 0.3)
    patch(emotion, 0, 0)
    for top, left in ((0, _HALF_PX), (_HALF_PX, 0), (_HALF_PX, _HALF_PX)):
        patch(rng.integers(2), top, left)
    return clip_of(frames, waveform.astype(np.float32))


def clip_of(frames: np.ndarray, waveform: np.ndarray, spec: ModelSpec = SPEC, **changes: object) -> Clip:
    """A clip with picture and sound from its first to its last moment."""
    facts = {
        "frame_times_s": spec.instants_s(),
        "frame_present": np.ones(spec.frames, bool),
        "sample_rate_hz": spec.audio.sample_rate_hz,
        "sound_span_s": (0.0, spec.window_s),
        "source": "scene.mp4",
    }
    return Clip(frames=frames, waveform=waveform, **{**facts, **changes})


def trained(clips: list[Clip], actions: np.ndarray, emotions: np.ndarray, epochs: int = 5) -> VideoUnderstandingModel:
    """A model that has learned them."""
    model = VideoUnderstandingModel(SPEC, LABELS, seed=1)
    steps = epochs * -(-len(clips) // 32)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)))
    inputs = {
        "frames": np.stack([clip.frames for clip in clips]),
        "waveform": np.stack([clip.waveform for clip in clips]),
        "presence": np.ones((len(clips), 2), np.float32),
    }
    targets = {
        head: np.concatenate([np.eye(2)[places], np.ones((len(clips), 1))], axis=1).astype(np.float32)
        for head, places in (("action", actions), ("emotion", emotions))
    }
    model.fit(inputs, targets, epochs=epochs, batch_size=32, verbose=0)
    return model
