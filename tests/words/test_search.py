"""An index of moments: kept in step with its files, found again after a crash, searched exactly, and never guessing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import video_understanding as vu
from tests.words.counting import CountingIndex
from video_understanding.cli.main import main
from video_understanding.errors import SearchError, VideoUnderstandingError
from video_understanding.search import index as index_module
from video_understanding.search import vectors as vectors_module
from video_understanding.search.catalogue import Catalogue, Entry
from video_understanding.search.hits import joined_hits
from video_understanding.search.vectors import Vectors

from .conftest import picture

PROJECT = Path(__file__).resolve().parents[2]


def write_video(file: Path, colours: str, seconds: int = 3) -> None:
    """A film of the colours, each for so many seconds."""
    chance = np.random.default_rng(1)
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"mp4v"), 8, (64, 48))
    for colour in colours.split():
        frame = picture(colour, chance)[:, :, ::-1]
        for _ in range(8 * seconds):
            writer.write(frame)
    writer.release()


@pytest.fixture(scope="module")
def model(words_world):
    return vu.load(words_world / "model")


@pytest.fixture
def library(tmp_path) -> Path:
    folder = tmp_path / "library"
    (folder / "inner").mkdir(parents=True)
    write_video(folder / "film.mp4", "red blue")
    write_video(folder / "inner" / "other.mp4", "green")
    (folder / "notes.txt").write_text("no medium")
    return folder


@pytest.fixture
def index(library, model, tmp_path):
    with vu.Index(tmp_path / "index", model) as made:
        made.add(library, progress=False)
        yield made


def found(index, words: str, **options) -> list[tuple[str, float, float]]:
    return [(Path(hit.file).name, hit.start_s, hit.end_s) for hit in index.search(f"a {words} wall", **options)]


def test_a_sentence_finds_the_moment_and_not_only_the_file(index):
    (name, start_s, end_s), *others = found(index, "blue")
    assert name == "film.mp4" and not others
    assert start_s == pytest.approx(3, abs=0.6) and end_s == pytest.approx(6, abs=0.2)  # neighbours are one
    assert found(index, "green")[0][0] == "other.mp4"


def test_where_nothing_fits_the_list_is_empty(index):
    assert found(index, "white") == []
    assert found(index, "white", min_score=0.0, top=3) != []


def test_top_under_and_scores(index, library):
    hits = index.search("a red wall", top=5, min_score=0.0)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(index.search("a red wall", top=1, min_score=0.0)) == 1
    assert {name for name, *_ in found(index, "red", min_score=0.0, under=library / "inner")} == {"other.mp4"}


def test_a_moment_finds_its_like_and_its_file_need_not_be_in_the_index(index, library, words_world):
    (hit, *_) = index.search(index.moment(library / "film.mp4", 4.5))
    assert hit.start_s >= 2.4 and Path(hit.file).name == "film.mp4"
    (hit, *_) = index.search(index.moment(words_world / "pictures" / "1.png"))  # green
    assert Path(hit.file).name == "other.mp4"
    with pytest.raises(SearchError, match="ends at"):
        index.moment(library / "film.mp4", 100)


def test_only_what_changed_is_read_again(index, library, monkeypatch):
    read = []
    monkeypatch.setattr(index_module, "moments_of", noting(index_module.moments_of, read))
    assert index.add(library, progress=False).same == 2 and read == []
    (library / "film.mp4").rename(library / "inner" / "renamed.mp4")
    shutil.copy(library / "inner" / "other.mp4", library / "copy.mp4")
    done = index.add(library, progress=False)
    assert (done.moved, done.new, done.gone, read) == (1, 1, 0, [])
    assert found(index, "blue")[0][0] == "renamed.mp4"
    write_video(library / "inner" / "other.mp4", "white")
    assert index.add(library, progress=False).changed == 1 and len(read) == 1
    assert found(index, "white")[0][0] == "other.mp4"
    (library / "inner" / "renamed.mp4").unlink()
    assert index.add(library / "inner", progress=False).gone == 1
    assert found(index, "red") == []
    assert found(index, "green")[0][0] == "copy.mp4"  # which lies elsewhere, and stays


def noting(function, calls: list):
    """The function, which notes that it was called."""

    def noted(*arguments):
        calls.append(arguments)
        return function(*arguments)

    return noted


def test_vectors_of_files_that_are_gone_are_packed_away(index, library):
    for name in ("a", "b", "c"):
        write_video(library / f"{name}.mp4", "white", seconds=4)
    index.add(library, progress=False)
    before = sum(file.stat().st_size for file in index.folder.glob("vectors-*"))
    for name in ("a", "b", "c", "film"):
        (library / f"{name}.mp4").unlink()
    index.add(library, progress=False)
    after = sum(file.stat().st_size for file in index.folder.glob("vectors-*"))
    assert after < before / 2
    assert found(index, "green")[0][0] == "other.mp4"


def test_what_cannot_be_read_is_told_once_and_the_others_go_on(index, library):
    (library / "broken.mp4").write_bytes(b"not a film")
    done = index.add(library, progress=False)
    assert list(done.unreadable) == [str(library / "broken.mp4")]
    assert index.add(library, progress=False).unreadable == {}


_CHILD = """
import sys, time
from pathlib import Path
from tests.words.counting import CountingIndex
library, words, out = map(Path, sys.argv[1:])
CountingIndex(out, words, slow_s=0.05).add(library, progress=False)
"""


def test_a_killed_run_goes_on_where_it_was(words_world, tmp_path):
    library, folder, words = tmp_path / "library", tmp_path / "killed", words_world / "model"
    library.mkdir()
    for number in range(30):
        (library / f"{number}.mp4").write_text(f"content {number}")
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(library), str(words), str(folder)], cwd=PROJECT)
    while child.poll() is None and sum(file.stat().st_size for file in folder.glob("vectors-*")) < 3000:
        time.sleep(0.01)
    child.kill()
    child.wait()
    with CountingIndex(folder, words) as index, CountingIndex(tmp_path / "whole", words) as whole:
        kept = len(index.catalogue.entries())
        done = index.add(library, progress=False)
        assert 0 < kept < 30 and (done.same, done.new) == (kept, 30 - kept)
        whole.add(library, progress=False)
        found, wanted = (own.search("a green wall", top=99, min_score=0.0) for own in (index, whole))
        assert found == wanted and len(found) >= 30


def test_an_index_belongs_to_its_model(index, library, monkeypatch, tmp_path):
    monkeypatch.setattr(index_module, "same_space", lambda *_: False)
    write_video(library / "new.mp4", "red")
    with pytest.raises(SearchError, match="another model"):
        index.add(library, progress=False)
    with pytest.raises(SearchError, match="does not exist"):
        vu.Index(tmp_path / "nothing").search("a red wall")
    with pytest.raises(SearchError, match=r"Name the model"):
        vu.Index(tmp_path / "nothing").add(library, progress=False)
    assert not (tmp_path / "nothing").exists()


def test_a_damaged_index_is_one_line(index):
    index.close()
    shard = next(index.folder.glob("vectors-*"))
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(SearchError, match="fewer vectors"):
        index.search("a red wall")
    (index.folder / "catalogue.db").write_bytes(b"half a database" * 100)
    for rest in index.folder.glob("catalogue.db-*"):
        rest.unlink()
    index.close()
    with pytest.raises(SearchError, match="cannot be read"):
        index.search("a red wall")


def test_a_query_without_known_words_is_one_line(index):
    for query, said in (
        ("", "is empty"),
        ("   ", "is empty"),
        ("qqqq", "no word"),
        ("日本語", "no word"),
        ("x " * 100_000, "letters"),
    ):
        with pytest.raises(VideoUnderstandingError, match=said) as refused:
            index.search(query)
        assert len(str(refused.value)) < 200


def test_a_query_of_ten_thousand_words_is_answered(index):
    assert found(index, "blue " * 10_000)[0][0] == "film.mp4"


def test_the_search_is_exact_and_reads_large_indexes_piece_by_piece(tmp_path, monkeypatch, model):
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(500, model.words.size)).astype(np.float32)
    monkeypatch.setattr(vectors_module, "_SHARD_ROWS", 150)
    monkeypatch.setattr(vectors_module, "_BLOCK_ROWS", 64)
    vectors = Vectors(tmp_path, model.words.size)
    for first in range(0, 500, 100):
        vectors.write(first, rows[first : first + 100], np.zeros((100, 2)))
    read = np.concatenate([block for _, block in vectors.blocks(500)])
    assert np.array_equal(read, rows.astype(np.float16).astype(np.float32))
    assert len(list(tmp_path.glob("vectors-0-*"))) == 4


def test_neighbours_are_joined_and_a_second_place_in_a_file_is_a_hit_of_its_own():
    entry = Entry("/a.mp4", 0, 0, "", 10.0, 0, 9)
    spans_s = np.stack([np.arange(9), np.arange(9) + 2], axis=1).astype(np.float32)  # overlapping by half
    scores = np.array([0.9, 0.95, 0.6, 0.1, 0.1, 0.7, 0.2, 0.1, 0.1], np.float32)
    hits = sorted(joined_hits(entry, scores, spans_s, 0.5), key=lambda hit: hit.start_s)
    assert [(hit.start_s, hit.end_s, round(hit.score, 2), hit.best_s) for hit in hits] == [
        (0, 3, 0.95, 2.0),
        (5, 7, 0.7, 6.0),
    ]


def test_the_catalogue_survives_other_names(tmp_path):
    Catalogue.make(tmp_path, {"format": "1"})
    catalogue = Catalogue(tmp_path)
    names = ["/ü '; drop table files; --.mp4", "/a\nb.mp4"]
    catalogue.put([Entry(name, 1, 2, "d", 3.0, 0, 0) for name in names])
    assert set(catalogue.entries()) == set(names)


def test_the_program_indexes_and_searches(library, words_world, tmp_path, capsys):
    out = str(tmp_path / "made")
    assert main(["index", str(library), "--out", out]) == 2
    assert "has to be read by the model" in capsys.readouterr().err
    assert main(["index", str(library), "--out", out, "--model", str(words_world / "model"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["new"] == 2
    assert main(["index", str(library), "--out", out]) == 0
    assert "2 same" in capsys.readouterr().out
    page = tmp_path / "page.html"
    assert main(["search", out, "a blue wall", "--json", "--report", str(page)]) == 0
    (hit,) = json.loads(capsys.readouterr().out)
    assert set(hit) == {"file", "start_s", "end_s", "score"} and hit["file"].endswith("film.mp4")
    assert "data:image/jpeg" in page.read_text() and "a blue wall" in page.read_text()
    assert main(["search", out, "--like", f"{library / 'film.mp4'}@1.0"]) == 0
    assert "film.mp4" in capsys.readouterr().out
    (library / "film.mp4").unlink()
    assert main(["search", out, "a blue wall", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == [] and "gone" in said.err
    assert main(["search", out]) == 2
