"""The sets that accuracy is measured on: where they lie, what is told of them, which goals and floors they have."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.datasets.rows import Row
from video_understanding.labels import Labels
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec

PROJECT = Path(__file__).resolve().parents[2]
DATA = PROJECT.parent / "shared" / "data"


@dataclass(frozen=True)
class AccuracySet:
    """One set of labelled clips, in folds by subject; shares in percent of UAR.

    folder   its place in `DATA`
    terms    what its clips may be used for
    head     what it is labelled for
    senses   the ways it is measured: "both", "video" or "audio"
    goals    the UAR wanted, by the same names
    floors   what logistic regression reaches on simple features, by the same names
    people   whether its subjects are people who speak, to whom a model can be made used
    video    how its pictures are seen, where it is not as in `SPEC`
    """

    folder: str
    terms: str
    head: str
    senses: tuple[str, ...]
    goals: dict[str, float]
    floors: dict[str, float]
    people: bool = False
    video: VideoSpec | None = None

    @property
    def spec(self) -> ModelSpec:
        """What its clips are seen and heard by."""
        return SPEC if self.video is None else dataclasses.replace(SPEC, video=self.video)

    @property
    def place(self) -> Path:
        """The folder of the set, whether it is there or not."""
        return DATA / self.folder


BOTH = ("both", "video", "audio")
SETS: dict[str, AccuracySet] = {
    "ucf": AccuracySet(
        "action_ucf_av3", "UCF101, research use", "action", BOTH,
        {"both": 100, "video": 99, "audio": 92}, {"both": 100, "video": 99, "audio": 90},
    ),
    "fights": AccuracySet(
        "action_fight", "MIT", "action", ("both", "video"), {"both": 82}, {"video": 75, "audio": 57},
        # Small people in large pictures, whose shape must not be squeezed: nearer, where most moves.
        video=VideoSpec(frames_hz=5, height_px=160, width_px=160, fit="pad", zoom=4),
    ),
    "javanese": AccuracySet(
        "emotion_javanese", "no licence: measuring and training only, never shown", "emotion", BOTH,
        {"both": 62}, {"both": 33, "video": 26, "audio": 47}, people=True,
        # Faces speak: where most moves.
        video=VideoSpec(frames_hz=5, height_px=160, width_px=160, fit="crop", zoom=2),
    ),
    "ravdess": AccuracySet(
        "speech_ravdess", "CC BY-NC-SA 4.0", "emotion", ("audio",), {"audio": 65}, {"audio": 41}, people=True,
    ),
}  # fmt: skip

# One spec for all. Two seconds, since most fights last no longer: a window that reached beyond a clip's end would tell
# the length of the clip, and so the set. Five frames a second, since motion needs them. The whole picture is squeezed
# into a square: people fight at the edges, too, and the shape of the picture tells the camera.
SPEC = ModelSpec(
    window_s=2.0,
    video=VideoSpec(frames_hz=5, height_px=160, width_px=160, fit="stretch"),
    audio=AudioSpec(hop_s=1.0),
    network=NetworkSpec(
        backbone="efficientnet_lite0",
        unfrozen_blocks=0,
        motion=True,
        listener="separable",
        unfrozen_listener_blocks=0,
        token_size=96,
        tokens_per_hop=4,
        sense_dropout=0.4,
    ),
)


def manifest_of(name: str) -> Manifest:
    """The clips of one set, with the folds they come with."""
    return load_manifest(SETS[name].place)


def speaker_of(row: Row) -> str | None:
    """Who speaks in a clip of a set whose subjects are people; nobody in those of other sets."""
    return row.subject if any(own.people and row.root == own.place for own in SETS.values()) else None


def joined(names: Sequence[str], labels: Labels) -> Manifest:
    """The clips of several sets that show one of the classes; folds counted from 1 in each, subjects kept apart."""
    manifest = load_manifest(*(SETS[name].place for name in names))
    first = {root: min(row.fold for row in manifest if row.root == root) for root in {row.root for row in manifest}}
    rows = [
        dataclasses.replace(row, fold=row.fold - first[row.root] + 1)
        for row in manifest
        if all(label in labels.get(head, ()) for head, label in row.labels.items())
    ]
    return Manifest(tuple(rows), labels, manifest.sources, manifest.notes)
