"""Files of tracked boxes in every format against the boxes they were written from."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from mmtrack.datasets import build_dataset
from mmtrack.datasets.sot_results import read_sot_results, video_names
from mmtrack.datasets.sot_submission import write_got10k_zip, write_trackingnet_zip

LENGTHS = {"cat-1": 5, "cat-2": 3, "dog-1": 4}


@pytest.fixture
def dataset(tmp_path):
    """LaSOT's layout, without images."""
    lines = ["# video_path,annotation_path,start,end"]
    for name, length in LENGTHS.items():
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        (folder / "groundtruth.txt").write_text("1,2,30,40\n" * length)
        lines.append(f"{name}/img,{name}/groundtruth.txt,1,{length}")
    (tmp_path / "infos.txt").write_text("\n".join(lines))
    config = {
        "type": "LaSOTDataset",
        "ann_file": str(tmp_path / "infos.txt"),
        "img_prefix": str(tmp_path / "data"),
        "pipeline": [],
        "split": "test",
        "test_mode": True,
    }
    return build_dataset(config)


@pytest.fixture
def tracked():
    rng = np.random.default_rng(0)
    return {n: rng.uniform(1, 90, (length, 4)).round(4) for n, length in LENGTHS.items()}


def write_folder(path, videos):
    path.mkdir()
    for name, boxes in videos.items():
        np.savetxt(path / f"{name}.txt", boxes, delimiter="\t")


def write_json(path, videos):
    corners = np.concatenate(list(videos.values()))
    corners[:, 2:] += corners[:, :2]
    path.write_text(json.dumps({"track_bboxes": [[*row, 0.9] for row in corners.tolist()]}))


WRITERS = {
    "got10k.zip": write_got10k_zip,
    "trackingnet.zip": write_trackingnet_zip,
    "folder": write_folder,
    "results.json": write_json,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format(dataset, tracked, tmp_path, name):
    WRITERS[name](tmp_path / name, tracked)
    found = read_sot_results(tmp_path / name, dataset)
    assert len(found) == 3
    for boxes, expected in zip(found, tracked.values(), strict=True):
        corners = np.concatenate((expected[:, :2], expected[:, :2] + expected[:, 2:]), 1)
        assert boxes == pytest.approx(corners)


def test_missing_video(dataset, tracked, tmp_path):
    del tracked["cat-2"]
    write_trackingnet_zip(tmp_path / "a.zip", tracked)
    with pytest.raises(FileNotFoundError, match=r"cat-2: cat-2.txt or cat-2/cat-2_001.txt"):
        read_sot_results(tmp_path / "a.zip", dataset)


def test_other_length(dataset, tracked, tmp_path):
    tracked["dog-1"] = tracked["dog-1"][1:]
    write_folder(tmp_path / "a", tracked)
    with pytest.raises(ValueError, match="dog-1.txt has 3 boxes, the video 4 frames"):
        read_sot_results(tmp_path / "a", dataset)
    write_json(tmp_path / "a.json", tracked)
    with pytest.raises(ValueError, match="11 frames"):
        read_sot_results(tmp_path / "a.json", dataset)


def test_no_such_results(dataset, tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.json"):
        read_sot_results(tmp_path / "nothing.json", dataset)
    (tmp_path / "a.pkl").write_bytes(b"")
    with pytest.raises(ValueError, match=r"--out results.json"):
        read_sot_results(tmp_path / "a.pkl", dataset)


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        ("airplane/airplane-1/groundtruth.txt", "airplane-1"),
        ("Jogging/groundtruth_rect.1.txt", "Jogging-1"),
        ("Jogging/groundtruth_rect.2.txt", "Jogging-2"),
        ("Basketball/groundtruth_rect.txt", "Basketball"),
        ("anno/UAV123/bird1_2.txt", "bird1_2"),
        ("TEST/anno/-7H0zCpzBe4.txt", "-7H0zCpzBe4"),
    ],
)
def test_video_names(annotation, name):
    assert video_names(SimpleNamespace(data_infos=[{"ann_path": annotation}])) == [name]


def test_names_of_official_lists_are_unique(shared):
    lists = json.loads((shared / "zoo" / "dataset_lists.json").read_text())
    for rows in (lists["otb100"], lists["uav123"]):
        names = video_names(SimpleNamespace(data_infos=[{"ann_path": row[1]} for row in rows]))
        assert len(set(names)) == len(names)
