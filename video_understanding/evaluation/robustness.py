"""How a scorer stands the loss of a modality, and noise: the same clips under one condition after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.augment.noise import Noise
from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.rows import Row
from video_understanding.evaluation.evaluate import evaluate_inputs
from video_understanding.evaluation.report import Report
from video_understanding.evaluation.text import aligned, many, percent
from video_understanding.features.prepare import from_prepared, prepare
from video_understanding.progress import one_bar
from video_understanding.scorer import ModelInputs, Scorer

SNRS_DB = (20.0, 10.0, 0.0)
InputsOf = Callable[..., Any]  # (numbers [B], clips with other sound in their place or None) -> inputs of a scorer


@dataclass(frozen=True, repr=False)
class Robustness:
    """A report for each condition, by its name, such as "only video" or "noise at 10 dB"."""

    reports: Mapping[str, Report]

    def to_dict(self) -> dict[str, Any]:
        """Clips, accuracy and UAR of each head under each condition, for JSON."""
        return {
            condition: {
                head: {"clips": result.clips, "accuracy": result.accuracy, "uar": result.uar}
                for head, result in report.heads.items()
            }
            for condition, report in self.reports.items()
        }

    def text(self) -> str:
        """A line for each condition, a pair of columns for each head."""
        heads = list(next(iter(self.reports.values())).heads)
        lines = [["%", *(f"{head} {measure}" for head in heads for measure in ("UAR", "accuracy"))]]
        lines += [
            [condition, *(percent(value) for head in heads for value in _values(report, head))]
            for condition, report in self.reports.items()
        ]
        return "\n".join(aligned(lines))

    def __repr__(self) -> str:
        return f"Robustness({many(len(self.reports), 'condition')})"


def robustness(
    scorer: Scorer,
    prepared: PreparedClips,
    rows: Sequence[Row],
    seed: int,
    *,
    snrs_db: Sequence[float] = SNRS_DB,
    batch_size: int = 16,
    progress: bool | None = None,
    inputs_of: InputsOf | None = None,
) -> Robustness:
    """Evaluates with all modalities, with only one of them, and with white noise at each distance below the sound.

    Each window has a noise of its own that depends on the seed alone: between two distances only its loudness
    differs. Clips without sound, or with a silent track, stay as they are. `inputs_of` makes the scorer's inputs of
    windows by their numbers [B], and of changed clips in their place, where the scorer takes other than `ModelInputs`.
    """

    def plain(numbers: np.ndarray, clips: Sequence[Clip] | None = None) -> ModelInputs:
        return from_prepared(prepared, numbers) if clips is None else prepare(clips, prepared.spec)

    clean = inputs_of or plain

    def noisy(snr_db: float) -> Callable[[np.ndarray], ModelInputs]:
        return lambda numbers: clean(
            numbers, [_with_noise(prepared[number], snr_db, seed, int(number)) for number in numbers]
        )

    names = prepared.spec.modalities
    taken = {f"only {name}": [other for other in names if other != name] for name in names}
    conditions: dict[str, Callable[[np.ndarray], ModelInputs]] = {
        "all modalities": clean,
        **{name: partial(_without, clean, others) for name, others in taken.items() if others},
        **{f"noise at {snr_db:g} dB": noisy(snr_db) for snr_db in snrs_db if "audio" in names},
    }
    with one_bar("Evaluating", len(conditions), progress):
        return Robustness(
            {
                name: evaluate_inputs(
                    scorer,
                    prepared,
                    rows,
                    inputs_of,
                    batch_size=batch_size,
                    progress=progress,
                    seed=seed,
                    without=", ".join(taken.get(name, ())) or None,
                )
                for name, inputs_of in conditions.items()
            }
        )


def _without(clean: InputsOf, modalities: Sequence[str], numbers: np.ndarray) -> ModelInputs:
    return clean(numbers).without(*modalities)


def _with_noise(clip: Clip, snr_db: float, seed: int, number: int) -> Clip:
    if clip.is_silent:  # noise would make a sound of it, and the scorer would be told that there is one
        return clip
    own_seed = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
    return Noise().apply(clip, {"snr_db": snr_db, "colour": "white", "seed": own_seed})


def _values(report: Report, head: str) -> tuple[float, float]:
    return report.heads[head].uar, report.heads[head].accuracy
