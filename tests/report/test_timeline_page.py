"""The page of a file says what its prediction says, and which modality carried it, for every kind of file."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from tests.recognition.test_recognizer import SPEC
from tests.recognition.worlds import LABELS, ColourScorer, write_colours
from tests.report.reading import Page
from tests.report.timelines import Told, of_hours, told, write_scene
from video_understanding.errors import VideoUnderstandingError
from video_understanding.labels import Labels
from video_understanding.media.synthetic import damage
from video_understanding.recognition import Recognizer
from video_understanding.recognition.modalities_over_time import ModalitiesOverTime
from video_understanding.report import timeline_page, write_timeline

HEADINGS = ("sure %", "picture : sound", "picture alone %", "sound alone %")


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    return write_scene(tmp_path_factory.mktemp("pages"))


def page_of(found: Told, **more: str) -> Page:
    page = Page(timeline_page(*found, **more))
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "iframe", "object", "form"}
    assert not re.search(r"""href=|url\(|@import|https?:|src="(?!data:image/jpeg;base64,)""", page.source)
    for attributes in page.attributes("svg"):
        assert attributes["role"] == "img" and attributes["aria-label"]
    places = re.findall(r"(?:left|width):(-?[\d.]+)%", page.source.split("</style>")[1])
    assert places and all(0 <= float(place) <= 100 for place in places)
    for points in re.findall(r'points="([^"]+)"', page.source):
        numbers = [tuple(map(float, point.split(","))) for point in points.split()]
        assert all(0 <= x <= 1000 and 0 <= y <= 100 for x, y in numbers)
    return page


def boxes(page: Page) -> list[str]:
    """What the boxes are called, in their order."""
    return [attributes["title"] for attributes in page.attributes("span") if attributes.get("title")]


def test_the_page_tells_what_when_how_surely_and_what_carried_it(scene):
    found = told(scene)
    page = page_of(found, model="mine")
    assert "scene.mp4" in page.text and "Model: mine" in page.text and "0:08.00" in page.text
    assert "The picture carried 100 % of it, the sound 0 %." in page.text
    assert "The sound carried 100 % of it, the picture 0 %. For " in page.text, (
        "quiet is what it says without sound too"
    )
    action, emotion = page.table("when", "action", *HEADINGS), page.table("when", "emotion", *HEADINGS)
    assert [row[:2] for row in action] == [["0:00.00 to 0:04.00", "red"], ["0:04.00 to 0:08.00", "blue"]]
    assert [row[:2] for row in emotion] == [["0:00.00 to 0:06.00", "loud"], ["0:06.00 to 0:08.00", "quiet"]]
    assert [row[3] for row in action] == ["100 : 0", "100 : 0"]
    assert emotion[0][3] == "0 : 100" and emotion[1][3] in ("0 : 100", "either")
    sure, alone, blind = (float(action[0][place]) for place in (2, 4, 5))
    assert sure == pytest.approx(100 * found[1].segments[0].heads["action"].confidence, abs=0.06)
    assert alone == pytest.approx(sure, abs=5) and blind == pytest.approx(33.3, abs=0.1)
    assert len(page.attributes("img")) == 12
    drawings = [attributes["aria-label"] for attributes in page.attributes("svg")]
    assert drawings == [
        "loudness over time",
        *(f"{words} {head} {rest}" for head in ("action", "emotion") for words, rest in (
            ("how sure", "is over time"), ("which modality carried", "over time"),
        )),
    ]  # fmt: skip
    assert [title.split(": ")[1].split(",")[0] for title in boxes(page)] == ["red", "blue", "loud", "quiet"]


def test_each_window_has_its_line_and_its_part_of_the_band(scene):
    """The lines go through the windows' scores, and the band is as high as the picture's part."""
    _, _, shares = found = told(scene)
    source = page_of(found).source
    red = re.search(r'<polyline class="both" points="([^"]+)"', source)[1].split()
    early = [window for window in shares.windows if window.middle_s < 4]
    assert red[1:-1] == [
        f"{window.middle_s / 8 * 1000:.1f},{100 * (1 - window.scores['action'][0, 0]):.1f}" for window in early
    ]
    bands = re.findall(r'<svg class="carried".*?</svg>', source, re.S)
    assert [
        re.findall(r'class="(\w+)" x="0" y="[\d.]+" width="([\d.]+)" height="([\d.]+)"', band) for band in bands
    ] == [
        [("one", "500", "100")],
        [("other", "750", "100")],
    ]


