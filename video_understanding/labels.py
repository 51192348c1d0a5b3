"""The heads a clip can be labelled for, and the class names of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from video_understanding.errors import ManifestError
from video_understanding.safe_text import has_controls
from video_understanding.strict_json import strict_json

HEADS: tuple[str, ...] = ("action", "emotion")
BETWEEN = "|"  # stands between the classes of a clip that shows several
NONE = "none"  # says of a clip in a multi-label head that it shows none of the classes


def classes_of(text: str | None) -> tuple[str, ...]:
    """Classes that a label names, each once: "dance | sing" names two; None and "" say nothing of the clip."""
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(BETWEEN) if part.strip()))


@dataclass(frozen=True)
class Labels:
    """Class names of each head, in the order of the scores; an empty tuple means the head is absent."""

    action: tuple[str, ...] = ()
    emotion: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for head in HEADS:
            names = tuple(getattr(self, head))
            object.__setattr__(self, head, names)
            if any(not isinstance(name, str) or not name.strip() for name in names):
                raise ManifestError(head, "has an empty class name", "Give every class a name.")
            odd = [name for name in names if has_controls(name)]
            if odd:
                cause = f"has the class {odd[0]!r}, with a line break or another control character"
                raise ManifestError(head, cause, "Name it by letters, digits and signs.")
            if len(set(names)) != len(names):
                twice = sorted({name for name in names if names.count(name) > 1})
                raise ManifestError(head, f"has the class {twice[0]!r} twice", "Name each class once.")

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads that have classes."""
        return tuple(head for head in HEADS if getattr(self, head))

    def names(self, head: str) -> tuple[str, ...]:
        """Class names of one head, in the order of its scores."""
        if head not in HEADS:
            raise ManifestError(head, "is not a head", f"Use one of: {', '.join(HEADS)}.")
        return getattr(self, head)

    def index(self, head: str, name: str) -> int:
        """Place of a class among the scores of its head."""
        names = self.names(head)
        if name not in names:
            known = ", ".join(names) or "none"
            raise ManifestError(f"{head} {name!r}", "is not a known class", f"Known classes: {known}.")
        return names.index(name)

    def classes_of(self, head: str, text: str | None) -> tuple[str, ...]:
        """Classes that a label of this head names; "none" names none of them, unless a class is called so."""
        named = classes_of(text)
        return () if named == (NONE,) and NONE not in self.names(head) else named

    @classmethod
    def found_in(cls, rows: Iterable[Mapping[str, str | None]]) -> Labels:
        """All classes named in rows like `{"action": "surfing", "emotion": None}`, sorted by name.

        Where any label of a head names several classes, "none" is not the name of a class in that head.
        """
        rows, found = list(rows), {}
        for head in HEADS:
            labels = {row[head] for row in rows if row.get(head)}
            several = any(BETWEEN in label for label in labels)
            names = {name for label in labels for name in classes_of(label)}
            found[head] = tuple(sorted(names - ({NONE} if several else set())))
        return cls(**found)

    def to_json(self) -> str:
        return json.dumps({head: list(getattr(self, head)) for head in HEADS}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Labels:
        try:
            heads = strict_json(text)
            if any(isinstance(names, str) for names in heads.values()):
                raise TypeError("names are a text, not a list")
            return cls(**{head: tuple(names) for head, names in heads.items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise ManifestError(
                "labels",
                f"are not JSON of the form {{head: [names]}} ({error})",
                f"Heads are: {', '.join(HEADS)}.",
            ) from error
