"""A labelled data set of synthetic scenes: clips.csv and its media files, the same for the same seed."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.errors import ManifestError
from video_understanding.labels import HEADS
from video_understanding.media.synthetic.faces import EMOTIONS
from video_understanding.media.synthetic.files import write_scene
from video_understanding.media.synthetic.halves import HALVES_OF_ACTION, HALVES_OF_EMOTION, Halves
from video_understanding.media.synthetic.motions import ACTIONS
from video_understanding.media.synthetic.scene import Scene
from video_understanding.media.synthetic.two_cues import TwoCues
from video_understanding.progress import Bar
from video_understanding.whole_file import whole_file

MODES = ("scenes", "needs_both", "halves")
RECIPE = "recipe.json"
COLUMNS = ("path", "action", "emotion", "subject")


@dataclass(frozen=True)
class Row:
    """One clip of the data set: its content, and the labels in its row (empty: not labelled for that head)."""

    path: str
    scene: Scene | TwoCues | Halves
    action: str
    emotion: str
    subject: str


def make_dataset(
    folder: Path | str,
    *,
    seed: int,
    clips: int,
    mode: str = "scenes",
    subjects: int = 6,
    first_subject: int = 0,
    difficulty: float = 0.3,
    duration_s: float = 2.0,
    frames_hz: float = 12.5,
    width_px: int = 160,
    height_px: int = 120,
    sound_rate_hz: int = 16_000,
    actions: Sequence[str] = ACTIONS,
    emotions: Sequence[str] = EMOTIONS,
    partial_labels: float = 0.0,
    classes: int = 2,
) -> Path:
    """Writes `clips` clips into `folder`/media and their labels into `folder`/clips.csv; returns that file's path.

    Mode "scenes": every clip has an action and an emotion; actions, emotions and subjects are spread evenly, over the
    whole and within each subject. Of the share `partial_labels` of the rows one of the two labels is left empty.
    Mode "needs_both": the action is the sum of a visual and an audible cue modulo `classes` (see `TwoCues`), the
    emotion is left empty; `clips` must be a multiple of the pairs of cues, so that each cue alone is exactly at chance.
    Mode "halves": action and emotion as in "scenes", but four of each whose halves are spread over picture and sound
    (see `Halves`): one modality alone is right in half of the clips at best.

    The people are numbers `first_subject` and the next of `Look.of`: data sets that share none hold other people.

    Called again with the same settings it reuses the clips that are there and makes the others; `clips` may grow.
    """
    if mode not in MODES:
        raise ManifestError("mode", f"{mode!r} is not known", f"Use one of: {', '.join(MODES)}.")
    if clips < 1 or subjects < 1:
        raise ManifestError("clips", f"{clips} of {subjects} subject(s) are none", "Give 1 or more of each.")
    folder = Path(folder)
    shape = {"frames_hz": frames_hz, "width_px": width_px, "height_px": height_px, "sound_rate_hz": sound_rate_hz}
    shape["duration_s"] = duration_s
    content = {"seed": seed, "mode": mode, "subjects": subjects, "difficulty": difficulty}
    content |= {"first_subject": first_subject} if first_subject else {}  # absent in the recipes of older folders
    people = range(first_subject, first_subject + subjects)
    if mode == "scenes":
        content |= {"actions": list(actions), "emotions": list(emotions)}
        rows = _scene_rows(Scene, seed, clips, people, difficulty, actions, emotions)
        rows = _partly_labelled(rows, seed, partial_labels)
    elif mode == "halves":
        actions, emotions = tuple(HALVES_OF_ACTION), tuple(HALVES_OF_EMOTION)
        rows = _scene_rows(Halves, seed, clips, people, difficulty, actions, emotions)
        rows = _partly_labelled(rows, seed, partial_labels)
    else:
        content["classes"] = classes
        rows = _two_cues_rows(seed, clips, people, difficulty, classes)
    _write_recipe(folder, content | shape)
    (folder / "media").mkdir(exist_ok=True)
    with Bar(len(rows), "Making clips", "clip") as bar:
        for row in rows:
            if not _is_complete(folder / row.path, duration_s):
                write_scene(folder / row.path, row.scene, **shape)
            bar.update()
    return _write_table(folder / "clips.csv", rows)


def _scene_rows(
    make: type[Scene] | type[Halves],
    seed: int,
    clips: int,
    people: Sequence[int],
    difficulty: float,
    actions: Sequence[str],
    emotions: Sequence[str],
) -> list[Row]:
    """Rows in rounds: in each round one subject does every action once, each in another emotion."""
    rows = []
    for place in range(clips):
        turn, action = divmod(place, len(actions))
        lap, place_of_subject = divmod(turn, len(people))
        subject = people[place_of_subject]
        # The emotions move on by one from subject to subject and from lap to lap, so that no pair repeats early.
        emotion = (action + lap + place_of_subject) % len(emotions)
        scene = make(actions[action], emotions[emotion], subject, difficulty, _clip_seed(seed, place))
        rows.append(Row(_clip_path(place), scene, scene.action, scene.emotion, f"person_{subject}"))
    return rows


def _two_cues_rows(seed: int, clips: int, people: Sequence[int], difficulty: float, classes: int) -> list[Row]:
    """Rows in rounds: in each round one subject shows every pair of cues once, in an order of its own."""
    pairs = classes * classes
    if clips % pairs:
        raise ManifestError(
            "clips",
            f"{clips} is not a multiple of {pairs}, so one modality alone would be better than chance",
            f"Use {clips - clips % pairs + pairs}.",
        )
    rows = []
    for turn in range(clips // pairs):
        subject = people[turn % len(people)]
        for pair in np.random.default_rng([seed, 21, turn]).permutation(pairs):
            sign, tone = divmod(int(pair), classes)
            place = len(rows)
            scene = TwoCues(sign, tone, classes, subject, difficulty, _clip_seed(seed, place))
            rows.append(Row(_clip_path(place), scene, scene.label, "", f"person_{subject}"))
    return rows


def _partly_labelled(rows: list[Row], seed: int, share: float) -> list[Row]:
    """The rows, a share of them without one of their labels: by turns the action and the emotion."""
    if not 0 <= share <= 1:
        raise ManifestError("partial_labels", f"is {share!r}", "Give a share from 0 to 1.")
    rows = list(rows)
    chosen = np.random.default_rng([seed, 22]).permutation(len(rows))[: round(share * len(rows))]
    for turn, place in enumerate(chosen):
        rows[place] = replace(rows[place], **{HEADS[turn % len(HEADS)]: ""})
    return rows


def _clip_path(place: int) -> str:
    return f"media/clip_{place:05d}.mp4"


def _clip_seed(seed: int, place: int) -> int:
    return int(np.random.SeedSequence([seed, place]).generate_state(1)[0])


def _write_recipe(folder: Path, recipe: dict[str, Any]) -> None:
    """Writes the settings into the folder, or refuses a folder whose clips were made with others."""
    path = folder / RECIPE
    if path.exists():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            before = {}
        changed = [name for name in recipe if before.get(name) != recipe[name]]
        if changed:
            raise ManifestError(
                folder, f"holds clips made with another {', '.join(changed)}", "Choose another folder, or delete it."
            )
        return
    if (folder / "clips.csv").exists():
        raise ManifestError(folder, "holds a clips.csv that was not made here", "Choose an empty folder.")
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")


def _is_complete(path: Path, duration_s: float) -> bool:
    """Whether an earlier run has left this clip whole."""
    if not path.exists():
        return False
    import av

    try:
        with av.open(str(path)) as container:
            both = bool(container.streams.video and container.streams.audio)
            return both and container.duration is not None and container.duration / av.time_base > duration_s - 0.2
    except av.FFmpegError:
        return False


def _write_table(path: Path, rows: Sequence[Row]) -> Path:
    with whole_file(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows([row.path, row.action, row.emotion, row.subject] for row in rows)
    return path
