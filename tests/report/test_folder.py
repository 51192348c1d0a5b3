"""What is written where: the page beside its JSON, and of a training one page to keep and one to pass on."""

from __future__ import annotations

import json

import pytest

from tests.evaluation.worlds import LABELS, SPEC, ReadingScorer, prepared_from, row, window
from tests.report.reading import Page
from tests.report.reports import HISTORY, folds, one_of
from video_understanding.bundle import Bundle
from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation import crossval_summary, evaluate
from video_understanding.report import report_page, without_names, write_report, write_training_report

ROWS = [
    row("secret_take_1.mp4", action="jump", subject="person_anna", origin="secret.csv:2"),
    row("secret_take_2.mp4", action="run", subject="person_anna", origin="secret.csv:3"),
    row("secret_take_3.mp4", action="swim", subject="person_berta", origin="secret.csv:4"),
]
PREPARED = prepared_from([[window([90, 5, 5], None)], [window([80, 10, 10], None)], [window([5, 5, 90], None)]], ROWS)


def found():
    return evaluate(ReadingScorer(), PREPARED, ROWS, progress=False)


def as_in_a_bundle(values: dict) -> dict:
    heads = {
        head: {name: value for name, value in told.items() if name not in ("mistakes", "subjects")}
        for head, told in values["heads"].items()
    }
    return {**values, "notes": [], "heads": heads}


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    facts = {"metrics": {"test": as_in_a_bundle(found().to_dict())}, "data": [{"name": "takes", "clips": 3}]}
    return Bundle.write(tmp_path / "mine", SPEC, LABELS, facts)


def test_page_and_json_lie_beside_each_other_and_say_the_same(tmp_path):
    values = {"model": "mine", **found().to_dict()}
    place = write_report(tmp_path / "new" / "folder", values)
    assert place == tmp_path / "new" / "folder" / "report.html"
    assert sorted(file.name for file in place.parent.iterdir()) == ["report.html", "report.json"]
    read = json.loads((place.parent / "report.json").read_text())
    assert read == json.loads(json.dumps(values))
    text = place.read_text(encoding="utf-8")
    assert text == report_page(read, json_name="report.json")
    assert [link["href"] for link in Page(text).attributes("a")] == ["report.json"]
    assert not Page(report_page(read)).attributes("a"), "a page by itself has no link that leads nowhere"
    assert "Report on mine" in Page(place.read_text(encoding="utf-8")).text


def test_a_training_keeps_names_and_pictures_to_its_own_folder(bundle):
    work = bundle.folder / "training"
    place = write_training_report(bundle, work, {"test": found()}, PREPARED, HISTORY)
    assert place == work / "report.html"
    private, public = (Page(file.read_text(encoding="utf-8")) for file in (place, bundle.folder / "report.html"))
    for word in ("secret_take_2", "person_anna", "data:image/jpeg", "keep it as you keep the data"):
        assert word in private.source
    for word in ("secret", "person_", "data:image", "<img", "keep it as you keep the data"):
        assert word not in public.source
    for page in (private, public):
        assert "66.7 % of 3 clips are right" in page.text
        assert "How the training went" in page.text
        assert "Report on mine" in page.text and "Data: takes" in page.text
    assert json.loads((work / "report.json").read_text())["test"]["heads"]["action"]["mistakes"]


def test_a_training_with_nothing_to_measure_still_shows_its_curves(tmp_path):
    bundle = Bundle.write(tmp_path / "mine", SPEC, LABELS, {"metrics": {}})
    place = write_training_report(bundle, tmp_path / "mine" / "training", {}, PREPARED, HISTORY)
    assert "nothing was measured" in Page(place.read_text(encoding="utf-8")).text


def test_an_anonymous_report_names_no_clip_and_no_person_and_keeps_all_numbers(tmp_path):
    values = {**found().to_dict(), "data": "takes"}
    assert any("secret" in json.dumps(values[part]) for part in ("heads", "notes"))
    bare = without_names(values)
    place = write_report(tmp_path, bare)
    for file in (place, tmp_path / "report.json"):
        text = file.read_text(encoding="utf-8")
        assert not any(word in text for word in ("secret", "anna", "berta", "data:image"))
    page = Page(place.read_text(encoding="utf-8"))
    assert "This page names no clip and no person." in page.text and "keep it as you keep the data" not in page.text
    named, numbered = (
        Page(report_page(one)).table("subject", "accuracy %", "UAR %", "clips") for one in (values, bare)
    )
    assert [row[0] for row in numbered] == ["1", "2"]
    assert [row[1:] for row in numbered] == [row[1:] for row in named]


def test_an_anonymous_cross_validation_hides_the_subjects_of_all_folds():
    values = crossval_summary(folds(action=one_of(("a", "b", "c"), clips=60))).to_dict()
    assert "other_person_1" in json.dumps(values) and "take_" in json.dumps(values)
    bare = json.dumps(without_names(values))
    assert "person_" not in bare and "take_" not in bare
    assert [row[0] for row in Page(report_page(json.loads(bare))).table("subject", "accuracy %", "UAR %", "clips")] == [
        str(number) for number in range(1, 17)
    ]


def test_a_folder_that_cannot_be_written_is_an_error_of_one_line(tmp_path):
    (tmp_path / "file").write_text("here already")
    with pytest.raises(VideoUnderstandingError, match=r"report\.json: cannot be written \(.*Name a folder"):
        write_report(tmp_path / "file" / "folder", found().to_dict())
    assert (tmp_path / "file").read_text() == "here already"
