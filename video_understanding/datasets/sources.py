"""Clips whose names indicate that they were cut from one recording, and whether a split separates such clips."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

from video_understanding.datasets.grouping import group_rows
from video_understanding.datasets.rows import Row

# "holiday_part2", "v_Surfing_g01_c02", "match-Scene-014": the part before the last word and number is the recording.
_PIECE = re.compile(r"(.+?)[\s_.-]+(?:c|clip|part|pt|piece|seg|segment|scene|shot|chunk|cut)[\s_.-]*\d{1,5}", re.I)
# "dQw4w9WgXcQ_000010_000020": a video's id, and seconds in it.
_TIMED = re.compile(r"(.+)_\d{6}_\d{6}")
# "party-0002": counts only where several recordings of a class are numbered like this, each from 0 or 1 on.
_NUMBERED = re.compile(r"(.*[^\W\d_].*?)[\s_.-]+(\d{1,5})")
# Generic names by cameras and programs: the number after them counts recordings, not the pieces of one.
_CAMERAS = "dsc dscf dscn gopr gx img image mov movie mvi mvimg pxl rec recording vid video"
_ANY_FILE = frozenset(f"clip file frame sample scene sequence shot take {_CAMERAS}".split())


@dataclass(frozen=True)
class TornSources:
    """Recordings whose clips, by their names, lie in several parts of a split.

    clips, sources   how many they are
    example          the names of two clips of one of them
    """

    clips: int
    sources: int
    example: tuple[str, str]

    def words(self, *, named: bool) -> str:
        """A warning in one line with what to do; `named` False leaves out the names of clips."""
        such = f", such as {self.example[0]} and {self.example[1]}" if named else ""
        return (
            f"accuracy may be overestimated: {self.clips} clips seem to be parts of {self.sources} recording(s){such}, "
            "and parts of the same recording are in training and test. Give each clip's recording in a subject "
            "column (a clips.csv beside the clips); clips of one subject always stay in one part."
        )


def torn_sources(rows: Sequence[Row], parts: Sequence[Hashable]) -> TornSources | None:
    """Rows without a subject that seem to be cut from one recording and lie in several of the parts."""
    found = _sources_of(rows)
    own = group_rows(rows)  # the pieces of one file differ in their spans, not in their names
    members: dict[Hashable, list[int]] = defaultdict(list)
    for place, source in found.items():
        members[source].append(place)
    torn = [
        places
        for places in members.values()
        if len({parts[place] for place in places}) > 1 and len({own[place] for place in places}) > 1
    ]
    if not torn:
        return None
    first = torn[0][0]
    other = next(place for place in torn[0] if parts[place] != parts[first])
    return TornSources(sum(map(len, torn)), len(torn), (rows[first].path.name, rows[other].path.name))


def _sources_of(rows: Sequence[Row]) -> dict[int, Hashable]:
    """For indices of rows without a subject: the recording that they were cut from, by their names."""
    found: dict[int, Hashable] = {}
    numbered: dict[tuple[Path, str], dict[int, int]] = defaultdict(dict)  # (folder, base) -> number -> place
    for place, row in enumerate(rows):
        if row.subject is not None:
            continue
        named = _PIECE.fullmatch(row.path.stem) or _TIMED.fullmatch(row.path.stem)
        if named and _is_name(named[1], row):
            found[place] = (row.root, named[1].casefold())
        elif (named := _NUMBERED.fullmatch(row.path.stem)) and _is_name(named[1], row):
            numbered[row.path.parent, named[1].casefold()][int(named[2])] = place
    folders: dict[Path, list[tuple[str, dict[int, int]]]] = defaultdict(list)
    for (folder, base), places in numbered.items():
        if (
            len(places) > 1
            and sorted(places) == list(range(min(places), min(places) + len(places)))
            and min(places) < 2
        ):
            folders[folder].append((base, places))
    for folder, several in folders.items():
        if len(several) > 1:
            found |= {place: (folder, base) for base, places in several for place in places.values()}
    return found


def _is_name(base: str, row: Row) -> bool:
    """Whether it can be a recording's name: not the class, its folder, or a generic name."""
    taken = {_letters(name) for name in (row.path.parent.name, *row.labels.values())}
    if _letters(base) in _ANY_FILE:
        return any(letter.isdigit() for letter in base)
    return _letters(base) not in taken or any(letter.isdigit() for letter in base)


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]+", "", text).casefold()
