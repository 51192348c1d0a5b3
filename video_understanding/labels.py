"""The heads a clip can be labelled for: their names, their kinds, and the classes of each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from video_understanding.errors import ManifestError
from video_understanding.safe_text import has_controls
from video_understanding.strict_json import strict_json

HEADS: tuple[str, ...] = ("action", "emotion")  # those of a data set for which no others are named
KINDS: tuple[str, ...] = ("single", "multi")
BETWEEN = "|"  # stands between the classes of a clip that shows several
NONE = "none"  # says of a clip in a multi-label head that it shows none of the classes
# What stands beside the heads' names in tables, and in the JSON of predictions, streams and splits.
_IN_TABLES = "path subject split fold start end text"
_IN_JSON = "file error duration_s senses modalities segments notes name start_s end_s labels"
EMBEDDING = "embedding"  # what stands beside the scores of heads among the outputs of exports
_RESERVED = frozenset(f"{_IN_TABLES} {_IN_JSON} {EMBEDDING}".split())
_RESERVED_ENDINGS = ("_confidence", "_nearest")  # of columns and keys that follow a head's own
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def classes_of(text: str | None) -> tuple[str, ...]:
    """Classes that a label names, each once: "dance | sing" names two; None and "" say nothing of the clip."""
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(BETWEEN) if part.strip()))


def require_head_name(name: str) -> str:
    """The name of a head, refused with a ManifestError where a table, a file or a network could not hold it."""
    cause = None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        cause = "is not a word of small letters, digits and _ that begins with a letter, of 40 at most"
    elif name in _RESERVED or name.endswith(_RESERVED_ENDINGS):
        cause = "has a meaning of its own and cannot name a head"
    if cause:
        raise ManifestError(f"head {name!r}", cause, "Give the head, and its column, another name.")
    return name


@dataclass(frozen=True)
class HeadSpec:
    """One head of a model.

    name      such as "action"
    classes   names, in the order of the scores
    kind      "single": a clip shows one class; "multi": several at once, or none
    """

    name: str
    classes: tuple[str, ...]
    kind: str = "single"

    def __post_init__(self) -> None:
        require_head_name(self.name)
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.kind not in KINDS:
            raise ManifestError(self.name, f"cannot be of kind {self.kind!r}", f"Use one of: {', '.join(KINDS)}.")
        if any(not isinstance(name, str) or not name.strip() for name in self.classes):
            raise ManifestError(self.name, "has an empty class name", "Give every class a name.")
        odd = [name for name in self.classes if has_controls(name)]
        if odd:
            cause = f"has the class {odd[0]!r}, with a line break or another control character"
            raise ManifestError(self.name, cause, "Name it by letters, digits and signs.")
        if len(set(self.classes)) != len(self.classes):
            twice = sorted({name for name in self.classes if self.classes.count(name) > 1})
            raise ManifestError(self.name, f"has the class {twice[0]!r} twice", "Name each class once.")

    @property
    def is_multi(self) -> bool:
        """Whether a clip may show several classes of this head at once, or none."""
        return self.kind == "multi"


class Labels(Mapping[str, tuple[str, ...]]):
    """Class names of each head, in the order of the scores; the order of the heads is that in which they are given.

        Labels(action=("run", "jump"), scene=("street", "beach"))

    A head without classes is left out. It cannot be changed.
    """

    __slots__ = ("_classes",)

    def __init__(self, heads: Mapping[str, Iterable[str]] | None = None, /, **more: Iterable[str]) -> None:
        given = [HeadSpec(name, tuple(classes)) for name, classes in {**(heads or {}), **more}.items()]
        self._classes = {head.name: head.classes for head in given if head.classes}

    def __getitem__(self, head: str) -> tuple[str, ...]:
        return self._classes[head]

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)

    def __hash__(self) -> int:
        return hash(frozenset(self._classes.items()))

    def __repr__(self) -> str:
        return f"Labels({', '.join(f'{head}={classes!r}' for head, classes in self.items())})"

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the heads."""
        return tuple(self)

    def names(self, head: str) -> tuple[str, ...]:
        """Class names of one head, in the order of its scores."""
        if head not in self:
            raise ManifestError(head, "is not a head", f"Use one of: {', '.join(self) or 'none'}.")
        return self[head]

    def classes_of(self, head: str, text: str | None) -> tuple[str, ...]:
        """Classes that a label of this head names; "none" names none of them, unless a class is called so."""
        named = classes_of(text)
        return () if named == (NONE,) and NONE not in self.get(head, ()) else named

    @classmethod
    def found_in(cls, rows: Iterable[Mapping[str, str | None]], heads: Sequence[str] = HEADS) -> Labels:
        """All classes named in rows like `{"action": "surfing", "emotion": None}`, sorted by name.

        Where any label of a head names several classes, "none" is not the name of a class in that head.
        """
        rows, found = list(rows), {}
        for head in heads:
            labels = {row[head] for row in rows if row.get(head)}
            several = any(BETWEEN in label for label in labels)
            names = {name for label in labels for name in classes_of(label)}
            found[head] = tuple(sorted(names - ({NONE} if several else set())))
        return cls(found)

    def to_dict(self) -> dict[str, list[str]]:
        """Head -> names, as plain values for JSON."""
        return {head: list(names) for head, names in self.items()}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Labels:
        try:
            heads = strict_json(text)
            if any(not isinstance(names, list) for names in heads.values()):
                raise TypeError("names are not a list")
        except (ValueError, TypeError, AttributeError) as error:
            raise ManifestError(
                "labels", f"are not JSON of the form {{head: [names]}} ({error})", "Write them with to_json()."
            ) from error
        return cls(heads)
