"""Ways through the page in a headless Chromium: links, zoom, keys, lists, charts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from report_scene import (
    FALSE_BOX,
    FALSE_FRAME,
    FRAMES,
    HOSTILE,
    OTHER_BOX,
    SIZE,
    SWITCH_FRAME,
    columns,
    moving_box,
)

from mmtrack.core.visualization.report import ErrorKind, Video, write_page


@pytest.fixture
def page(open_page, page_file):
    return open_page(page_file)


@pytest.fixture
def open_report(open_page, tmp_path):
    """Write and open a report without pictures."""

    def write_and_open(report, **options):
        write_page(tmp_path / "report.html", report, [[] for _ in report.videos])
        return open_page(tmp_path / "report.html", **options)

    return write_and_open


# ------------------------------------------------------------------ links
def test_a_link_leads_to_a_frame_and_a_track(open_page, page_file):
    page = open_page(page_file, fragment="#video=b&frame=8&track=7", frame=7)
    assert page.page.locator("#video").input_value() == "1"
    assert "Track 7" in page.selection()
    page.go(2)
    page.page.wait_for_url("**#video=b&frame=3&track=7")
    page.page.keyboard.press("[")
    page.page.wait_for_url("**&frame=1")
    again = page.page.url
    assert "<" not in again
    page.page.evaluate("location.hash = '#video=b&frame=5&object=2'")
    page.frame(4)
    assert "Object 2" in page.selection()
    page.page.evaluate("(url) => location.replace(url)", again)
    page.page.wait_for_selector('#frame[data-video="0"]')
    assert page.page.locator("#video option:checked").inner_text() == HOSTILE


@pytest.mark.parametrize(
    ("fragment", "frame"),
    [("#video=none&frame=3", 0), ("#frame=3", 0), ("#video=b&frame=x", 0), ("#%", 0),
     ("#video=b&frame=999&track=12345", FRAMES - 1)],
)  # fmt: skip
def test_links_to_what_is_not_there_open_what_is(open_page, page_file, fragment, frame):
    page = open_page(page_file, fragment=fragment, frame=frame)
    assert "Click a box" in page.selection()


# ------------------------------------------------------------------ zoom
def scale_of(page):
    return page.page.evaluate("Number(document.getElementById('frame').dataset.scale)")


def test_zoom_by_keys_buttons_and_mouse(page):
    page.go(FALSE_FRAME)
    whole, red = scale_of(page), (230, 0, 0)
    edge = (FALSE_BOX[0], 15)
    assert np.abs(np.subtract(page.pixel(*edge), red)).max() < 12
    page.page.keyboard.press("+")
    page.settle()
    assert scale_of(page) == 2 * whole
    # the middle of the frame stays in the middle; the box is where it was on the frame
    assert float(page.page.locator("#frame").get_attribute("data-x")) == SIZE[0] / 4
    assert np.abs(np.subtract(page.pixel(FALSE_BOX[0], 20), red)).max() < 12
    # dragging moves what is seen, and selects nothing
    canvas = page.page.locator("#frame").bounding_box()
    middle = (canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2)
    page.page.mouse.move(*middle)
    page.page.mouse.down()
    page.page.mouse.move(middle[0] + 20 * whole, middle[1] + 1000, steps=4)
    page.page.mouse.up()
    page.settle()
    assert float(page.page.locator("#frame").get_attribute("data-x")) == pytest.approx(15, abs=0.2)
    assert page.page.locator("#frame").get_attribute("data-y") == "0"  # no further than the edge
    assert "Click a box" in page.selection()
    assert np.abs(np.subtract(page.pixel(*edge), red)).max() < 12
    page.page.locator("#zoom-out").click()
    page.settle()
    assert scale_of(page) == whole
    assert page.page.locator("#zoom-out").is_disabled()


def test_zoom_at_the_mouse_and_at_the_selected_track(page):
    whole = scale_of(page)
    page.page.locator("#frame").hover(position={"x": 40 * whole, "y": 30 * whole})
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, -200)
    page.page.keyboard.up("Control")
    page.settle()
    assert scale_of(page) == pytest.approx(2 * whole)
    x, y = (float(page.page.locator("#frame").get_attribute(f"data-{k}")) for k in "xy")
    assert (x, y) == pytest.approx((20, 15), abs=0.2)  # (40, 30) is still below the mouse
    page.page.keyboard.press("0")
    page.settle()
    assert scale_of(page) == whole
    page.page.evaluate("location.hash = '#video=b&frame=1&track=2'")
    page.page.wait_for_selector('#frame[data-video="1"]')
    for _ in range(2):
        page.page.locator("#zoom-in").click()
    page.settle()
    x, y = (float(page.page.locator("#frame").get_attribute(f"data-{k}")) for k in "xy")
    assert (x, y) == pytest.approx((60 - SIZE[0] / 8, 42 - SIZE[1] / 8), abs=0.01)
    page.page.keyboard.press("[")
    page.page.wait_for_selector('#frame[data-video="0"]')
    assert scale_of(page) == whole


# ------------------------------------------------------------------ keyboard
def test_controls_keep_their_own_keys(page):
    page.go(2)
    threshold = page.page.locator("#threshold")
    threshold.focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("End")
    assert threshold.input_value() == "100"
    page.page.locator("#tables .table-scroll").focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("Home")
    page.settle()
    assert page.page.locator("#frame").get_attribute("data-frame") == "2"


def test_tracks_are_selected_by_keys(page):
    page.go(FRAMES - 1)
    page.page.locator("#timeline .lanes").focus()
    page.page.keyboard.press("ArrowDown")
    assert "Object 1" in page.selection()
    page.frame(0)
    for _ in range(3):  # over the heading of the tracks
        page.page.keyboard.press("ArrowDown")
    assert "Track 2" in page.selection()
    page.page.keyboard.press("ArrowUp")
    assert "Track 1" in page.selection()
    for _ in range(9):
        page.page.keyboard.press("ArrowDown")
    page.frame(SWITCH_FRAME)
    assert "Track 7" in page.selection()  # the last; it is where the track begins


def test_jumps_are_off_where_there_is_nothing_to_jump_to(page):
    button = page.page.locator("#next-error")
    assert button.is_enabled()
    for kind in ("FP", "FN", "IDSW"):
        page.page.locator(f"#show-{kind}").uncheck()
    assert button.is_disabled()


def test_all_classes_at_once(page):
    buttons = page.page.locator("#classes button")
    buttons.nth(1).click()
    assert page.drawn() == 0
    page.page.locator('#classes input[data-label="1"]').check()
    assert page.drawn() == 1
    buttons.nth(0).click()
    assert page.drawn() == 2
    assert page.page.locator("#classes input:checked").count() == 2


# ------------------------------------------------------------------ boxes
def list_rows(page):
    rows = page.page.locator("#box-list tbody tr").all()
    return [row.locator("td").all_inner_texts() for row in rows]


def test_boxes_of_the_frame_as_a_table(page):
    page.go(FALSE_FRAME)
    assert list_rows(page) == []
    page.page.locator("#box-list summary").click()
    page.settle()
    box = moving_box(FALSE_FRAME)
    assert list_rows(page) == [
        ["FP", "track 9", "car", "0.350", "60.0, 5.0, 20.0, 20.0", "", ""],
        ["correct", "track 2", "car", "0.800", "50.0, 32.0, 20.0, 20.0", "object 2", "1.00"],
        ["correct", "track 1", HOSTILE, "0.900",
         f"{box[0]:.1f}, 6.0, 20.0, 24.0", "object 1", "1.00"],
    ]  # fmt: skip
    page.page.keyboard.press("g")
    page.settle()
    rows = list_rows(page)
    assert [row[:2] for row in rows[-2:]] == [["found", "object 2"], ["found", "object 1"]]
    assert rows[-1][-2:] == ["track 1", "1.00"]
    page.page.locator("#box-list button", has_text="track 9").click()
    assert "Track 9" in page.selection()


def test_the_tip_tells_the_match(open_report, small_report):
    shifted = (OTHER_BOX[0] + 5, OTHER_BOX[1], OTHER_BOX[2] + 5, OTHER_BOX[3])
    found = columns([(0, shifted, -1, 0, 0.625, 1, 4)])  # a detection
    truth = columns([(0, OTHER_BOX, 4, 0, 1, 1, -1)], found_scores=np.array([0.625]))
    video = Video("v", SIZE, np.array([1]), found, truth)
    page = open_report(replace(small_report, task="VID", classes=["car"], videos=[video]))
    scale = scale_of(page)
    page.page.locator("#frame").hover(position={"x": 73 * scale, "y": 40 * scale})
    tip = page.page.locator(".tip").inner_text().splitlines()
    assert tip == [
        "correct · detection · score 0.625", "matched to object 4, IoU 0.60",
        "55.0, 32.0, 20.0, 20.0",
    ]  # fmt: skip
    page.page.keyboard.press("g")
    page.settle()
    page.page.locator("#frame").hover(position={"x": 52 * scale, "y": 40 * scale})
    assert (
        "found · object 4\nmatched to detection, IoU 0.60" in page.page.locator(".tip").inner_text()
    )


def test_weak_boxes_are_hidden_at_first(open_report, small_report):
    page = open_report(replace(small_report, least_score=0.5))
    page.go(FALSE_FRAME)
    assert page.drawn() == 2  # not the false positive of 0.35
    assert page.page.locator("output[for=threshold]").inner_text() == "0.50 (best F1)"
    page.page.locator("#video").select_option("2")
    page.page.wait_for_selector('#frame[data-video="2"]')
    assert page.page.locator("output[for=threshold]").inner_text() == "0.50 (best F1)"  # kept
    assert page.drawn() == 1
    page.page.locator("#video").select_option("1")
    page.page.wait_for_selector('#frame[data-video="1"]')
    page.page.locator("#threshold").fill("0")
    page.go(FALSE_FRAME)
    assert page.drawn() == 3


# ------------------------------------------------------------------ videos and charts
def test_videos_without_ground_truth_are_marked_and_come_later(open_report, small_report):
    results = replace(
        small_report.videos[1].results, states=np.zeros_like(small_report.videos[1].results.states)
    )  # noqa: E501
    bare = replace(small_report.videos[1], name="bare", results=results, truth=None)
    page = open_report(replace(small_report, videos=[bare, small_report.videos[1]], tables=[]))
    assert page.page.locator("#video").input_value() == "1"
    assert page.page.locator("#counts [data-kind]").count() == 3
    page.page.locator("#video").select_option("0")
    page.page.wait_for_selector('#frame[data-video="0"]')
    assert page.page.locator("#video option:checked").inner_text() == "bare (no ground truth)"
    assert "nothing is compared" in page.page.locator("#video-facts").inner_text()
    assert page.page.locator("#counts").inner_text() == "Frame 1: 2 results"
    assert page.page.locator("#show-FP").is_hidden()
    assert page.page.locator("#timeline .strip").is_hidden()
    assert page.page.locator("#next-error").is_disabled()
    assert page.page.locator("label:has(#show-correct)").inner_text().startswith("results (id")


def test_the_lane_of_a_single_object_is_that_of_its_track(open_report, small_report):
    kinds = (ErrorKind("LOST", "no overlap", (0, 0, 230)),)
    found = columns([(f, OTHER_BOX, 0, 0, 0.9, 1 + f, 0) for f in range(2)])
    truth = columns([(f, OTHER_BOX, 0, 0, 1, 1, -f) for f in range(2)])
    video = Video("v", SIZE, np.array([1, 2]), found, truth)
    page = open_report(replace(small_report, task="SOT", kinds=kinds, videos=[video]))
    page.page.locator("#timeline .lanes canvas").click(position={"x": 300, "y": 1.5 * 13})
    assert "Track 0" in page.selection()
    assert "an object has" not in page.page.locator("#timeline").inner_text()


def test_a_click_on_a_chart_goes_to_the_frame(page):
    chart = page.page.locator("#video-charts .chart svg.pick").last
    box = chart.bounding_box()
    left, right, width = 44, 10, 420  # of the drawing, see charts.js
    wanted = 8
    share = (wanted - 1 + 0.3) / (FRAMES - 1)  # the frame nearest to the click
    x = (left + share * (width - left - right)) / width * box["width"]
    chart.click(position={"x": x, "y": box["height"] / 2})
    page.frame(wanted - 1)


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
def test_first_screen_has_scores_and_the_frame(open_report, small_report, size):
    name = "video_" + "x" * 300
    table = replace(
        small_report.tables[0], rows={name: [0.5, 1], "OVERALL": [0.5, 1]}, videos={name: 0}
    )
    score = small_report.headline[0]
    head = [(replace(score[0], digits=3, name=f"mAP_{k}"), 0.1234) for k in range(6)]
    more = [table, replace(table, title="Classes")]
    videos = [replace(small_report.videos[1], name=name)]
    report = replace(small_report, title="run", tables=more, headline=head, videos=videos)
    page = open_report(report, width=size[0], height=size[1])
    assert page.page.locator("#frame").bounding_box()["y"] < 0.8 * size[1]
    assert page.page.locator("#more").bounding_box()["y"] > size[1]
    assert page.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    cards = page.page.evaluate(
        "Array.from(document.querySelectorAll('.card'), (c) => [c.scrollWidth, c.clientWidth])"
    )
    assert all(inner <= outer for inner, outer in cards)
