"""The page as text: what is in it, and that nothing can get out of its place."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from report_scene import FRAMES, HOSTILE, SWITCH_FRAME

from mmtrack.core.visualization.palette import NO_IDENTITY
from mmtrack.core.visualization.report import BoxColumns, render_page, write_page


class Elements(HTMLParser):
    """Elements of a page with their attributes and text, in order."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])
        self.open = True

    def handle_endtag(self, tag):
        self.open = False

    def handle_data(self, data):
        if self.open:
            self.found[-1][2] += data


def decode(column):
    kind, text, *step = column
    values = np.frombuffer(base64.b64decode(text), f"<{kind}")
    return values * step[0] if step else values


@pytest.fixture(scope="module")
def elements(page_file):
    return Elements(page_file.read_text()).found


@pytest.fixture(scope="module")
def data(elements):
    return next(json.loads(text) for _, attrs, text in elements if attrs.get("id") == "report-data")


def test_names_stay_in_their_place(elements, data, page_file):
    scripts = [attrs for tag, attrs, _ in elements if tag == "script"]
    assert [attrs.get("id") for attrs in scripts] == [
        "report-data", "pictures-0", "pictures-1", "pictures-2", None,
    ]  # fmt: skip
    assert not [tag for tag, *_ in elements if tag == "img"]
    assert data["videos"][0]["name"] == data["classes"][0] == data["title"] == HOSTILE
    (title,) = (text for tag, _, text in elements if tag == "title")
    assert title.startswith(HOSTILE[:20])
    assert "<script>window.pwned" not in page_file.read_text()


def test_only_the_script_of_the_page_may_run(elements):
    (policy,) = (a["content"] for t, a, _ in elements if t == "meta" and "http-equiv" in a)
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        text = next(text for t, attrs, text in elements if t == tag and not attrs)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", "".join(t for *_, t in elements))


def test_columns_hold_the_boxes(data, small_report):
    packed, video = data["videos"][1]["results"], small_report.videos[1]
    starts = decode(packed["starts"])
    assert len(starts) == FRAMES + 1
    assert starts[-1] == len(video.results)
    rows = slice(starts[SWITCH_FRAME], starts[SWITCH_FRAME + 1])
    assert decode(packed["ids"])[rows].tolist() == [7, 2]
    boxes = decode(packed["boxes"]).reshape(-1, 4)
    step = packed["boxes"][2]
    np.testing.assert_allclose(boxes, video.results.boxes, atol=step / 2 + 1e-9)
    assert step < 0.01  # the frames are small
    np.testing.assert_allclose(decode(packed["scores"]), video.results.scores, rtol=1e-6)
    for key in ("labels", "states", "partners"):
        np.testing.assert_array_equal(decode(packed[key]), getattr(video.results, key))
    assert data["videos"][1]["pictures"] == [0, 6]
    assert data["tables"][0]["rows"][2]["values"] == [None, 30]


def test_colours_of_identities_are_none_of_errors(data):
    errors = [kind["color"] for kind in data["kinds"]]
    assert errors == ["#e60000", "#ffd700", "#0082ff"]
    assert len(set(data["palette"])) == len(data["palette"]) > 20
    for color in (*errors, "#{2:02x}{1:02x}{0:02x}".format(*NO_IDENTITY)):
        red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
        for own in data["palette"]:
            other = [int(own[at : at + 2], 16) for at in (1, 3, 5)]
            assert np.abs(np.subtract(other, (red, green, blue))).max() > 40, (own, color)


def test_rows_are_sorted_by_frame_and_filled_up():
    table = BoxColumns.make([2, 0, 2], np.arange(12).reshape(3, 4), ids=[5, 6, 7])
    assert table.frames.tolist() == [0, 2, 2]
    assert table.ids.tolist() == [6, 5, 7]
    assert table.boxes[0].tolist() == [4, 5, 6, 7]
    assert table.partners.tolist() == [-1] * 3
    empty = BoxColumns.make(np.zeros(0), np.zeros((0, 4)))
    assert len(empty) == 0


def test_numbers_that_do_not_fit_are_refused(small_report, tmp_path):
    ids = BoxColumns.make([0], [[0, 0, 1, 1]], ids=[2**40])
    video = replace(small_report.videos[1], results=ids)
    report = replace(small_report, videos=[video])
    with pytest.raises(ValueError, match="b, frame 1: .* must have an id <= 2147483647"):
        write_page(tmp_path / "report.html", report, [[]])
    assert list(tmp_path.iterdir()) == []


def test_boxes_that_are_not_finite_are_refused(small_report):
    boxes = BoxColumns.make([0, 2], [[0, 0, 1, 1], [0, np.nan, 1, 1]], ids=[1, 4])
    report = replace(small_report, videos=[replace(small_report.videos[1], truth=boxes)])
    with pytest.raises(
        ValueError, match=r"b, frame 3: the box \[0.0, nan.* of id 4 must be finite"
    ):
        list(render_page(report, [[]]))


def test_a_box_far_away_leaves_the_others_in_their_place(small_report):
    rows = np.array([[10.25, 20, 30, 40], [-1e6, 0, 5, 5e5]])
    video = replace(small_report.videos[1], results=BoxColumns.make([0, 1], rows))
    text = "".join(render_page(replace(small_report, videos=[video]), [[]]))
    packed = json.loads(re.search(r'id="report-data">(.*?)</script>', text)[1])
    boxes = decode(packed["videos"][0]["results"]["boxes"]).reshape(-1, 4)
    np.testing.assert_allclose(boxes, rows, rtol=1e-6)


def test_common_classes_have_the_colours_that_differ_most(small_report):
    labels = np.array([3, 3, 3, 1, 1, 2])
    boxes = BoxColumns.make(np.zeros(6), np.zeros((6, 4)), labels=labels)
    video = replace(small_report.videos[1], results=boxes, truth=None)
    report = replace(small_report, videos=[video], classes=list("abcd"))
    text = "".join(render_page(report, [[]]))
    assert '"classColors":[3,1,2,0]' in text


def test_size_is_told(small_report, tmp_path):
    path = tmp_path / "report.html"
    size = write_page(path, small_report, [[], [], []])
    assert size == path.stat().st_size
    assert path.read_bytes() == "".join(render_page(small_report, [[], [], []])).encode()
