"""Warnings of a training: logged with the names of clips, and given back without any for what is passed on."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence

from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.rows import Row
from video_understanding.datasets.sources import torn_sources
from video_understanding.errors import TrainingError
from video_understanding.evaluation.text import many
from video_understanding.spec import ModelSpec

_LOG = logging.getLogger("video_understanding")
_SHOWN = 5


def warn_of_skipped(prepared: PreparedClips) -> list[str]:
    """Warns of clips that could not be read; none to warn of gives an empty list."""
    skipped = prepared.set_aside
    if not skipped:
        return []
    words = f"{many(len(skipped), 'clip')} of {len(prepared.rows)} could not be read and are left out"
    named = [f"  {aside.row.origin or aside.row.path}: {aside.reason}" for aside in skipped[:_SHOWN]]
    more = [f"  and {len(skipped) - _SHOWN} more: `vu check` lists them"] if len(skipped) > _SHOWN else []
    _LOG.warning("%s", "\n".join([f"{words}:", *named, *more]))
    return [f"{words}."]


def warn_of_no_words(error: TrainingError) -> list[str]:
    """Warns that no words are learned, and why."""
    words = f"No words are learned: {error}"
    _LOG.warning("%s", words)
    return [words]


def warn_of_torn_sources(rows: Sequence[Row], parts: Sequence[Hashable]) -> list[str]:
    """Warns where clips that seem to be parts of one recording lie in several parts of the split."""
    torn = torn_sources(rows, parts)
    if torn is None:
        return []
    _LOG.warning("%s", torn.words(named=True))
    return [torn.words(named=False)]


def warn_of_unused_sentences(rows: Sequence[Row], spec: ModelSpec) -> list[str]:
    """Warns where clips have sentences that a network, which has no closed form, does not learn from."""
    told = sum(bool(row.texts) for row in rows)
    if not told or spec.network.classifier == "linear":
        return []
    words = f"the sentences of {many(told, 'clip')} are not used: words are learned with the classifier linear."
    _LOG.warning("%s", words)
    return [words]
