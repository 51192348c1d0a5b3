"""A clip may be labelled with several classes of a head, or with none of them; every reader and count follows."""

from __future__ import annotations

from pathlib import Path

import pytest

from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.datasets.preflight import check_dataset
from video_understanding.datasets.rows import Row
from video_understanding.datasets.splits import make_folds, split_rows
from video_understanding.errors import ManifestError
from video_understanding.labels import Labels, classes_of


def read(folder: Path, text: str, name: str = "clips.csv") -> Manifest:
    for number in range(6):
        (folder / f"{number}.mp4").write_bytes(b"\x00media")
    (folder / name).write_text(text, encoding="utf-8")
    return load_manifest(folder / name)


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("dance", ("dance",)),
        ("riding a bike", ("riding a bike",)),
        (" sing | dance ", ("sing", "dance")),
        ("sing|dance|sing", ("sing", "dance")),
        ("", ()),
        (None, ()),
    ],
)
def test_a_label_names_its_classes(text, classes):
    assert classes_of(text) == classes


def test_none_names_no_class_unless_a_class_is_called_so():
    assert Labels(action=("dance", "sing")).classes_of("action", "none") == ()
    assert Labels(action=("none", "wave")).classes_of("action", "none") == ("none",)


def test_the_parts_of_cells_are_the_classes(tmp_path):
    manifest = read(
        tmp_path, "path,action,emotion\n0.mp4,sing | dance,sad\n1.mp4,none,\n2.mp4,dance,glad\n3.mp4,,sad\n"
    )
    assert manifest.labels == Labels(action=("dance", "sing"), emotion=("glad", "sad"))
    assert [row.labels.get("action") for row in manifest] == ["sing | dance", "none", "dance", None]  # as written
    assert manifest.counts("action") == {"dance": 2, "sing": 1}
    (note,) = [note for note in manifest.notes if "--multi-label action" in note]
    assert note.startswith("1 clip(s) show several action classes")
    assert "--multi-label emotion" not in str(manifest.notes)
    assert len(manifest.with_rows(manifest.rows[1:2])) == 1  # "none" alone stays understood


def test_without_several_labels_none_is_a_class_like_any_other(tmp_path):
    manifest = read(tmp_path, "path,action\n0.mp4,none\n1.mp4,wave\n")
    assert manifest.labels["action"] == ("none", "wave")
    assert manifest.counts("action") == {"none": 1, "wave": 1}
    assert not manifest.notes


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("dance|", "action 'dance|' has an empty class beside '|'"),
        ("|", "action '|' has an empty class"),
        ("dance||sing", "has an empty class"),
        ("dance|none", "names classes and 'none' as well"),
    ],
)
def test_an_invalid_label_is_an_error_with_its_line(tmp_path, cell, message):
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, f"path,action\n0.mp4,sing\n1.mp4,{cell}\n")
    assert "line 3" in str(caught.value) and message in str(caught.value)


def test_a_list_may_give_several_indices(tmp_path):
    manifest = read(tmp_path, "0.mp4 0 2\n1.mp4 1\n2.mp4 dance|sing\n", "train.txt")
    assert [row.labels.get("action") for row in manifest] == ["0|2", "1", "dance|sing"]
    assert manifest.labels["action"] == ("0", "1", "2", "dance", "sing")


def test_several_indices_become_the_names_found_beside_the_list(tmp_path):
    (tmp_path / "classes.txt").write_text("dance\nride a bike\nsing\n", encoding="utf-8")
    manifest = read(tmp_path, "0.mp4 0 2\n1.mp4 1\n", "train.txt")
    assert [row.labels.get("action") for row in manifest] == ["dance|sing", "ride a bike"]


def test_an_unknown_part_is_refused():
    row = Row(Path("/set/a.mp4"), {"action": "dance|fly"}, origin="clips.csv:2")
    with pytest.raises(ManifestError, match="not among the classes"):
        Manifest((row,), Labels(action=("dance", "sing")))


def people(labels: list[str]) -> Manifest:
    rows = tuple(
        Row(Path(f"/set/{number}.mp4"), {"action": label}, subject=f"person_{number}", root=Path("/set"))
        for number, label in enumerate(labels)
    )
    return Manifest(rows, Labels.found_in(row.labels for row in rows))


def test_splits_and_folds_count_every_part():
    # "sing" is rare and comes only beside others: no whole label tells that it must be in each part.
    manifest = people(["a", "b", "a|b", "none"] * 10 + ["a|sing", "b|sing", "a|b|sing", "sing|a|b"])
    for seed in range(5):
        split = split_rows(manifest, seed=seed, validation=0.25, test=0.25)
        for part in ("train", "validation", "test"):
            held = manifest.with_rows(manifest.rows[index] for index in split.parts[part])
            assert held.counts("action")["sing"] >= 1
        for fold in make_folds(manifest, folds=4, seed=seed, validation=0):
            held = manifest.with_rows(manifest.rows[index] for index in fold.parts["test"])
            assert held.counts("action")["sing"] == 1


def test_the_check_counts_every_part(tmp_path):
    report = check_dataset(read(tmp_path, "path,action\n0.mp4,sing|dance\n1.mp4,dance\n2.mp4,none\n"))
    assert {name: count.clips for name, count in report.classes["action"].items()} == {"dance": 2, "sing": 1}
