"""One row of a manifest: a labelled clip, and how each of its fields is read from text."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from video_understanding.labels import BETWEEN, NONE, classes_of

PARTS: tuple[str, ...] = ("train", "validation", "test")
PART_NAMES: Mapping[str, str] = {
    **{part: part for part in PARTS},
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "testing": "test",
}
_VIDEO = "3g2 3gp asf avi dv f4v flv gif m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogv ts vob webm wmv"
_SOUND = "aac ac3 aif aiff amr au caf flac m4a mka mp3 oga ogg opus wav wma"
_PICTURE = "bmp jpe jpeg jpg png tif tiff webp"
MEDIA_SUFFIXES = frozenset(f".{ending}" for ending in f"{_VIDEO} {_SOUND}".split())
PICTURE_SUFFIXES = frozenset(f".{ending}" for ending in _PICTURE.split())
_CLOCK = re.compile(r"(?:(\d{1,5}):)?(\d{1,2}):(\d{1,2}(?:\.\d*)?)")


@dataclass(frozen=True)
class Row:
    """One clip and its metadata; None means "not given".

    path          the media file, absolute
    labels        head -> class name, as written; "dance|sing" where the clip shows several
    subject       who or what the clip shows: clips of one subject must not be in both training and test
    split         "train", "validation" or "test"
    fold          number of the fold the clip is tested in
    start_s       where the clip begins in the file, in seconds
    end_s         where it ends, in seconds
    texts         sentences about the clip, each once
    extra         the manifest's other columns
    origin        where the row was read, such as "clips.csv:17", for messages
    root          the folder of its data set: names of subjects and files are unique inside it
    """

    path: Path
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    subject: str | None = None
    split: str | None = None
    fold: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    texts: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)
    origin: str = ""
    root: Path = Path("/")

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", {head: label for head, label in self.labels.items() if label})

    @property
    def place(self) -> tuple[Path, float, float | None]:
        """The key by which two rows are the same clip: the file and the span in it."""
        return self.path, self.start_s or 0.0, self.end_s

    @property
    def name(self) -> str:
        """The path relative to the data set's folder, the same wherever the data set lies."""
        return Path(os.path.relpath(self.path, self.root)).as_posix()


def is_media(path: str | Path) -> bool:
    """Whether a name has the extension of a sound or video file."""
    return Path(path).suffix.lower() in MEDIA_SUFFIXES


def absolute_path(text: str, folder: Path) -> Path:
    """A path as written in a manifest that lies in `folder`; "~" and Windows separators are understood."""
    path = _below(folder, text)
    if "\\" in text and not is_there(path):
        turned = _below(folder, text.replace("\\", "/"))
        if is_there(turned):
            return turned
    return path


def is_there(path: Path) -> bool:
    """Whether a file or folder can be found; one in a folder that may not be entered cannot."""
    try:
        return path.exists()
    except OSError:
        return False


def _below(folder: Path, text: str) -> Path:
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # "~name" of no user of this machine is an ordinary file name
        path = Path(text)
    return Path(os.path.normpath(folder / path))


def label(column: str, text: str) -> str:
    """The label as it is written; ValueError with the cause if one of several classes is invalid, naming the column."""
    if BETWEEN in text:
        if not all(part.strip() for part in text.split(BETWEEN)):
            raise ValueError(f"{column} {text!r} has an empty class beside {BETWEEN!r}")
        if NONE in classes_of(text):
            raise ValueError(f"{column} {text!r} names classes and {NONE!r} as well")
    return text


def part_named(text: str) -> str:
    """ "train", "validation" or "test" for any usual name of it; ValueError with the cause otherwise."""
    if text.lower() not in PART_NAMES:
        raise ValueError(f"split {text!r} is not train, validation or test")
    return PART_NAMES[text.lower()]


def fold_number(text: str) -> int:
    """A fold's number, also when a spreadsheet made "2.0" of it; ValueError with the cause otherwise."""
    if not re.fullmatch(r"\d+(\.0*)?", text):
        raise ValueError(f"fold {text!r} is not a whole number")
    return int(text.partition(".")[0])


def seconds(column: str, text: str) -> float:
    """Seconds from "12.5", "1:02.5" or "0:01:02.5"; ValueError with the cause otherwise, naming the column."""
    clock = _CLOCK.fullmatch(text)
    if clock:
        hours, minutes, rest = int(clock[1] or 0), int(clock[2]), float(clock[3])
        if minutes >= 60 or rest >= 60:
            raise ValueError(f"{column} {text!r} is not a time: minutes and seconds end at 59")
        return hours * 3600 + minutes * 60 + rest
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{column} {text!r} is not a number of seconds")
    if value < 0:
        raise ValueError(f"{column} {text!r} is negative")
    return value


def short_names(paths: Iterable[Path]) -> dict[Path, str]:
    """The last part of each path, with as many parts before it as make it unique."""
    paths = list(dict.fromkeys(paths))
    names = {}
    for path in paths:
        depth = 1
        while any(other.parts[-depth:] == path.parts[-depth:] for other in paths if other != path):
            depth += 1
        names[path] = "/".join(path.parts[-depth:])
    return names