@pytest.mark.parametrize(
    ("kind", "lacks", "words"),
    [
        ("missing_sound", "no sound", "There is nothing to hear in this file: the picture alone carried everything."),
        ("silent_sound", "no sound", "There is nothing to hear in this file: the picture alone carried everything."),
        ("missing_picture", "no picture", "There is nothing to see in this file: the sound alone carried everything."),
    ],
)
def test_a_file_of_one_modality_says_so_and_divides_nothing(kind, lacks, words, scene, tmp_path):
    page = page_of(told(damage(scene, kind, 0, tmp_path / f"{kind}.mp4")))
    assert words in page.text and lacks in page.text
    assert "picture : sound" not in page.text and "either alone" not in page.text.split("What a modality carries")[0]
    assert [table[0] for table in page.tables] == [["when", head, "sure %"] for head in ("action", "emotion")]
    styles = {attributes.get("class") for name in ("polyline", "rect") for attributes in page.attributes(name)}
    assert styles == {"both"}, "one line for each head, and no band"


def test_unknown_names_the_nearest_and_shows_how_sure_that_is(scene):
    page = page_of(told(scene, {"action": 0.99}))
    assert "taken as a whole “unknown” (nearest “red”)" in page.text
    assert page.table("when", "action", *HEADINGS)[0][1] == "unknown (nearest red)"
    assert page.table("when", "action", *HEADINGS)[0][3] == "100 : 0"


def test_of_several_labels_all_are_told_and_none_has_no_part(scene):
    page = page_of(told(scene, several=("emotion",)))
    rows = page.table("when", "emotion", *HEADINGS)
    assert [row[1] for row in rows] == ["loud", "quiet"]

    class Mute(ColourScorer):
        """Sees only a little of anything."""

        def fuse(self, tokens, presence):
            scores = super().fuse(tokens, presence)
            return dataclasses.replace(scores, heads={head: values * 0.4 for head, values in scores.heads.items()})

    spec = dataclasses.replace(SPEC, network=dataclasses.replace(SPEC.network, multi_label=("action",)))
    shares = ModalitiesOverTime(Mute(spec))
    prediction = Recognizer(shares.scorer).predict(scene, progress=shares.add)
    page = page_of((scene, prediction, shares))
    row = page.table("when", "action", *HEADINGS)[0]
    assert row[1] == "none" and row[3] == "-"
    sure = [(one.end_s - one.start_s) * one.heads["action"].confidence for one in prediction.segments]
    assert float(row[2]) == pytest.approx(100 * sum(sure) / 8, abs=0.1), "the mean over both segments that say so"


def test_a_model_of_one_head_and_a_clip_of_one_window(tmp_path):
    file = write_colours(tmp_path / "short.mp4", lambda _: "green", lambda _: True, 1.2)
    found = told(file, labels=Labels(action=LABELS["action"]))
    assert len(found[2].windows) == 1
    page = page_of(found)
    assert "Emotion" not in page.text and len(page.tables) == 1
    assert page.tables[0][1][:2] == ["0:00.00 to 0:01.20", "green"]


def test_a_file_of_ten_hours_has_a_page_of_bounded_size(scene):
    found = of_hours(scene)
    page = page_of(found)
    assert len(found[2].windows) <= 1000 and found[2].every == 128
    assert "of 128 that follow each other one is drawn" in page.text
    assert "Spans of less than 72 s that follow each other have one box." in page.text
    assert boxes(page) == ["0:00.00 to 10:00:00.00: 2400 short spans"] * 2 and "1900 spans more" in page.text
    assert len(page.source) < 600_000
    assert len(page.attributes("img")) <= 48


def test_names_are_text_whatever_they_are(scene):
    odd = ('<b>&"', "</style><script>alert(1)</script>", "x" * 300)
    file = scene.rename(scene.with_name("<i>&amp; " + "y" * 200 + ".mp4"))
    try:
        page = page_of(told(file, labels=Labels(action=odd, emotion=("'", "--> ]]>"))), model="<script>")
    finally:
        file.rename(scene)
    assert "script" not in {name for name, _ in page.elements} and "i" in {name for name, _ in page.elements}
    assert "<i>&amp; y" in page.text and f"“{odd[0]}”" in page.text


def test_a_page_is_written_whole_or_refused_in_one_line(scene, tmp_path):
    found = told(scene)
    place = write_timeline(*found, tmp_path / "new" / "page.html")
    assert Page(place.read_text(encoding="utf-8")).tables
    (tmp_path / "file").write_text("here already")
    with pytest.raises(VideoUnderstandingError, match="cannot be written"):
        write_timeline(*found, tmp_path / "file" / "page.html")
