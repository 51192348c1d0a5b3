"""What all pages have around them: one file of HTML without scripts, in the style of the house."""

from __future__ import annotations

import re

from video_understanding.report.markup import Html, Inside, tag
from video_understanding.report.style import CSS


def document(title: str, body: Inside, more_css: str = "") -> str:
    """The whole page."""
    top = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Html(CSS + more_css)),
    ]
    return f"<!DOCTYPE html>\n{tag('html', tag('head', top), tag('body', body), lang='en')}\n"


def in_words(text: str) -> str:
    """A moment in ISO form as people write it; other text as it is."""
    return f"{text[:10]} {text[11:16]} UTC" if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", text) else text
