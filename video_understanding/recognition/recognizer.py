"""Recognising files: every window of a file is scored in one pass, and the answers become one prediction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from video_understanding.clip import Clip
from video_understanding.errors import MediaError, VideoUnderstandingError
from video_understanding.labels import Labels
from video_understanding.media.decode import iter_clips
from video_understanding.prediction import Prediction, Segment
from video_understanding.recognition.answers import WindowAnswer, WindowScorer
from video_understanding.recognition.embeddings import Embeddings
from video_understanding.recognition.length import FileLength
from video_understanding.recognition.segments import SegmentMaker
from video_understanding.recognition.spans import longest_of
from video_understanding.recognition.streaming import HOLD_S, LATENESS_S, StreamingRecognizer, heads_of
from video_understanding.recognition.strides import Stride
from video_understanding.scorer import PartwiseScorer, Scorer
from video_understanding.spec import ModelSpec
from video_understanding.window_scores import WindowScores
from video_understanding.words.space import CommonSpace
from video_understanding.words.words_file import read_words
from video_understanding.words.words_scorer import WordsScorer

if TYPE_CHECKING:
    from video_understanding.evaluation.report import Report

_NUMBER = re.compile(r"\d+")
_FIRST = np.zeros(1, int)  # the place of the only file
_SAME_S = 1e-3  # a length may be rounded
_WINDOWS_AT_ONCE = 8  # a scorer's calls cost less for several windows, and they need little memory


class Recognizer:
    """A scorer with all that is needed to recognise files with it.

    `unknown_below` has for each head the confidence below which its answer is "unknown"; heads may be left out.
    `folder` is the bundle's: the clips that the model was trained with are listed there, and the words it has learned.
    """

    def __init__(
        self, scorer: Scorer, unknown_below: Mapping[str, float] | None = None, folder: Path | None = None
    ) -> None:
        self.scorer = scorer
        self.unknown_below = dict(unknown_below or {})
        self._folder = folder

    @property
    def spec(self) -> ModelSpec:
        """What a window is."""
        return self.scorer.spec

    @property
    def labels(self) -> Labels:
        """What can be told."""
        return self.scorer.labels

    @cached_property
    def words(self) -> CommonSpace | None:
        """The space that sentences and moments share; None for a model that has learned no words."""
        return None if self._folder is None else read_words(self._folder)

    def embed_text(self, text: str) -> np.ndarray:
        """The vector float32 [D] of a sentence, to compare with those of moments by their product.

        Raises:
            VideoUnderstandingError: the model has learned no words, or the text has none.
        """
        return self._required_words().embed_texts([text])[0]

    def with_labels(self, labels: Sequence[str]) -> Recognizer:
        """The same with one more head, `words`: which of these sentences describes a moment, or "none of these".

        Raises:
            VideoUnderstandingError: the model has learned no words, or a label has none.
        """
        scorer = WordsScorer(self.scorer, self._required_words(), labels)
        return Recognizer(scorer, self.unknown_below, self._folder)

    def _required_words(self) -> CommonSpace:
        if self.words is None:
            raise VideoUnderstandingError(
                "model", "has learned no words", "Train it on a table with a text column: sentences about the clips."
            )
        return self.words

    @overload
    def predict(
        self,
        file: str | Path,
        stride_s: float | None = None,
        progress: Callable[[WindowAnswer], None] | None = None,
    ) -> Prediction: ...

    @overload
    def predict(
        self,
        file: Sequence[str | Path],
        stride_s: float | None = None,
        progress: Callable[[WindowAnswer], None] | None = None,
    ) -> list[Prediction]: ...

    def predict(
        self,
        file: str | Path | Sequence[str | Path],
        stride_s: float | None = None,
        progress: Callable[[WindowAnswer], None] | None = None,
    ) -> Prediction | list[Prediction]:
        """What happens in a file of any length, from one pass over it in constant memory.

        Args:
            file: A video or sound file, or several.
            stride_s: From window to window, in seconds; a quarter of a window if None.
            progress: Called with each window's answer as it is found.

        Returns:
            The prediction, or a list of them for several files. A file's answer joins its windows as those of a
            labelled clip are joined (`WindowScores`); where it changes over time, it is what lasts longest, beside the
            mean of all scores.

        Raises:
            MediaError: A file cannot be read, or has no modality.
        """
        if not isinstance(file, str | Path):
            return [self._predict(one, stride_s, progress) for one in file]
        return self._predict(file, stride_s, progress)

    def evaluate(
        self,
        *data: str | Path,
        heads: Sequence[str] | None = None,
        without: str | None = None,
        with_seen: bool = False,
        progress: bool | None = None,
    ) -> Report:
        """Compares the model's answers with the labels of clips, as `vu evaluate` does.

        Args:
            *data: Tables or folders of labelled clips.
            heads: The columns that hold labels; those of the model's heads if None.
            without: A modality to take away from every clip.
            with_seen: Whether clips that the model was trained with count; they are left out otherwise.
            progress: Whether to show a progress bar; on a terminal if None.

        Returns:
            The report, with metrics of each head.
        """
        from video_understanding.evaluation.labelled_data import evaluate_data

        return evaluate_data(
            self.scorer, data, self._folder, heads=heads, without=without, with_seen=with_seen, progress=progress
        )

    def _predict(
        self, file: str | Path, stride_s: float | None, progress: Callable[[WindowAnswer], None] | None
    ) -> Prediction:
        stride = Stride.of(self.spec, stride_s)
        maker = SegmentMaker(self.spec, self.labels, stride, self.unknown_below)
        found = _Found(self.scorer)
        for answer in self._answers(file, stride, found):
            found.count_in(answer)
            found.segments += maker.push(answer)
            if progress is not None:
                progress(answer)
        if not found.windows:
            raise _nothing_in(file)
        duration_s = found.length.seconds()
        found.segments += maker.finish(duration_s)
        whole = heads_of(found.scores(), self.scorer, self.unknown_below)
        return Prediction(
            str(file),
            duration_s,
            {head: longest_of(head, found.segments, answer) for head, answer in whole.items()},
            dict(found.modalities),
            tuple(found.segments),
            found.notes,
        )

    def predict_clip(self, clip: Clip) -> Prediction:
        """What happens in one window that was read before; one segment, as long as it is."""
        answers = WindowScorer(self.scorer)([clip])
        name = clip.source or "clip"
        if not answers:
            raise MediaError(name, "shows no picture and sounds digital silence", "Give a clip that has a modality.")
        heads = heads_of(answers[0].scores, self.scorer, self.unknown_below)
        maker = SegmentMaker(self.spec, self.labels, Stride.of(self.spec), self.unknown_below, clip.start_s)
        segments = (*maker.push(answers[0]), *maker.finish(clip.end_s))
        return Prediction(name, clip.duration_s, heads, answers[0].modalities, segments, clip.notes)

    def embed(self, file: str | Path, stride_s: float | None = None) -> Embeddings:
        """The embedding of every moment of a file of any length, from one pass over it.

        Args:
            file: A video or sound file.
            stride_s: From window to window, in seconds; a quarter of a window if None.

        Returns:
            The vectors float32 [moments,E] with their times; windows without any modality are left out. Those of a
            model with words lie in the space of `embed_text`, and windows are left out that it says nothing of.

        Raises:
            MediaError: The file cannot be read, or has no modality.
            BundleError: The model was exported before there were embeddings.
        """
        if not isinstance(self.scorer, PartwiseScorer):
            raise VideoUnderstandingError(
                "scorer", "has no embedding", "Give a PartwiseScorer, as those of `vu.load` are."
            )
        windows = WindowScorer(self.scorer if self.words is None else WordsScorer(self.scorer, self.words))
        clips = iter_clips(file, self.spec, Stride.of(self.spec, stride_s).seconds)
        found = []
        while several := list(islice(clips, _WINDOWS_AT_ONCE)):
            found.append(windows.embed(several))
        values, times_s = map(np.concatenate, zip(*found, strict=True))  # [moments,E], [moments]
        if self.words is not None:
            told = values.any(axis=1)
            values, times_s = values[told], times_s[told]
        if not len(values):
            raise _nothing_in(file)
        return Embeddings(values, times_s)

    def timeline(self, file: str | Path, stride_s: float | None = None) -> Iterator[WindowAnswer]:
        """The answer of each window of a file, as `predict` finds them."""
        return self._answers(file, Stride.of(self.spec, stride_s), _Found(self.scorer))

    def stream(
        self, stride_s: float | None = None, *, lateness_s: float = LATENESS_S, hold_s: float = HOLD_S
    ) -> StreamingRecognizer:
        """The same, live: pictures and sound are pushed as they come."""
        return StreamingRecognizer(self.scorer, stride_s, self.unknown_below, lateness_s=lateness_s, hold_s=hold_s)

    def _answers(self, file: str | Path, stride: Stride, found: _Found) -> Iterator[WindowAnswer]:
        windows = WindowScorer(self.scorer)
        clips = iter_clips(file, self.spec, stride.seconds)
        while several := list(islice(clips, _WINDOWS_AT_ONCE)):
            for clip in several:
                found.look_at(clip)
            yield from windows(several)


def _nothing_in(file: str | Path) -> MediaError:
    return MediaError(
        file, "has no picture, and its sound is digital silence", "Give a file that shows or sounds something."
    )


class _Found:
    """What is gathered from window to window."""

    def __init__(self, scorer: Scorer) -> None:
        self.length = FileLength()
        self.windows = 0
        self._totals = {head: np.zeros(len(names)) for head, names in scorer.labels.items()}  # sums of scores, [C]
        several = scorer.spec.network.multi_label
        self._joined = {head: WindowScores(1, len(total), head in several) for head, total in self._totals.items()}
        self._waiting: list[WindowAnswer] = []  # the last ones, which may reach beyond the end
        self._any_joined = False
        self.modalities = dict.fromkeys(scorer.spec.modalities, False)
        self.segments: list[Segment] = []
        self._notes: dict[str, str] = {}  # by their words without numbers: a later one counts on from an earlier

    def look_at(self, clip: Clip) -> None:
        """What the window says of its file."""
        self._notes |= {_NUMBER.sub("", note): note for note in clip.notes}
        self.length.look_at(clip)

    @property
    def notes(self) -> tuple[str, ...]:
        """What all windows say is odd, each once."""
        return tuple(self._notes.values())

    def scores(self) -> dict[str, np.ndarray]:
        """Head -> [C], of the whole file: windows of one answer are evidence, of several answers they are shares.

        Evidence is what lies inside the file, if any window does: what reaches beyond its end is partly made up.
        """
        inside = [answer for answer in self._waiting if answer.end_s <= self.length.seconds() + _SAME_S]
        self._join(inside if inside or self._any_joined else self._waiting)
        changes = {head: len({one.heads[head].words for one in self.segments}) > 1 for head in self._totals}
        return {
            head: total / self.windows if changes[head] else self._joined[head].result()[0]
            for head, total in self._totals.items()
        }

    def _join(self, answers: Sequence[WindowAnswer]) -> None:
        for answer in answers:
            self._any_joined = True
            for head, scores in answer.scores.items():
                self._joined[head].add(_FIRST, scores[None])

    def count_in(self, answer: WindowAnswer) -> None:
        """What the window's answer adds to the file's."""
        self.windows += 1
        for head, scores in answer.scores.items():
            self._totals[head] += scores
        self._join([before for before in self._waiting if before.end_s <= answer.start_s])
        self._waiting = [before for before in self._waiting if before.end_s > answer.start_s] + [answer]
        self.modalities = {name: there or answer.modalities[name] for name, there in self.modalities.items()}
