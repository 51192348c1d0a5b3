"""The gallery shows the mistakes that the model was surest of, with the very frames it saw."""

from __future__ import annotations

import base64
import dataclasses
import io
import re

import av
import numpy as np
import pytest

from tests.evaluation.worlds import SPEC, ReadingScorer, prepared_from, row, window
from tests.report.reading import Page
from video_understanding.evaluation import evaluate
from video_understanding.report import Mistaken, clearest_mistakes, report_page
from video_understanding.report.gallery import _small, jpeg
from video_understanding.spec import ModelSpec

# What each clip says of jump, run and swim, and what it is.
TOLD = {
    "right.mp4": ([90, 5, 5], "jump"),
    "a_little.mp4": ([40, 35, 25], "run"),
    "surest.mp4": ([5, 5, 90], "jump"),
    "sure.mp4": ([10, 70, 20], "jump"),
    "unlabelled.mp4": ([0, 0, 100], None),
}


def world(spec: ModelSpec = SPEC) -> tuple[ReadingScorer, object, list]:
    rows = [row(name, action=label) for name, (_, label) in TOLD.items()]
    clips = [[window(said, None)] for said, _ in TOLD.values()]
    prepared = prepared_from(clips, rows)
    prepared.spec = spec
    return ReadingScorer(spec=spec), prepared, rows


def picture_of(data: bytes) -> np.ndarray:
    with av.open(io.BytesIO(data)) as film:
        return next(film.decode(video=0)).to_ndarray(format="rgb24")


def test_the_surest_mistakes_come_first_and_nothing_right_comes_at_all():
    scorer, prepared, rows = world()
    report = evaluate(scorer, prepared, rows, progress=False)
    found = clearest_mistakes(report, prepared)
    assert [(m.clip, m.said, m.true) for m in found] == [
        ("surest.mp4", "swim", "jump"),
        ("sure.mp4", "run", "jump"),
        ("a_little.mp4", "jump", "run"),
    ]
    assert [round(m.confidence, 2) for m in found] == [0.9, 0.7, 0.4]
    assert [m.clip for m in clearest_mistakes(report, prepared, clips_per_head=1)] == ["surest.mp4"]


def test_of_several_labels_the_surest_wrong_yes_or_no_counts():
    spec = dataclasses.replace(SPEC, network=dataclasses.replace(SPEC.network, multi_label=("action",)))
    scorer, prepared, _ = world(spec)
    labels = {"right.mp4": "jump", "a_little.mp4": "none", "surest.mp4": "swim|run", "sure.mp4": "jump"}
    rows = [row(name, action=labels.get(name)) for name in TOLD]
    found = clearest_mistakes(evaluate(scorer, prepared, rows, progress=False), prepared)
    # Said to be swim alone: that it does not run, at a score of 5 %, is the clearest mistake of all.
    assert [(m.clip, m.true, m.said, m.about, round(m.confidence, 2)) for m in found] == [
        ("surest.mp4", "run, swim", "swim", "run", 0.95),
        ("sure.mp4", "jump", "run", "jump", 0.9),
    ]
    assert "(95.0 % sure about run)" in Page(report_page(_values(scorer, prepared, rows), gallery=found)).text


def _values(scorer: ReadingScorer, prepared: object, rows: list) -> dict:
    return evaluate(scorer, prepared, rows, progress=False).to_dict()


def test_three_frames_from_all_of_the_clip_are_shown():
    spans = {"start_s": 1.5, "end_s": 4.0}
    rows = [row("long.mp4", action="jump", **spans)]
    shades = (20, 90, 160, 230)
    windows = []
    for shade in shades:
        frames, sound, facts = window([0, 100, 0], None)
        frames[:, :, 1:] = shade
        windows.append((frames, sound, facts))
    prepared = prepared_from([windows], rows)
    (found,) = clearest_mistakes(evaluate(ReadingScorer(), prepared, rows, progress=False), prepared)
    assert found.clip == "long.mp4, 1.5 s to 4 s"
    picture = picture_of(found.jpeg)
    assert picture.shape == (4, 3 * 4 + 2 * 4, 3)
    seen = [picture[1:3, left + 2 : left + 4].mean() for left in (0, 8, 16)]
    assert seen == pytest.approx([shades[0], shades[2], shades[3]], abs=25)


def test_a_clip_without_a_picture_says_so():
    rows = [row("sound.mp3", action="jump")]
    prepared = prepared_from([[window(None, [0, 90, 10])]], rows)
    report = evaluate(ReadingScorer(), prepared, rows, progress=False)
    found = clearest_mistakes(report, prepared)
    assert [m.jpeg for m in found] == [None]
    assert "no picture in this clip" in Page(report_page(report.to_dict(), gallery=found)).text


def test_pictures_keep_their_colours_and_lie_inside_the_page():
    colours = [(220, 40, 40), (40, 200, 60), (50, 60, 210)]
    strip = np.concatenate([np.full((64, 64, 3), colour, np.uint8) for colour in colours], axis=1)
    data = jpeg(strip)
    seen = picture_of(data)
    for place, colour in enumerate(colours):
        assert np.abs(seen[32, 64 * place + 32].astype(int) - colour).max() <= 6
    mistake = Mistaken("action", "jump", "run", 0.5, None, '<"a">.mp4', data)
    scorer, prepared, rows = world()
    page = Page(report_page(evaluate(scorer, prepared, rows, progress=False).to_dict(), gallery=[mistake]))
    (image,) = page.attributes("img")
    assert image["alt"] == 'Three frames of <"a">.mp4: is jump, said to be run'
    assert base64.b64decode(image["src"].removeprefix("data:image/jpeg;base64,")) == data
    assert '<"a">.mp4' in page.text


def test_a_full_gallery_of_large_noisy_frames_stays_small():
    """The worst there is: noise does not shrink, and every mistake of both heads is shown."""
    chance = np.random.default_rng(0)
    strip = chance.integers(0, 255, (128, 3 * 128 + 8, 3), np.uint8)
    mistakes = [
        Mistaken(head, "jump", "run", 0.5, None, "a.mp4", jpeg(strip)) for head in ("action",) for _ in range(24)
    ]
    scorer, prepared, rows = world()
    page = report_page(evaluate(scorer, prepared, rows, progress=False).to_dict(), gallery=mistakes)
    assert len(re.findall("<img", page)) == 24
    assert len(page) < 2_000_000


def test_high_frames_become_thumbnails():
    tall = np.zeros((512, 256, 3), np.uint8)
    tall[:, 128:] = 200
    small = _small(tall)
    assert small.shape == (128, 64, 3)
    assert small[64, 10].max() <= 2 and abs(int(small[64, 50].min()) - 200) <= 2
