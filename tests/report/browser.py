"""A page laid out by a real browser without a screen, and measured there: what overlaps, sticks out or is empty."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Without a screen, and without asking the network for anything.
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip

# Runs in a page around the report, which is framed at the width of a phone or a desk and has no scripts itself.
_MEASURE = """
const frame = document.querySelector("iframe"), found = [];
frame.onload = () => {
  const page = frame.contentDocument, width = frame.clientWidth;
  page.querySelectorAll("details").forEach(d => d.open = true);
  const root = page.documentElement;
  if (root.scrollWidth > width) found.push(`the page is ${root.scrollWidth} px wide in ${width} px`);
  const say = e => `<${e.tagName}> "${(e.textContent || "").trim().slice(0, 40)}"`;
  const parts = "svg, img, table, figure, section, h1, h2, h3, p:not(.hint), li, svg *:not(title)";
  for (const e of page.querySelectorAll(parts)) {
    const box = e.getBoundingClientRect();
    if (box.width + box.height < 1 && !(e.tagName === "rect" || e.tagName === "line")) found.push(`empty: ${say(e)}`);
    const inTable = e.closest(".wide");
    if (!inTable && (box.left < -1 || box.right > width + 1)) found.push(`sticks out: ${say(e)} at ${box.right}`);
  }
  for (const drawing of page.querySelectorAll("svg")) {
    const texts = [...drawing.querySelectorAll("text")].map(e => [e, e.getBoundingClientRect()]);
    texts.forEach(([a, p], i) => texts.slice(i + 1).forEach(([b, q]) => {
      if (p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom)
        found.push(`${say(a)} overlaps ${say(b)}`);
    }));
    for (const [e] of texts) {
      const size = parseFloat(getComputedStyle(e).fontSize) * drawing.clientWidth / drawing.viewBox.baseVal.width;
      if (size < 9.5) found.push(`too small to read, ${size} px: ${say(e)}`);
    }
  }
  for (const lane of page.querySelectorAll(".axis, .boxes")) {
    const parts = [...lane.children].map(e => [e, e.getBoundingClientRect()]);
    for (const [e, box] of parts) if (box.width * box.height === 0) found.push(`empty: ${say(e)}`);
    parts.forEach(([a, p], i) => parts.slice(i + 1).forEach(([b, q]) => {
      if (p.left < q.right - 1 && q.left < p.right - 1) found.push(`${say(a)} overlaps ${say(b)}`);
    }));
    const outer = lane.getBoundingClientRect();
    for (const [e, box] of parts)
      if (box.left < outer.left - 1 || box.right > outer.right + 1) found.push(`leaves its lane: ${say(e)}`);
  }
  for (const e of page.querySelectorAll(".scale span")) {
    e.scrollIntoView({block: "center", inline: "start"});
    const box = e.getBoundingClientRect(), top = page.elementFromPoint(box.left + 3, (box.top + box.bottom) / 2);
    if (top !== e) found.push(`${say(e)} is crossed by <${top && top.tagName}>`);
  }
  for (const wide of page.querySelectorAll(".wide")) {
    const hint = page.querySelector(".hint"), outer = wide.closest(".scroll");
    if (outer && wide.scrollWidth > wide.clientWidth + 1) {
      if (!hint || !hint.getBoundingClientRect().height) found.push("nothing says that the timeline goes on");
      if (getComputedStyle(outer, "::after").display === "none") found.push("no shadow where the timeline goes on");
    }
    if (width < 544 && wide.scrollWidth > wide.clientWidth + 1 && wide.querySelector(".bars, .words"))
      found.push(`cut: a table of ${wide.getAttribute("aria-label")}`);
  }
  page.defaultView.scrollTo(0, 0);
  const blocks = [...page.querySelectorAll("h1, h2, h3, p, dl, .wide, svg, .gallery li, summary, figcaption")]
    .filter(e => e.getBoundingClientRect().height).map(e => [e, e.getBoundingClientRect()]);
  blocks.forEach(([a, p], i) => blocks.slice(i + 1).forEach(([b, q]) => {
    if (a.contains(b) || b.contains(a)) return;
    if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1)
      found.push(`${say(a)} overlaps ${say(b)}`);
  }));
  for (const image of page.querySelectorAll("img")) if (!image.naturalWidth) found.push("an image is broken");
  const counts = {texts: blocks.length, drawings: page.querySelectorAll("svg").length};
  document.querySelector("output").textContent = JSON.stringify({found: found.slice(0, 20), ...counts});
};
frame.srcdoc = document.querySelector("template").content.textContent;
"""


def browser() -> str | None:
    """The program, if one is installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def measure(program: str, page: str, width_px: int, folder: Path) -> dict:
    """What is wrong with the page in a window of this width ("found"), and how much was looked at."""
    outer = folder / "outer.html"
    outer.write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><iframe style="width:{width_px}px;height:800px;border:0"></iframe>'
        f"<template>{html.escape(page)}</template><output></output><script>{_MEASURE}</script>",
        encoding="utf-8",
    )
    done = subprocess.run(
        [program, *QUIET, f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", "--dump-dom",
         outer.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    told = re.search(r"<output>(.+?)</output>", done.stdout, re.S)
    assert told, done.stdout[-500:] + done.stderr[-500:]
    return json.loads(html.unescape(told[1]))
