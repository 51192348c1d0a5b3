"""Reads a folder of class folders, which may be inside split folders and head folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from video_understanding.datasets.rows import PART_NAMES, Row, is_media
from video_understanding.errors import ManifestError
from video_understanding.labels import HEADS

_LAYOUT = "Put the clips of each class into a folder named after it, or describe them in a clips.csv."
_EMOTIONS = (
    "neutral calm happy happiness joy joyful sad sadness angry anger fear fearful afraid scared disgust disgusted "
    "surprise surprised contempt bored boredom excited excitement frustrated frustration"
)
EMOTION_WORDS = frozenset(_EMOTIONS.split())


@dataclass(frozen=True)
class _Folder:
    """A folder on disk, without hidden files."""

    path: Path
    media: tuple[Path, ...]
    others: tuple[Path, ...]
    folders: tuple[_Folder, ...]

    @property
    def name(self) -> str:
        return self.path.name.strip()

    def all_below(self) -> Iterator[_Folder]:
        yield self
        for folder in self.folders:
            yield from folder.all_below()

    def all_media(self) -> Iterator[Path]:
        for folder in self.all_below():
            yield from folder.media

    @property
    def has_no_media(self) -> bool:
        return next(self.all_media(), None) is None


@dataclass(frozen=True)
class _Class:
    """A class folder, with the split and the head given by the folders above it."""

    folder: _Folder
    split: str | None
    head: str | None


def read_folder(root: Path, name: str, heads: Sequence[str] = HEADS) -> tuple[list[Row], list[str]]:
    """Rows and notes of a folder of class folders; `name` is its name in messages, `heads` are what they may label."""
    top = _open(root)
    others = Counter(path.suffix.lower() or "no ending" for folder in top.all_below() for path in folder.others)
    ignored = f"{others.total()} file(s) that are not media ({', '.join(sorted(others))})" if others else ""
    if top.has_no_media:
        inside = f"; it holds {ignored}" if others else ""
        raise ManifestError(name, f"holds no media file, nor do the folders in it{inside}", _LAYOUT)
    notes = [f"{name}: {ignored}: ignored."] if others else []
    classes = list(_classes(top, None, None, name, heads, notes))
    default_head, why = _default_head({entry.folder.name for entry in classes if entry.head is None}, heads)
    notes += [f"{name}: {why}"] if why else []
    rows = [
        Row(
            path,
            {entry.head or default_head: entry.folder.name},
            split=entry.split,
            origin=f"{name}/{path.relative_to(root).as_posix()}",
            root=root,
        )
        for entry in classes
        for path in entry.folder.all_media()
    ]
    return rows, notes


def _open(path: Path, above: tuple[tuple[int, int], ...] = ()) -> _Folder:
    try:
        status = path.stat()
        here = (status.st_dev, status.st_ino)
        entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
        kinds = [(entry, entry.is_dir()) for entry in entries]
    except OSError as error:
        raise ManifestError(
            path, f"this folder cannot be read ({error.strerror})", "Check that you may read it, or take it away."
        ) from error
    if here in above:  # a link to a folder above would recurse without end
        return _Folder(path, (), (), ())
    files = [entry for entry, is_folder in kinds if not is_folder]
    return _Folder(
        path,
        media=tuple(file for file in files if is_media(file)),
        others=tuple(file for file in files if not is_media(file)),
        folders=tuple(_open(folder, (*above, here)) for folder, is_folder in kinds if is_folder),
    )


def _classes(
    folder: _Folder, split: str | None, head: str | None, name: str, heads: Sequence[str], notes: list[str]
) -> Iterator[_Class]:
    """The class folders below `folder`, also inside folders named like a split or a head."""
    full = [inner for inner in folder.folders if not inner.has_no_media]
    if not full:
        raise ManifestError(folder.path, "holds media but no class folders", _LAYOUT)
    if folder.media:
        notes.append(f"{name}: {len(folder.media)} media file(s) beside the class folders: ignored.")
    empty = [inner.name for inner in folder.folders if inner.has_no_media]
    if empty:
        notes.append(f"{name}: no media in {', '.join(empty)}: ignored.")
    for known, kind, taken in ((PART_NAMES, "split", split), (heads, "head", head)):
        levels = [inner for inner in full if inner.name.lower() in known and taken is None]
        if len(levels) == len(full):
            for inner in levels:
                value = inner.name.lower()
                above = (PART_NAMES[value], head) if kind == "split" else (split, value)
                yield from _classes(inner, *above, name, heads, notes)
            return
        if any(not inner.media for inner in levels):  # with media in it, it can be a class of that name
            beside = next(inner.name for inner in full if inner not in levels)
            raise ManifestError(
                folder.path,
                f"has the {kind} folder {levels[0].name!r} and beside it {beside!r}",
                f"Move {beside!r} into a {kind} folder, or describe the clips in a clips.csv.",
            )
    for inner in full:
        yield _Class(inner, split, head)


def _default_head(names: set[str], heads: Sequence[str]) -> tuple[str, str | None]:
    """The head of class folders that are in no head folder, and a note where that is a guess."""
    if not set(HEADS) <= set(heads):
        return ("action" if "action" in heads else heads[0]), None
    words = {name for name in names if name.lower() in EMOTION_WORDS}
    if names and words == names:
        return "emotion", "the class folders are named after emotions and so label emotion, not action."
    if len(words) > len(names) / 2:
        rest = ", ".join(sorted(names - words))
        return "action", f"most class folders are named after emotions, but not {rest}: all label action. " + (
            "Put them into a folder named emotion to label emotion."
        )
    return "action", None
