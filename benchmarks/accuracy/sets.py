"""The sets that accuracy is measured on: where they lie, what they are labelled for, goals and floors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.labels import Labels
from video_understanding.training.measuring import BY_ALL

PROJECT = Path(__file__).resolve().parents[2]
DATA = PROJECT.parent / "shared" / "data"


@dataclass(frozen=True)
class AccuracySet:
    """One set of labelled clips, in folds by subject; goals and floors in percent of UAR.

    folder   its place in `DATA`
    terms    what its clips may be used for
    head     what it is labelled for
    goals    what is there at test time ("both", "video", "audio", the speaker known) -> the UAR wanted
    floors   the same -> what logistic regression reaches on ImageNet features and log-mel statistics
    """

    folder: str
    terms: str
    head: str
    goals: dict[str, float]
    floors: dict[str, float] = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """The folder of the set, whether it is there or not."""
        return DATA / self.folder


SETS: dict[str, AccuracySet] = {
    "ucf": AccuracySet(
        "action_ucf_av3", "UCF101, research use", "action",
        {"both": 100, "video": 99.5, "audio": 93}, {"both": 100, "video": 99, "audio": 90},
    ),
    "fights": AccuracySet("action_fight", "MIT", "action", {"both": 79}, {"video": 75, "audio": 57}),
    "javanese": AccuracySet(
        "emotion_javanese", "no licence: measuring and training only, never shown", "emotion",
        {"audio": 54, BY_ALL: 68}, {"both": 33, "video": 26, "audio": 47},
    ),
    "ravdess": AccuracySet("speech_ravdess", "CC BY-NC-SA 4.0", "emotion", {"both": 62.5, BY_ALL: 71}, {"both": 41}),
    "nemo": AccuracySet("speech_nemo", "CC BY-NC-SA 4.0", "emotion", {"both": 52, BY_ALL: 70}),
    "urdu": AccuracySet("speech_urdu", "research only", "emotion", {"both": 61}),
}  # fmt: skip


def manifest_of(name: str) -> Manifest:
    """The clips of one set, with the folds they come with."""
    return load_manifest(SETS[name].place)


def joined(names: Sequence[str], labels: Labels) -> Manifest:
    """The clips of several sets that show one of the classes; folds counted from 1 in each, subjects kept apart."""
    manifest = load_manifest(*(SETS[name].place for name in names))
    first = {root: min(row.fold for row in manifest if row.root == root) for root in {row.root for row in manifest}}
    rows = [
        dataclasses.replace(row, fold=row.fold - first[row.root] + 1)
        for row in manifest
        if all(label in labels.names(head) for head, label in row.labels.items())
    ]
    return Manifest(tuple(rows), labels, manifest.sources, manifest.notes)
