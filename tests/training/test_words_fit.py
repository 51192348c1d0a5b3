"""What clips and sentences share is found in closed form and by contrast, and probabilities of it are calibrated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from video_understanding.datasets.manifest import Manifest, Row
from video_understanding.errors import TrainingError
from video_understanding.evaluation.retrieval import Retrieval
from video_understanding.labels import Labels
from video_understanding.training.words import fit as fit_module
from video_understanding.training.words.canonical import canonical_projections
from video_understanding.training.words.contrast import ContrastSettings, contrast_projections
from video_understanding.training.words.fit import CLOSED_FORM, CONTRAST, fit_words
from video_understanding.training.words.tags import with_tags
from video_understanding.words.space import signed_roots, unit
from video_understanding.words.words_file import read_words, same_space, write_words

CLIPS, SENTENCES = 150, 3
OWNERS = np.repeat(np.arange(CLIPS), SENTENCES)


@pytest.fixture(scope="module")
def world() -> tuple[np.ndarray, np.ndarray, list[tuple[str, ...]]]:
    """Statistics [2,K,24] whose last four never vary, text features [N,16], and sentences; six hidden causes of all."""
    chance = np.random.default_rng(0)
    causes = chance.normal(size=(CLIPS, 6))
    clips = causes @ chance.normal(size=(6, 20)) + chance.normal(size=(2, CLIPS, 20)) * 0.3
    clips = np.concatenate([clips, np.full((2, CLIPS, 4), 3.0)], axis=2)
    texts = causes[OWNERS] @ chance.normal(size=(6, 16)) + chance.normal(size=(len(OWNERS), 16)) * 0.3
    signs = [[f"{'high' if value > 0 else 'low'}{place}" for place, value in enumerate(own)] for own in causes]
    sentences = [tuple(" ".join(chance.permutation(own)[:5]) for _ in range(SENTENCES)) for own in signs]
    return clips.astype(np.float32), texts.astype(np.float32), sentences


def test_the_closed_form_brings_each_sentence_to_its_clip(world):
    clips, texts, _ = world
    half = OWNERS < CLIPS // 2
    of_clips, of_texts = canonical_projections(clips[:, : CLIPS // 2], texts[half], OWNERS[half])
    assert not of_clips.weights[-4:].any()  # what never varies says nothing
    new = unit(of_clips(clips[0, CLIPS // 2 :]))
    found = Retrieval.of(unit(of_texts(texts[~half])), new, OWNERS[~half] - CLIPS // 2)
    assert found.text_to_clip.within[5] > 0.8 and found.clip_to_text.within[5] > 0.8


def test_contrast_brings_each_sentence_to_its_clip_too(world):
    clips, texts, _ = world
    half = OWNERS < CLIPS // 2
    settings = ContrastSettings(epochs=60, batch_size=64, hidden=16, dimensions=8, dropout=0.1)
    of_clips, of_texts = contrast_projections(
        clips[:, : CLIPS // 2], texts[half], OWNERS[half], settings=settings, progress=False
    )
    new = unit(of_clips(clips[0, CLIPS // 2 :]))
    found = Retrieval.of(unit(of_texts(texts[~half])), new, OWNERS[~half] - CLIPS // 2)
    assert found.text_to_clip.within[5] > 0.5


def test_contrast_gives_the_same_twice(world):
    clips, texts, _ = world
    settings = ContrastSettings(epochs=1, batch_size=200, hidden=8, dimensions=4)
    one, other = (contrast_projections(clips, texts, OWNERS, settings=settings, progress=False) for _ in range(2))
    for first, second in zip(one, other, strict=True):
        assert np.array_equal(first.weights, second.weights)
        assert np.array_equal(first.hidden.inner, second.hidden.inner)


def test_what_is_left_out_decides_how_much_each_counts_and_calibrates(world, monkeypatch, tmp_path):
    clips, _, sentences = world
    monkeypatch.setattr(fit_module, "FEWEST_SENTENCES", 100)
    monkeypatch.setattr(fit_module, "contrast_projections", worthless)
    options = {"modality": "video", "pooling": "mean_and_change", "encoders": ("word_counts",)}
    found = fit_words(clips, sentences, np.arange(CLIPS), **options)
    assert found.shares == {CLOSED_FORM: 1.0}  # noise takes no part
    space = found.space
    write_words(space, tmp_path)
    again = read_words(tmp_path)
    assert same_space(again, read_words(tmp_path))
    vectors = again.embed_texts([sentences[0][0], sentences[1][0]])
    assert np.allclose(vectors, space.embed_texts([sentences[0][0], sentences[1][0]]), atol=1e-2)
    own = space.clips["video"].projection(signed_roots(clips[0]))  # [K,D]
    texts = space.embed_texts([one[0] for one in sentences])  # [K,D]
    told = space.calibration.probabilities(texts @ own.T, texts)  # [K,K]
    others = told[~np.eye(CLIPS, dtype=bool)]
    assert np.diag(told).mean() > 4 * others.mean() and others.mean() < 0.1


def worthless(clips, texts, *_, **__):
    """Projections that have learned nothing."""
    chance = np.random.default_rng(1)
    return tuple(
        fit_module.Projection(
            values.reshape(-1, values.shape[-1]).mean(axis=0), chance.normal(size=(values.shape[-1], 8)).astype("f4")
        )
        for values in (clips, texts)
    )


def test_a_hidden_layer_comes_back_from_its_file(world, monkeypatch, tmp_path):
    clips, _, sentences = world
    monkeypatch.setattr(fit_module, "_SHARES", (0.5,))
    monkeypatch.setattr(fit_module, "FEWEST_SENTENCES", 100)
    settings = ContrastSettings(epochs=2, hidden=16, dimensions=8)
    monkeypatch.setattr(
        fit_module,
        "contrast_projections",
        lambda *arguments, **named: contrast_projections(*arguments, **named, settings=settings),
    )
    found = fit_words(
        clips, sentences, np.arange(CLIPS), modality="video", pooling="mean_and_change", encoders=("word_counts",)
    )
    assert found.shares == {CLOSED_FORM: 0.5, CONTRAST: 0.5}
    write_words(found.space, tmp_path)
    texts = [own[0] for own in sentences]
    assert np.allclose(read_words(tmp_path).embed_texts(texts), found.space.embed_texts(texts), atol=1e-2)


def test_too_few_clips_are_refused():
    with pytest.raises(TrainingError, match="words need 20"):
        fit_words(
            np.ones((1, 5, 4), np.float32), [("a dog",)] * 5, np.arange(5), modality="video", pooling="mean_and_change"
        )


def test_tags_are_the_words_that_clips_share_and_not_those_that_join_them():
    rows = [
        Row(Path(f"/{number}.png"), texts=(f"A {animal} and the man .", f"the {animal}"), split=split)
        for number, (animal, split) in enumerate([("dog", "train"), ("cat", "train"), ("dog", "train"), ("cat", None)])
    ]
    rows += [Row(Path("/5.png"), texts=("a zebra",), split="test"), Row(Path("/6.png"))]
    manifest = with_tags(Manifest(tuple(rows), Labels({})))
    assert manifest.labels == Labels(tags=("cat", "dog"))
    assert [row.labels.get("tags") for row in manifest] == ["dog", "cat", "dog", "cat", "none", None]
    with pytest.raises(TrainingError, match="several clips share"):
        with_tags(Manifest((Row(Path("/1.png"), texts=("a dog",)),), Labels({})))
