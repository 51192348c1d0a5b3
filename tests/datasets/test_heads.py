"""Any column of a table can be named as a head, and all that depends on heads uses these."""

from __future__ import annotations

from pathlib import Path

import pytest

from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.datasets.rows import Row
from video_understanding.datasets.splits import Split, split_rows
from video_understanding.errors import ManifestError, SplitError
from video_understanding.labels import Labels


def table(folder: Path, text: str, name: str = "clips.csv") -> Path:
    (folder / "a.mp4").touch()
    (folder / "b.mp4").touch()
    source = folder / name
    source.write_text(text, encoding="utf-8")
    return source


def test_the_columns_that_are_named_are_the_heads_in_their_order(tmp_path):
    source = table(tmp_path, "path,action,Scene,emotion\na.mp4,run,street,sad\nb.mp4,,beach|street,\n")
    manifest = load_manifest(source, heads=["scene", "action"])
    assert manifest.labels.heads == ("scene", "action")
    assert [row.labels for row in manifest] == [{"scene": "street", "action": "run"}, {"scene": "beach|street"}]
    assert manifest.rows[0].extra == {"emotion": "sad"}
    assert manifest.counts("scene") == {"beach": 1, "street": 2}
    assert any("--multi-label scene" in note for note in manifest.notes)
    usual = load_manifest(source)
    assert usual.heads == ("action", "emotion") and usual.rows[0].extra == {"Scene": "street"}
    assert load_manifest(source, candidates=("scene", "weather")).heads == ("scene",)


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        (["action", "weather"], "no clip is labelled for weather"),
        (["weather"], "has no label column"),
        (["path"], "has a meaning of its own"),
        (["Scene!"], "is not a word"),
        ([], "name no column"),
    ],
)
def test_an_invalid_head_is_refused(tmp_path, heads, message):
    source = table(tmp_path, "path,action,scene\na.mp4,run,street\n")
    with pytest.raises(ManifestError, match=message):
        load_manifest(source, heads=heads)


def test_class_folders_and_lists_label_the_first_head_that_is_named(tmp_path):
    for scene in ("street", "beach"):
        (tmp_path / "clips" / scene).mkdir(parents=True)
        (tmp_path / "clips" / scene / "a.mp4").touch()
    assert load_manifest(tmp_path / "clips", heads=["scene"]).labels == Labels(scene=("beach", "street"))
    listing = table(tmp_path, "a.mp4 street\nb.mp4 beach\n", "clips.txt")
    assert load_manifest(listing, heads=["scene"]).labels == Labels(scene=("beach", "street"))


def test_folders_named_after_a_head_label_it(tmp_path):
    for place in ("scene/street", "scene/beach", "action/run"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "a.mp4").touch()
    manifest = load_manifest(tmp_path, heads=["action", "scene"])
    assert manifest.labels == Labels(action=("run",), scene=("beach", "street"))


def test_sources_complete_each_other_and_contradictions_are_errors(tmp_path):
    one = table(tmp_path, "path,action\na.mp4,run\nb.mp4,sit\n", "one.csv")
    two = table(tmp_path, "path,scene\na.mp4,street\n", "two.csv")
    manifest = load_manifest(one, two, heads=["action", "scene"])
    assert [row.labels for row in manifest] == [{"action": "run", "scene": "street"}, {"action": "sit"}]
    other = table(tmp_path, "path,scene\na.mp4,beach\n", "other.csv")
    with pytest.raises(ManifestError, match=r"scene is .street. in two\.csv:2, .beach. in other\.csv:2"):
        load_manifest(two, other, heads=["scene"])


def people(**third: str) -> Manifest:
    """Sixty clips of twelve people; a third head, if any, is rare in one class."""
    rows = [
        Row(
            Path(f"/d/p{n % 12}_{n}.mp4"),
            {
                "action": ("run", "sit")[n % 2],
                "emotion": None if n % 5 == 0 else ("glad", "sad")[n % 3 % 2],
                **{head: name if n % 12 in (2, 5, 9) else "other" for head, name in third.items()},
            },
            subject=f"p{n % 12}",
            root=Path("/d"),
        )
        for n in range(60)
    ]
    return Manifest(rows, Labels.found_in((row.labels for row in rows), ("action", "emotion", *third)))


def test_a_split_of_the_two_usual_heads_has_the_hash_that_it_always_had():
    assert split_rows(people(), seed=0).hash == "918ec6fe8de3deab"


def test_splits_balance_every_head_and_a_frozen_one_stores_its_labels():
    manifest = people(scene="beach")
    for seed in range(8):
        split = split_rows(manifest, seed=seed, validation=0.25, test=0.25)
        for indices in split.parts.values():
            assert manifest.with_rows(manifest.rows[index] for index in indices).counts("scene")["beach"]
    assert Split.from_json(split.to_json(), manifest) == split
    with pytest.raises(SplitError, match="changed in their labels"):
        Split.from_json(split.to_json(), people(scene="street"))
