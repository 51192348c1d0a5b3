"""What a simple method reaches on the same clips: the figure that a trained model has to be compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.grouping import group_rows
from video_understanding.datasets.rows import Row
from video_understanding.datasets.targets import targets_of
from video_understanding.features.probabilities import sigmoid, softmax
from video_understanding.labels import Labels
from video_understanding.training.closed_form.fit import fit_closed_form
from video_understanding.training.closed_form.forms import HeadTargets

SIMPLE = "linear on simple features"  # 8x8 thumbnails and a spectrum of 24 bands, no pretrained encoder
_CELLS = 8
_BANDS = 24
_STEP_S = 0.032
_LEAST_POWER = 1e-10


@dataclass(frozen=True)
class SimpleFeatures:
    """Of all rows, for every fold: modality -> float32 [rows,P], the mean over windows, and bool [rows], who has it."""

    statistics: Mapping[str, np.ndarray]
    present: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, prepared: PreparedClips) -> SimpleFeatures:
        """Those of the rows that `prepared` was made from."""
        count = len(prepared.rows)
        known = {"video": (_thumbnails, 2 * 3 * _CELLS**2), "audio": (_spectrum, 2 * _BANDS)}
        names = [name for name in prepared.spec.modalities if name in known]  # others have no simple features
        sums = {name: np.zeros((count, known[name][1]), np.float32) for name in names}
        many = {name: np.zeros(count) for name in names}
        for number, row in enumerate(prepared.row_numbers):
            for name, there in zip(names, prepared.presence([number], names)[0], strict=True):
                if there:
                    sums[name][row] += known[name][0](prepared[number])
                    many[name][row] += 1
        return cls(
            {name: sums[name] / np.maximum(many[name], 1)[:, None].astype(np.float32) for name in names},
            {name: many[name] > 0 for name in names},
        )


def head_targets(rows: Sequence[Row], labels: Labels, multi_label: Sequence[str]) -> dict[str, HeadTargets]:
    """What a closed form learns of rows [K], for each head."""
    return {
        head: HeadTargets(
            values.shape[1] - 1, values[:, :-1].astype(np.float64), values[:, -1] > 0, head in multi_label
        )
        for head, values in targets_of(rows, labels).items()
    }


def probabilities_of(logits: np.ndarray, multi_label: bool) -> np.ndarray:
    """Logits [K,C] of a closed form, NaN in rows that have none -> probabilities float64 [K,C]."""
    logits = np.asarray(logits, np.float64)
    return sigmoid(logits) if multi_label else softmax(logits)


def simple_scores(
    simple: SimpleFeatures, rows: Sequence[Row], learned: np.ndarray, labels: Labels, multi_label: Sequence[str]
) -> dict[str, np.ndarray]:
    """Head -> probabilities float64 [rows,C] of a linear classifier on thumbnails and a coarse spectrum.

    Args:
        simple: the features of all rows.
        rows: the rows they were made from.
        learned: int [K], the rows to learn from.
        labels: the classes of every head.
        multi_label: the heads of which a clip may show several classes.

    Returns:
        NaN for rows without a window, or with none of the modalities of any row that was learned.
    """
    statistics, present = simple.statistics, simple.present
    heads = head_targets([rows[row] for row in learned], labels, multi_label)
    groups = np.array(group_rows([rows[row] for row in learned]))
    own = {name: values[learned] for name, values in statistics.items()}
    form = fit_closed_form(own, {name: there[learned] for name, there in present.items()}, heads, groups)
    found = {head: np.full((len(rows), targets.classes), np.nan) for head, targets in heads.items()}
    for head, scores in found.items():
        for members in form.forms[head]:
            exactly = np.all([there == (name in members) for name, there in present.items()], axis=0)
            if exactly.any():
                logits = form.logits(head, {name: statistics[name][exactly] for name in members})
                scores[exactly] = probabilities_of(logits, heads[head].multi_label)
    return found


def _thumbnails(clip: Clip) -> np.ndarray:
    """float32 [2*3*64]: the mean of 8x8 cells over the frames, and their mean absolute change."""
    frames = clip.frames[:: max(1, len(clip.frames) // 8)].astype(np.float32) / 255  # [t,H,W,3]
    rows, columns = (np.linspace(0, size, _CELLS, endpoint=False).astype(int) for size in frames.shape[1:3])
    cells = np.add.reduceat(np.add.reduceat(frames, rows, axis=1), columns, axis=2)  # [t,8,8,3]
    cells = cells.reshape(len(cells), -1) / (frames.shape[1] * frames.shape[2] / _CELLS**2)
    change = np.abs(np.diff(cells, axis=0)).mean(axis=0) if len(cells) > 1 else np.zeros_like(cells[0])
    return np.concatenate([cells.mean(axis=0), change])


def _spectrum(clip: Clip) -> np.ndarray:
    """float32 [2*24]: mean and standard deviation over time of the log power in 24 bands of rising width."""
    step = int(_STEP_S * clip.sample_rate_hz)
    pieces = clip.waveform[: len(clip.waveform) // step * step].reshape(-1, step) * np.hanning(step)  # [S,step]
    power = np.abs(np.fft.rfft(pieces, axis=1)) ** 2  # [S,step/2+1]
    edges = np.unique(np.geomspace(2, power.shape[1] - 1, _BANDS + 1).astype(int))
    bands = np.log10(np.add.reduceat(power, edges[:-1], axis=1) + _LEAST_POWER)  # [S,b]
    bands = np.pad(bands, ((0, 0), (0, _BANDS - bands.shape[1])))
    return np.concatenate([bands.mean(axis=0), bands.std(axis=0)]).astype(np.float32)
