"""The cache of prepared clips: every clip is read from its file once, and from then on comes from memory.

What is kept of the pictures is what a network looks at: of larger ones the part in which most moves.

Each clip has a file of its own, named by all that it depends on (the media file's identity, the span, the
spec), so that nothing can be stale: what changes gets another name. Files appear whole or not at all, so
several processes may prepare and read the same cache, and any of them may be stopped at any moment.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.at_once import at_once
from video_understanding.datasets.one_writer import one_writer
from video_understanding.datasets.record import Record, read_record, write_record
from video_understanding.datasets.rows import Row
from video_understanding.datasets.windows import window_starts_s
from video_understanding.errors import CacheError, VideoUnderstandingError
from video_understanding.media.closer import closer
from video_understanding.media.decode import read_clips
from video_understanding.modality import MODALITIES, modalities_of, with_derived
from video_understanding.spec import ModelSpec

# Raised whenever the reader would make other pixels or samples of the same file.
_PREPARATION = 1
_FOLDER_VARIABLE = "VIDEO_UNDERSTANDING_CACHE"


@dataclass(frozen=True)
class SetAside:
    """A clip that could not be read, and why."""

    row: Row
    reason: str


class PreparedClips(Sequence):
    """The windows of all clips that could be read, in the order of their rows.

    `row_numbers` int64 [windows] says which of `rows` each window belongs to; `set_aside` tells what is missing.
    """

    def __init__(
        self,
        spec: ModelSpec,
        records: Sequence[tuple[int, Record]],
        set_aside: Sequence[SetAside],
        rows: Sequence[Row],
    ) -> None:
        self.spec = spec
        self.rows = tuple(rows)
        self.set_aside = tuple(set_aside)
        self._places = [(record, window) for _, record in records for window in range(len(record.facts))]
        self._names = {number: record.name for number, record in records}
        self.row_numbers = np.array([number for number, record in records for _ in record.facts], np.int64)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> Clip:
        record, window = self._places[number]
        return record.clip(window)

    def arrays(self, modality: str, numbers: Sequence[int], there: np.ndarray | None = None) -> np.ndarray:
        """What the network takes of several windows, copied out of the cache.

        Args:
            modality: such as "video", of which this is uint8 [B,T,H,W,3], or "audio", float32 [B,N].
            numbers: of the windows, [B].
            there: bool [B], `presence` of this modality, where the caller has it.

        Returns:
            [B,...], zeros where a window lacks the modality.
        """
        made = MODALITIES[modality]
        there = self.presence(numbers, (modality,))[:, 0] if there is None else there
        arrays = np.zeros((len(numbers), *made.window_shape(self.spec)), made.dtype)
        for place in np.flatnonzero(there):
            record, window = self._places[numbers[place]]
            arrays[place] = record.array(modality, window)
        return arrays

    def name_of(self, row: int) -> str:
        """What the prepared clip of a row is called in the cache: another file, span or setting has another name."""
        return self._names[row]

    def presence(self, numbers: Sequence[int], names: Sequence[str] | None = None) -> np.ndarray:
        """bool [B,M]: which modalities windows have, those of the spec if none are named; silence counts as absent.

        A clip's sound is read once, to find whether it is silent.
        """
        names = self.spec.modalities if names is None else names
        presence = np.zeros((len(numbers), len(names)), bool)  # [B,M]
        for place, number in enumerate(numbers):
            record, window = self._places[number]
            presence[place] = [record.presence[window][name] for name in names]
        return presence

    def report(self) -> str:
        """What was set aside, a line for each clip; empty if nothing was."""
        if not self.set_aside:
            return ""
        lines = [f"  {aside.row.origin or aside.row.path}: {aside.reason}" for aside in self.set_aside]
        return "\n".join([f"{len(lines)} clip(s) were set aside:", *lines])

    def __repr__(self) -> str:
        aside = f", {len(self.set_aside)} set aside" if self.set_aside else ""
        return f"PreparedClips({len(self)} windows of {len(np.unique(self.row_numbers))} clips{aside})"


class ClipCache:
    """A folder of prepared clips; it may be deleted at any time, and is then made again.

    Without a folder it is the one named by the VIDEO_UNDERSTANDING_CACHE variable, or lies where the
    system keeps caches.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder) if folder is not None else _default_folder()

    def prepare(
        self, rows: Sequence[Row], spec: ModelSpec, workers: int | None = None, progress: bool | None = None
    ) -> PreparedClips:
        """All windows of all rows, read now if they were not before; what cannot be read is set aside.

        `workers` clips are read at a time (as many as there are processors by default). A progress bar is
        shown on a terminal, or always or never with `progress` True or False.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error
        found: dict[int, Record] = {}
        failed: dict[int, str] = {}
        missing: dict[int, Path] = {}
        settings = json.dumps(_stored_settings(spec), sort_keys=True)
        for number, row in enumerate(rows):
            path, reason = self._place(row, settings)
            record = read_record(path) if path else None
            if record is not None:
                found[number] = record
            elif path is None or (reason := _known_failure(path)):
                failed[number] = reason
            else:
                missing[number] = path
        if missing:
            self._require_space(len(missing), spec)
            self._make_folders({path.parent for path in missing.values()})
            numbers = list(missing)
            read = at_once(
                lambda number: self._prepare(rows[number], spec, missing[number]),
                numbers,
                "Preparing clips",
                workers,
                progress,
            )
            for place, result in read:
                (found if isinstance(result, Record) else failed)[numbers[place]] = result
        aside = [SetAside(rows[number], reason) for number, reason in sorted(failed.items())]
        return PreparedClips(spec, sorted(found.items()), aside, rows)

    def _place(self, row: Row, settings: str) -> tuple[Path | None, str]:
        """Where the record of a row is or will be; None and the reason if its media file cannot be looked up."""
        try:
            status = row.path.stat()
        except OSError as error:
            return None, f"cannot be found ({error.strerror})"
        file = [
            str(row.path.absolute()),
            # The time of the last change to the file's record cannot be set by hand, as that of its content can.
            [status.st_size, status.st_mtime_ns, status.st_ctime_ns],
            [row.start_s, row.end_s],
        ]
        depends_on = f"[{_PREPARATION}, {settings}, {json.dumps(file)[1:]}"  # one list as JSON; settings are told once
        name = hashlib.sha256(depends_on.encode()).hexdigest()[:40]
        return self.folder / name[0] / f"{name}.clips", ""

    def _prepare(self, row: Row, spec: ModelSpec, path: Path) -> Record | str:
        """Reads one clip and stores it at `path`, or says why not; another process at the same clip is waited for."""
        try:
            try:
                with one_writer(path, lambda: read_record(path) is not None) as file:
                    if file is not None:
                        write_record(file, _windows(row, spec))
            except VideoUnderstandingError as error:
                _failure_file(path).write_text(f"{error.cause}. {error.cure}", "utf-8", "backslashreplace")
                return f"{error.cause}. {error.cure}"
        except OSError as error:
            raise _cannot_write(self.folder, error) from error
        record = read_record(path)
        if record is None:
            raise CacheError(self.folder, "gives back other data than was written", "Check the disk.")
        return record

    def _make_folders(self, folders: Iterable[Path]) -> None:
        try:
            for folder in folders:
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error

    def _require_space(self, clips: int, spec: ModelSpec) -> None:
        """Better no beginning than a disk filled up; most clips have one window, so that much is asked for."""
        needed = clips * (int(np.prod(spec.frames_shape)) + 2 * spec.samples)
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise CacheError(
                self.folder,
                f"has {_size(free)} left, and the clips need about {_size(needed)}",
                f"Free some space, or name another folder in the {_FOLDER_VARIABLE} variable.",
            )


def _stored_settings(spec: ModelSpec) -> dict[str, Any]:
    """What of the spec decides what is stored."""
    settings = spec.to_dict()
    for part, name in ((settings, "network"), (settings["audio"], "log_mel"), (settings["audio"], "hop_s")):
        part.pop(name)  # comes later: it does not change what is stored
    settings.pop("modalities", None)
    derived = [[one.name, one.prepare, one.window_shape(spec)] for one in modalities_of(spec.derived)]
    return {**settings, "derived": derived} if derived else settings


def _windows(row: Row, spec: ModelSpec) -> list[Clip]:
    """The clips of one row, with frames and derived modalities as the network takes them."""
    start_s = row.start_s or 0.0

    def starts_of(duration_s: float) -> list[float]:
        return window_starts_s(start_s, duration_s if row.end_s is None else row.end_s, spec.window_s)

    clips = read_clips(row.path, spec, starts_of, row.end_s)
    return [closer(with_derived(clip, spec), spec) for clip in clips]


def _size(size_bytes: int) -> str:
    """ "1.2 GB", "34.0 MB", "512 bytes": in the unit that shows a difference."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes} bytes"


def _default_folder() -> Path:
    named = os.environ.get(_FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser()
    system = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(system) if system else Path.home() / ".cache") / "video-understanding" / "clips"


def _failure_file(path: Path) -> Path:
    return path.with_suffix(".failed")


def _known_failure(path: Path) -> str:
    try:
        return _failure_file(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _cannot_write(folder: Path, error: OSError) -> CacheError:
    if error.errno == errno.ENOSPC:
        return CacheError(
            folder, "is on a disk that is full", f"Free some space, or name another folder in {_FOLDER_VARIABLE}."
        )
    return CacheError(
        folder, f"cannot be written ({error.strerror})", f"Name a folder you may write to in {_FOLDER_VARIABLE}."
    )
