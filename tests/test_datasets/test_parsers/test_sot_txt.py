"""Lists of videos and tables of boxes."""

import numpy as np
import pytest

from mmtrack.datasets.parsers.sot_txt import (
    SOTFormatError,
    check_boxes,
    parse_infos,
    parse_table,
)

HEAD = "video_path,annotation_path,start_frame_id,end_frame_id"


def test_infos():
    found = parse_infos(f"{HEAD}\na/img,a/gt.txt,1,12\n\n b/img , b/gt.txt , 0 , 0 \n", "infos.txt")
    assert found == [
        {"video_path": "a/img", "ann_path": "a/gt.txt", "start_frame_id": 1, "end_frame_id": 12},
        {"video_path": "b/img", "ann_path": "b/gt.txt", "start_frame_id": 0, "end_frame_id": 0},
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a/img,a/gt.txt,1", "line 3: 3 fields in"),
        ("a/img,,1,5", "3 fields"),
        ("a/img,a/gt.txt,1,5,x", "5 fields"),
        ("a/img,a/gt.txt,one,5", "no whole numbers"),
        ("a/img,a/gt.txt,1,5.5", "no whole numbers"),
        ("a/img,a/gt.txt,-1,5", "no whole numbers"),
        ("a/img,a/gt.txt,6,5", "the last frame before the first"),
    ],
)
def test_broken_infos(line, problem):
    with pytest.raises(SOTFormatError, match=problem) as error:
        parse_infos(f"{HEAD}\nb,b.txt,1,2\n{line}\n", "infos.txt")
    assert str(error.value).startswith("infos.txt, line 3")
    assert HEAD in str(error.value)


def test_no_videos():
    with pytest.raises(SOTFormatError, match="infos.txt lists no videos"):
        parse_infos(f"{HEAD}\n", "infos.txt")


def test_a_video_in_the_comment_line_is_noticed():
    with pytest.warns(UserWarning, match="the first line is a comment; 'a,a.txt,1,2'"):
        found = parse_infos("a,a.txt,1,2\nb,b.txt,1,2", "infos.txt")
    assert [info["video_path"] for info in found] == ["b"]


@pytest.mark.parametrize("separator", [",", " ", "\t", ", ", ";", " - ", "; \t"])
def test_any_separator(separator):
    text = "\r\n".join(separator.join(row) for row in (["1", "-2.5"], ["NaN", "4e1"], ["5.", ".5"]))
    expected = [[1, -2.5], [np.nan, 40], [5, 0.5]]
    np.testing.assert_array_equal(parse_table(text, "x"), expected)


def test_floats_are_exact():
    values = np.random.default_rng(0).normal(size=(20, 4)) * 10.0 ** np.arange(-3, 1)
    text = "\n".join(",".join(map(repr, row)) for row in values.tolist())
    np.testing.assert_array_equal(parse_table(text, "x"), values)


@pytest.mark.parametrize("line", ["1,2,3", "1,2,,4", "1,2,x,4", "1,2,3,4,5", "header"])
def test_broken_table(line):
    with pytest.raises(SOTFormatError, match=r"gt.txt, line 2: .* the first line has 4"):
        parse_table(f"1,2,3,4\n{line}\n", "gt.txt")


def test_numbers_of_one_line_and_of_none():
    assert parse_table("0,1,0\n", "x").tolist() == [[0, 1, 0]]
    assert parse_table("0\n1\n", "x").tolist() == [[0], [1]]
    assert parse_table("7", "x").tolist() == [[7]]
    assert parse_table("", "x").shape == parse_table("\n \n", "x").shape == (0, 0)


def test_boxes():
    assert check_boxes(np.zeros((2, 8)), (4, 8), "gt.txt").shape == (2, 8)
    with pytest.raises(SOTFormatError, match="gt.txt has no boxes; expected lines of 4 or 8"):
        check_boxes(parse_table("\n", "gt.txt"), (4, 8), "gt.txt")
    with pytest.raises(SOTFormatError, match="gt.txt has 6 numbers a line, expected 4 or 8"):
        check_boxes(np.zeros((2, 6)), (4, 8), "gt.txt")
    with pytest.raises(SOTFormatError, match=r"box 1 is not finite.*: \[inf"):
        check_boxes(np.array([[0, 0, 1, 1], [np.inf, 0, 1, 1]]), (4,), "gt.txt")
