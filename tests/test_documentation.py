"""The examples in the pages are run, each page from top to bottom, in a folder with the files they speak of."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import video_understanding as vu
from tests.words.conftest import COLOURS, picture
from tests.words.conftest import SPEC as WORDS_SPEC
from video_understanding.media.synthetic import make_dataset, write_timeline
from video_understanding.media.synthetic.scene import Scene
from video_understanding.training.settings import TrainingSettings

PROJECT = Path(__file__).resolve().parents[1]
PAGES = sorted([PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")])
EXAMPLES = {page: re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S) for page in PAGES}


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A folder with what the examples name: a few labelled clips and two longer videos."""
    folder = tmp_path_factory.mktemp("desk")
    make_dataset(folder, seed=0, clips=12, subjects=4, actions=("bounce", "wave"), width_px=64, height_px=64)
    scene = Scene(action="bounce", emotion="happy", subject=0, seed=0)
    write_timeline(folder / "holiday.mp4", [(scene, 17.0)])
    shutil.copy(folder / "holiday.mp4", folder / "lecture.mkv")
    (folder / "videos").mkdir()
    for number, file in enumerate(sorted((folder / "media").iterdir())[:4]):
        shutil.copy(file, folder / "videos" / f"{('dance', 'serve')[number % 2]}_{number}{file.suffix}")
    train_words(folder)
    return folder


def train_words(folder: Path) -> None:
    """A model in saved_models/words that has learned the sentences of the examples, each for one colour of pictures."""
    sentences, chance, lines = ("a dog on a beach", "surfing in the sea", "a horse race"), np.random.default_rng(0), []
    (folder / "pictures").mkdir()
    for number in range(36):
        file = f"pictures/{number}.png"
        cv2.imwrite(str(folder / file), picture(list(COLOURS)[number % 3], chance))
        lines += [f"{file},{sentences[number % 3]}", f"{file},{sentences[number % 3]} again"]
    (folder / "captions.csv").write_text("\n".join(["path,text", *lines]) + "\n")
    vu.train(
        vu.load_manifest(folder / "captions.csv"), WORDS_SPEC, folder / "saved_models" / "words",
        TrainingSettings(views=1), cache=vu.ClipCache(folder / "cache"), progress=False,
    )  # fmt: skip


@pytest.mark.parametrize("page", [page for page in PAGES if EXAMPLES[page]], ids=lambda page: page.name)
def test_examples_run(page, desk, monkeypatch):
    from video_understanding.models.backbones.make import BACKBONES
    from video_understanding.models.fusion import FUSIONS

    monkeypatch.chdir(desk)
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(desk / "cache"))
    fusions, backbones = dict(FUSIONS), dict(BACKBONES)
    names = {"vu": vu, "clip": vu.read_clip("holiday.mp4", vu.preset("tiny"))}  # what a reader has at hand
    try:
        for number, example in enumerate(EXAMPLES[page], 1):
            exec(compile(example, f"{page.name}, example {number}", "exec"), names)
    finally:
        for registry, before in ((FUSIONS, fusions), (BACKBONES, backbones)):
            registry.clear()
            registry.update(before)


def test_there_are_examples():
    assert EXAMPLES[PROJECT / "README.md"]
