"""What the labelled clips say of themselves: the learning curve, and labels to look at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from video_understanding.datasets.cache import PreparedClips
from video_understanding.evaluation.data_study import CurvePoint, DoubtfulLabel, would_help
from video_understanding.evaluation.text import percent
from video_understanding.report.gallery import CLIPS_PER_HEAD, Mistaken, gallery_list, mistaken_clip
from video_understanding.report.markup import Html, tag

_CURVE = (
    "UAR in percent on groups left out, by how many clips of each class the closed form learns from. Where it still "
    "rises at the end, more clips are likely to help."
)
_DOUBTFUL = (
    "Clips that a fit without them takes for another class, the most doubtful first: look whether they are labelled "
    "right."
)


def doubtful_cards(
    doubtful: Mapping[str, Sequence[DoubtfulLabel]], prepared: PreparedClips, clips_per_head: int = CLIPS_PER_HEAD
) -> list[Mistaken]:
    """The most doubtful clips of each head with their pictures; `prepared` are the clips that were studied."""
    numbers = {row.place: number for number, row in enumerate(prepared.rows)}
    return [
        mistaken_clip(head, one.label, one.likely, one.confidence, one.row, prepared, numbers[one.row.place])
        for head, found in doubtful.items()
        for one in found[:clips_per_head]
    ]


def study_section(curves: Mapping[str, Sequence[Mapping[str, Any]]] | None, cards: Sequence[Mistaken]) -> Html | None:
    """Both parts, as far as they are there; the curves as `DataStudy.curve_dict` gives them."""
    if not curves and not cards:
        return None
    parts = [_curve(head, points) for head, points in (curves or {}).items()]
    told = [tag("p", _CURVE, class_="quiet"), *parts] if parts else []
    more = [tag("h3", "Doubtful labels"), tag("p", _DOUBTFUL, class_="quiet"), gallery_list(cards)] if cards else []
    return tag("section", tag("h2", "The clips"), told, more)


def _curve(head: str, points: Sequence[Mapping[str, Any]]) -> Html:
    counts = [point["clips_per_class"] for point in points]
    rows = tag("tr", tag("th", "clips of a class"), [tag("th", "all" if one is None else str(one)) for one in counts])
    shares = tag("tr", tag("th", f"{head}, UAR %"), [tag("td", percent(point["uar"])) for point in points])
    return tag("div", tag("table", rows, shares), tag("p", would_help([CurvePoint(**point) for point in points])))
