"""Sentences become vectors: pieces of words as SentencePiece cuts them, their vectors, and weighted counts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from video_understanding.errors import MissingExtraError, VideoUnderstandingError
from video_understanding.words import static_vectors
from video_understanding.words.byte_pairs import BytePairs
from video_understanding.words.encoders import TEXT_ENCODERS, fit_encoders
from video_understanding.words.static_vectors import StaticVectors
from video_understanding.words.word_counts import WordCounts

PIECES = ["<unk>", "<0xC3>", "<0xA9>", "▁d", "og", "▁dog", "▁", "d", "o", "g", "s", "c", "a", "t"]


def package(folder: Path, **changes) -> Path:
    """A folder like that of the installed package, with a vocabulary of a few pieces."""
    vectors = np.eye(len(PIECES), 4, dtype=np.float16) + 1
    about = {"embedding.weight": {"dtype": "F16", "shape": [len(PIECES), 4], "data_offsets": [0, vectors.nbytes]}}
    header = json.dumps(about | changes).encode()
    for name in ("weights", "tokenizers"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "weights" / "l2_supercat_256.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header + vectors.tobytes()
    )
    vocabulary = {"model": {"vocab": {piece: number for number, piece in enumerate(PIECES)}}}
    (folder / "tokenizers" / "l2_supercat_tokenizer_config.json").write_text(json.dumps(vocabulary))
    return folder


def test_the_earliest_piece_of_the_vocabulary_is_joined_first():
    cut = BytePairs(PIECES)
    assert [PIECES[number] for number in cut("dog")] == ["▁dog"]
    assert [PIECES[number] for number in cut(" cat  dogs ")] == ["▁", "c", "a", "t", "▁dog", "s"]


def test_letters_without_a_piece_fall_back_to_bytes_and_unknown_bytes_are_left_out():
    cut = BytePairs(PIECES)
    assert [PIECES[number] for number in cut("é")] == ["▁", "<0xC3>", "<0xA9>"]
    assert [PIECES[number] for number in cut("日")] == ["▁"]


def test_a_word_of_any_length_takes_no_time():
    assert len(BytePairs(PIECES)("d" * 1_000_000)) <= 200


def test_the_vectors_of_a_package_are_read_from_its_files_alone(tmp_path):
    encoder = StaticVectors.from_package(package(tmp_path))
    wanted = (np.eye(len(PIECES), 4) + 1)[PIECES.index("▁dog")]
    assert np.allclose(encoder.encode(["dog"])[0], wanted, atol=0.02)  # stored in 8 bits
    assert not encoder.encode([""]).any()
    again = StaticVectors.from_arrays(encoder.arrays)
    assert np.array_equal(again.encode(["dog cat"]), encoder.encode(["dog cat"]))


def test_other_files_in_the_package_are_one_line(tmp_path):
    with pytest.raises(VideoUnderstandingError, match=r"version 0\.4"):
        StaticVectors.from_package(tmp_path)
    package(tmp_path, **{"embedding.weight": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]}})
    with pytest.raises(VideoUnderstandingError, match="F32"):
        StaticVectors.from_package(tmp_path)


def test_a_package_that_is_not_installed_names_the_extra(monkeypatch):
    monkeypatch.setattr(static_vectors, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install '.\[words\]'"):
        fit_encoders(["static"], ["a dog"])
    with pytest.raises(VideoUnderstandingError, match="word_counts"):
        fit_encoders(["statics"], ["a dog"])


def test_rare_words_count_more_and_unknown_ones_not_at_all():
    sentences = ["a dog runs"] * 6 + ["a cat runs"] * 3
    encoder = WordCounts.fit(sentences)
    assert encoder.vocabulary == ("a", "cat", "dog", "runs")
    dog, cat = encoder.encode(["A DOG, runs!", "the cat"])
    assert dog[encoder.vocabulary.index("dog")] == pytest.approx(1)  # of words in all sentences nothing is left
    assert cat[encoder.vocabulary.index("cat")] == pytest.approx(1)
    assert not encoder.encode(["zebra"]).any()


@pytest.mark.parametrize("name", TEXT_ENCODERS)
def test_arrays_of_another_form_are_refused(name):
    encoder = WordCounts(("a",), np.ones(1, np.float32))
    if name == "static":
        encoder = StaticVectors(BytePairs(("a",)), np.ones((1, 2), np.int8), np.ones((1, 1), np.float32))
    for array in encoder.arrays:
        broken = {**encoder.arrays, array: encoder.arrays[array].astype(np.float32).ravel()[:0]}
        with pytest.raises((ValueError, KeyError)):
            type(encoder).from_arrays(broken)
