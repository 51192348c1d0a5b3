"""Laid out by a real browser, nothing overlaps, sticks out or is empty, on a phone and on a desk."""

from __future__ import annotations

import numpy as np
import pytest

from tests.recognition.worlds import write_colours
from tests.report.browser import PROGRAMS, browser, measure
from tests.report.reports import EMOTIONS, HISTORY, folds, one_of, report, robustness_of, several_of
from tests.report.timelines import of_hours, told, write_scene
from video_understanding.evaluation import crossval_summary
from video_understanding.labels import Labels
from video_understanding.media.synthetic import damage
from video_understanding.report import Mistaken, report_page, timeline_page
from video_understanding.report.gallery import jpeg

# A browser is a large program, and where it hangs no time limit of ours frees its process.
pytestmark = pytest.mark.slow
SMALL_PHONE_PX, PHONE_PX, DESK_PX = 320, 360, 1280


@pytest.fixture(scope="module")
def program() -> str:
    found = browser()
    if not found:
        pytest.skip(f"no browser is installed: none of {', '.join(PROGRAMS)}")
    return found


def training() -> str:
    found = report(("Left out: 1 clip.",), action=several_of(("dance", "sing")), emotion=one_of(EMOTIONS))
    values = {"model": "m" * 90, "test": found.to_dict(), "validation": found.to_dict()}
    strip = np.full((64, 200, 3), 90, np.uint8)
    mistakes = [
        Mistaken("emotion", "calm", "happy", 0.9, None, "folder/" + "long_name_" * 12 + ".mp4", picture)
        for picture in (jpeg(strip), None, jpeg(strip))
    ]
    return report_page({**values, "robustness": robustness_of(found)}, history=HISTORY, gallery=mistakes)


def odd_names() -> str:
    names = tuple(f"{place} " + ("a long name " * 8 if place % 3 else "w" * 90) for place in range(40))
    history = {"loss": list(np.geomspace(1e-6, 3e4, 150)), "a_head_accuracy": list(np.linspace(0, 1, 150))}
    return report_page(report(action=one_of(names, clips=400, subjects=40)).to_dict(), history=history)


def crossval() -> str:
    summary = crossval_summary(folds(action=several_of(("dance", "sing")), emotion=one_of(EMOTIONS))).to_dict()
    conditions = robustness_of(report(action=one_of(("dance", "sing")), emotion=one_of(EMOTIONS)))
    return report_page({"data": "clips " * 30, **summary, "robustness": conditions}, json_name="report.json")


@pytest.mark.parametrize("width_px", [SMALL_PHONE_PX, PHONE_PX, DESK_PX])
@pytest.mark.parametrize("page", [training, odd_names, crossval], ids=lambda page: page.__name__)
def test_nothing_overlaps_sticks_out_or_is_empty(program, page, width_px, tmp_path):
    measured = measure(program, page(), width_px, tmp_path)
    assert measured["drawings"] >= 4 and measured["texts"] >= 20
    assert measured["found"] == []


@pytest.fixture(scope="module")
def timelines(tmp_path_factory) -> dict[str, str]:
    """Pages of files of several kinds."""
    folder = tmp_path_factory.mktemp("timelines")
    scene = write_scene(folder)
    changing = write_colours(
        folder / ("a long name " * 9 + ".mp4"),
        lambda t: ("red", "blue", "green")[int(t / 3) % 3],
        lambda t: t % 8 < 4,
        60.0,
    )
    names = Labels(action=("w" * 90, "a long name " * 8, "c"), emotion=("quiet", "loud"))
    silent = damage(scene, "missing_sound", 0, folder / "silent.mp4")
    unseen = damage(scene, "missing_picture", 0, folder / "unseen.mp4")
    short = write_colours(folder / "short.mp4", lambda _: "green", lambda _: True, 0.7)
    found = {
        "plain": told(scene),
        "changing": told(changing, {"emotion": 0.9}, names),
        "several": told(changing, several=("action",)),
        "silent": told(silent),
        "unseen": told(unseen, {"action": 0.5}),
        "short": told(short, labels=Labels(action=("red", "green", "blue"))),
        "hours": of_hours(scene),
    }
    return {kind: timeline_page(*parts, model="m" * 90) for kind, parts in found.items()}


@pytest.mark.parametrize("width_px", [SMALL_PHONE_PX, PHONE_PX, DESK_PX])
@pytest.mark.parametrize("kind", ["plain", "changing", "several", "silent", "unseen", "short", "hours"])
def test_a_timeline_is_whole_on_a_phone_and_on_a_desk(program, timelines, kind, width_px, tmp_path):
    measured = measure(program, timelines[kind], width_px, tmp_path)
    assert measured["drawings"] >= 2 and measured["texts"] >= 10
    assert measured["found"] == []


def test_the_measure_itself_sees_what_is_wrong(program, tmp_path):
    """A page that is too wide, has an empty drawing, and texts on top of each other."""
    page = (
        '<!DOCTYPE html><body><p style="width:900px">wide</p><svg viewBox="0 0 100 20" width="100">'
        '<text x="0" y="10">one</text><text x="1" y="11">two</text></svg><img src="data:image/jpeg;base64,AAAA">'
        '<h2 style="margin-bottom:-1em">above</h2><h3>below</h3></body>'
    )
    told = " ".join(measure(program, page, PHONE_PX, tmp_path)["found"])
    for wrong in ("px wide in 360 px", "sticks out", '"one" overlaps', '"above" overlaps', "an image is broken"):
        assert wrong in told
