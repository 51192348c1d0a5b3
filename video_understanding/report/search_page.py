"""A page of what a search found: a picture of each moment, where it is, and how well it fits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from video_understanding.errors import MediaError
from video_understanding.evaluation.text import many
from video_understanding.media.decode import read_clip
from video_understanding.recognition.text import clock
from video_understanding.report.document import document
from video_understanding.report.gallery import image, jpeg
from video_understanding.report.markup import Html, tag
from video_understanding.search.hits import Hit
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec
from video_understanding.whole_file import write_whole

_PICTURE = ModelSpec(
    window_s=0.25,
    video=VideoSpec(frames_hz=4, height_px=144, width_px=192, fit="pad"),
    audio=AudioSpec(hop_s=0.25),
)
_TITLE_LETTERS = 120


def write_search_page(out: str | Path, query: str, hits: Sequence[Hit]) -> Path:
    """Writes the page of a search to `out`, and gives back its place; reads a frame of each file that was found."""
    out = Path(out)
    write_whole(out, search_page(query, hits))
    return out


def search_page(query: str, hits: Sequence[Hit]) -> str:
    """The page of `write_search_page` as text."""
    title = query if len(query) <= _TITLE_LETTERS else query[:_TITLE_LETTERS] + "..."
    found = tag("ul", [tag("li", _card(hit)) for hit in hits], class_="gallery") if hits else tag("p", "Nothing fits.")
    return document(title, tag("main", tag("h1", title), tag("p", f"{many(len(hits), 'moment')} found."), found))


def _card(hit: Hit) -> Html:
    span = f"{clock(hit.start_s)}-{clock(hit.end_s)}"
    return tag(
        "figure",
        _picture(hit, f"{Path(hit.file).name} at {clock(hit.best_s)}"),
        tag("figcaption", tag("strong", f"{100 * hit.score:.0f} %"), f" {span}", tag("br"), hit.file),
    )


def _picture(hit: Hit, words: str) -> Html:
    try:
        start_s = max(0.0, hit.best_s - _PICTURE.window_s / 2)
        clip = read_clip(hit.file, _PICTURE, 0.0 if hit.end_s - hit.start_s < _PICTURE.window_s else start_s)
    except MediaError:
        return tag("div", "no picture can be read", class_="none")
    return image(jpeg(clip.frames[0]), words) if clip.has_video else tag("div", "no picture here", class_="none")
