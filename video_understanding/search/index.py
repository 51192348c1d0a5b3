"""The index: moments of many files on disk, kept in step with the files, and searched exactly."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Set
from pathlib import Path

import numpy as np

from video_understanding.bundle import WORDS_FILE
from video_understanding.errors import MediaError, SearchError
from video_understanding.locks import one_owner
from video_understanding.progress import Bar
from video_understanding.recognition.recognizer import Recognizer
from video_understanding.search.catalogue import CATALOGUE_FILE, FORMAT, Catalogue, Entry
from video_understanding.search.hits import Hit, best_hits, joined_hits
from video_understanding.search.moments import Moments, moments_of
from video_understanding.search.sources import absolute, digest_of, files_of, is_below
from video_understanding.search.vectors import Vectors
from video_understanding.words.space import CommonSpace
from video_understanding.words.words_file import read_words, same_space, write_words

MIN_SCORE = 0.5
_PACKED_FROM = 0.5  # share of rows that belong to no file any more, from which on they are removed
_HELD_BYTES = 256 << 20  # of vectors that are kept in memory between searches; more are read from the disk each time


@dataclasses.dataclass(frozen=True)
class Added:
    """What one `Index.add` did: numbers of files, and path -> why it could not be read."""

    new: int
    changed: int
    moved: int
    gone: int
    same: int
    unreadable: dict[str, str]


class Index:
    """The moments of many files, in a folder.

        index = vu.Index("library.vu", vu.load("saved_models/words"))
        index.add("videos/")
        index.search("a dog on a beach", top=10)

    To search, the model is not needed: the index holds the words that were learned with it. It may be given as a
    function, too, that loads it when the first file has to be read.
    """

    def __init__(self, folder: str | Path, model: Recognizer | Callable[[], Recognizer] | None = None) -> None:
        self.folder, self._model = Path(folder), model
        self._catalogue: Catalogue | None = None
        self._space: CommonSpace | None = None
        self._held: np.ndarray | None = None
        self._end = 0  # the row behind the last, while files are added

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the files on disk; they are opened again when they are needed."""
        if self._catalogue is not None:
            self._catalogue.close()
        self._catalogue = self._space = self._held = None

    @property
    def space(self) -> CommonSpace:
        """The space that its moments and sentences share."""
        if self._space is None:
            _ = self.catalogue  # says what is wrong with the folder
            self._space = read_words(self.folder)
            if self._space is None:
                raise SearchError(self.folder, f"has no {WORDS_FILE}", "Make the index again.")
        return self._space

    @property
    def catalogue(self) -> Catalogue:
        """Its files."""
        if self._catalogue is None:
            catalogue = Catalogue(self.folder)
            if catalogue.about.get("format") != FORMAT:
                found = f"has format {catalogue.about.get('format')!r}, this program reads format {FORMAT}"
                catalogue.close()
                raise SearchError(self.folder, found, "Make the index again.")
            self._catalogue = catalogue
        return self._catalogue

    def add(self, *sources: str | Path, progress: bool | None = None) -> Added:
        """Brings the index in step with files and folders: what is new or changed is read, what is gone is dropped.

        Each file is on the disk before the next is read, so a run that was stopped goes on where it was. A file that
        was moved, or copied, is known by its content and not read again.

        Args:
            sources: files and folders; of other files in the index nothing changes.
            progress: whether a bar is shown; None shows it on a terminal only.

        Raises:
            SearchError: a source does not exist, the index is another model's, or another process adds to it.
        """
        files, roots = files_of(sources)
        with one_owner(self.folder, "indexing", SearchError):
            self._begin()
            entries = self.catalogue.entries()
            self._end = max((entry.first + entry.moments for entry in entries.values()), default=0)
            by_digest = {entry.digest: entry for entry in entries.values() if entry.error is None}
            present = set(map(str, files))
            gone = {path for path in entries if is_below(path, roots) and path not in present}
            counts = dict.fromkeys(("new", "changed", "moved", "same"), 0)
            unreadable: dict[str, str] = {}
            sizes = {file: _size(file) for file in files}
            waiting = [file for file in files if not _is_same(sizes[file], entries.get(str(file)))]
            counts["same"] = len(files) - len(waiting)
            megabytes = sum(sizes[file][0] for file in waiting) / 1e6
            with Bar(round(megabytes, 1), "Indexing", "MB", shown=progress) as bar:
                for number, file in enumerate(waiting, 1):
                    what, entry = self._entry(file, sizes[file], entries.get(str(file)), by_digest, gone)
                    counts[what] += 1
                    self.catalogue.put([entry])
                    self._held = None
                    if entry.error is None:
                        by_digest[entry.digest] = entry
                    else:
                        unreadable[entry.path] = entry.error
                    bar.update(sizes[file][0] / 1e6)
                    bar.set_postfix(f"{number}/{len(waiting)} files")
            self.catalogue.remove(sorted(gone))
            self._pack()
        return Added(**counts, gone=len(gone) - counts["moved"], unreadable=unreadable)

    def search(
        self,
        query: str | np.ndarray,
        top: int = 10,
        min_score: float = MIN_SCORE,
        under: str | Path | None = None,
    ) -> list[Hit]:
        """The moments that fit best, best first, neighbours joined; none where nothing fits.

        Args:
            query: a sentence, or a vector float32 [D] such as `moment` gives.
            top: how many at most.
            min_score: the least probability that a hit fits, from 0 to 1, as it was calibrated in the training.
            under: only files in and below this folder.

        Raises:
            VideoUnderstandingError: the query is empty or has no word that the model has learned.
        """
        if top < 1 or not 0 <= min_score <= 1:
            raise SearchError("search", f"top {top} and min_score {min_score:g} cannot be", "See its description.")
        vector = self.space.embed_texts([query])[0] if isinstance(query, str) else query
        entries = [entry for entry in self.catalogue.entries().values() if entry.moments]
        if under is not None:
            entries = [entry for entry in entries if is_below(entry.path, [absolute(under)])]
        scores = self._scores(vector, max((entry.first + entry.moments for entry in entries), default=0))  # [N]
        hits = []
        # A file's best moment decides whether its hits can be among the first: most files are never opened.
        best = [(float(scores[entry.first : entry.first + entry.moments].max()), entry) for entry in entries]
        best = sorted((pair for pair in best if pair[0] >= min_score), key=lambda pair: -pair[0])
        for score, entry in best:
            if len(hits) >= top and score < sorted(hit.score for hit in hits)[-top]:
                break
            own = scores[entry.first : entry.first + entry.moments]
            hits += joined_hits(entry, own, self._vectors.rows(entry.first, entry.moments)[1], min_score)
        return best_hits(hits, top)

    def moment(self, file: str | Path, at_s: float | None = None) -> np.ndarray:
        """The vector float32 [D] of the moment of a file nearest to `at_s`, or of the whole file.

        A file of the index is not read again; another one is, by the model.

        Raises:
            SearchError: the file is not in the index, and the index was opened without a model.
        """
        path = absolute(file)
        entry = self.catalogue.entries().get(str(path))
        if entry is not None and entry.moments:
            values, spans_s = self._vectors.rows(entry.first, entry.moments)
        else:
            found = self._read(path)
            values, spans_s = found.values, found.spans_s
        if at_s is None:
            mean = values.astype(np.float32).mean(axis=0)
            return mean / np.linalg.norm(mean)
        if at_s > spans_s[:, 1].max() + 1e-3:
            raise SearchError(file, f"ends at {spans_s[:, 1].max():.1f} s", "Name a moment in it.")
        return values[np.abs(spans_s.mean(axis=1) - at_s).argmin()].astype(np.float32)

    def __len__(self) -> int:
        return sum(entry.moments for entry in self.catalogue.entries().values())

    @property
    def _vectors(self) -> Vectors:
        return Vectors(self.folder, self.space.size, int(self.catalogue.about["generation"]))

    def _begin(self) -> None:
        """Makes the index where there is none."""
        if (self.folder / CATALOGUE_FILE).is_file():
            return
        write_words(self._own_model(self.folder, is_new=True).words, self.folder)
        Catalogue.make(self.folder, {"format": FORMAT, "generation": "0"})

    def _own_model(self, needed_for: str | Path, *, is_new: bool = False) -> Recognizer:
        """The model, loaded and with the words of the index; `needed_for` is the file that has to be read."""
        if self._model is None:
            raise SearchError(needed_for, "has to be read by the model of the index", "Name the model, too.")
        if not isinstance(self._model, Recognizer):
            self._model = self._model()
        if self._model.words is None:
            self._model.embed_text("")  # says that the model has none
        if not is_new and not same_space(self.space, self._model.words):
            raise SearchError(self.folder, "is the index of another model", "Name that model, or make another index.")
        return self._model

    def _entry(
        self,
        file: Path,
        size: tuple[int, int],
        known: Entry | None,
        by_digest: Mapping[str, Entry],
        gone: Set[str],
    ) -> tuple[str, Entry]:
        """What happened to a file, "new", "changed" or "moved", and its entry from now on."""
        what = "new" if known is None else "changed"
        place = {"path": str(file), "size": size[0], "mtime_ns": size[1]}
        try:
            digest = digest_of(file)
        except OSError as error:
            return what, Entry(**place, digest="", duration_s=0, first=0, moments=0, error=str(error.strerror))
        same = by_digest.get(digest)
        if same is not None:
            is_moved = known is None and same.path in gone
            return "moved" if is_moved else what, dataclasses.replace(same, **place)
        try:
            found = self._read(file)
        except MediaError as error:
            return what, Entry(**place, digest=digest, duration_s=0, first=0, moments=0, error=error.cause)
        first, self._end = self._end, self._end + len(found.values)
        self._vectors.write(first, found.values, found.spans_s)
        return what, Entry(**place, digest=digest, duration_s=found.duration_s, first=first, moments=len(found.values))

    def _read(self, file: str | Path) -> Moments:
        return moments_of(file, self._own_model(file))

    def _scores(self, vector: np.ndarray, rows: int) -> np.ndarray:
        """float32 [rows]: for every moment the probability that it fits the vector [D]."""
        alike = np.empty(rows, np.float32)
        if rows * self.space.size * 4 <= _HELD_BYTES:
            if self._held is None or len(self._held) < rows:
                self._held = np.concatenate(
                    [block for _, block in self._vectors.blocks(rows)] or [np.zeros((0, self.space.size), np.float32)]
                )
            np.matmul(self._held[:rows], vector, out=alike)
        else:
            for first, block in self._vectors.blocks(rows):
                alike[first : first + len(block)] = block @ vector
        return self.space.calibration.probabilities(alike[None], vector[None])[0]

    def _pack(self) -> None:
        """Writes the vectors of files that are still there anew, where many others lie between them."""
        entries = list(self.catalogue.entries().values())
        ranges = {(entry.first, entry.moments) for entry in entries if entry.moments}
        end, used = max((first + count for first, count in ranges), default=0), sum(count for _, count in ranges)
        if end - used <= _PACKED_FROM * end:
            return
        old = self._vectors
        new = Vectors(self.folder, old.size, old.generation + 1)
        new.remove()  # of a run that was stopped
        places, begin = {}, 0
        for first, count in sorted(ranges):
            new.write(begin, *old.rows(first, count))
            places[first] = begin
            begin += count
        packed = [dataclasses.replace(entry, first=places.get(entry.first, 0)) for entry in entries]
        self.catalogue.replace_all(packed, {"generation": str(new.generation)})
        self._held = None
        old.remove()


def _size(file: Path) -> tuple[int, int]:
    """Bytes of a file and the time of its last change in ns; zeros where it cannot be looked up."""
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _is_same(size: tuple[int, int], known: Entry | None) -> bool:
    return known is not None and (known.size, known.mtime_ns) == size
