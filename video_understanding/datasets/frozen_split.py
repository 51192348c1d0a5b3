"""A split as a value: the rows of each part, its hash, and its file format."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from video_understanding.datasets.grouping import ClipId, clip_ids
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.rows import PARTS
from video_understanding.errors import SplitError
from video_understanding.labels import HEADS

SPLIT_FORMAT = 1  # raised when an older reader would misunderstand a newer file
_HASH_DIGITS = 16
_ANEW = "Restore the manifest, or split it anew; results of the two splits cannot be compared."


@dataclass(frozen=True, repr=False)
class Split:
    """Which rows of a manifest are for training, validation and test.

    parts   row indices of "train", "validation" and "test", each rising; a part may be empty
    clips   the identity of every row of the manifest
    seed    what the split was drawn with
    notes   remarks on the split, for those who read results measured with it
    """

    parts: Mapping[str, tuple[int, ...]] = field(hash=False)
    clips: tuple[ClipId, ...]
    seed: int
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        placed = sorted(index for indices in self.parts.values() for index in indices)
        if set(self.parts) != set(PARTS) or placed != list(range(len(self.clips))):
            raise SplitError(
                "split",
                f"its parts {', '.join(map(str, self.parts))} do not hold each of {len(self.clips)} rows once",
                "Give every row one place in train, validation or test.",
            )
        object.__setattr__(self, "parts", {part: tuple(sorted(self.parts[part])) for part in PARTS})

    @cached_property
    def hash(self) -> str:
        """Hash of the clips and their parts: the same for any order of the rows and any location of the data."""
        return _hash((clip, part) for clip, part in zip(self.clips, self.part_of_rows(), strict=True))

    def part_of_rows(self) -> list[str]:
        """The part of every row."""
        part_of = {index: part for part, indices in self.parts.items() for index in indices}
        return [part_of[index] for index in range(len(self.clips))]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{part} {len(indices)}" for part, indices in self.parts.items())
        noted = f", {len(self.notes)} note(s)" if self.notes else ""
        return f"Split({sizes}, seed {self.seed}, hash {self.hash}{noted})"

    def to_json(self) -> str:
        """The split with the identity of its clips, to be read again with `from_json`."""
        parts = {
            part: sorted((_to_dict(self.clips[index]) for index in indices), key=json.dumps)
            for part, indices in self.parts.items()
        }
        frozen = {"format": SPLIT_FORMAT, "hash": self.hash, "seed": self.seed, "notes": self.notes, "parts": parts}
        return json.dumps(frozen, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, manifest: Manifest) -> Split:
        """The frozen split of the same clips; refused where the manifest is not what was split."""
        try:
            frozen = json.loads(text)
            version = frozen["format"]
            if version == SPLIT_FORMAT:
                stored = [(_from_dict(clip), part) for part in PARTS for clip in frozen["parts"][part]]
                stored_hash, seed, notes = frozen["hash"], frozen["seed"], tuple(frozen["notes"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SplitError(
                "split", f"is not a frozen split ({type(error).__name__}: {error})", "Write it with to_json()."
            ) from error
        if version != SPLIT_FORMAT:
            raise SplitError(
                "split",
                f"has format {version!r}, this program reads format {SPLIT_FORMAT}",
                "Install a newer video-audio-understanding.",
            )
        if _hash(stored) != stored_hash:
            raise SplitError(f"split {stored_hash}", "its clips do not have this hash: it was changed by hand", _ANEW)
        clips = clip_ids(manifest.rows)
        _refuse_other_clips(Counter(clip for clip, _ in stored), Counter(clips), stored_hash)
        waiting: dict[ClipId, list[str]] = defaultdict(list)
        for clip, part in reversed(stored):
            waiting[clip].append(part)
        parts: dict[str, list[int]] = {part: [] for part in PARTS}
        for index, clip in enumerate(clips):
            parts[waiting[clip].pop()].append(index)
        return cls(parts, clips, seed, notes)


def _hash(placed: Iterable[tuple[ClipId, str]]) -> str:
    lines = sorted(json.dumps([*_hashed(clip), part]) for clip, part in placed)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_HASH_DIGITS]


def _hashed(clip: ClipId) -> list:
    """A clip's values for the hash; without further heads the same as in versions with these two heads only."""
    labels = dict(clip.labels)
    known = [labels.pop(head, None) for head in HEADS]
    return [clip.name, clip.start_s, clip.end_s, *known, *map(list, labels.items()), clip.subject]


def _to_dict(clip: ClipId) -> dict[str, str | float]:
    values = {**clip._asdict(), **dict(clip.labels)}
    del values["labels"]
    return {name: value for name, value in values.items() if value is not None}


def _from_dict(values: dict[str, str | float]) -> ClipId:
    name, start_s, end_s, subject = (values.get(own) for own in ("name", "start_s", "end_s", "subject"))
    labels = {head: label for head, label in values.items() if head not in ClipId._fields}
    return ClipId(name, start_s, end_s, tuple(sorted(labels.items())), subject)


def _refuse_other_clips(stored: Counter[ClipId], now: Counter[ClipId], stored_hash: str) -> None:
    removed, added = stored - now, now - stored
    if not removed and not added:
        return
    removed_spans, added_spans = (Counter(clip[:3] for clip in clips.elements()) for clips in (removed, added))
    changed = removed_spans & added_spans
    counts = {
        "added": (added_spans - changed).total(),
        "removed": (removed_spans - changed).total(),
        "changed in their labels or subject": changed.total(),
    }
    changes = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    first = min([*removed, *added], key=repr)
    raise SplitError(
        f"split {stored_hash}", f"the manifest differs from the one split: rows {changes} (first: {first.name})", _ANEW
    )
