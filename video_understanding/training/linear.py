"""Training in closed form: frozen encoders, pooled statistics, and linear weights solved at once; no epochs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.grouping import group_rows
from video_understanding.datasets.rows import Row
from video_understanding.errors import TrainingError
from video_understanding.evaluation.metrics import LEAST_SCORE
from video_understanding.features.encoded_inputs import EncodedInputs
from video_understanding.labels import Labels
from video_understanding.layers.familiarity import Familiarity
from video_understanding.layers.presence_dense import presence_sets
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.scorer import Scores
from video_understanding.spec import ModelSpec
from video_understanding.training.baselines import head_targets
from video_understanding.training.closed_form.familiarity import FamiliarityForm
from video_understanding.training.closed_form.forms import HeadTargets
from video_understanding.training.encoded_clips import EncodedClips, frozen_encoders
from video_understanding.training.pooled_clips import PooledClips, pooled_clips
from video_understanding.training.solved import Solved, solve, solve_filled
from video_understanding.training.speaker_fit import SpeakerFit, fit_speakers

CLOSE_UP = 4  # times the height and width of what the network takes
CLEARLY_BETTER = 0.02  # log loss by which a close-up, which costs more to read, has to be better


@dataclass(frozen=True)
class LinearFit:
    """A model whose linear classifier is solved, and what is known of it.

    model     the model, complete
    encoded   the tokens of all clips, for whoever evaluates the model on them
    learned   int [K], the rows learned from
    pooled    modality -> the statistics of these rows
    solved    what was fitted to them
    left_out  head -> probabilities float64 [rows,C] of each row by a fit without its group; NaN in rows not learned
    loss      log loss of what is left out, mean of the heads: what decides between specs
    tried     what was decided between -> its log loss
    seconds   float, of solving, without reading, encoding and pooling
    speakers  whether speaker normalisation helps, and the second weights where it does
    """

    model: VideoUnderstandingModel
    encoded: EncodedClips
    learned: np.ndarray
    pooled: Mapping[str, PooledClips]
    solved: Solved
    left_out: Mapping[str, np.ndarray]
    loss: float
    seconds: float
    speakers: SpeakerFit = field(default_factory=lambda: SpeakerFit({}))
    tried: Mapping[str, float] = field(default_factory=dict)

    @property
    def rows(self) -> list[Row]:
        """The rows learned from, [K]."""
        return [self.encoded.prepared.rows[row] for row in self.learned]


def fit_linear(
    prepared: PreparedClips,
    rows: Sequence[Row],
    learned: np.ndarray,
    spec: ModelSpec,
    labels: Labels,
    *,
    views: int,
    weights: str | Path | None = "default",
    cache: ClipCache | None = None,
    progress: bool | None = None,
) -> LinearFit:
    """Encodes the clips (or takes their tokens from the cache) and solves the linear classifier of every head.

    Args:
        prepared: the windows of all rows.
        rows: the rows that `prepared` was made from.
        learned: int [K], the rows to learn from; each needs a window, and a label of one head or more.
        spec: with the classifier "linear", and frozen encoders.
        labels: the classes of every head.
        views: how many views of the frames are learned from, the first of them unchanged.
        weights: what the encoders begin with, as in `VideoUnderstandingModel`.
        cache: where tokens are kept, in a folder of its own.
        progress: whether a bar is shown; None shows it on a terminal only.
    """
    model = VideoUnderstandingModel(spec, labels, weights=weights, seed=0)
    encoded = EncodedClips(prepared, frozen_encoders(model, views), (cache or ClipCache()).folder)
    pooled = {name: pooled_clips(encoded, learned, name, progress) for name in spec.modalities}
    present = {name: own.present for name, own in pooled.items()}
    if not any(there.any() for there in present.values()):
        raise TrainingError(
            "training", "has no clip with picture or sound to learn from", "Run `vu check` on the data."
        )
    began_s = time.monotonic()
    own = [rows[row] for row in learned]
    heads = head_targets(own, labels, spec.network.multi_label)
    fill = spec.network.missing == "fill"
    solved = (solve_filled if fill else solve)(pooled, heads, np.array(group_rows(own)), blocks_of(model))
    put_weights(model, solved)
    left_out = {head: np.full((len(rows), targets.classes), np.nan) for head, targets in heads.items()}
    for head, scores in solved.left_out.items():
        left_out[head][learned] = scores
    losses = [_log_loss(left_out[head][learned], targets) for head, targets in heads.items()]
    seconds = time.monotonic() - began_s
    return LinearFit(model, encoded, learned, pooled, solved, left_out, float(np.mean(losses)), seconds)


def with_speakers(fit: LinearFit) -> LinearFit:
    """The fit with its second weights, for clips of speakers who are known, where these help."""
    windows = np.bincount(fit.encoded.prepared.row_numbers, minlength=len(fit.encoded.prepared.rows))[fit.learned]
    speakers = fit_speakers(
        fit.rows,
        {name: own.clips for name, own in fit.pooled.items()},
        {name: own.present for name, own in fit.pooled.items()},
        fit.solved.targets,
        np.array(group_rows(fit.rows)),
        blocks_of(fit.model),
        fit.solved.form,
        poolings={name: encoder.pooling for name, encoder in fit.model.encoders.items()},
        windows_per_clip=max(1, round(float(windows.mean()))),
    )
    return dataclasses.replace(fit, speakers=speakers)


def blocks_of(model: VideoUnderstandingModel) -> dict[str, Sequence[int] | None]:
    """Modality -> the widths of its kinds of statistics; None where all are of one kind."""
    return {name: encoder.blocks or None for name, encoder in model.encoders.items()}


def has_motion(prepared: PreparedClips) -> bool:
    """Whether any window has more than one frame of its own: pictures and sound have none."""
    return any(prepared[number].frame_present.sum() > 1 for number in range(len(prepared)))


def specs_to_try(spec: ModelSpec, close_up: bool) -> list[ModelSpec]:
    """The spec, and with `close_up` the same with frames read larger and cropped to the part where most moves."""
    if not close_up or spec.video.zoom != 1:
        return [spec]
    # Small people in large frames, whose shape must not be squeezed.
    return [spec, dataclasses.replace(spec, video=dataclasses.replace(spec.video, zoom=CLOSE_UP, fit="pad"))]


def _log_loss(scores: np.ndarray, targets: HeadTargets) -> float:
    """Of probabilities [K,C] of clips left out, each class weighing the same; of several labels the mean of all."""
    known = targets.known & ~np.isnan(scores).any(axis=1)
    shown, told = targets.truth[known], np.clip(scores[known], LEAST_SCORE, 1 - LEAST_SCORE)
    if targets.multi_label:
        return float(-(shown * np.log(told) + (1 - shown) * np.log(1 - told)).mean())
    counts = np.maximum(shown.sum(axis=0), 1)
    return float(-((shown * np.log(told)).sum(axis=0) / counts).sum() / max((shown.sum(axis=0) > 0).sum(), 1))


def put_weights(model: VideoUnderstandingModel, solved: Solved) -> None:
    """Gives the model's linear classifier the weights of a closed form; zeros for a set of modalities without one."""
    layer, names, fill = model.linear, model.spec.modalities, model.spec.network.missing == "fill"
    form = solved.form
    for place, name in enumerate(names):
        layer.means[place].assign(form.standards[name].mean)
        layer.scales[place].assign(1 / form.standards[name].scale)
    sizes = {name: len(form.standards[name].mean) for name in names}
    for head, fitted in form.forms.items():
        output = layer.outputs[head]
        kernel, bias = np.zeros(output.kernel.shape, np.float32), np.zeros(output.bias.shape, np.float32)
        for number, members in enumerate(presence_sets(len(names))):
            own = tuple(name for name, member in zip(names, members, strict=True) if member)
            own = names if fill else own  # standardised, the mean that fills a modality is zero, as of a missing one
            if own in fitted:
                weights = fitted[own].weights
                parts = [weights.get(name, np.zeros((sizes[name], bias.shape[1]))) for name in names]
                kernel[number], bias[number] = np.concatenate(parts), fitted[own].bias  # [P,C], [C]
        output.kernel.assign(kernel)
        output.bias.assign(bias)
    for head, familiarity in solved.familiarity.items():
        put_familiarity(layer.familiarity[head], familiarity, names)


