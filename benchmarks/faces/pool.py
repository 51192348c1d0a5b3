"""What the detector learns from: pictures of 128 x 128 pixels and, for every cell, what the teacher says of it.

Pictures are photographs, frames of clips, and drawn people. Of photographs and frames also parts are taken, so that
faces of all sizes occur; the teacher answers for each picture by itself. Of drawn people the true places are known.
"""

from __future__ import annotations

import csv
import dataclasses
import itertools
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.faces.teacher import Teacher
from video_understanding.datasets.manifest import load_manifest
from video_understanding.faces.network_detector import CELLS, GRIDS, SIZE_PX, cell_middles, cell_sides
from video_understanding.media.decode import iter_clips
from video_understanding.media.synthetic.crowd import Crowd, TrueFace
from video_understanding.spec import ModelSpec, VideoSpec
from video_understanding.whole_file import unfinished_folder

_CLIP_SETS = ("emotion_javanese", "action_ucf_av3", "action_fight")
_FRAMES = 3  # of each clip
_EVERY_S = 2.0  # between the frames that are taken of a clip
_FRAME = ModelSpec(window_s=_EVERY_S, video=VideoSpec(frames_hz=1 / _EVERY_S, height_px=256, width_px=256))
_PARTS = 2  # of each photograph, besides the whole
DRAWN = 2500
HELD_OUT = 300  # photographs of the training part that nothing is learned from, to choose by
_IGNORED = -1.0  # a score that nothing is learned from
_LEAST_DRAWN_PX = 14.0  # a drawn face that is smaller in the picture need not be found
_LARGEST_FINE_PX = 44.0  # larger faces are also those of the coarse cells, as the teacher has it


@dataclass(frozen=True)
class Pool:
    """N pictures and what is to be said of each.

    pictures  uint8 [N,128,128,3]
    scores    float16 [N,320], -1 where nothing is learned
    places    float16 [N,320,8]
    fine      float16 [N,16,16,34], all that the teacher says of fine cells, also where there is no face
    coarse    float16 [N,8,8,102], and of coarse ones
    """

    pictures: np.ndarray
    scores: np.ndarray
    places: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray

    def __len__(self) -> int:
        return len(self.pictures)


def make_pool(data: Path, teacher: Teacher, folder: Path, seed: int = 0) -> Pool:
    """Reads the pool from the folder, or makes it and writes it there; its arrays stay on disk."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(folder.parent, folder.name) as unfinished:
            _write_pool(data, teacher, unfinished, np.random.default_rng([seed, 3]))
            shutil.copytree(unfinished, folder, copy_function=shutil.move)
    parts = {field.name: np.load(folder / f"{field.name}.npy", mmap_mode="r") for field in dataclasses.fields(Pool)}
    return Pool(**parts)


def _write_pool(data: Path, teacher: Teacher, folder: Path, chance: np.random.Generator) -> None:
    files = {field.name: (folder / f"{field.name}.raw").open("wb") for field in dataclasses.fields(Pool)}
    shapes: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}
    many = 0
    for picture, answers in itertools.chain(((picture, None) for picture in _pictures(data, chance)), _drawn(chance)):
        scores, places = teacher_targets(*teacher(picture[None]))
        if answers is not None:
            scores, places = (own[None] for own in answers)
        parts = (picture, *(own.astype(np.float16) for own in (scores[0], places[0], *teacher.maps())))
        for (name, file), part in zip(files.items(), parts, strict=True):
            file.write(np.ascontiguousarray(part).tobytes())
            shapes[name] = part.dtype, part.shape
        many += 1
        if many % 2000 == 0:
            print(f"{many} pictures seen by the teacher", flush=True)
    for name, file in files.items():
        file.close()
        dtype, shape = shapes[name]
        raw = np.memmap(file.name, dtype, "r", shape=(many, *shape))
        np.save(folder / f"{name}.npy", raw)
        Path(file.name).unlink()


def photographs(data: Path, part: str) -> list[Path]:
    """The pictures of "train" or "test"."""
    with (data / "words_flickr8k" / "captions.csv").open(encoding="utf-8") as table:
        paths = {row["path"] for row in csv.DictReader(table) if row["split"] == part}
    return [data / "words_flickr8k" / path for path in sorted(paths)]


def read_photograph(file: Path) -> np.ndarray:
    """uint8 [H,W,3], RGB."""
    return cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)


def teacher_targets(logits: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores [n,320] and places [n,320,8] of each cell: those of the anchor in it that is most certain.

    Args:
        logits: [n,896] of the teacher.
        numbers: [n,896,8] of the teacher.
    """
    best = []
    place = 0
    for cells, anchors in zip(GRIDS, (2, 6), strict=True):
        own = logits[:, place : place + cells * cells * anchors].reshape(len(logits), -1, anchors)
        first = place + np.arange(cells * cells) * anchors
        best.append(first + own.argmax(-1))
        place += cells * cells * anchors
    chosen = np.concatenate(best, axis=1)  # [n,320]
    scores = 1 / (1 + np.exp(-np.clip(np.take_along_axis(logits, chosen, 1), -20, 20)))
    return scores, as_places(np.take_along_axis(numbers, chosen[..., None], 1))


