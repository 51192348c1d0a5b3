"""Any scorer over labelled clips: the scores of a clip's windows are joined, and compared with its labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.rows import Row
from video_understanding.datasets.targets import targets_of
from video_understanding.errors import ManifestError, VideoUnderstandingError
from video_understanding.evaluation.answers import Answers, MultiLabelAnswers
from video_understanding.evaluation.base_report import BaseHeadReport
from video_understanding.evaluation.head_report import HeadReport
from video_understanding.evaluation.multi_label import MultiLabelReport
from video_understanding.evaluation.report import Overall, Report
from video_understanding.evaluation.text import many
from video_understanding.features.prepare import from_prepared
from video_understanding.labels import Labels
from video_understanding.progress import Bar
from video_understanding.scorer import ModelInputs, PartwiseScorer, Scorer
from video_understanding.window_scores import WindowScores

_STRANGE_NAMED = 5


def evaluate(
    scorer: Scorer,
    prepared: PreparedClips,
    rows: Sequence[Row],
    *,
    batch_size: int = 16,
    progress: bool | None = None,
    without: str | None = None,
    seed: int = 0,
) -> Report:
    """Compares what a scorer says of the clips with their labels.

    `rows` are those that `prepared` was made from. `without` a modality, such as "video", takes that away. A progress
    bar is shown on a terminal, or always or never with `progress` True or False. The seed is that of the intervals.
    """
    known = scorer.spec.modalities
    if without is not None and without not in known:
        cause = f"{without!r} is not a modality of the model"
        raise VideoUnderstandingError("without", cause, f"Use one of: {', '.join(known)}.")

    def inputs_of(numbers: np.ndarray) -> ModelInputs:
        inputs = from_prepared(prepared, numbers)
        return inputs.without(without) if without else inputs

    return evaluate_inputs(
        scorer, prepared, rows, inputs_of, batch_size=batch_size, progress=progress, without=without, seed=seed
    )


def evaluate_inputs(
    scorer: Scorer,
    prepared: PreparedClips,
    rows: Sequence[Row],
    inputs_of: Callable[[np.ndarray], ModelInputs],
    *,
    batch_size: int,
    progress: bool | None,
    seed: int,
    without: str | None = None,
) -> Report:
    """`evaluate` on inputs that the caller makes: `inputs_of` turns numbers of windows [B] into a batch."""
    heads = scorer.labels.heads
    _require_match(scorer, prepared, rows)
    _require_known(scorer, rows)
    labelled = np.array([not scorer.labels.keys().isdisjoint(row.labels) for row in rows], bool)  # [rows]
    numbers = np.flatnonzero(labelled[prepared.row_numbers])  # of windows, [w]
    if not len(numbers):
        raise VideoUnderstandingError(
            "evaluation",
            f"none of {many(len(rows), 'clip')} can be read and has a label for {' or '.join(heads) or 'a head'}",
            "Give clips that are labelled for a head of the model.",
        )
    scores, present = _clip_scores(scorer, prepared, numbers, len(rows), inputs_of, batch_size, progress)
    scored = np.isin(np.arange(len(rows)), prepared.row_numbers[numbers])  # [rows]
    blind = int((scored & ~present.any(axis=1)).sum())
    known = {"windows": len(numbers), "without": without, "blind": blind, "seed": seed}
    return report_of_scores(scorer, prepared, rows, scores, scored, **known)


def report_of_scores(
    scorer: Scorer,
    prepared: PreparedClips,
    rows: Sequence[Row],
    scores: Mapping[str, np.ndarray],
    scored: np.ndarray,
    *,
    windows: int,
    seed: int,
    without: str | None = None,
    blind: int = 0,
) -> Report:
    """The report of clips that were scored already: head -> probabilities [rows,C], and bool [rows], which were scored.

    `windows` is how many windows were scored, `blind` how many clips had no modality to go by.
    """
    results = {}
    for head in scorer.labels:
        places = [place for place in np.flatnonzero(scored) if head in rows[place].labels]
        if places:
            results[head] = _head_report(scorer, head, tuple(rows[i] for i in places), scores[head][places], seed)
    overall = Overall.of(results, int(scored.sum()))
    notes = _notes(scorer.labels, prepared, rows, results, blind=blind)
    return Report(results, overall, windows, without, notes)


def _head_report(scorer: Scorer, head: str, rows: tuple[Row, ...], scores: np.ndarray, seed: int) -> BaseHeadReport:
    """The report of rows [K] that are labelled for the head, and of their scores [K,C]."""
    names = scorer.labels.names(head)
    _require_probabilities(head, rows, scores)
    shown = targets_of(rows, Labels({head: names}))[head][:, :-1] > 0  # [K,C]
    if head in scorer.spec.network.multi_label:
        return MultiLabelReport.of(MultiLabelAnswers(names, rows, shown, scores), seed)
    return HeadReport.of(Answers(names, rows, shown.argmax(axis=1), scores), seed)


def _clip_scores(
    scorer: Scorer,
    prepared: PreparedClips,
    numbers: np.ndarray,
    clips: int,
    inputs_of: Callable[[np.ndarray], ModelInputs],
    batch_size: int,
    progress: bool | None,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Each clip's joined scores, [clips,C] for each head (NaN without any), and its modalities, bool [clips,M]."""
    several = scorer.spec.network.multi_label
    found = {head: WindowScores(clips, len(names), head in several) for head, names in scorer.labels.items()}
    present = np.zeros((clips, len(scorer.spec.modalities)), bool)  # [clips,M]
    with Bar(len(numbers), "Evaluating", "window", shown=progress) as bar:
        for begin in range(0, len(numbers), batch_size):
            batch = numbers[begin : begin + batch_size]  # [B]
            inputs = inputs_of(batch)
            # Nothing here is compared with a stream to the bit.
            scores = scorer.score(inputs, exact=False) if isinstance(scorer, PartwiseScorer) else scorer(inputs)
            for head, collected in found.items():
                if len(scores[head]) != len(batch):
                    raise VideoUnderstandingError(
                        f"scores of {head}",
                        f"are {len(scores[head])} for a batch of {len(batch)} clips",
                        "The scorer must answer for every clip of a batch, whatever its size.",
                    )
                collected.add(prepared.row_numbers[batch], scores[head])
            np.logical_or.at(present, prepared.row_numbers[batch], inputs.presence)
            bar.update(len(batch))
    return {head: collected.result() for head, collected in found.items()}, present


