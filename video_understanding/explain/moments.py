"""When the sound tells the answer: one short piece after the other is silenced, and what is lost is measured."""

from __future__ import annotations

import numpy as np

from video_understanding.explain.question import Question
from video_understanding.explain.reasons import SoundMoments

PIECE_S = 0.1  # about; a hop has a whole number of pieces
_FADE_S = 0.005  # a sudden silence would be a click, which is a sound


def sound_moments(question: Question, start_s: float) -> dict[str, SoundMoments]:
    """Head -> what each piece of sound adds to the log-odds of its class.

    A piece lies within one hop, so only that hop is listened to again: exact for any model.
    """
    audio, hops = question.model.spec.audio, question.hops  # [M,hop]
    pieces_per_hop = max(1, round(audio.hop_s / PIECE_S))
    many = len(hops) * pieces_per_hop  # P
    hop_of_piece = np.arange(many) // pieces_per_hop  # [P]
    edges = np.linspace(0, audio.hop_samples, pieces_per_hop + 1).round().astype(int)
    changed = hops[hop_of_piece]  # [P,hop], a copy
    for piece, hop in enumerate(changed):
        begin, end = edges[piece % pieces_per_hop], edges[piece % pieces_per_hop + 1]
        hop[begin:end] *= _hole(end - begin, audio.sample_rate_hz)
    sound = np.repeat(question.sound, many, axis=0)  # [P,M*K,D]
    by_hop = sound.reshape(many, len(hops), -1, sound.shape[-1])  # [P,M,K,D], the same memory
    by_hop[np.arange(many), hop_of_piece] = question.scorer.encode_hops(changed)  # [P,K,D]
    edges_s = start_s + np.arange(many + 1) * audio.hop_s / pieces_per_hop  # [P+1]
    lost = question.lost(np.repeat(question.picture, many, axis=0), sound)
    return {head: SoundMoments(edges_s, values) for head, values in lost.items()}


def _hole(samples: int, rate_hz: int) -> np.ndarray:
    """float32 [samples]: down to silence, and up again at the end."""
    fade = min(round(_FADE_S * rate_hz), samples // 2)
    hole = np.zeros(samples, np.float32)
    down = 0.5 + 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / max(fade, 1))
    hole[:fade], hole[samples - fade :] = down, down[::-1]
    return hole
