"""A page says what its JSON says, in full, for every kind of report, and needs nothing but itself."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.report.reading import Page
from tests.report.reports import EMOTIONS, HISTORY, folds, one_of, report, robustness_of, several_of
from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation import Robustness, crossval_summary
from video_understanding.presets import preset, preset_words
from video_understanding.report import report_page
from video_understanding.report.style import DARK, LIGHT, brightness, needs_white, parts_of
from video_understanding.spec import ModelSpec

ODD = ('<b>&"', "</style><script>alert(1)</script>", "a name that goes on " * 12, "x" * 300, "'", "--> ]]>")


def page_of(values: dict, **more: object) -> Page:
    """The page, made from values that went through JSON as a file's would."""
    return Page(report_page(json.loads(json.dumps(values)), **more))


def percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


KINDS = {
    "two heads": report(action=one_of(("bounce", "slide", "spin")), emotion=one_of(EMOTIONS)),
    "two classes": report(action=one_of(("a", "b"), clips=10, subjects=0)),
    "forty classes": report(action=one_of(tuple(f"class {place}" for place in range(40)), clips=300)),
    "hundred classes": report(action=one_of(tuple(f"class {place}" for place in range(100)), clips=500)),
    "several labels": report(action=several_of(("dance", "sing", "clap"))),
    "odd names": report(action=one_of(ODD, clips=60)),
    "no mistakes": report(action=one_of(("a", "b", "c"), skill=30)),
    "one clip": report(emotion=one_of(("calm", "glad"), clips=1, subjects=1)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_report_gives_a_whole_page_that_needs_nothing_else(kind):
    found = KINDS[kind]
    values = {**found.to_dict(), "robustness": robustness_of(found)}
    page = page_of(values)
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "iframe", "object", "form"}
    assert not re.search(r"""(src|href)=|url\(|@import|https?:""", page.source)
    assert [attributes["lang"] for attributes in page.attributes("html")] == ["en"]
    for head in found.heads:
        assert f"{head.capitalize()}:" in page.text
    for attributes in page.attributes("svg"):
        assert attributes["role"] == "img" and attributes["aria-label"]
    assert len(page.source) < 500_000


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_are_whole_svg_with_all_places_inside(kind):
    source = page_of(KINDS[kind].to_dict(), history=HISTORY).source
    drawings = re.findall(r"<svg.*?</svg>", source, re.S)
    assert len(drawings) >= 2
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        assert len(root) >= 3
        for element in root.iter():
            for most, names in ((width, ("x", "x1", "x2", "cx")), (height, ("y", "y1", "y2", "cy"))):
                assert all(0 <= float(element.attrib.get(name, 0)) <= most for name in names), element.attrib


def test_numbers_are_those_of_the_json():
    values = KINDS["two heads"].to_dict()
    page = page_of({**values, "robustness": robustness_of(KINDS["two heads"])})
    for found in values["heads"].values():
        for measure, guess in (("accuracy", "majority_accuracy"), ("uar", "chance_uar")):
            low, high = found[f"{measure}_interval"]
            words = f"{percent(found[measure])} %"
            assert words in page.text
            assert f"95 %: {percent(low)} to {percent(high)}; by guessing {percent(found[guess])} %" in page.text
        assert f"Calibration error{percent(found['reliability']['error'])} points" in page.text
        assert f"{found['log_loss']:.3f}, {found['brier']:.3f}" in page.text
    classes, others = (values["heads"][head]["classes"] for head in ("action", "emotion"))
    tables = [table for table in page.tables if table[0][0] == "class"]
    for table, told in zip(tables, (classes, others), strict=True):
        assert table[1:] == [
            [
                found["name"],
                *(percent(found[name]) for name in ("recall", "precision", "f1")),
                str(found["clips"]),
                str(found["said"]),
            ]
            for found in told
        ]
    matrices = [table for table in page.tables if table[0][0] == "is \\ said to be"]
    assert [[[int(cell or 0) for cell in row[1:]] for row in table[1:]] for table in matrices] == [
        found["confusion"] for found in values["heads"].values()
    ]
    subjects = next(table for table in page.tables if table[0][0] == "subject")
    assert subjects[1:] == [
        [found["subject"], percent(found["accuracy"]), percent(found["uar"]), str(found["clips"])]
        for found in values["heads"]["action"]["subjects"]["subjects"]
    ]
    bins = page.tables[[table[0][0] for table in page.tables].index("confidence %")]
    assert [row[1] for row in bins[1:]] == [
        str(point["clips"]) for point in values["heads"]["action"]["reliability"]["points"]
    ]
    conditions = page.table("condition", "action UAR %", "action accuracy %", "emotion UAR %", "emotion accuracy %")
    assert [row[0] for row in conditions] == ["all modalities", "only video", "noise at 0 dB"]
    assert conditions[0][1:3] == [percent(values["heads"]["action"][name]) for name in ("uar", "accuracy")]


def test_bars_are_as_long_as_their_numbers():
    source = page_of(KINDS["forty classes"].to_dict()).source
    bars = re.findall(r'<b style="width:([\d.]+)%"></b></i><span>([\d.-]+)</span>', source)
    assert len(bars) >= 40
    assert all(length == told for length, told in bars)


def test_several_labels_have_their_own_measures_and_no_confusion():
    found = KINDS["several labels"].to_dict()["heads"]["action"]
    page = page_of(KINDS["several labels"].to_dict())
    assert f"Mean average precision is {percent(found['mean_average_precision'])} %." in page.text
    assert f"All that is said of a clip is right in {percent(found['accuracy'])} % of 120 clips" in page.text
    table = page.table("class", "recall %", "precision %", "F1 %", "AP %", "clips", "said")
    assert [row[4] for row in table] == [percent(result["average_precision"]) for result in found["classes"]]
    assert "What is taken for what" not in page.text
    missed = max(found["classes"], key=lambda result: result["clips"] * (1 - result["recall"]))
    assert f"overlooks “{missed['name']}”" in page.text


def test_the_summary_says_in_words_what_the_numbers_are_worth():
    assert "That is clearly more than guessing." in page_of(KINDS["two heads"].to_dict()).text
    guessing = report(action=one_of(("a", "b", "c"), skill=0.0))
    assert "do not show that it tells the classes apart" in page_of(guessing.to_dict()).text
    few = page_of(report(action=one_of(("a", "b"), clips=6, subjects=2, skill=0.5)).to_dict()).text
    assert "There is no interval: that takes 6 subjects or more, not 2." in few
    assert "too few to tell this from guessing" in few and "With so few clips that says little." in few
    perfect = page_of(KINDS["no mistakes"].to_dict()).text
    assert "It made no mistake on these clips." in perfect and "The clearest mistakes" not in perfect
    assert "Measured on 120 clips (127 windows) of 8 subjects." in perfect


@pytest.mark.parametrize(
    ("confidence", "accuracy", "error", "words"),
    [
        (0.9, 0.7, 0.2, "It is too sure of itself"),
        (0.6, 0.8, 0.2, "It is more cautious than it need be"),
        (0.8, 0.81, 0.03, "Its confidence can be taken at its word"),
        (0.8, 0.81, 0.2, "but off by 20.0 points at single levels"),
    ],
)
def test_calibration_in_words(confidence, accuracy, error, words):
    values = KINDS["two classes"].to_dict()
    head = values["heads"]["action"]
    head["accuracy"] = accuracy
    head["reliability"] |= {"confidence": confidence, "error": error}
    assert words in page_of(values).text


def test_what_is_confused_most_is_named_first():
    values = KINDS["two heads"].to_dict()
    matrix = np.array(values["heads"]["emotion"]["confusion"])
    count = matrix[~np.eye(len(matrix), dtype=bool)].max()
    true, said = map(int, np.argwhere((matrix == count) & ~np.eye(len(matrix), dtype=bool))[0])
    words = f"Most often it takes “{EMOTIONS[true]}” for “{EMOTIONS[said]}” ({count} of {matrix[true].sum()} clips)"
    assert words in page_of(values).text


def test_names_are_text_whatever_they_are():
    page = page_of(KINDS["odd names"].to_dict())
    assert "script" not in {name for name, _ in page.elements}
    assert "b" in {name for name, _ in page.elements}, "bars are b elements"
    assert ODD[0] in [row[0] for row in page.tables[0]]
    titles = {attributes.get("title") for attributes in page.attributes("th")}
    assert set(ODD) <= titles
    several = page_of(report(action=several_of(ODD)).to_dict())
    titles = {attributes.get("title") for attributes in several.attributes("th")}
    assert {name for name in ODD if len(name) > 40} <= titles, "names that are cut short are whole in a title"
    noted = page_of(report(("Left out: <i>1 clip</i>",), action=one_of(("a", "b"))).to_dict())
    assert "Left out: <i>1 clip</i>" in noted.text


def test_without_subjects_nothing_is_said_of_any():
    page = page_of(KINDS["two classes"].to_dict())
    assert "subject" not in page.text
    assert "that takes 6 files or more" not in page.text  # there are ten files


def test_too_many_classes_for_a_matrix_are_told_as_pairs():
    page = page_of(KINDS["hundred classes"].to_dict())
    pairs = page.table("is", "said to be", "clips")
    counts = [int(row[2]) for row in pairs]
    assert counts == sorted(counts, reverse=True) and len(pairs) == 20
    assert "is \\ said to be" not in page.text


def test_many_subjects_are_folded_away_but_there():
    page = page_of(report(action=one_of(("a", "b"), clips=200, subjects=50)).to_dict())
    tables = [table[1:] for table in page.tables if table[0][0] == "subject"]
    assert [len(table) for table in tables] == [20, 30]
    accuracies = [float(row[1]) for table in tables for row in table]
    assert all(low <= high for low, high in pairwise(accuracies))
    assert "30 subjects more" in page.text


def test_a_training_shows_curves_and_both_parts_the_test_part_first():
    test, validation = KINDS["two heads"], report(action=one_of(("bounce", "slide", "spin"), clips=30))
    page = page_of({"validation": validation.to_dict(), "test": test.to_dict()}, history=HISTORY)
    assert page.text.index("took no part in the training") < page.text.index("which chose the best epoch")
    assert "The best was epoch 3." in page.text
    labels = [attributes["aria-label"] for attributes in page.attributes("svg")]
    assert "loss over 4 epochs; in the best, epoch 3, it is 1.200 on validation clips" in labels
    assert "action accuracy over 4 epochs; in the best, epoch 3, it is 65.0 % on validation clips" in labels
    assert not any("learning" in label for label in labels)


@pytest.mark.parametrize(
    "history",
    [
        {"loss": [1.0]},
        {"loss": [1.0, float("nan"), 0.5], "val_loss": [float("inf"), 1.0, float("nan")]},
        {"loss": [0.0, 0.0], "action_accuracy": [1.0, 1.0]},
        {"loss": list(np.linspace(50, 1, 500)), "val_loss": list(np.linspace(60, 2, 500))},
    ],
)
def test_odd_histories_are_drawn(history):
    page = page_of({}, history=history)
    assert "nothing was measured" in page.text
    assert "nan" not in page.source and "inf" not in re.sub(r"<style>.*</style>", "", page.source, flags=re.S)
    epochs = [int(text) for text in re.findall(r'text-anchor="middle">(\d+)</text>', page.source)]
    assert epochs and max(epochs) <= len(history["loss"])


def test_a_page_of_nothing_is_refused():
    with pytest.raises(VideoUnderstandingError, match="report: holds no result"):
        report_page({"bundle": "?"})


def test_crossval_shows_the_spread_and_all_folds_together():
    summary = crossval_summary(folds(action=one_of(("a", "b", "c"), clips=60))).to_dict()
    page = page_of(summary)
    assert "Measured in 2 folds on 120 clips" in page.text
    spread = page.table("%", "mean", "std", "min", "median", "max")
    assert spread[0][:2] == ["accuracy", percent(summary["heads"]["action"]["accuracy"]["mean"])]


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_crossval_shows_its_folds_side_by_side_and_the_subjects_of_all(several):
    make = several_of if several else one_of
    parts = folds(action=make(("a", "b", "c"), clips=60))
    robust = [Robustness(dict.fromkeys(("all modalities", "only audio"), part)) for part in parts]
    values = crossval_summary(parts, robust=robust).to_dict()
    page = page_of(values)
    found = values["heads"]["action"]
    assert "Cross-validation" in page.text and "Over the folds" in page.text
    measures = ["accuracy %", "macro F1 %", *(["mAP %"] if several else []), "calibration error"]
    rows = page.table("fold", "UAR %", *measures, "clips", "subjects")
    assert [row[0] for row in rows] == ["1", "2"]
    for row, fold, part in zip(rows, found["by_fold"], parts, strict=True):
        result = part.heads["action"]
        assert row[1:3] == [percent(result.uar), percent(result.accuracy)]
        assert row[-2:] == ["60", "8"] and fold["uar"] == result.uar
    labels = [attributes["aria-label"] for attributes in page.attributes("svg")]
    told = [fold["accuracy"] for fold in found["by_fold"]]
    words = f"Accuracy of 2 folds: mean {percent(np.mean(told))} %, from {percent(min(told))} to {percent(max(told))} %"
    assert words in labels
    assert len(page.table("subject", "accuracy %", "UAR %", "clips")) == 16
    conditions = page.table("condition", "action UAR %", "action accuracy %")
    assert [row[0] for row in conditions] == ["all modalities", "only audio"]
    assert conditions[0][1:] == [percent(found["pooled"][measure]) for measure in ("uar", "accuracy")]


def test_crossval_of_before_folds_were_told_is_still_a_page():
    values = crossval_summary(folds(action=one_of(("a", "b"), clips=30))).to_dict()
    del values["heads"]["action"]["by_fold"], values["notes"]
    assert "Over the folds" in page_of(values).text


def contrast(one: str, other: str) -> float:
    low, high = sorted(brightness(parts_of(colour)) + 0.05 for colour in (one, other))
    return high / low


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_can_be_read(theme):
    for paper in ("paper", "card"):
        for ink in ("ink", "quiet", "blue"):
            assert contrast(theme[ink], theme[paper]) >= 4.5, (ink, paper)
    assert contrast(theme["orange"], theme["paper"]) >= 3
    for share in np.linspace(0.01, 1, 100):
        over = zip(parts_of(theme["cell"]), parts_of(theme["paper"]), strict=True)
        cell = "#" + "".join(f"{round(share * top + (1 - share) * below):02x}" for top, below in over)
        assert contrast("#ffffff" if needs_white(share, theme) else "#000000", cell) >= 4.5


def test_a_training_says_what_was_trained_and_what_each_number_is_measured_on():
    """92.3 % stood over the curves and 100 % in the text: of other clips, which nothing said."""
    test, validation = report(action=one_of(("a", "b"), clips=40)), report(action=one_of(("a", "b"), clips=30))
    training = {"preset": "tiny with network.fusion late", "clips": 1, "parameters": 1_234_567}
    values = {"test": test.to_dict(), "validation": validation.to_dict(), "training": training}
    page = page_of(values, history=HISTORY)
    assert "Preset: tiny with network.fusion late · Learned from: 1 clip · Parameters: 1,234,567" in page.text
    assert "65.0 % on validation clips, epoch 3" in page.text
    assert "Below each curve: what 37 validation windows gave in that epoch." in page.text
    assert "The results above are of other clips: 40 test clips." in page.text
    assert "test clips" not in page_of({"validation": validation.to_dict()}, history=HISTORY).text
    assert "Preset" not in page_of(test.to_dict()).text


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (preset("edge"), "edge"),
        (
            replace(preset("tiny"), network=replace(preset("tiny").network, fusion="late")),
            "tiny with network.fusion late",
        ),
        (ModelSpec(window_s=8.0), "none, a spec of its own"),
    ],
)
def test_a_spec_is_named_by_the_preset_it_comes_from(spec, words):
    assert preset_words(spec) == words


def test_rows_of_wide_tables_can_be_stacked_with_the_name_of_each_value():
    """On a phone they were cut without a hint; whether they are not is measured in a browser."""
    page = page_of(KINDS["two heads"].to_dict())
    names = [cell["data-name"] for cell in page.attributes("td") if cell.get("data-name")]
    assert names[:5] == ["recall\u00a0%", "precision\u00a0%", "F1\u00a0%", "clips", "said"]