def _require_match(scorer: Scorer, prepared: PreparedClips, rows: Sequence[Row]) -> None:
    if scorer.spec != prepared.spec:
        raise VideoUnderstandingError(
            "evaluation", "the clips were prepared for another spec than the scorer's", "Prepare them with scorer.spec."
        )
    cause = ""
    if len(rows) != len(prepared.rows):
        cause = f"the prepared clips were made from {len(prepared.rows)} rows, and {len(rows)} are given"
    elif any(row.place != own.place for row, own in zip(rows, prepared.rows, strict=True)):
        cause = "the prepared clips were made from other rows than are given, or from these in another order"
    if cause:
        raise VideoUnderstandingError("evaluation", cause, "Give the very rows that the clips were prepared from.")


def _require_known(scorer: Scorer, rows: Sequence[Row]) -> None:
    labels = scorer.labels
    for head in labels.heads:
        known = set(labels.names(head))
        strange = {}
        for row in reversed(rows):
            label = row.labels.get(head)
            shown = labels.classes_of(head, label)
            fits = head in scorer.spec.network.multi_label or not label or len(shown) == 1
            if not fits:
                strange[label] = row
            strange |= {name: row for name in shown if fits and name not in known}
        if strange:
            named = [repr(name) for name in sorted(strange)]
            more = f" and {len(named) - _STRANGE_NAMED} more" if len(named) > _STRANGE_NAMED else ""
            first = next(iter(reversed(strange.values())))
            raise ManifestError(
                first.origin or first.path,
                f"{head} {', '.join(named[:_STRANGE_NAMED])}{more} is not known to the model",
                f"Its classes: {', '.join(labels.names(head))}.",
            )


def _require_probabilities(head: str, rows: Sequence[Row], scores: np.ndarray) -> None:
    slack = 1e-3  # of rounding, in half precision and in quantised models
    fine = ((scores >= -slack) & (scores <= 1 + slack)).all(axis=1)  # [K]; NaN is not fine
    if not fine.all():
        row = rows[int(fine.argmin())]
        raise VideoUnderstandingError(
            f"scores of {head}",
            f"are not probabilities for {many(int((~fine).sum()), 'clip')}, such as {row.name}",
            "The model, or its export, is broken, or gives logits.",
        )


def _notes(
    labels: Labels,
    prepared: PreparedClips,
    rows: Sequence[Row],
    results: Mapping[str, BaseHeadReport],
    blind: int,
) -> tuple[str, ...]:
    notes = []
    if prepared.set_aside:
        first = prepared.set_aside[0]
        notes.append(
            f"Left out: {many(len(prepared.set_aside), 'clip')} that could not be read, such as "
            f"{first.row.origin or first.row.name}: {first.reason}"
        )
    counts = Counter(head for row in rows for head in row.labels)
    for head in dict.fromkeys([*labels, *counts]):
        if head not in labels:
            notes.append(f"{many(counts[head], 'clip')} labelled for {head}, which the model does not tell.")
        elif head not in results:
            notes.append(f"No clip is labelled for {head}, which the model tells.")
    if blind:
        notes.append(f"{many(blind, 'clip')} with no modality left: the model could only guess.")
    return tuple(notes)
