"""Reports that people look at: one page of HTML beside the JSON, with pictures, tables and plain sentences."""

from video_understanding.report.folder import write_report, write_training_report
from video_understanding.report.gallery import Mistaken, clearest_mistakes
from video_understanding.report.names import without_names
from video_understanding.report.page import report_page
from video_understanding.report.timeline_page import timeline_page, write_timeline

__all__ = [
    "Mistaken",
    "clearest_mistakes",
    "report_page",
    "timeline_page",
    "without_names",
    "write_report",
    "write_timeline",
    "write_training_report",
]
