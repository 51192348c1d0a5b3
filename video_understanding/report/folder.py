"""Where a report lies: report.json for programs, and beside it report.html for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from video_understanding.bundle import Bundle
from video_understanding.datasets.cache import PreparedClips
from video_understanding.evaluation import Report
from video_understanding.evaluation.data_study import DataStudy
from video_understanding.presets import preset_words
from video_understanding.report.charts import History
from video_understanding.report.gallery import Mistaken, clearest_mistakes
from video_understanding.report.page import report_page
from video_understanding.report.study_section import doubtful_cards
from video_understanding.whole_file import write_whole

JSON_FILE = "report.json"
PAGE_FILE = "report.html"


def write_report(
    folder: str | Path,
    values: Mapping[str, Any],
    *,
    history: History | None = None,
    gallery: Sequence[Mistaken] | None = None,
    doubtful: Sequence[Mistaken] = (),
) -> Path:
    """Writes report.json and report.html into the folder, which is made if need be; gives back the page's place."""
    folder = Path(folder)
    text = json.dumps(values, indent=1) + "\n"
    page = report_page(values, history=history, gallery=gallery, doubtful=doubtful, json_name=JSON_FILE)
    write_whole(folder / JSON_FILE, text)
    write_whole(folder / PAGE_FILE, page)
    return folder / PAGE_FILE


def write_training_report(
    bundle: Bundle,
    work_folder: Path,
    reports: Mapping[str, Report],
    prepared: PreparedClips,
    history: History,
    study: DataStudy | None = None,
) -> Path:
    """The two reports of a training; gives back the place of the whole one's page.

    `work_folder` gets all that is known of the `reports` ("test", "validation"). The bundle itself, which is passed
    on, gets a page of its facts, which name no clip and no person. `study` is that of the clips learned from.
    """
    facts = bundle.facts
    told = {
        "model": bundle.name,
        "data": ", ".join(str(entry["name"]) for entry in facts.get("data", ()) if "name" in entry),
        "created": facts.get("created"),
        "training": {
            "preset": preset_words(bundle.spec),
            **{name: facts["training"][name] for name in ("clips", "parameters") if name in facts.get("training", {})},
        },
        **facts["metrics"],
        "warnings": facts.get("warnings", []),
    }
    if study is not None:
        told["learning_curve"] = study.curve_dict()
    write_whole(bundle.folder / PAGE_FILE, report_page(told, history=history))
    main = reports.get("test") or reports.get("validation")
    gallery = clearest_mistakes(main, prepared) if main else []
    whole = {part: report.to_dict() for part, report in reports.items()}
    if study is None:
        return write_report(work_folder, {**told, **whole}, history=history, gallery=gallery)
    cards = doubtful_cards(study.doubtful, prepared)
    values = {**told, **whole, "doubtful_labels": study.doubtful_dict()}
    return write_report(work_folder, values, history=history, gallery=gallery, doubtful=cards)
