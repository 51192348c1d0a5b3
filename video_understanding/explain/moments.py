"""Which moments of sound the answer depends on: one short part after the other is silenced, and the loss measured."""

from __future__ import annotations

import numpy as np

from video_understanding.explain.question import Question
from video_understanding.explain.reasons import SoundMoments

PART_S = 0.1  # about; a chunk has a whole number of parts
_FADE_S = 0.005  # a sudden silence would be a click, which is a sound


def sound_moments(question: Question, start_s: float) -> dict[str, SoundMoments]:
    """Head -> what each part of the sound adds to the log-odds of its class.

    A part lies within one chunk, so only that chunk is encoded again: exact for any model.
    """
    audio, chunks = question.model.spec.audio, question.pieces("audio")  # [M,samples]
    per_chunk = max(1, round(audio.hop_s / PART_S))
    many = len(chunks) * per_chunk  # P
    chunk_of_part = np.arange(many) // per_chunk  # [P]
    edges = np.linspace(0, audio.hop_samples, per_chunk + 1).round().astype(int)
    changed = chunks[chunk_of_part]  # [P,samples], a copy
    for part, chunk in enumerate(changed):
        begin, end = edges[part % per_chunk], edges[part % per_chunk + 1]
        chunk[begin:end] *= _hole(end - begin, audio.sample_rate_hz)
    edges_s = start_s + np.arange(many + 1) * audio.hop_s / per_chunk  # [P+1]
    lost = question.without_pieces("audio", changed, chunk_of_part)
    return {head: SoundMoments(edges_s, values) for head, values in lost.items()}


def _hole(samples: int, rate_hz: int) -> np.ndarray:
    """float32 [samples]: down to silence, and up again at the end."""
    fade = min(round(_FADE_S * rate_hz), samples // 2)
    hole = np.zeros(samples, np.float32)
    down = 0.5 + 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / max(fade, 1))
    hole[:fade], hole[samples - fade :] = down, down[::-1]
    return hole
