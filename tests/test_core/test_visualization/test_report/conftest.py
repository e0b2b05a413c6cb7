"""A page with known boxes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import report_scene
from report_browser import browser, open_page  # noqa: F401  (fixtures)

from mmtrack.core.visualization.report import write_page


@pytest.fixture(scope="session")
def small_report():
    """Report with three videos, the first one called `report_scene.HOSTILE`."""
    return report_scene.small_report()


@pytest.fixture(scope="session")
def page_file(small_report, tmp_path_factory):
    """The report with pictures of frames 0 and 6 of the second video."""
    image = cv2.imencode(".webp", np.full((60, 100, 3), report_scene.GREEN, np.uint8))[1].tobytes()
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(path, small_report, [[], [(0, image), (6, image)], []])
    return path
