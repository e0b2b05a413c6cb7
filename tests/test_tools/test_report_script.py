"""tools/analysis/report.py, as a user runs it, and its page in a browser."""

from __future__ import annotations

import json
import re

import pytest
import report_runs
from report_browser import browser, open_page  # noqa: F401  (fixtures)

SCRIPT = "tools/analysis/report.py"
SIZE = (160, 96)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished test of multiple objects, its results also as json and as text files."""
    made = report_runs.mot_run(tmp_path_factory.mktemp("report"), size=SIZE)
    made.dataset.format_results(made.raw, str(made.results.parent / "txt"), metrics="track")
    lists = {key: [[r.tolist() for r in f] for f in v] for key, v in made.raw.items()}
    made.results.with_suffix(".json").write_text(json.dumps(lists))
    return made


@pytest.fixture(scope="module")
def page_file(run, run_script):
    out = run.results.parent / "pages" / "report.html"
    done = run_script(
        SCRIPT, run.results, "--config", run.config, "--out", out, "--max-frames", "20",
        "--image-width", "80", "--title", "A <title>",
    )  # fmt: skip
    assert re.search(r"report\.html: 0\.\d MB; 2 videos, 32 frames, 20 pictures", done.stdout)
    assert "--max-frames adds pictures" in done.stdout
    return out


def test_page_has_the_scores_of_the_test_script(run, page_file, open_page):  # noqa: F811
    opened = open_page(page_file)
    wanted = run.dataset.evaluate(run.raw, metric="track", logger="silent")
    heads = opened.page.locator("#tables thead th").all_inner_texts()
    total = opened.page.locator("#tables tr.total td").all()
    shown = {
        head: cell.get_attribute("data-value")
        for head, cell in zip(heads[1:], total[1:], strict=True)
    }
    for key in set(shown) & set(wanted):
        assert float(shown[key]) == pytest.approx(wanted[key], rel=1e-12), key
    assert {"HOTA", "MOTA", "IDF1", "FP"} <= set(shown) & set(wanted)
    counts = {"FP": 0, "FN": 0, "IDSW": 0}
    for video in range(2):
        opened.page.locator("#video").select_option(str(video))
        opened.page.wait_for_selector(f'#frame[data-video="{video}"]')
        for frame in range(16):
            opened.go(frame)
            for kind in counts:
                counts[kind] += opened.count(kind)
    assert counts == {"FP": wanted["FP"], "FN": wanted["FN"], "IDSW": wanted["IDs"]}
    assert len({opened.pixel(x, 10) for x in range(5, 150, 12)}) > 3  # there is a picture
    assert opened.page.locator("#title").inner_text().endswith("A <title>")


@pytest.mark.parametrize("form", ["json", "txt"])
def test_forms_of_results(run, run_here, tmp_path, form):
    out = tmp_path / "report.html"
    if form == "json":
        args = [run.results.with_suffix(".json"), "--config", run.config]
    else:
        args = [run.results.parent / "txt" / "track", "--gt", run.dataset.img_prefix]
    done = run_here(SCRIPT, *args, "--out", out, "--no-images")
    assert done.status == 0, done.err
    assert "0 pictures (0.0 MB)" in done.out
    text = out.read_text()
    wanted = run.dataset.evaluate(run.raw, metric="track", logger="silent")
    head = re.search(r'"headline":(\[.*?\]),"tables"', text).group(1)
    scores = {entry["name"]: entry["value"] for entry in json.loads(head)}
    assert scores["HOTA"] == pytest.approx(wanted["HOTA"], abs=1e-4)
    assert 'id="pictures-0"></script>' in text


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["{txt}"], 2, "give --gt"),
        (["{pkl}"], 2, "give the --config of the test"),
        (["{pkl}", "--config", "{config}", "--gt", "x"], 2, "for text files without --config"),
        (["{txt}", "--gt", "x", "--no-gt"], 2, "exclude each other"),
        (["{txt}", "--no-gt", "--max-frames", "-1"], 2, "--max-frames must be 0 or more"),
        (["{txt}", "--gt", "{txt}"], 1, "no ground truth for"),
        (["missing.pkl", "--config", "{config}"], 1, "missing.pkl does not exist"),
        (["{pkl}", "--config", "{config}", "--eval", "mAP"], 1, "computes track, bbox"),
    ],
    ids=lambda value: None if isinstance(value, int) else str(value)[:40],
)
def test_refusals_name_what_is_wrong(run, run_here, tmp_path, options, status, message):
    known = {"txt": run.results.parent / "txt" / "track", "pkl": run.results, "config": run.config}
    args = [option.format(**known) for option in options]
    done = run_here(SCRIPT, *args, "--out", tmp_path / "report.html")
    assert done.status == status
    assert message in done.err
    assert not list(tmp_path.iterdir())


def test_results_that_run_programs_are_refused(run, run_here, tmp_path):
    (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    out = tmp_path / "report.html"
    done = run_here(SCRIPT, tmp_path / "evil.pkl", "--config", run.config, "--out", out)
    assert done.status == 1
    assert "would load" in done.err
    assert not out.exists()


def test_hidden_ground_truth(run, run_here, tmp_path):
    out = tmp_path / "report.html"
    hidden = ["--cfg-options", f"data.test.img_prefix={tmp_path}"]
    args = [run.results, "--config", run.config, "--out", out, "--no-images", *hidden]
    done = run_here(SCRIPT, *args)
    assert done.status == 1
    assert "--no-gt shows the results alone" in done.err
    done = run_here(SCRIPT, *args, "--no-gt")
    assert done.status == 0, done.err
    assert '"truth":null' in out.read_text()
