"""Words learned from a table of sentences: saved with the model, measured both ways, and used as labels."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import video_understanding as vu
from video_understanding.cli.main import main
from video_understanding.errors import BundleError, VideoUnderstandingError
from video_understanding.training.words.learn import add_words
from video_understanding.words.words_scorer import NONE_OF_THESE

from .conftest import COLOURS, SPEC, TEST_PICTURES


def test_a_table_of_sentences_trains_a_model_with_words_and_tags(words_world):
    bundle = vu.Bundle.read(words_world / "model")
    assert set(bundle.labels["tags"]) >= set(COLOURS)
    words = bundle.facts["words"]
    assert (words["clips"], words["sentences"]) == (44, 88)
    # Pictures of one colour cannot be told apart by sentences: a rank up to as many as there are is right.
    assert words["test"]["text_to_clip"]["median_rank"] <= TEST_PICTURES
    assert words["test"]["text_to_clip"]["r5"] == 100.0


def test_the_card_and_info_say_what_the_words_reach(words_world, capsys):
    card = (words_world / "model" / "README.md").read_text()
    assert "88 sentences about 44 clips" in card and "on test clips: from words to clips" in card
    assert main(["info", str(words_world / "model")]) == 0
    assert "88 sentences about 44 clips" in " ".join(capsys.readouterr().out.split())


def test_the_saved_words_bring_sentences_near_their_pictures(words_world):
    model = vu.load(words_world / "model")
    near = {colour: model.embed_text(f"a {colour} wall") for colour in COLOURS}
    for number, colour in enumerate(COLOURS):
        moments = model.embed(words_world / "pictures" / f"{number}.png")
        assert moments.values.shape == (1, model.words.size)
        assert max(near, key=lambda name: moments.values[0] @ near[name]) == colour
        assert np.isclose(np.linalg.norm(moments.values[0]), 1, atol=1e-5)


def test_evaluate_tells_retrieval_both_ways(words_world, capsys):
    assert main(["evaluate", str(words_world / "model"), str(words_world / "captions.csv"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["clips"] == TEST_PICTURES * len(COLOURS)  # the others taught the model
    found, back = report["retrieval"]["text_to_clip"], report["retrieval"]["clip_to_text"]
    assert set(found) == set(back) == {"r1", "r5", "r10", "median_rank"}
    # Four pictures and eight sentences of each colour cannot be told apart: more than those are never needed.
    assert found["r5"] == 100.0 and back["r10"] == 100.0
    assert "left out" in report["notes"][0]


def test_labels_in_own_words_are_a_head(words_world, capsys):
    files = [str(words_world / "pictures" / f"{number}.png") for number in range(len(COLOURS))]
    labels = ", ".join(f"a {colour} wall" for colour in COLOURS)
    assert main(["predict", str(words_world / "model"), *files, "--labels", labels, "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [answer["words"]["label"] for answer in answers] == [f"a {colour} wall" for colour in COLOURS]
    assert sum(answers[0]["words"]["scores"].values()) == pytest.approx(1, abs=1e-4)
    assert "tags" in answers[0]


def test_what_is_not_among_the_labels_is_none_of_them(words_world):
    model = vu.load(words_world / "model").with_labels(["a green wall", "a blue wall"])
    answer = model.predict(words_world / "pictures" / "0.png").heads["words"]  # a red one
    assert answer.label == NONE_OF_THESE


@pytest.mark.parametrize(
    ("labels", "said"),
    [("", "name nothing"), ("a red wall, a red wall", "twice"), ("qqqq", "no word that the model has learned")],
)
def test_labels_that_cannot_be_used_are_one_line(words_world, labels, said, capsys):
    file = str(words_world / "pictures" / "0.png")
    assert main(["predict", str(words_world / "model"), file, "--labels", labels]) == 2
    assert said in capsys.readouterr().err


def test_a_damaged_file_of_words_is_refused(words_world, tmp_path):
    file = tmp_path / "words.npz"
    whole = (words_world / "model" / "words.npz").read_bytes()
    model = vu.load(words_world / "model")
    model._folder = tmp_path
    for damaged in (whole[: len(whole) // 2], b"", b"PK" + whole[2:1000]):
        file.write_bytes(damaged)
        with pytest.raises(BundleError, match="cannot be read"):
            model.__dict__.pop("words", None)
            model.embed_text("a red wall")


def test_a_model_without_words_says_how_to_get_some(words_world):
    model = vu.load(words_world / "model")
    model._folder = None
    with pytest.raises(VideoUnderstandingError, match="text column"):
        model.embed_text("a red wall")


def test_words_can_be_given_to_a_bundle_that_has_none(words_world, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(words_world / "model", folder)
    (folder / "words.npz").unlink()
    bundle = vu.Bundle.read(folder).with_facts(words=None)
    assert vu.load(folder).words is None
    bundle = add_words(bundle, vu.load_manifest(words_world / "captions.csv"), progress=False)
    assert bundle.facts["words"]["test"]["text_to_clip"]["r5"] == 100.0
    assert vu.load(folder).embed_text("a red wall").shape == (bundle.facts["words"]["dimensions"],)


def test_labels_beside_too_few_sentences_are_learned_and_the_words_are_not(words_world, tmp_path):
    lines = ["path,action,text"]
    for number in range(16):
        sentence = "a wall" if number < 8 else ""
        lines.append(f"{words_world}/pictures/{number}.png,{list(COLOURS)[number % 2]},{sentence}")
    (tmp_path / "few.csv").write_text("\n".join(lines) + "\n")
    bundle = vu.train(vu.load_manifest(tmp_path / "few.csv"), SPEC, tmp_path / "model", progress=False)
    assert bundle.labels.heads == ("action",) and not (tmp_path / "model" / "words.npz").exists()
    assert any("No words are learned" in warning for warning in bundle.facts["warnings"])
