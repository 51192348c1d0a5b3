"""Which packets must be decoded to get the frames at given instants, and no others.

Known before decoding: each packet's timestamp, whether it begins a group of pictures (GOP, with a key frame),
and that a packet's decoding time never exceeds its display time. From these follow, in order:

- the frame at an instant is the last one displayed at or before it; it is settled as soon as no packet
  still to come can be displayed in between;
- a group without a wanted frame is dropped without decoding, unless the next group's leading frames
  (displayed before their key frame) are wanted: they refer to the group before (an open GOP);
- inside a group everything up to its last wanted frame is sent, unwanted frames to be skipped where no
  other frame refers to them.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

# A group longer than this is decoded as it arrives instead of waiting for its end; memory stays bounded.
MAX_WAITING_BYTES = 32 << 20
MAX_WAITING_PACKETS = 2000
_NEVER = float("inf")


@dataclass(slots=True)
class Entry:
    """A packet that is not settled yet, with the instants at which its frame is displayed."""

    time_s: float
    packet: Any
    size_bytes: int
    places: list[int] = field(default_factory=list)
    settled: bool = False


@dataclass(slots=True)
class Order:
    """The next step: flush the decoder if `afresh`, then decode; if not `wanted`, the frame may be skipped."""

    entry: Entry
    afresh: bool
    wanted: bool


class _Group:
    """A key frame's packet and all that follow it, as far as they are not sent yet."""

    def __init__(self, key_time_s: float) -> None:
        self.key_time_s = key_time_s
        self.entries: deque[Entry] = deque()
        self.unsettled = 0
        self.wanted = 0
        self.wanted_leading = 0
        self.begun = False


class PicturePlan:
    """Takes packets in decoding order, gives back the ones to decode.

    `instants_s` ascend and may be endless; `places` of the entries returned are their numbers, from 0.
    """

    def __init__(self, instants_s: Iterable[float]) -> None:
        self._instants = enumerate(instants_s)
        self._pending = next(self._instants, None)
        self._groups: deque[_Group] = deque()
        # Displayed, not settled, by time; the number of each breaks ties, so that entries are never compared.
        self._open: list[tuple[float, int, Entry, _Group]] = []
        self._settled_until_s = -_NEVER
        self._waiting_bytes = 0
        self._waiting = 0
        self._count = 0
        self._contiguous = False
        self._finished = False
        self._assigned = False
        self.newest_s = -_NEVER
        """No packet still to come is displayed before this time."""
        self.open_groups = False
        """Whether any group has leading frames."""
        self.doubtful = False
        """Whether timestamps contradict each other or settling never ends: the plan is not valid."""

    @property
    def settled(self) -> bool:
        """Whether every instant's frame is known (never, for endless instants)."""
        return self._pending is None

    @property
    def next_place(self) -> float:
        """The first place that is not settled; infinite when none is left."""
        return _NEVER if self._pending is None else self._pending[0]

    @property
    def first_waiting(self) -> float:
        """The first place whose frame is known but not yet sent; infinite when there is none."""
        return min(
            (entry.places[0] for group in self._groups for entry in group.entries if entry.places), default=_NEVER
        )

    @property
    def wanted(self) -> bool:
        """Whether a wanted frame is still to be sent."""
        return any(group.wanted for group in self._groups)

    def add(self, packet: Any, time_s: float, decode_s: float, key: bool, shown: bool, size_bytes: int) -> None:
        """One more packet; `shown` is False for one that is decoded but never displayed."""
        if key or not self._groups:
            self._groups.append(_Group(time_s))
        group = self._groups[-1]
        entry = Entry(time_s, packet, size_bytes)
        self._count += 1
        self._waiting += 1
        self._waiting_bytes += size_bytes
        group.entries.append(entry)
        self.open_groups |= time_s < group.key_time_s
        if shown:
            self.doubtful |= time_s < self._settled_until_s
            group.unsettled += 1
            insort(self._open, (time_s, self._count, entry, group))
        else:
            entry.settled = True
        self.reach(decode_s)

    def reach(self, time_s: float) -> None:
        """No packet still to come is displayed before this time."""
        self.newest_s = max(self.newest_s, time_s)
        while len(self._open) >= 2 and self._open[1][0] <= self.newest_s:
            self._settle(until_s=self._open[1][0])

    def finish(self, last_end_s: float, grace_s: float) -> None:
        """No packet is still to come; the last frame is displayed until `last_end_s`.

        If no frame was displayed at any instant, the last one is held `grace_s` longer: a track shorter
        than the time between two instants still gives a frame.
        """
        self._finished = True
        while self._open:
            if len(self._open) > 1:
                self._settle(until_s=self._open[1][0])
            else:
                self._settle(until_s=last_end_s if self._assigned else last_end_s + grace_s)

    def _settle(self, until_s: float) -> None:
        _, _, entry, group = self._open.pop(0)
        entry.settled = True
        group.unsettled -= 1
        while self._pending is not None and self._pending[1] < entry.time_s:
            self._pending = next(self._instants, None)  # before the first frame: nothing is displayed
        self.doubtful |= until_s == entry.time_s
        self._settled_until_s = until_s
        while self._pending is not None and self._pending[1] < until_s:
            entry.places.append(self._pending[0])
            self._pending = next(self._instants, None)
        if entry.places:
            self._assigned = True
            group.wanted += 1
            group.wanted_leading += entry.time_s < group.key_time_s

    def orders(self) -> Iterator[Order]:
        """The packets that can be decoded now, in decoding order."""
        while self._groups:
            group = self._groups[0]
            following = self._groups[1] if len(self._groups) > 1 else None
            yield from self._send(group, group.wanted > 0)
            if group.unsettled or (following is None and not self._finished):
                if self._waiting > MAX_WAITING_PACKETS or self._waiting_bytes > MAX_WAITING_BYTES:
                    yield from self._send(group, True, patient=False)
                    self.doubtful |= bool(group.entries) and self._waiting_bytes > 2 * MAX_WAITING_BYTES
                return
            if following is not None:
                if not self._finished and self.newest_s < following.key_time_s:
                    return  # more leading frames of the next group may come
                if following.wanted_leading:
                    yield from self._send(group, True, patient=False)
                self._contiguous = group.begun and not group.entries
            self._groups.popleft()
            for entry in group.entries:
                self._release(entry)

    def _send(self, group: _Group, needed: bool, patient: bool = True) -> Iterator[Order]:
        while needed and group.entries and group.entries[0].settled and (group.wanted or not patient):
            entry = group.entries.popleft()
            self._release(entry)
            afresh = not group.begun and not self._contiguous
            if entry.places:
                group.wanted -= 1
            lacks_reference = not self._contiguous and entry.time_s < group.key_time_s
            if group.begun and lacks_reference and not entry.places:
                continue  # the group before was not decoded: this leading frame cannot be, and need not
            group.begun = True
            yield Order(entry, afresh, bool(entry.places))

    def _release(self, entry: Entry) -> None:
        self._waiting -= 1
        self._waiting_bytes -= entry.size_bytes
