"""Mixup: two clips laid over each other, and their labels in the same proportion."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.augment.opencv import opencv
from video_understanding.errors import ClipError
from video_understanding.modality import MODALITIES


def drawn_pairs(count: int, strength: float, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """For each of `count` clips the one it is mixed with, int [B], and the greater share, its own, float [B].

    Shares are drawn from Beta(strength, strength): a small strength mostly leaves a clip almost alone, 1 makes every
    proportion as likely.
    """
    partners = generator.permutation(count)
    shares = generator.beta(strength, strength, count)
    return partners, np.maximum(shares, 1 - shares)


def mixed_clip(clip_a: Clip, clip_b: Clip, share: float) -> Clip:
    """`share` (0 to 1) of the first clip, the rest of the second.

    The clock is that of the clip with the greater share. Frames or sound are there where either clip has
    them; what only one clip has comes in at that clip's share. Derived modalities are not mixed: they are those of the
    greater share.
    """
    if clip_a.frames.shape != clip_b.frames.shape:
        raise _unlike(clip_a, clip_b, f"frames {clip_a.frames.shape} and {clip_b.frames.shape}")
    if clip_a.waveform.shape != clip_b.waveform.shape or clip_a.sample_rate_hz != clip_b.sample_rate_hz:
        raise _unlike(
            clip_a,
            clip_b,
            f"{len(clip_a.waveform)} samples at {clip_a.sample_rate_hz} Hz "
            f"and {len(clip_b.waveform)} at {clip_b.sample_rate_hz} Hz",
        )
    main, other = (clip_a, clip_b) if share >= 0.5 else (clip_b, clip_a)
    main_share = max(share, 1.0 - share)
    later_s = main.start_s - other.start_s  # the other clip's times, put on the main clip's clock
    count, height, width, _ = main.frames.shape
    rows = count * height, width, 3  # [T*H,W,3], one tall picture
    frames = opencv().addWeighted(
        main.frames.reshape(rows), main_share, other.frames.reshape(rows), 1.0 - main_share, 0.0
    )
    only_other = other.frame_present & ~main.frame_present  # [T]
    waveform = np.float32(main_share) * main.waveform + np.float32(1.0 - main_share) * other.waveform  # [N]
    spans = [
        (span[0] + moved_s, span[1] + moved_s)
        for span, moved_s in ((main.sound_span_s, 0.0), (other.sound_span_s, later_s))
        if span is not None
    ]
    return dataclasses.replace(
        main,
        frames=frames.reshape(main.frames.shape),  # [T,H,W,3]
        frame_times_s=np.where(only_other, other.frame_times_s + later_s, main.frame_times_s),
        frame_present=main.frame_present | other.frame_present,
        waveform=np.clip(waveform, -1.0, 1.0),
        sound_span_s=(min(begin for begin, _ in spans), max(end for _, end in spans)) if spans else None,
        source=f"{main.source} + {other.source}",
        notes=(*main.notes, *other.notes),
    )


def mixed_inputs(
    inputs: Mapping[str, np.ndarray], partners: np.ndarray, shares: np.ndarray, modalities: Sequence[str]
) -> dict[str, np.ndarray]:
    """A batch as a model takes it, in which each clip has `shares` [B] of itself, the rest of its partner [B].

    `inputs` are arrays of whole windows or features of the modalities, whose order is that of `presence` [B,M]. A
    modality that only one of a pair has is that one's.
    """
    there = inputs["presence"].astype(np.float32)  # [B,M]
    partner_there = there[partners]  # [B,M]
    own, other = shares[:, None] * there, (1 - shares)[:, None] * partner_there  # [B,M] each
    share = np.divide(own, own + other, out=np.ones_like(own), where=own + other > 0)  # [B,M]
    made = {"presence": np.maximum(there, partner_there)}
    for place, name in enumerate(modalities):
        key = f"{name}_features" if f"{name}_features" in inputs else MODALITIES[name].input
        values = inputs[key]
        part = share[:, place].reshape(-1, *[1] * (values.ndim - 1)).astype(np.float32)  # [B,1,...]
        made[key] = part * values + (1 - part) * values[partners]
    return made


def mixed_targets(targets: Mapping[str, np.ndarray], partners: np.ndarray, shares: np.ndarray) -> dict[str, np.ndarray]:
    """Of each head [B,C+1], in the last place how much a row counts, as batches have them; mixed as their clips are.

    Only the labelled parts shape the scores, which keep their sum; how much was labelled is how much the row counts.
    """
    return {head: _mixed_rows(rows, rows[partners], shares) for head, rows in targets.items()}


def _mixed_rows(rows: np.ndarray, partners: np.ndarray, shares: np.ndarray) -> np.ndarray:
    own, other = shares * rows[:, -1], (1 - shares) * partners[:, -1]  # [B] each
    weight = own + other
    scores = own[:, None] * rows[:, :-1] + other[:, None] * partners[:, :-1]  # [B,C]
    scores = np.divide(scores, weight[:, None], out=np.zeros_like(scores), where=weight[:, None] > 0)
    return np.column_stack([scores, weight]).astype(np.float32)


def _unlike(clip_a: Clip, clip_b: Clip, difference: str) -> ClipError:
    return ClipError(
        f"{clip_a.source or 'clip'} and {clip_b.source or 'clip'}",
        f"cannot be mixed: {difference}",
        "Read both with the same spec.",
    )
