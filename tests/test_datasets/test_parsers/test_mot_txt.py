"""MOTChallenge text files: values against hand-written rows, every kind of bad row refused."""

from __future__ import annotations

import numpy as np
import pytest

from mmtrack.core.evaluation.mot_table import MOTTable
from mmtrack.datasets.parsers.mot_txt import (
    SEQINFO_KEYS,
    MOTFormatError,
    SeqInfo,
    read_mot_txt,
    read_seqinfo,
    write_mot_txt,
    write_seqinfo,
)


def save(tmp_path, text, name="gt.txt"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_ground_truth_has_class_and_visibility(tmp_path):
    table = read_mot_txt(save(tmp_path, "1,2,10.5,20,30,40,1,7,0.25\n3,2,11,21,31,41,0,1,1\n"))
    assert table.frames.tolist() == [1, 3]
    assert table.ids.tolist() == [2, 2]
    assert table.boxes.tolist() == [[10.5, 20, 30, 40], [11, 21, 31, 41]]
    assert table.scores.tolist() == [1, 0]
    assert table.classes.tolist() == [7, 1]
    assert table.visibility.tolist() == [0.25, 1]


def test_world_coordinates_are_no_classes(tmp_path):
    table = read_mot_txt(save(tmp_path, "1,-1,5,6,7,8,0.9,-1.5,2.25,0\n"))
    assert table.classes.tolist() == [-1]
    assert table.visibility.tolist() == [-1]
    assert table.scores.tolist() == [0.9]


@pytest.mark.parametrize(
    ("text", "score", "kind"),
    [("1,-1,5,6,7,8", 1, -1), ("1,-1,5,6,7,8,.5", 0.5, -1), ("1,4,5,6,7,8,.5,3", 0.5, 3)],
    ids=["6", "7", "8"],
)
def test_short_rows(tmp_path, text, score, kind):
    table = read_mot_txt(save(tmp_path, text))
    assert table.scores.tolist() == [score]
    assert table.classes.tolist() == [kind]


def test_rows_are_sorted_by_frame_and_stay_in_order_within_it(tmp_path):
    rows = ["3,1,1,1,1,1", "1,9,1,1,1,1", "3,0,1,1,1,1", "1,2,1,1,1,1", "", "2,5,1,1,1,1", ""]
    table = read_mot_txt(save(tmp_path, "\n".join(rows)))
    assert table.frames.tolist() == [1, 1, 2, 3, 3]
    assert table.ids.tolist() == [9, 2, 5, 1, 0]


def test_long_files_stay_in_order_within_a_frame(tmp_path):
    rows = [f"{i % 3 + 1},{i},1,1,1,1" for i in range(3000)]
    table = read_mot_txt(save(tmp_path, "\n".join(rows)))
    assert table.ids.tolist() == [i for start in range(3) for i in range(start, 3000, 3)]


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_empty_file_is_a_sequence_without_boxes(tmp_path, text):
    table = read_mot_txt(save(tmp_path, text))
    assert len(table) == 0
    assert table.boxes.shape == (0, 4)


GOOD = "1,1,5,6,7,8,1,1,1\n\n"
BAD = {
    "too few columns": ("1,1,5,6,7\n", "5 columns, expected 6 to 10"),
    "too many columns": (",".join("1" * 11), "11 columns"),
    "columns change": (GOOD + "1,2,5,6,7,8,1\n", "line 3 has 7 columns, .* have 9"),
    "no number": (GOOD + "1,2,5,six,7,8,1,1,1\n", "line 3: column 4 is 'six'"),
    "separator": ("1 1 5 6 7 8\n", "line 1: column 1"),
    "missing cell": ("1,1,,6,7,8\n", "line 1: column 3 is ''"),
    "nan": (GOOD + "1,2,nan,6,7,8,1,1,1\n", "line 3: .*not finite"),
    "infinity": (GOOD + "1,2,inf,6,7,8,1,1,1\n", "line 3: .*not finite"),
    "fractional frame": (GOOD + "1.5,2,5,6,7,8,1,1,1\n", "line 3: .*whole numbers"),
    "fractional id": (GOOD + "1,2.5,5,6,7,8,1,1,1\n", "line 3: .*whole numbers"),
    "fractional class": (GOOD + "1,2,5,6,7,8,1,1.5,1\n", "line 3: .*whole numbers"),
    "frame zero": ("0,2,5,6,7,8\n", "line 1: frames are counted from 1"),
    "negative width": ("1,2,5,6,-7,8\n", "line 1: width or height is negative"),
    "no area": ("1,2,5,6,7,0\n", "line 1: the box has no area.*drop_empty"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_bad_rows_are_refused_by_line(tmp_path, text, message):
    path = save(tmp_path, text)
    with pytest.raises(MOTFormatError, match=message) as error:
        read_mot_txt(path)
    assert str(path) in str(error.value)


def test_the_first_bad_line_is_named(tmp_path):
    text = "1,1,5,6,7,8\n2,1,5,6,7,-8\n3,1,nan,6,7,8\n"
    with pytest.raises(MOTFormatError, match="line 2"):
        read_mot_txt(save(tmp_path, text))


def test_empty_boxes_are_left_out_on_request(tmp_path):
    path = save(tmp_path, "1,1,5,6,7,8\n1,2,5,6,0,8\n")
    with pytest.warns(UserWarning, match="1 boxes without area"):
        assert read_mot_txt(path, drop_empty=True).ids.tolist() == [1]


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"det\.txt"):
        read_mot_txt(tmp_path / "det.txt")


def table_of(count, seed=0, **more):
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(1, 500, (count, 4)).round(3)
    frames = np.sort(rng.integers(1, 9, count))
    return MOTTable.from_columns(
        frames, rng.integers(1, 99, count), boxes, rng.uniform(size=count).round(3), **more
    )


def assert_equal(left, right):
    for name in ("frames", "ids", "boxes", "scores", "classes", "visibility"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)


def test_results_are_written_as_the_kit_reads_them(tmp_path):
    table = MOTTable.from_columns([4], [12], [[1.00049, 2, 3.5, 4]], [0.98765])
    write_mot_txt(tmp_path / "a.txt", table)
    assert (tmp_path / "a.txt").read_text() == "4,12,1.000,2.000,3.500,4.000,0.988,-1,-1,-1\n"
    write_mot_txt(tmp_path / "b.txt", table, columns=7)
    assert (tmp_path / "b.txt").read_text() == "4,12,1.000,2.000,3.500,4.000,0.988\n"


@pytest.mark.parametrize("count", [0, 1, 50])
def test_written_tables_are_read_back(tmp_path, count):
    plain = table_of(count)
    write_mot_txt(tmp_path / "sub" / "plain.txt", plain)
    assert_equal(read_mot_txt(tmp_path / "sub" / "plain.txt"), plain)
    full = table_of(count, classes=np.ones(count), visibility=np.full(count, 0.5))
    write_mot_txt(tmp_path / "full.txt", full)
    assert_equal(read_mot_txt(tmp_path / "full.txt"), full)


def test_writer_refuses_what_the_reader_would(tmp_path):
    table = MOTTable.from_columns([4], [12], [[1, np.nan, 3.5, 4]])
    with pytest.raises(ValueError, match="frame 4, id 12"):
        write_mot_txt(tmp_path / "a.txt", table)
    with pytest.raises(ValueError, match="expected 7, 9 or 10"):
        write_mot_txt(tmp_path / "a.txt", table_of(2), columns=8)
    assert not (tmp_path / "a.txt").exists()


INFO = SeqInfo("MOT17-02", "img1", 29.97, 600, 1920, 1080, ".jpg")


def test_seqinfo_is_read_back(tmp_path):
    write_seqinfo(tmp_path / "seqinfo.ini", INFO)
    assert read_seqinfo(tmp_path / "seqinfo.ini", SEQINFO_KEYS) == INFO


def test_seqinfo_of_detections_alone(tmp_path):
    path = save(tmp_path, "[Sequence]\nname=TUD-Campus\nseqLength=71\n", "seqinfo.ini")
    info = read_seqinfo(path)
    assert (info.name, info.length, info.width, info.im_dir) == ("TUD-Campus", 71, None, None)
    with pytest.raises(MOTFormatError, match="imDir, frameRate, imWidth, imHeight, imExt"):
        read_seqinfo(path, SEQINFO_KEYS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[Sequence]\nname=a\n", "missing in .*: seqLength"),
        ("", "no section"),
        ("[Sequence]\nname=a\nseqLength=many\n", "seqLength is 'many'"),
        ("x y z", "no section"),
    ],
)
def test_bad_seqinfo_is_refused(tmp_path, text, message):
    with pytest.raises(MOTFormatError, match=message):
        read_seqinfo(save(tmp_path, text, "seqinfo.ini"))


def test_real_files(shared):
    folder = shared / "data/MOT15/train"
    truth = read_mot_txt(folder / "TUD-Campus/gt/gt.txt")
    assert len(truth) == 359
    assert truth.frames.max() == 71
    assert read_seqinfo(folder / "TUD-Campus/seqinfo.ini").length == 71
    for path in sorted(folder.glob("*/det/det.txt")):
        table = read_mot_txt(path)
        assert len(table) == sum(1 for _ in path.open())
        assert (table.ids == -1).all()
