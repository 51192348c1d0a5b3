"""Searching: an index of the moments of many files, and what in it fits a sentence or another moment."""

from video_understanding.search.hits import Hit
from video_understanding.search.index import Index

__all__ = ["Hit", "Index"]
