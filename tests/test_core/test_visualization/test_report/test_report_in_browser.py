"""The page in a headless Chromium: what is drawn, and what scrubbing and filtering do to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from report_scene import (
    FALSE_BOX,
    FALSE_FRAME,
    FRAMES,
    GREEN,
    HOSTILE,
    MASK_BOX,
    MISS_FRAME,
    OTHER_BOX,
    SWITCH_FRAME,
    moving_box,
)

from mmtrack.core.visualization.report import BoxColumns, Video, write_page
from mmtrack.core.visualization.report.packing import _palette

RED, YELLOW, BLUE = (230, 0, 0), (255, 215, 0), (0, 130, 255)


def left_edge(box):
    """Middle of the left line of a box."""
    return box[0], (box[1] + box[3]) / 2


def near(color, wanted, tolerance=12):
    return np.abs(np.subtract(color, wanted)).max() <= tolerance


@pytest.fixture
def id_color(small_report):
    palette = _palette(small_report.kinds)[:, ::-1]
    return lambda ident: tuple(int(v) for v in palette[ident % len(palette)])


@pytest.fixture
def page(open_page, page_file):
    return open_page(page_file)


def test_boxes_are_drawn_where_they_are_in_their_colours(page, id_color):
    assert near(page.pixel(*left_edge(moving_box(0))), id_color(1))
    assert near(page.pixel(*left_edge(OTHER_BOX)), id_color(2))
    blank = page.pixel(95, 57)
    for frame in range(1, FRAMES):
        page.go(frame)
        color = BLUE if frame == SWITCH_FRAME else id_color(1 if frame < SWITCH_FRAME else 7)
        assert near(page.pixel(*left_edge(moving_box(frame))), color), frame
        other = YELLOW if frame == MISS_FRAME else id_color(2)
        assert near(page.pixel(*left_edge(OTHER_BOX)), other), frame
        false = page.pixel(*left_edge(FALSE_BOX))
        assert near(false, RED if frame == FALSE_FRAME else blank), frame
        assert page.count("FP") == (frame == FALSE_FRAME)
        assert page.count("FN") == (frame == MISS_FRAME)
        assert page.count("IDSW") == (frame == SWITCH_FRAME)
        assert page.page.locator("#frame-number").input_value() == str(frame + 1)


def test_keys_and_jumps(page):
    keyboard = page.page.keyboard
    page.page.locator("h1").click()
    for key, frame in (("ArrowRight", 1), ("End", FRAMES - 1), ("Shift+ArrowLeft", 1), ("Home", 0),
                       ("n", FALSE_FRAME), ("n", SWITCH_FRAME), ("n", MISS_FRAME),
                       ("n", FALSE_FRAME), ("p", MISS_FRAME)):  # fmt: skip
        keyboard.press(key)
        page.frame(frame)
    page.page.locator("#show-IDSW").uncheck()
    page.page.locator("#previous-error").click()
    page.frame(FALSE_FRAME)
    page.page.locator("#next-error").click()
    page.frame(MISS_FRAME)
    page.page.locator("#frame-number").fill("3")
    page.page.locator("#frame-number").press("Enter")
    page.frame(2)


def test_playing_goes_on_to_the_end_and_stops(page):
    page.page.locator("#speed").select_option("60")
    page.page.locator("#play").click()
    page.frame(FRAMES - 1)
    page.settle()
    assert page.page.locator("#play").get_attribute("aria-label") == "Play"


def test_kinds_of_boxes_are_switched(page, id_color):
    page.go(FALSE_FRAME)
    assert page.drawn() == 3
    page.page.locator("#show-FP").uncheck()
    assert page.drawn() == 2
    assert not near(page.pixel(*left_edge(FALSE_BOX)), RED, 60)
    page.page.locator("#show-correct").uncheck()
    assert page.drawn() == 0
    page.page.locator("#show-truth").check()
    assert page.drawn() == 2
    page.page.locator("#show-FP").check()
    page.page.keyboard.press("g")  # ground truth off
    assert page.drawn() == 1
    page.go(MISS_FRAME)
    assert page.drawn() == 1  # the missed object stays
    page.page.locator("#show-FN").uncheck()
    assert page.drawn() == 0


def test_filters_by_id_class_and_score(page, id_color):
    page.go(FALSE_FRAME)
    assert page.page.locator("#threshold").input_value() == "0"
    ids = page.page.locator("#ids")
    ids.fill("2, 8-20")
    assert page.drawn() == 2
    assert not near(page.pixel(*left_edge(moving_box(FALSE_FRAME))), id_color(1), 60)
    ids.fill("o1")  # what is matched to object 1
    assert page.drawn() == 1
    assert near(page.pixel(*left_edge(moving_box(FALSE_FRAME))), id_color(1))
    ids.fill("x")
    assert '"x" is no id' in page.page.locator(".error-text").inner_text()
    assert page.drawn() == 1  # the last valid filter stays
    ids.fill("")
    page.page.locator('#classes input[data-label="1"]').uncheck()
    assert page.drawn() == 1
    assert page.count("FP") == 0
    page.page.locator('#classes input[data-label="1"]').check()
    page.page.locator("#threshold").fill("50")  # between 0.35 and 0.9
    assert page.drawn() == 2
    assert page.page.locator("#show-FP ~ output").inner_text() == "0"


def test_a_click_selects_a_track(page, id_color):
    page.go(FRAMES - 1)
    scale = page.page.evaluate("Number(document.getElementById('frame').dataset.scale)")
    x1, y1, x2, y2 = (side * scale for side in moving_box(FRAMES - 1))
    position = {"x": (x1 + x2) / 2, "y": (y1 + y2) / 2}
    page.page.locator("#frame").click(position=position)
    text = page.page.locator("#selection").inner_text()
    assert "Track 7" in text
    assert "IDSW\n1" in text
    assert f"follows object\n1 ({FRAMES - SWITCH_FRAME})" in text
    page.settle()
    # the trail, where the box was three frames ago
    x1, _, x2, y2 = moving_box(FRAMES - 4)
    assert near(page.pixel((x1 + x2) / 2, y2), id_color(7), 40)
    page.page.locator("#selection button", has_text="IDSW 7").click()
    page.frame(SWITCH_FRAME)
    page.page.keyboard.press("Escape")
    assert "Click a box" in page.page.locator("#selection").inner_text()
    # a bar of the time line: the lanes are objects, o1, o2, tracks, 1, 7, ...
    page.page.locator("#timeline .lanes canvas").click(position={"x": 300, "y": 2.5 * 13})
    assert "Object 2" in page.page.locator("#selection").inner_text()


def test_tables_have_the_scores_and_sort(page):
    rows = page.page.locator("#tables tbody tr")
    values = [row.locator("td").nth(1).get_attribute("data-value") for row in rows.all()]
    assert values == ["0.25", "0.5", None, "0.375"]
    assert page.page.locator('[data-score="MOTA"]').inner_text() == "37.5"

    def names():
        return [
            text[:3] for text in page.page.locator("#tables tbody td:first-child").all_inner_texts()
        ]

    heading = page.page.locator("#tables th", has_text="MOTA")
    heading.locator("button").click()
    assert names() == ["b", "</s", "mas", "OVE"]  # undefined last, the sum always below
    assert heading.get_attribute("aria-sort") == "descending"
    heading.locator("button").click()
    assert names() == ["</s", "b", "mas", "OVE"]
    page.page.locator("#tables th", has_text="FP").locator("button").click()
    assert names() == ["b", "</s", "mas", "OVE"]  # few errors are better
    assert heading.get_attribute("aria-sort") is None


def test_names_are_text(page):
    assert page.page.evaluate("window.pwned") is None
    assert page.page.locator("img").count() == 0
    assert HOSTILE in page.page.locator("#title").inner_text()
    assert page.page.locator("#video option").first.inner_text() == HOSTILE
    assert HOSTILE in page.page.locator("#classes").inner_text()
    # what gets into the page later cannot run either, which the browser tells
    page.allowed.append("Content Security Policy")
    page.page.evaluate(
        """() => {
          const node = document.createElement("div");
          node.innerHTML = '<p onclick="window.pwned = 3">x</p>';
          document.body.append(node);
          node.firstChild.click();
        }"""
    )
    assert page.page.evaluate("window.pwned") is None


def test_pictures_and_frames_without(page):
    page.page.locator("#video").select_option("1")
    page.page.wait_for_selector('#frame[data-video="1"]')
    assert near(page.pixel(95, 57), GREEN[::-1])
    page.go(SWITCH_FRAME)
    assert near(page.pixel(95, 57), GREEN[::-1])
    page.go(SWITCH_FRAME + 1)  # an older picture is dimmed
    assert max(page.pixel(95, 57)) < 0.6 * max(GREEN)
    page.page.keyboard.press("]")
    page.page.wait_for_selector('#frame[data-video="2"]')
    assert page.page.locator("tr.current td").first.inner_text() == "masks"


def test_masks_and_scores_that_find_objects(page, id_color):
    page.page.locator("#video").select_option("2")
    page.page.wait_for_selector('#frame[data-video="2"]')
    x1, y1, _, y2 = MASK_BOX
    inside, outside = (x1 + 5, (y1 + y2) / 2), (x1 + 15, (y1 + y2) / 2)
    blank = np.array(page.pixel(*outside))
    expected = 0.55 * blank + 0.45 * np.array(id_color(3))
    assert near(page.pixel(*inside), expected)
    masks = page.page.get_by_label("masks", exact=True)
    masks.uncheck()
    page.settle()
    assert near(page.pixel(*inside), blank)
    assert page.page.locator("#video-charts h3").all_inner_texts()[0] == "overlap"
    assert page.count("FN") == 0
    page.page.locator("#threshold").fill("50")  # 0.75: the object is found by 0.6 alone
    assert page.count("FN") == 1
    assert page.drawn() == 1
    assert near(page.pixel(*left_edge(MASK_BOX)), YELLOW)
    page.go(1)
    assert page.count("FN") == 0


@pytest.mark.parametrize("with_truth", [True, False])
def test_a_video_without_any_box(open_page, small_report, tmp_path, with_truth):
    nothing = BoxColumns.make(np.zeros(0), np.zeros((0, 4)))
    truth = nothing if with_truth else None
    video = Video("empty", (100, 60), np.array([1]), nothing, truth)
    bare = replace(small_report, videos=[video], tables=[], charts=[], headline=[], classes=[])
    if not with_truth:
        bare = replace(bare, kinds=[])
    write_page(tmp_path / "report.html", bare, [[]])
    page = open_page(tmp_path / "report.html")
    assert page.drawn() == 0
    page.page.keyboard.press("n")
    page.page.locator("#play").click()
    assert page.page.locator("#next-error").count() == with_truth
    assert page.page.locator("#counts").inner_text().startswith("Frame 1: 0 results")


def test_light_and_dark(open_page, page_file):
    page = open_page(page_file, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.page.evaluate(background)
    assert dark == "rgb(18, 21, 27)"
    page.page.locator("#theme").click()
    assert page.page.evaluate(background) == "rgb(244, 245, 247)"
    page.settle()
    assert near(page.pixel(95, 57), (233, 235, 239))
    page.page.locator("#theme").click()
    assert page.page.evaluate(background) == dark


def test_everything_has_a_name_and_nothing_overflows(open_page, page_file):
    page = open_page(page_file, width=400)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 400
    unnamed = page.page.evaluate(
        """() => Array.from(document.querySelectorAll("button, input, select, canvas"))
          .filter((node) => !(node.textContent.trim() || node.ariaLabel || node.labels?.length
            || node.closest("label")))
          .map((node) => node.outerHTML)"""
    )
    assert unnamed == []
