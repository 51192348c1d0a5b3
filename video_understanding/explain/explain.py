"""From a trained model and a clip to the reasons for its answer."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from video_understanding.bundle import Bundle
from video_understanding.clip import Clip
from video_understanding.errors import ClipError
from video_understanding.explain.attention import attention_of
from video_understanding.explain.explanation import Explanation
from video_understanding.explain.feature_map import cut_backbone
from video_understanding.explain.heat import heat_of
from video_understanding.explain.moments import sound_moments
from video_understanding.explain.question import Question
from video_understanding.explain.reasons import HeadReasons
from video_understanding.explain.shown import shown_frames
from video_understanding.explain.windows import surest_window
from video_understanding.features.prepare import prepare
from video_understanding.media.closer import closer
from video_understanding.media.decode import read_clip
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.load import load_model
from video_understanding.prediction import HeadAnswer


def explain(
    model: VideoUnderstandingModel | Bundle | str | Path,
    clip: Clip | str | Path,
    start_s: float | None = None,
) -> Explanation:
    """Why the model says what it says of a clip, for each of its heads; for many clips keep an `Explainer`.

    model    a model, a bundle or its folder; a bundle's temperatures and thresholds are kept to
    clip     a `Clip` read with the model's spec; or a file, of which the window that the model is surest of is taken
    start_s  where the window of a file begins instead, in seconds
    """
    return Explainer(model)(clip, start_s)


class Explainer:
    """A model that is asked for its reasons: what has to be made once for all clips is kept."""

    def __init__(self, model: VideoUnderstandingModel | Bundle | str | Path) -> None:
        bundle = Bundle.read(model) if isinstance(model, (str, Path)) else model
        self._temperature, self._unknown_below = {}, {}
        if isinstance(bundle, Bundle):
            self._temperature = {head: bundle.temperature(head) for head in bundle.labels.heads}
            self._unknown_below = {head: bundle.unknown_below(head) for head in bundle.labels.heads}
            self.model = load_model(bundle)
        else:
            self.model = bundle
        self._scorer = KerasScorer(self.model, self._temperature)

    def __call__(self, clip: Clip | str | Path, start_s: float | None = None) -> Explanation:
        """The reasons for what is said of a clip, or of a window of a file; see `explain`."""
        model = self.model
        file = None if isinstance(clip, Clip) else clip
        clip, chosen = self._window(clip, start_s)
        question = Question(model, self._scorer, self._temperature, prepare([clip], model.spec))
        heat = heat_of(question, self._halves) if question.present.get("video") else {}
        sound = sound_moments(question, clip.start_s) if question.present.get("audio") else {}
        return Explanation(
            clip=closer(clip, model.spec),
            shown=shown_frames(clip, model.spec, file),
            chosen=chosen,
            modalities=question.present,
            heads={
                head: HeadReasons(self._answer(question, head), question.shares[head], heat.get(head), sound.get(head))
                for head in model.labels.heads
            },
            attention=attention_of(question, clip.start_s),
            log_mel_db=self._log_mel(question),
            mel_hz=self._mel_hz,
        )

    def _window(self, clip: Clip | str | Path, start_s: float | None) -> tuple[Clip, str]:
        if isinstance(clip, Clip):
            if start_s is not None:
                raise ClipError("start_s", "is given for a clip, which is one window already", "Give the file instead.")
            return clip, "the clip that was given"
        if start_s is None:
            return surest_window(self._scorer, clip)
        return read_clip(clip, self.model.spec, start_s), "the window that was asked for"

    def _answer(self, question: Question, head: str) -> HeadAnswer:
        several = head in self.model.spec.network.multi_label
        below = self._unknown_below.get(head)
        names = self.model.labels.names(head)
        return HeadAnswer.of(names, question.scores[head][0], several=several, unknown_below=below)

    def _log_mel(self, question: Question) -> np.ndarray:
        """float32 [steps,bands], chunk after chunk; none of a model without audio."""
        bands = self.model.spec.audio.log_mel.bands
        if "audio" not in question.present:
            return np.empty((0, bands), np.float32)
        layer = self.model.encoders["audio"].backbone.get_layer("log_mel")
        return layer(question.pieces("audio")).numpy().reshape(-1, bands)  # [M,steps,bands] -> [M*steps,bands]

    @cached_property
    def _mel_hz(self) -> np.ndarray:
        """float64 [bands], the middle of each band."""
        import librosa

        log_mel = self.model.spec.audio.log_mel
        return librosa.mel_frequencies(log_mel.bands + 2, fmin=log_mel.low_hz, fmax=log_mel.high_hz)[1:-1]

    @cached_property
    def _halves(self) -> tuple[keras.Model, keras.Model] | None:
        return cut_backbone(self.model.encoders["video"].backbone)
