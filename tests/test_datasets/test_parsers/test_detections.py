"""Detections of many sequences, in every layout that is read."""

import json
import pickle

import numpy as np
import pytest

from mmtrack.datasets.parsers.detections import (
    read_detections,
    read_ground_truth,
    read_sequence_lengths,
)

ROWS = "1,-1,10,20,30,40,0.9,-1,-1,-1\n3,-1,11,21,30,40,0.8,-1,-1,-1\n"
NAMES = {
    "S1/img1/000001.jpg": [np.array([[10, 20, 40, 60, 0.9]])],
    "S1/img1/000002.jpg": [np.zeros((0, 5))],
    "S1/img1/000003.jpg": [np.array([[11, 21, 41, 61, 0.8]])],
}


def layout(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("ending", ["det.txt", "json", "pkl", "folder", "texts"])
def test_every_layout_gives_the_same_table(tmp_path, ending):
    if ending == "det.txt":
        path = layout(tmp_path, {"S1/det/det.txt": ROWS}) / "S1/det/det.txt"
    elif ending == "folder":
        path = layout(tmp_path, {"S1/det/det.txt": ROWS, "other/readme.txt": "no detections"})
    elif ending == "texts":
        path = layout(tmp_path, {"S1.txt": ROWS})
    elif ending == "json":
        path = tmp_path / "d.json"
        content = {name: [a.tolist() for a in arrays] for name, arrays in NAMES.items()}
        path.write_text(json.dumps(dict(det_bboxes=content)))
    else:
        path = tmp_path / "d.pkl"
        path.write_bytes(pickle.dumps(dict(det_bboxes=NAMES)))
    tables = read_detections(str(path))
    assert list(tables) == ["S1"]
    table = tables["S1"]
    assert table.frames.tolist() == [1, 3]
    np.testing.assert_allclose(table.boxes, [[10, 20, 30, 40], [11, 21, 30, 40]])
    np.testing.assert_allclose(table.scores, [0.9, 0.8])


def test_classes_of_a_pickle_count_from_one(tmp_path):
    path = tmp_path / "d.pkl"
    box = np.array([[0, 0, 5, 5, 0.5]])
    path.write_bytes(pickle.dumps(dict(det_bboxes={"S/000001.jpg": [box, box]})))
    assert read_detections(str(path))["S"].classes.tolist() == [1, 2]


def test_a_folder_without_detections_says_what_it_expects(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"SEQUENCE/det/det\.txt"):
        read_detections(str(tmp_path))
    with pytest.raises(FileNotFoundError, match="do not exist"):
        read_detections(str(tmp_path / "nothing"))


def test_an_image_name_that_tells_no_frame_is_named(tmp_path):
    path = tmp_path / "d.json"
    path.write_text(json.dumps(dict(det_bboxes={"S/last.jpg": [[[0, 0, 5, 5, 1]]]})))
    with pytest.raises(ValueError, match=r"d\.json: image name 'S/last\.jpg'"):
        read_detections(str(path))


def test_nan_is_refused_with_the_name_of_the_image(tmp_path):
    path = tmp_path / "d.pkl"
    box = np.array([[0, 0, 5, np.nan, 0.5]])
    path.write_bytes(pickle.dumps(dict(det_bboxes={"S/img1/000007.jpg": [box]})))
    with pytest.raises(ValueError, match=r"S/img1/000007\.jpg.*not finite"):
        read_detections(str(path))


def test_ground_truth_and_lengths_of_the_sequences_that_have_them(tmp_path):
    info = "[Sequence]\nname=S1\nseqLength=71\n"
    layout(tmp_path, {"S1/gt/gt.txt": "1,4,1,2,3,4,1,-1,-1,-1\n", "S1/seqinfo.ini": info})
    assert list(read_ground_truth(str(tmp_path), ["S1", "S2"])) == ["S1"]
    assert read_sequence_lengths(str(tmp_path), ["S1", "S2"]) == {"S1": 71}
    with pytest.raises(FileNotFoundError, match=r"S2/gt/gt\.txt"):
        read_ground_truth(str(tmp_path), ["S2"])
