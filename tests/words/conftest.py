"""A small world with words, made once: pictures of one colour, sentences that name it, and a model trained on both."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import video_understanding as vu
from video_understanding.training.settings import TrainingSettings

COLOURS = {"red": (200, 30, 30), "green": (30, 180, 40), "blue": (30, 40, 200), "white": (220, 220, 220)}
SPEC = vu.ModelSpec(
    window_s=1.0,
    video=vu.VideoSpec(frames_hz=2, height_px=32, width_px=32),
    audio=vu.AudioSpec(hop_s=0.5),
    network=vu.NetworkSpec(
        classifier="linear", unfrozen_blocks=0, listener="separable", unfrozen_listener_blocks=0
    ),
)  # fmt: skip
TEST_PICTURES = 4  # of each colour


def picture(colour: str, chance: np.random.Generator) -> np.ndarray:
    """uint8 [48,64,3], RGB: the colour in some shade, with noise."""
    shade = np.array(COLOURS[colour]) * chance.uniform(0.8, 1.1)
    return np.clip(shade + chance.normal(0, 12, (48, 64, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def words_world(tmp_path_factory) -> Path:
    """A folder with captions.csv, its pictures, and a bundle `model` trained on them."""
    folder = tmp_path_factory.mktemp("words")
    chance = np.random.default_rng(0)
    lines = ["path,split,text"]
    (folder / "pictures").mkdir()
    for number in range(60):
        colour = list(COLOURS)[number % len(COLOURS)]
        name = f"pictures/{number}.png"
        cv2.imwrite(str(folder / name), picture(colour, chance)[:, :, ::-1])
        split = "test" if number < TEST_PICTURES * len(COLOURS) else "train"
        lines += [f"{name},{split},a {colour} wall", f"{name},{split},the wall is {colour}"]
    (folder / "captions.csv").write_text("\n".join(lines) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDEO_UNDERSTANDING_CACHE", str(folder / "cache"))
        settings = TrainingSettings(views=2)
        vu.train(vu.load_manifest(folder / "captions.csv"), SPEC, folder / "model", settings, progress=False)
    return folder


@pytest.fixture(autouse=True)
def own_cache(words_world, monkeypatch):
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(words_world / "cache"))
