"""A model made used to one person, by a few recordings of theirs that nobody has labelled.

People sound different from each other in ways that outlast any mood: a high voice is not a glad one. A listener ends
with a norm, which takes out of each of its numbers the mean and the spread of all that was heard in training. With the
person's own in their place, what is left is how they sound now, beside how they usually do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import keras
import numpy as np

from video_understanding.bundle import KERAS_FILE, Bundle
from video_understanding.bundle_card import card
from video_understanding.clip import SILENCE_PEAK
from video_understanding.datasets.training_clips import TrainingClips
from video_understanding.errors import BundleError, ClipError
from video_understanding.features.prepare import prepare
from video_understanding.media.decode import iter_clips
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.encoders.audio import last_norm_of, listener_of
from video_understanding.models.load import load_model, save_model
from video_understanding.models.personal_linear import SpeakerChange, adapt_to_speaker
from video_understanding.whole_file import write_whole

USUAL_S = 2.0  # so many seconds of the person count as much as all that was heard in training
MOST_S = 120.0  # of one file: what it takes longer to tell, another recording tells better
_AT_ONCE = 64  # hops


def personalised(
    model: VideoUnderstandingModel, waveform: np.ndarray, name: str = "the person's recordings"
) -> VideoUnderstandingModel:
    """A copy of the model that expects to hear this person: float32 [n,N], windows of the spec in any mood.

    The more of their sound there is, the more it counts. Hops of silence are not listened to; where there are no
    others, that is refused in the words of `name`. What the model sees is not changed.
    """
    own = VideoUnderstandingModel.from_config(model.get_config())
    own.set_weights(model.get_weights())
    norm = last_norm(own)
    for kept, moment in zip((norm.moving_mean, norm.moving_variance), moments_of(model, waveform, name), strict=True):
        kept.assign(moment)
    return own


def moments_of(model: VideoUnderstandingModel, waveform: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance float [C] that the listener's last norm should expect of the person in float32 [n,N]."""
    audio = model.spec.audio
    hops = np.asarray(waveform, np.float32).reshape(-1, audio.hop_samples)  # [H,hop]
    hops = hops[np.abs(hops).max(axis=1, initial=0) >= SILENCE_PEAK]
    if not len(hops):
        raise ClipError(name, "have no sound to get used to", "Give recordings in which the person can be heard.")
    hear = listener_of(model.encoders["audio"].backbone)
    heard = np.concatenate([hear(hops[first : first + _AT_ONCE]) for first in range(0, len(hops), _AT_ONCE)])  # [H,S,C]
    return moments_with_usual(model, heard)


def moments_with_usual(model: VideoUnderstandingModel, heard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance float [C] of what was heard of the person, [H,S,C] of H hops, and of what is usual together."""
    norm = last_norm(model)
    mean, variance = (moment(heard, axis=(0, 1), dtype=np.float64) for moment in (np.mean, np.var))  # [C] each
    usual_mean, usual_variance = (keras.ops.convert_to_numpy(kept) for kept in (norm.moving_mean, norm.moving_variance))
    seconds = len(heard) * model.spec.audio.hop_s
    share = seconds / (seconds + USUAL_S)
    apart = share * (1 - share) * (mean - usual_mean) ** 2  # two groups together spread more than each alone
    return share * mean + (1 - share) * usual_mean, share * variance + (1 - share) * usual_variance + apart


def personalised_bundle(
    bundle: Bundle, files: Sequence[str | Path], folder: str | Path, *, several: bool = False
) -> tuple[Bundle, SpeakerChange | None]:
    """The bundle's model, adapted to the person in these media files, as a new bundle in `folder`.

    A linear classifier is adapted by speaker normalisation, and what changed is given back; it refuses files that are
    plainly of several speakers, unless `several`. Results in the new bundle are those of the model it comes from, and
    the card says so; exports have to be made anew.
    """
    folder = Path(folder)
    if (folder / KERAS_FILE).exists():
        raise BundleError(folder, "holds a model already", "Give a folder of its own.")
    model, change = load_model(bundle), None
    if model.fusion is None:
        own, change = adapt_to_speaker(model, bundle, files, several)
    else:
        waveform = np.concatenate([_sound(file, bundle) for file in files])  # [n,N]
        own = personalised(model, waveform, ", ".join(str(file) for file in files[:3]))
    folder.mkdir(parents=True, exist_ok=True)
    save_model(own, folder / KERAS_FILE)
    facts = {name: value for name, value in bundle.facts.items() if name != "exports"}
    made = Bundle.write(folder, bundle.spec, bundle.labels, {**facts, "personalised": {"files": len(files)}})
    if (known := TrainingClips.read(bundle.folder)) is not None:
        known.write(folder)
    write_whole(made.card_file, card(made))
    return made, change


def last_norm(model: VideoUnderstandingModel) -> keras.layers.BatchNormalization:
    """The norm that the model's listener ends with."""
    return last_norm_of(model.encoders["audio"].backbone)


def _sound(file: str | Path, bundle: Bundle) -> np.ndarray:
    """float32 [n,N]: the sound of the first `MOST_S` of a file, in windows of the spec."""
    spec = bundle.spec
    clips: Iterable = iter_clips(file, spec)
    several = list(islice(clips, max(1, int(MOST_S / spec.window_s))))
    return prepare(several, spec, ("audio",))["audio"]
