"""Finished tests of every task, and the reports of them."""

from __future__ import annotations

import pytest
import report_runs
import sot_layout

from mmtrack.apis.report import gather_report


@pytest.fixture(scope="session")
def report_of():
    """Gather the report of a run: ``report_of(run, **options)``."""

    def gather(run, options=None, **kwargs):
        return gather_report(
            report_runs.empty_report(), run.dataset, str(run.results), options or {}, **kwargs
        )

    return gather


@pytest.fixture(scope="session")
def mot(tmp_path_factory):
    return report_runs.mot_run(tmp_path_factory.mktemp("report_mot"))


@pytest.fixture(scope="session")
def video_tracks(tmp_path_factory, mot):
    return report_runs.video_track_run(tmp_path_factory.mktemp("report_tracks"), mot)


@pytest.fixture(scope="session")
def vid(tmp_path_factory):
    return report_runs.vid_run(tmp_path_factory.mktemp("report_vid"))


@pytest.fixture(scope="session")
def vis(tmp_path_factory):
    return report_runs.vis_run(tmp_path_factory.mktemp("report_vis"))


@pytest.fixture(scope="session")
def sot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report_sot")
    infos = sot_layout.lasot(folder / "data", (12, 15), frames=True)
    return report_runs.sot_run(folder, folder / "data", infos)
