"""Results of a test run as one HTML file to look at: scores, charts, and every frame."""

from .model import BoxColumns, Chart, Column, ErrorKind, Report, ScoreTable, Video
from .page import render_page, write_page

__all__ = [
    "BoxColumns",
    "Chart",
    "Column",
    "ErrorKind",
    "Report",
    "ScoreTable",
    "Video",
    "render_page",
    "write_page",
]
