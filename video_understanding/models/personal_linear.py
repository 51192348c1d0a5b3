"""A linear classifier adapted to one speaker: what speaker normalisation does, folded into the weights of its layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from video_understanding.bundle import Bundle
from video_understanding.errors import BundleError, ClipError
from video_understanding.features.adapted_scorer import Transform
from video_understanding.features.speaker_sound import SpeakerSound, speaker_sound
from video_understanding.features.speaker_weights import SpeakerWeights
from video_understanding.layers.familiarity import ALWAYS_FAMILIAR
from video_understanding.layers.presence_dense import presence_sets
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer

# Of the variance of speakers' means: more than files of 4 s of one speaker have, in about 97 of 100 draws on RAVDESS.
_SEVERAL_FROM, _SEVERAL_FROM_OF_TWO = 0.35, 0.5


@dataclass(frozen=True)
class SpeakerChange:
    """By what a model was adapted to one speaker.

    files     how many recordings
    seconds   of sound in them
    distance  of the speaker's mean from everybody's, where 1 is how far speakers are on average
    """

    files: int
    seconds: float
    distance: float


def adapt_to_speaker(
    model: VideoUnderstandingModel, bundle: Bundle, files: Sequence[str | Path], several: bool
) -> tuple[VideoUnderstandingModel, SpeakerChange]:
    """A copy of the bundle's model for the one speaker of these files, and by what it was adapted.

    Raises:
        BundleError: the bundle has no second weights.
        ClipError: the files have no sound, or are plainly of several speakers, unless `several`.
    """
    weights = SpeakerWeights.read(bundle.folder, bundle.labels)
    if weights is None:
        cause = "cannot adapt to a speaker: it was trained without speakers, or adapting to them did not help"
        raise BundleError(bundle.folder, cause, "Train on clips whose table has a subject column.")
    name = ", ".join(str(file) for file in files[:3])
    sound = speaker_sound(files, KerasScorer(model), weights)
    if not len(sound.clips):
        raise ClipError(name, "have no sound to adapt to", "Give recordings in which the person speaks.")
    apart = distance_of_files(weights, sound)
    many = len(np.unique(sound.files))
    if many > 1 and apart > _SEVERAL_FROM + _SEVERAL_FROM_OF_TWO / (many - 1) and not several:
        cause = (
            f"are plainly of several speakers: {apart:.1f} times as far apart as speakers are, where one has about 0"
        )
        raise ClipError(name, cause, "Give files of one speaker, or use --several if they are.")
    own = folded(model, weights, weights.normalisation.transform(sound.clips))
    return own, SpeakerChange(len(np.unique(sound.files)), sound.seconds, distance_from_usual(weights, sound))


def distance_from_usual(weights: SpeakerWeights, sound: SpeakerSound) -> float:
    """How far a speaker's mean is from everybody's, where 1 is how far speakers are on average."""
    mean = (sound.clips @ weights.voice_axes).mean(axis=0)
    away = (mean - weights.voices.usual) ** 2 - weights.voices.within / len(sound.clips)  # less what chance adds
    return float(np.sqrt(max(_beside_speakers(away, weights), 0.0)))


def distance_of_files(weights: SpeakerWeights, sound: SpeakerSound) -> float:
    """The variance of the files' means that one speaker's clips do not explain, where 1 is that of speakers' means."""
    names, counts = np.unique(sound.files, return_counts=True)
    if len(names) < 2:
        return 0.0
    points = sound.clips @ weights.voice_axes  # [n,r]
    means = np.stack([points[sound.files == name].mean(axis=0) for name in names])  # [F,r]
    return _beside_speakers(means.var(axis=0, ddof=1) - weights.voices.within * (1 / counts).mean(), weights)


def folded(model: VideoUnderstandingModel, weights: SpeakerWeights, transform: Transform) -> VideoUnderstandingModel:
    """A copy of the model that answers as `AdaptedScorer` does with this transform of the audio statistics.

    Heads that have second weights answer "unknown" by their confidence alone, all others also by how familiar the clip
    is without the transform.
    """
    own = VideoUnderstandingModel.from_config(model.get_config())
    own.set_weights(model.get_weights())
    layer, factor, offset = own.linear, *transform
    before = [(np.array(mean), np.array(scale)) for mean, scale in zip(layer.means, layer.scales, strict=True)]
    after = []
    names = model.spec.modalities
    for place, name in enumerate(names):
        mean, scale = weights.standards[name]
        # (x * factor + offset - mean) / scale of audio, as the layer has it: (x - its mean) * its scale.
        moved = ((mean - offset) / factor, factor / scale) if name == "audio" else (mean, 1 / scale)
        layer.means[place].assign(moved[0])
        layer.scales[place].assign(moved[1])
        after.append(moved)
    edges = np.cumsum([0, *(len(mean) for mean, _ in after)])
    for head, output in layer.outputs.items():
        kernel, bias = np.array(output.kernel), np.array(output.bias)  # [sets,P,C], [sets,C]
        for number, members in enumerate(presence_sets(len(names))):
            present = tuple(name for name, member in zip(names, members, strict=True) if member)
            form = weights.heads.get(head, {}).get(present)
            for place, name in enumerate(names):
                part = slice(edges[place], edges[place + 1])
                if form is not None:
                    kernel[number, part] = form.weights.get(name, 0.0)
                elif members[place]:
                    # Without second weights the old ones answer as before, of statistics that are standardised anew.
                    (old_mean, old_scale), (new_mean, new_scale) = before[place], after[place]
                    bias[number] += ((new_mean - old_mean) * old_scale) @ kernel[number, part]
                    kernel[number, part] *= (old_scale / new_scale)[:, None]
            if form is not None:
                bias[number] = form.bias
        output.kernel.assign(kernel)
        output.bias.assign(bias)
    for head, familiarity in layer.familiarity.items():
        for place, ((old_mean, old_scale), (new_mean, new_scale)) in enumerate(zip(before, after, strict=True)):
            # x = (s - old mean) * old scale was standardised, y = (s - new mean) * new scale is: x = y * ratio + moved.
            ratio, moved = old_scale / new_scale, (new_mean - old_mean) * old_scale
            familiarity.centers[place].assign((np.array(familiarity.centers[place]) - moved) / ratio)
            familiarity.spreads[place].assign(np.array(familiarity.spreads[place]) * ratio)
        limit = np.array(familiarity.limit)
        for number, members in enumerate(presence_sets(len(names))):
            present = tuple(name for name, member in zip(names, members, strict=True) if member)
            if present in weights.heads.get(head, {}):
                limit[number] = ALWAYS_FAMILIAR
        familiarity.limit.assign(limit)
    return own


def _beside_speakers(variance: np.ndarray, weights: SpeakerWeights) -> float:
    """Variances [r] over those of speakers' means; axes in which speakers are told apart best count most."""
    within, between = weights.voices.within, weights.voices.between
    counts = between / np.maximum(within + between, 1e-12) ** 2
    return float(counts @ variance / max(counts @ between, 1e-12))
