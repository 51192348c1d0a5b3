"""What a bundle says of the words it has learned, in sentences for its card and for `vu info`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from video_understanding.bundle import Bundle

_WAYS = {"text_to_clip": "from words to clips", "clip_to_text": "from clips to words"}
_PARTS = {"validation": "clips left out", "test": "test clips"}


def words_sentences(bundle: Bundle) -> list[str]:
    """A few sentences; none of a bundle without words."""
    words = bundle.facts.get("words")
    if not words:
        return []
    shares = " and ".join(f"{100 * share:.0f} % {name}" for name, share in words["learned"].items())
    lines = [
        f"Clips and sentences share a space of {words['dimensions']} dimensions, learned from {words['sentences']:,} "
        f"sentences about {words['clips']:,} clips ({shares}): the model finds moments by words (`vu index`, `vu "
        "search`), and answers in words that nobody labelled (`vu predict --labels`)."
    ]
    parts = [part for part in _PARTS if part in words]
    return lines + [
        f"Right result among the first 1/5/10 on {_PARTS[part]}: {_recalls(words[part])}." for part in parts
    ]


def _recalls(retrieval: Mapping[str, Any]) -> str:
    parts = []
    for way, name in _WAYS.items():
        shares = "/".join(f"{retrieval[way][rank]:.0f}" for rank in ("r1", "r5", "r10"))
        parts.append(f"{name} {shares} %")
    return ", ".join(parts)