def put_familiarity(layer: Familiarity, form: FamiliarityForm, names: Sequence[str]) -> None:
    """Gives a layer what was fitted to these modalities; without a limit everything is familiar."""
    for place, name in enumerate(names):
        if name in form.clouds:
            cloud = form.clouds[name]
            axes = np.zeros(layer.axes[place].shape, np.float32)
            axes[:, : cloud.axes.shape[1]] = cloud.axes
            layer.centers[place].assign(cloud.center)
            layer.spreads[place].assign(np.full(len(cloud.center), cloud.spread))
            layer.axes[place].assign(axes)
    limit, steepness = np.array(layer.limit), np.array(layer.steepness)
    for number, members in enumerate(presence_sets(len(names))):
        own = tuple(name for name, member in zip(names, members, strict=True) if member)
        if own in form.limits:
            limit[number], steepness[number] = form.limits[own]
    layer.limit.assign(limit)
    layer.steepness.assign(steepness)


class EncodedScorer:
    """Scores of a model for windows that are encoded already: nothing is encoded twice in a cross-validation."""

    def __init__(self, model: VideoUnderstandingModel, encoded: EncodedClips) -> None:
        self.spec, self.labels = model.spec, model.labels
        self.of_tokens, self._encoded = KerasScorer(model).batched, encoded

    def inputs(self, numbers: np.ndarray, clips: Sequence[Clip] | None = None) -> EncodedInputs:
        """The windows of these numbers [B]; `clips` [B] are the same ones with another sound, which is encoded now."""
        presence = self._encoded.prepared.presence(numbers)
        tokens = {name: self._encoded.of_windows(numbers, name) for name in self.spec.modalities}
        if clips is not None:
            there = [place for place, clip in enumerate(clips) if clip.modalities["audio"]]
            if there:
                tokens["audio"][there] = self._encoded.encoders["audio"].encode([clips[place] for place in there])
        return EncodedInputs(tokens, presence)

    def sound(self, numbers: np.ndarray) -> np.ndarray:
        """The audio tokens [B,S,D] alone of the windows of these numbers, zeros where there is no audio."""
        return self._encoded.of_windows(numbers, "audio")

    def __call__(self, inputs: EncodedInputs) -> Scores:
        return self.of_tokens.fuse(inputs.tokens, inputs.presence)
