"""Which clips a model was trained with: a fingerprint of each clip's content in its bundle, and no name of any."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from video_understanding.datasets.content_digest import content_digest
from video_understanding.datasets.rows import Row
from video_understanding.errors import BundleError
from video_understanding.whole_file import write_whole

TRAINING_CLIPS_FILE = "training_clips.json"
TRAINING_PARTS = ("train", "validation")
_FORMAT = 1
_DIGEST_BYTES = 8
_BLOCK_BYTES = 1 << 16  # sixteen of a large file: a data set is not read whole again

Span = tuple[float, float | None]  # seconds; None is the end of the file


@dataclass(frozen=True)
class TrainingClips:
    """The clips that a model was trained with, to recognise them under any name.

    key     of the fingerprints: those of two trainings cannot be compared with each other
    spans   part ("train" taught the model, "validation" chose its best epoch) -> fingerprint of a file -> spans in it
    """

    key: str
    spans: Mapping[str, Mapping[str, Sequence[Span]]]

    @classmethod
    def of(cls, rows: Sequence[Row], parts: Sequence[str | None], key: str) -> TrainingClips:
        """Those of the rows in `TRAINING_PARTS`; a file that cannot be read was not learned from either."""
        spans: dict[str, dict[str, list[Span]]] = {part: defaultdict(list) for part in TRAINING_PARTS}
        prints: dict[Path, str | None] = {}
        for row, part in zip(rows, parts, strict=True):
            if part not in spans:
                continue
            if row.path not in prints:
                prints[row.path] = _fingerprint(row.path, key)
            found = prints[row.path]
            if found is not None:
                spans[part][found].append((row.start_s or 0.0, row.end_s))
        return cls(key, spans)

    @classmethod
    def read(cls, folder: Path) -> TrainingClips | None:
        """Those of the bundle in a folder; None where it does not say."""
        file = folder / TRAINING_CLIPS_FILE
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            if values["format"] != _FORMAT:
                raise BundleError(file, f"has format {values['format']!r}", "Install a newer version.")
            spans = {
                part: {
                    str(name): [(float(start_s), None if end_s is None else float(end_s)) for start_s, end_s in own]
                    for name, own in values["clips"][part].items()
                }
                for part in TRAINING_PARTS
            }
            return cls(str(values["key"]), spans)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise BundleError(
                file, f"does not tell the training's clips ({type(error).__name__})", "Restore it from a copy."
            ) from error

    def write(self, folder: Path) -> None:
        """Writes them into the bundle's folder."""
        values = {"format": _FORMAT, "key": self.key, "clips": self.spans}
        write_whole(folder / TRAINING_CLIPS_FILE, json.dumps(values, separators=(",", ":")) + "\n", BundleError)

    def parts_of(self, rows: Sequence[Row]) -> list[str | None]:
        """For each row the part of the training that had some of the clip; "train" if both; None if neither."""
        prints = {path: _fingerprint(path, self.key) for path in {row.path for row in rows}}
        return [next((part for part in TRAINING_PARTS if self._had(part, prints[row.path], row)), None) for row in rows]

    def _had(self, part: str, fingerprint: str | None, row: Row) -> bool:
        start_s, end_s = row.start_s or 0.0, row.end_s
        return any(
            (end_s is None or known_start_s < end_s) and (known_end_s is None or start_s < known_end_s)
            for known_start_s, known_end_s in self.spans[part].get(fingerprint or "", ())
        )


def _fingerprint(path: Path, key: str) -> str | None:
    """Of a file's length and content, under a key; None where it cannot be read."""
    try:
        return content_digest(path, _DIGEST_BYTES, _BLOCK_BYTES, key.encode()[: hashlib.blake2b.MAX_KEY_SIZE])
    except OSError:
        return None
