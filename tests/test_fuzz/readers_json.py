"""Readers of annotation and result files in JSON."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pycocotools.mask as coco_mask
import sot_layout
from sot_datasets import build
from test_fuzz.mutators import BYTES, JSON, JSON_LINES
from test_fuzz.reader import Reader, file_of, finite, script

from mmtrack.apis.mot_search import ScoreFolder
from mmtrack.apis.video_store import VideoStore
from mmtrack.datasets import (
    CocoVideoDataset,
    LaSOTDataset,
    MOTChallengeDataset,
    SOTCocoDataset,
    SOTImageNetVIDDataset,
    TaoDataset,
    YouTubeVISDataset,
)
from mmtrack.datasets.converters.crowdhuman import convert_crowdhuman
from mmtrack.datasets.converters.lvis import merge_files
from mmtrack.datasets.converters.tao import convert_tao_folder
from mmtrack.datasets.converters.youtube_vis import convert_youtube_vis
from mmtrack.datasets.parsers import CocoVID, annotation_cache
from mmtrack.datasets.parsers.detections import read_detections
from mmtrack.datasets.parsers.public_detections import load_public_detections
from mmtrack.datasets.sot_results import read_sot_results
from mmtrack.datasets.youtube_vis_classes import CLASSES_2019
from mmtrack.utils.folder_io import OwnedFolder

SIDE = 40  # of the images; smaller ones are left out of training
MASK = {"size": [SIDE, SIDE], "counts": [0, 5, 35, 5, 35, 5, 35, 5, 1475]}
TEXT_MASK = coco_mask.frPyObjects(MASK, SIDE, SIDE)
TEXT_MASK["counts"] = TEXT_MASK["counts"].decode()


def cocovid(masks: bool = False, tao: bool = False) -> dict:
    """Two short videos with two objects."""
    data: dict = {"videos": [], "images": [], "annotations": []}
    data["categories"] = [
        {"id": 1, "name": "pedestrian", "frequency": "f"},
        {"id": 3, "name": "car", "frequency": "r"},
    ]
    for video, length in enumerate((3, 2), 1):
        data["videos"].append({"id": video, "name": f"v{video}", "width": SIDE, "height": SIDE})
        if tao:
            data["videos"][-1].update(neg_category_ids=[3], not_exhaustive_category_ids=[])
        for frame in range(length):
            image = {
                "id": len(data["images"]) + 1, "video_id": video, "frame_id": frame,
                "mot_frame_id": frame + 1, "width": SIDE, "height": SIDE,
                "file_name": f"v{video}/img1/{frame + 1:06d}.jpg",
            }  # fmt: skip
            if tao:
                image.update(frame_index=5 * frame, file_name=f"train/v{video}/{frame}.jpg",
                             neg_category_ids=[3], not_exhaustive_category_ids=[])  # fmt: skip
            data["images"].append(image)
            for instance in range(2):
                box = [2.0 + frame, 1.0 + instance, 6.5, 5.0]
                ann = {
                    "id": len(data["annotations"]) + 1, "image_id": image["id"],
                    "video_id": video, "category_id": 1 + 2 * instance,
                    "instance_id": instance + 1, "bbox": box, "area": 32.5, "iscrowd": 0,
                    "visibility": 0.8, "track_id": instance + 1,
                }  # fmt: skip
                if masks:
                    ann["segmentation"] = (
                        MASK, TEXT_MASK, [[2, 2, 8, 2, 8, 6, 2, 6]],
                    )[len(data["annotations"]) % 3]  # fmt: skip
                data["annotations"].append(ann)
    return data


def load_all(kind: type, path: Path, **options: object) -> object:
    """Open a data set, read all annotations and draw references."""
    settings = {"ann_file": str(path), "img_prefix": str(path.parent), "pipeline": []}
    dataset = kind(**{**settings, "ref_img_sampler": None, **options})
    found = [dataset.get_ann_info(i) for i in range(len(dataset))]
    if dataset.load_as_video:
        sampler = {"frame_range": 2, "num_ref_imgs": 2, "method": "uniform"}
        for info in dataset.data_infos:
            dataset.ref_img_sampling(info, **sampler)
    return dataset, found


def boxes_are_finite(result: tuple) -> None:
    """Accepted annotations have finite boxes inside of plausible images."""
    for info in result[1]:
        finite(info["bboxes"], info["bboxes_ignore"])


def read_training(folder: Path, path: Path) -> object:
    """As a training set of images and of videos."""
    load_all(CocoVideoDataset, path, load_as_video=False)
    return load_all(CocoVideoDataset, path, ref_img_sampler={"frame_range": 2})


def read_test(folder: Path, path: Path) -> object:
    """As a test set, with its scores."""
    dataset, found = load_all(CocoVideoDataset, path, test_mode=True)
    tracks = [[np.array([[1, 1, 1, 9, 9, 0.9]])] * len(dataset.CLASSES) for _ in dataset.data_infos]
    boxes = [[row[:, 1:] for row in frame] for frame in tracks]
    dataset.evaluate(
        {"det_bboxes": boxes, "track_bboxes": tracks}, ["bbox", "track"], logger="silent",
        track_kwargs={"nproc": 1},
    )  # fmt: skip
    return dataset, found


def read_mot(folder: Path, path: Path) -> object:
    """As MOTChallenge data, whose results are named after the videos."""
    dataset, found = load_all(MOTChallengeDataset, path, test_mode=True, visibility_thr=0.1)
    tracks = [[np.array([[1, 1, 1, 9, 9, 0.9]])] for _ in range(len(dataset))]
    dataset.format_results({"track_bboxes": tracks}, str(folder / "out"), ["track"])
    return dataset, found


def read_vis(folder: Path, path: Path) -> object:
    """As YouTube-VIS, with masks and the way back to its format."""
    dataset, found = load_all(
        YouTubeVISDataset, path, dataset_version="2019", classes=("pedestrian", "car"),
        test_mode=True,
    )  # fmt: skip
    dataset.convert_back_to_vis_format()
    return dataset, found


def read_cache(folder: Path, path: Path) -> object:
    """A file of the cache: damage costs time, and never changes what is read."""
    with_cache(folder)
    source = folder / "videos.json"
    found = CocoVID(str(source))
    expected = cocovid(masks=True)
    for key in ("images", "annotations"):
        assert found.dataset[key] == expected[key], f"{key} changed"
    return found


def with_cache(folder: Path) -> None:
    """Keep the cache in the folder, for files of any size."""
    os.environ[annotation_cache.CACHE_VARIABLE] = str(folder / "out")
    annotation_cache.SMALLEST_FILE = 0


def make_cache(folder: Path) -> Path:
    """An annotation file and what the cache keeps of it."""
    source = file_of("videos.json", json.dumps(cocovid(masks=True)))(folder)
    with_cache(folder)
    CocoVID(str(source))
    return next((folder / "out").glob("*.columns"))


def make_tao(folder: Path) -> Path:
    """Official files of TAO."""
    file_of("test_categories.json", json.dumps([{"id": 3, "name": "car"}]))(folder)
    return file_of("train.json", json.dumps(cocovid(tao=True)))(folder)


def read_tao_folder(folder: Path, path: Path) -> object:
    """The converter writes beside its input, so that goes to ``out``."""
    target = folder / "out" / path.name
    target.write_bytes(path.read_bytes())
    convert_tao_folder(folder / "out", filter_classes=True)
    return None


def read_tao_dataset(folder: Path, path: Path) -> object:
    """A converted file of TAO as a data set, with the scores of LVIS."""
    dataset, found = load_all(TaoDataset, path, test_mode=True)
    boxes = [[np.array([[1, 1, 9, 9, 0.9]])] * len(dataset.CLASSES) for _ in dataset.data_infos]
    dataset.evaluate({"det_bboxes": boxes}, ["bbox"], logger="silent")
    return dataset, found


def youtube_vis() -> dict:
    """Official annotations of one video."""
    names = [f"abc/{5 * i:05d}.jpg" for i in range(3)]
    return {
        "videos": [{"id": 12, "width": SIDE, "height": SIDE, "length": 3, "file_names": names}],
        "categories": [{"id": i, "name": n} for i, n in enumerate(CLASSES_2019, 1)],
        "annotations": [
            {"id": 71, "video_id": 12, "category_id": 3, "iscrowd": 0,
             "segmentations": [MASK, None, TEXT_MASK], "bboxes": [[0, 0, 4, 5], None, None],
             "areas": [20, None, None]},
            {"id": 72, "video_id": 12, "category_id": 40, "iscrowd": 1,
             "segmentations": [None, [[2, 2, 8, 2, 8, 6, 2, 6]], None]},
        ],
    }  # fmt: skip


def read_youtube_vis(folder: Path, path: Path) -> object:
    """The official file through the converter; categories are damaged as well."""
    convert_youtube_vis(path, "2019").write(folder / "out" / "a.json")
    return None


def lvis() -> dict:
    """An image with an object, in LVIS and in COCO."""
    return {
        "images": [{"id": 1, "width": SIDE, "height": SIDE}],
        "categories": [{"id": 1, "name": "person", "synset": "person.n.01"}],
        "annotations": [
            {"id": 5, "image_id": 1, "category_id": 1, "segmentation": MASK},
            {"id": 6, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 5, 1, 5, 5, 1, 5]]},
        ],
    }


def read_lvis(folder: Path, path: Path) -> object:
    """COCO with the damaged file in the place of LVIS, and the other way round."""
    mapping = file_of("out/map.json", '{"person": {"synset": "person.n.01"}}')(folder)
    good = file_of("out/good.json", json.dumps(lvis()))(folder)
    merge_files(path, good, mapping, 0.7)
    merge_files(good, path, mapping, 0.7)
    return None


RECORDS = [
    {"ID": "a", "gtboxes": [{"tag": "person", "fbox": [-5, 2, 30, 60], "vbox": [0, 2, 25, 50],
                             "extra": {"ignore": 0}}]},
    {"ID": "b", "gtboxes": []},
]  # fmt: skip


def make_crowdhuman(folder: Path) -> Path:
    """Annotations of two images."""
    for record in RECORDS:
        image = folder / "val" / "Images" / f"{record['ID']}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(small_jpeg())
    return file_of("annotation_val.odgt", "\n".join(map(json.dumps, RECORDS)))(folder)


@lru_cache
def small_jpeg() -> bytes:
    """A picture of some hundred bytes."""
    return cv2.imencode(".jpg", np.full((10, 20, 3), 90, np.uint8))[1].tobytes()


def read_crowdhuman(folder: Path, path: Path) -> object:
    """Through the converter."""
    convert_crowdhuman(folder, "val").write(folder / "out" / "a.json")
    return None


DETECTIONS = {
    "det_bboxes": {
        "A/img1/000001.jpg": [[[1, 2, 30, 40, 0.9], [3, 4, 50, 60, 0.8]]],
        "A/img1/000002.jpg": [[]],
        "B/img1/000001.jpg": [[[1, 2, 30, 40, 0.9]]],
    }
}


def read_both_detections(folder: Path, path: Path) -> object:
    """As public detections of a data set, and as input of a tracker."""
    load_public_detections(path)
    return read_detections(str(path))


def tables_are_finite(tables: dict) -> None:
    """Accepted detections are numbers, in frames that a tracker can go through."""
    for table in tables.values():
        finite(table.boxes, table.scores)
        assert table.frames.max(initial=1) <= 10_000_000


def read_score(folder: Path, path: Path) -> object:
    """Scores of a finished combination of a search."""
    scores = ScoreFolder(path.parent, {"a": 1})
    scores.path = lambda settings: path
    return scores.load({})


def read_marker(folder: Path, path: Path) -> object:
    """A folder that was generated and is generated again."""
    with OwnedFolder(path.parent, path.name).fill({"a": 1}, replace=True) as staging:
        (staging / "new.txt").write_text("x")
    return None


def make_marker(folder: Path) -> Path:
    """A generated folder below ``out``."""
    file_of("out/data/a.txt", "x")(folder)
    return file_of("out/data/.made.json", json.dumps({"entries": ["a.txt", "b"]}))(folder)


def read_dummy(folder: Path, path: Path) -> object:
    """Empty result files, named after the videos of an annotation file."""
    tool = script("tools/analysis/mot/mot_dummy_results.py")
    return tool.write_empty(str(folder / "out"), tool.video_names(str(path)), str(path))


def read_mask_pipeline(folder: Path, path: Path) -> object:
    """Masks through the steps that a detector of masks is trained with."""
    steps = [{"type": "LoadImageFromFile"},
             {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True}]  # fmt: skip
    for video, length in (("v1", 3), ("v2", 2)):
        for frame in range(1, length + 1):
            image = np.zeros((SIDE, SIDE, 3), np.uint8)
            name = f"out/{video}/img1/{frame:06d}.jpg"
            file_of(name, cv2.imencode(".jpg", image)[1].tobytes())(folder)
    dataset = CocoVideoDataset(
        ann_file=str(path), img_prefix=str(folder / "out"), pipeline=steps, ref_img_sampler=None,
        load_as_video=False,
    )  # fmt: skip
    for index in range(len(dataset)):
        dataset.prepare_train_img(index)
    return None


def read_sot_training(folder: Path, path: Path) -> object:
    """Objects as videos to train single object trackers on."""
    for kind in (SOTCocoDataset, SOTImageNetVIDDataset):
        dataset = kind(ann_file=str(path), img_prefix=str(folder), pipeline=[], split="train")
        for index in range(len(dataset)):
            infos = dataset.get_ann_infos_from_video(index)
            finite(infos["bboxes"])
            assert len(list(dataset.get_img_infos_from_video(index)["filename"])) == len(
                infos["bboxes"]
            )
    return None


def make_sot_json(folder: Path) -> Path:
    """Results of LaSOT as ``tools/test.py --out`` writes them, and the data set."""
    sot_layout.lasot(folder)
    boxes = [[*row.tolist(), 0.9] for n in (6, 8) for row in sot_layout.boxes_of(n)]
    return file_of("results.json", json.dumps({"track_bboxes": boxes}))(folder)


def read_sot_json(folder: Path, path: Path) -> object:
    """As boxes of all videos."""
    dataset = build(LaSOTDataset, folder, str(folder / "infos.txt"))
    found = read_sot_results(path, dataset)
    finite(*map(np.nan_to_num, found))  # NaN is no box
    return found


LOG = "\n".join(
    json.dumps({"mode": "train", "epoch": 1, "iter": i, "loss": 0.5, "time": 0.1}) for i in range(3)
)


def read_log(folder: Path, path: Path) -> object:
    """A training log, with the curve of a value."""
    tool = script("tools/analysis/analyze_logs.py")
    return tool.curve(tool.read_log(str(path)), "loss")


READERS = [
    Reader("cocovid-train", file_of("train.json", json.dumps(cocovid())), read_training, JSON,
           boxes_are_finite),
    Reader("cocovid-test", file_of("test.json", json.dumps(cocovid())), read_test, JSON,
           boxes_are_finite),
    Reader("mot-names", file_of("mot.json", json.dumps(cocovid())), read_mot, JSON,
           boxes_are_finite),
    Reader("cocovid-masks", file_of("vis.json", json.dumps(cocovid(masks=True))), read_vis, JSON,
           boxes_are_finite),
    Reader("annotation-cache", make_cache, read_cache, BYTES, refuses=False),
    Reader("mask-pipeline", file_of("masks.json", json.dumps(cocovid(masks=True))),
           read_mask_pipeline, JSON, None, ("/out/", "check img_prefix and file_name")),
    Reader("sot-training", file_of("objects.json", json.dumps(cocovid())), read_sot_training, JSON),
    Reader("sot-results-json", make_sot_json, read_sot_json, JSON),
    Reader("tao-official", make_tao, read_tao_folder, JSON),
    Reader("tao-dataset", file_of("tao.json", json.dumps(cocovid(tao=True))), read_tao_dataset,
           JSON, boxes_are_finite),
    Reader("youtube-vis", file_of("train.json", json.dumps(youtube_vis())), read_youtube_vis, JSON),
    Reader("lvis-merge", file_of("lvis_or_coco.json", json.dumps(lvis())), read_lvis, JSON),
    Reader("crowdhuman", make_crowdhuman, read_crowdhuman, JSON_LINES, None, ("Images",)),
    Reader("detections-json", file_of("det.json", json.dumps(DETECTIONS)), read_both_detections,
           JSON, tables_are_finite),
    Reader("search-scores", file_of("scores.json", json.dumps({"scores": {"a": 1}})), read_score,
           JSON),
    Reader("search-identity", file_of("cache/identity.json", json.dumps({"a": 1, "b": [1, 2]})),
           lambda folder, path: VideoStore(path.parent, {"a": 1, "b": [1, 2]}), JSON, None,
           ("was computed with other",)),
    Reader("folder-marker", make_marker, read_marker, JSON),
    Reader("dummy-results", file_of("names.json", json.dumps(cocovid())), read_dummy, JSON),
    Reader("training-log", file_of("a.log.json", LOG), read_log, JSON_LINES),
]  # fmt: skip