def as_places(numbers: np.ndarray) -> np.ndarray:
    """Boxes and eyes [...,320,8] in pixels -> as the network says them: see `decode`."""
    middles, sides = cell_middles(), cell_sides()[:, None]
    places = numbers / sides
    places[..., [0, 1, 4, 5, 6, 7]] -= np.tile(middles / sides, 3)
    places[..., 2:4] = np.log(np.maximum(numbers[..., 2:4] / sides, 0.05))
    return np.clip(places, -16, 16)


def _pictures(data: Path, chance: np.random.Generator) -> Iterator[np.ndarray]:
    for file in photographs(data, "train")[HELD_OUT:]:
        picture = read_photograph(file)
        yield cv2.resize(picture, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA)
        for _ in range(_PARTS):
            yield _part(picture, chance)
    for name in _CLIP_SETS:
        for row in load_manifest(data / name):
            for clip in itertools.islice(iter_clips(row.path, _FRAME), _FRAMES):
                yield _part(clip.frames[0], chance)


def _part(picture: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """A square of 0.3 to 1.2 times the picture, black beyond its edges."""
    height_px, width_px = picture.shape[:2]
    side = np.exp(chance.uniform(np.log(0.3), np.log(1.2))) * max(height_px, width_px)
    left, top = chance.uniform(-0.1, 1.1, 2) * (width_px - side, height_px - side)
    stretch = np.exp(chance.normal(0, 0.08))
    scale = SIZE_PX / side
    matrix = np.array([[scale * stretch, 0, -left * scale * stretch], [0, scale, -top * scale]])
    if scale < 0.7:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale)
    return cv2.warpAffine(picture, matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_LINEAR)


def _drawn(chance: np.random.Generator) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]]:
    for _ in range(DRAWN):
        crowd = Crowd.drawn(chance, int(chance.integers(0, 4)))
        picture = next(crowd.frames([0.0], height_px=SIZE_PX, width_px=SIZE_PX))
        yield picture, drawn_targets(crowd.faces(0.0, height_px=SIZE_PX, width_px=SIZE_PX))


def drawn_targets(faces: Sequence[TrueFace]) -> tuple[np.ndarray, np.ndarray]:
    """Scores [320] and places [320,8] for faces at known places: certain near the middle, not learned around it."""
    scores, numbers = np.zeros(CELLS), np.zeros((CELLS, 8))
    middles, sides = cell_middles(), cell_sides()
    for face in faces:
        left, top, right, bottom = face.box
        middle, size = np.array([(left + right) / 2, (top + bottom) / 2]), right - left
        off = np.abs(middles - middle).max(axis=1)
        coarse = sides > sides.min()
        near = off <= np.maximum(0.15 * size, sides / 2)
        around = off <= 0.5 * size + sides / 2
        sized = np.where(coarse, size > 0.8 * _LARGEST_FINE_PX, size < 1.6 * _LARGEST_FINE_PX)
        certain = near & sized & (size >= _LEAST_DRAWN_PX)
        scores[around & (scores <= 0)] = _IGNORED
        scores[certain] = 1.0
        numbers[around] = [*middle, size, bottom - top, *np.ravel(face.eyes)]
    return scores, as_places(numbers[None])[0]
