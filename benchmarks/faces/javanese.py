"""Are the encoder's features worth anything in video? Javanese clips, in the folds that they come with.

Each clip's features are pooled: mean, spread and mean absolute change over its crops. On them, and on the statistics of
the sound, the project's closed form is fitted to all other folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from video_understanding.datasets.manifest import load_manifest
from video_understanding.datasets.rows import Row
from video_understanding.datasets.speakers import speaker_numbers
from video_understanding.faces.clip_faces import follow_faces
from video_understanding.faces.face import FaceDetector
from video_understanding.features.speaker_normalisation import SpeakerNormalisation
from video_understanding.features.statistics import joined_moments
from video_understanding.media.decode import iter_clips
from video_understanding.models.encoders.audio import make_hop_encoder
from video_understanding.presets import preset
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec
from video_understanding.training.closed_form.fit import fit_closed_form
from video_understanding.training.closed_form.forms import HeadTargets
from video_understanding.whole_file import whole_file

CROPS_HZ = 8
_READ = ModelSpec(
    window_s=1.0, video=VideoSpec(frames_hz=CROPS_HZ, height_px=270, width_px=360), audio=AudioSpec(hop_s=0.5)
)


def read_crops(data: Path, detector: FaceDetector, file: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each clip's crops uint8 [F,48,48] and presence bool [F]; from the file, or made and written there."""
    rows = load_manifest(data / "emotion_javanese").rows
    if not file.exists():
        found = {}
        for number, row in enumerate(rows):
            clips = list(iter_clips(row.path, _READ))
            frames = np.concatenate([clip.frames[clip.frame_present] for clip in clips])
            times = (np.arange(len(frames)) / CROPS_HZ).tolist()
            found[f"crops_{number}"], found[f"present_{number}"] = follow_faces(frames, times, detector).modality()
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as unfinished, unfinished.open("wb") as out:
            np.savez_compressed(out, **found)
    with np.load(file) as stored:
        return [(stored[f"crops_{number}"], stored[f"present_{number}"]) for number in range(len(rows))]


def sound_statistics(data: Path, file: Path) -> np.ndarray:
    """Float32 [K,P]: mean and spread of what the audio encoder gives over each clip; from the file, or made now."""
    if not file.exists():
        spec = preset("best")
        encoder = make_hop_encoder(spec)
        found = []
        for row in load_manifest(data / "emotion_javanese").rows:
            sound = np.concatenate([clip.waveform for clip in iter_clips(row.path, _READ)])
            hops = sound[: len(sound) // spec.audio.hop_samples * spec.audio.hop_samples]
            tokens = np.asarray(encoder(hops.reshape(-1, spec.audio.hop_samples)))  # [M,K,2C]
            found.append(joined_moments(tokens.reshape(1, -1, tokens.shape[-1]))[0])
        with whole_file(file) as unfinished, unfinished.open("wb") as out:
            np.save(out, np.stack(found))
    return np.load(file)


def pooled(features: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Features [F,D] of crops -> [3D]: mean, spread, and mean absolute change of those present; zeros without one."""
    if not present.any():
        return np.zeros(3 * features.shape[1], np.float32)
    own = features[present]
    both = present[1:] & present[:-1]
    change = np.abs(np.diff(features, axis=0))[both].mean(axis=0) if both.any() else np.zeros(features.shape[1])
    return np.concatenate([own.mean(axis=0), own.std(axis=0), change]).astype(np.float32)


def recalls(rows: Sequence[Row], statistics: dict[str, np.ndarray], known_speakers: bool) -> list[float]:
    """Unweighted average recall in percent of each fold, by a closed form fitted to the others.

    Args:
        rows: K clips, with folds and subjects.
        statistics: modality -> float32 [K,P].
        known_speakers: whether each speaker's own mean and spread is taken out, of training and of test clips alike,
            without labels.
    """
    classes = sorted({row.labels["emotion"] for row in rows})
    truth = np.array([classes.index(row.labels["emotion"]) for row in rows])
    folds, speakers = np.array([row.fold for row in rows]), speaker_numbers(rows)
    found = []
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        own = statistics
        if known_speakers:
            own = {
                name: SpeakerNormalisation.of(values[train], speakers[train]).apply(values, speakers)
                for name, values in statistics.items()
            }
        form = fit_closed_form(
            {name: values[train] for name, values in own.items()},
            {name: np.ones(train.sum(), bool) for name in own},
            {"emotion": HeadTargets.of_numbers(truth[train], len(classes))},
            speakers[train],
            {name: [own[name].shape[1] // 3] * 3 for name in own if name == "face"},
        )
        said = form.logits("emotion", {name: values[test] for name, values in own.items()}).argmax(1)
        found.append(
            100 * float(np.mean([(said == truth[test])[truth[test] == one].mean() for one in np.unique(truth)]))
        )
    return found
