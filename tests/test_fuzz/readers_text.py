"""Readers of tables, lists, settings and XML."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import sot_layout
from sot_datasets import build, vot
from test_fuzz.mutators import TABLE, TEXT, XML
from test_fuzz.reader import Reader, file_of, finite, script
from test_fuzz.readers_json import small_jpeg, tables_are_finite

from mmtrack.apis.cli import add_config_options, load_config
from mmtrack.datasets import (
    CocoVideoDataset,
    GOT10kDataset,
    LaSOTDataset,
    OTB100Dataset,
    ReIDDataset,
    TrackingNetDataset,
    UAV123Dataset,
    VOTDataset,
)
from mmtrack.datasets.converters.ilsvrc import (
    convert_vid,
    det_training_images,
    read_xml,
    vid_training_videos,
    vid_validation_videos,
)
from mmtrack.datasets.converters.mot import MOTSequence, convert_mot_subset, public_detections
from mmtrack.datasets.converters.sot import convert_sot
from mmtrack.datasets.converters.sot_benchmarks import find_got10k, find_lasot, find_vot
from mmtrack.datasets.parsers.detections import (
    read_detections,
    read_ground_truth,
    read_sequence_lengths,
)
from mmtrack.datasets.parsers.mot_txt import SEQINFO_KEYS, read_mot_txt, read_seqinfo

GT = "1,4,10,20,30,40,1,1,0.5\n2,4,11,20,30,40,0,1,0.25\n3,8,1,1,9,9,1,3,1\n"
DET = "1,-1,10,20,30,40,0.9\n2,-1,11,20,30,40,0.8\n"
RESULT = "1,1,10,20,30,40,0.9,-1,-1,-1\n2,1,11,20,30,40,0.8,-1,-1,-1\n"
SEQINFO = (
    "[Sequence]\nname=S\nimDir=img1\nframeRate=25\nseqLength=3\nimWidth=20\nimHeight=10\n"
    "imExt=.jpg\n"
)


# ------------------------------------------------------------------ MOTChallenge
def sequence(damaged: str):
    """A `make` for a sequence with images, one of whose files is damaged."""

    def make(folder: Path) -> Path:
        for frame in range(1, 4):
            file_of(f"train/S/img1/{frame:06d}.jpg", small_jpeg())(folder)
        for name, text in (("seqinfo.ini", SEQINFO), ("gt/gt.txt", GT), ("det/det.txt", DET)):
            file_of(f"train/S/{name}", text)(folder)
        return folder / "train" / "S" / damaged

    return make


def convert_sequence(folder: Path, path: Path) -> object:
    """Through the converter."""
    found = MOTSequence.open(folder / "train" / "S")
    convert_mot_subset([found]).write(folder / "out" / "a.json")
    public_detections([found])
    return None


def read_folder(folder: Path, path: Path) -> object:
    """As detections and ground truth of a tracker."""
    root = str(folder / "train")
    read_ground_truth(root, ["S"])
    lengths = read_sequence_lengths(root, ["S"])
    assert all(0 <= length <= 10_000_000 for length in lengths.values())
    return read_detections(root)


def table_is_finite(table: object) -> None:
    """Accepted boxes are numbers, in frames that one can count to."""
    tables_are_finite({"": table})


def seqinfo_is_plausible(info: object) -> None:
    """Accepted numbers are positive and finite."""
    assert 0 <= info.length <= 10_000_000
    for value in (info.frame_rate, info.width, info.height):
        assert value is None or (np.isfinite(value) and value > 0)


# ------------------------------------------------------------------ single object tracking
def read_sot(kind: type, root: str = ".", test_mode: bool = True, **options: object):
    """A `read` that opens a data set and reads the annotations of all its videos."""

    def read(folder: Path, path: Path) -> object:
        dataset = build(
            kind, folder / root, str(folder / "infos.txt"), test_mode=test_mode, **options
        )
        found = []
        for i in range(len(dataset.data_infos)):
            found.append(dataset.get_ann_infos_from_video(i))
            names = dataset.get_img_infos_from_video(i)["filename"]
            assert len(names) == len(found[-1]["bboxes"]) or dataset._num_annotations_may_differ()
            if test_mode:
                dataset.test_annotation(i, 0)
        return found

    return read


def valid_boxes_are_finite(found: list) -> None:
    """Boxes are NaN only where the object is absent."""
    for infos in found:
        finite(infos["bboxes"][infos["bboxes_isvalid"]])


def sot_files(layout, damaged: str):
    """A `make` from a function that writes a benchmark and its list of videos."""

    def make(folder: Path) -> Path:
        layout(folder)
        return folder / damaged

    return make


def trackingnet(folder: Path) -> None:
    """One video of a training chunk."""
    text = sot_layout.lines(sot_layout.boxes_of(4))
    sot_layout.write(folder / "TRAIN_0" / "anno" / "v.txt", text)
    sot_layout.write_infos(folder, [("TRAIN_0/frames/v", "TRAIN_0/anno/v.txt", 0, 3)])


def otb(folder: Path) -> None:
    """Blanks, commas and tabs as the benchmark mixes them."""
    for i, mark in enumerate((",", "\t", " ")):
        text = sot_layout.lines(sot_layout.boxes_of(4), mark)
        sot_layout.write(folder / "data" / f"V{i}" / "groundtruth_rect.txt", text)
    rows = [(f"data/V{i}/img", f"data/V{i}/groundtruth_rect.txt", 1, 4) for i in range(3)]
    sot_layout.write_infos(folder, rows)


def uav(folder: Path) -> None:
    """A video whose object is out of view for a frame."""
    text = sot_layout.lines(sot_layout.boxes_of(4)) + "\nNaN,NaN,NaN,NaN"
    sot_layout.write(folder / "anno" / "UAV123" / "bike.txt", text)
    sot_layout.write_infos(folder, [("data_seq/UAV123/bike", "anno/UAV123/bike.txt", 1, 5)])


def convert_benchmark(find):
    """A `read` that converts a benchmark to CocoVID."""

    def read(folder: Path, path: Path) -> object:
        root = folder / "root" if (folder / "root").is_dir() else folder
        convert_sot(root, find(root)).write(folder / "out" / "a.json")
        return None

    return read


def lasot_with_images(folder: Path) -> None:
    """In the layout that the converter reads, with the category's folder."""
    text = sot_layout.lines(sot_layout.boxes_of(3))
    sot_layout.write(folder / "root" / "c" / "c-1" / "groundtruth.txt", text)
    for name in ("full_occlusion.txt", "out_of_view.txt"):
        sot_layout.write(folder / "root" / "c" / "c-1" / name, "0,1,0")
    for frame in range(1, 4):
        file_of(f"root/c/c-1/img/{frame:08d}.jpg", small_jpeg())(folder)


def got10k_with_images(folder: Path) -> None:
    """One training video and the list of names."""
    video = "train/GOT-10k_Train_000001"
    sot_layout.write(folder / video / "groundtruth.txt", sot_layout.lines(sot_layout.boxes_of(3)))
    for frame in range(1, 4):
        file_of(f"{video}/{frame:08d}.jpg", small_jpeg())(folder)
    for name in ("absence.label", "cover.label", "cut_by_image.label"):
        sot_layout.write(folder / video / name, "0\n0\n1")
    sot_layout.write(folder / "train" / "list.txt", "GOT-10k_Train_000001\n")


def vot_with_images(folder: Path) -> None:
    """One video with polygons and a mask."""
    text = "1,2,9,2,9,8,1,8\nm0,0,4,3,1,2\n2,2,9,2,9,8,1,8"
    sot_layout.write(folder / "data" / "bag" / "groundtruth.txt", text)
    sot_layout.write(folder / "data" / "bag" / "occlusion.tag", "0\n1\n0")
    for frame in range(1, 4):
        file_of(f"data/bag/color/{frame:08d}.jpg", small_jpeg())(folder)
    sot_layout.write(folder / "data" / "list.txt", "bag\n")


def read_first_box(folder: Path, path: Path) -> object:
    """``--gt_bbox_file`` of the demo."""
    args = argparse.Namespace(init_bbox=None, gt_bbox_file=str(path))
    return script("demo/demo_sot.py").given_region(args)


# ------------------------------------------------------------------ ImageNet VID
XML_FILE = (
    "<annotation><folder>f</folder><size><width>64</width><height>48</height></size>"
    "<object><trackid>7</trackid><name>n02084071</name><bndbox><xmax>11</xmax><xmin>1</xmin>"
    "<ymax>22</ymax><ymin>2</ymin></bndbox><occluded>0</occluded><generated>0</generated></object>"
    "</annotation>"
)


def xml_is_finite(image: object) -> None:
    """Accepted boxes are numbers, in images that have pixels."""
    assert image.width > 0
    assert image.height > 0
    finite(*(item.bbox for item in image.objects))


def vid_lists(damaged: str):
    """A `make` for the lists of ImageNet VID, one of which is damaged."""

    def make(folder: Path) -> Path:
        for frame in range(3):
            file_of(f"Annotations/VID/train/a/{frame:06d}.xml", XML_FILE)(folder)
        file_of("Annotations/DET/train/b/one.xml", XML_FILE)(folder)
        file_of("Lists/VID_train_15frames.txt", "train/a 1 1 3\ntrain/a 1 3 3\n")(folder)
        file_of("Lists/VID_val_videos.txt", "train/a 1 0 3\n")(folder)
        file_of("Lists/DET_train_30classes.txt", "train/b/one 1\n")(folder)
        return folder / "Lists" / damaged

    return make


# What a damaged list of videos may end in: a file that it names is not there.
MISSING = (
    "there is no annotation file",
    "does not exist; check ann_file",
    "there is no folder",
    "there is no image folder",
    "holds no images",
    "holds no folders",
    "there are no videos of the",
    "File name too long",
)


def read_vid_lists(folder: Path, path: Path) -> object:
    """All lists, and the files of the first."""
    convert_vid(folder, vid_training_videos(folder))
    vid_validation_videos(folder)
    return det_training_images(folder)


# ------------------------------------------------------------------ lists, configs
def read_reid(folder: Path, path: Path) -> object:
    """A list of crops."""
    return ReIDDataset([], data_prefix=str(folder), ann_file=str(path)).get_gt_labels()


def read_classes(folder: Path, path: Path) -> object:
    """``classes`` of a data set as a file."""
    return CocoVideoDataset.get_classes(str(path))


OPTIONS = 'a.b=1\nc="[1,2,(3,4)]"\nd=x,y\nmodel.parts.0.depth=18\n'
CONFIG = "a = dict(b=2)\nmodel = dict(parts=[dict(depth=50)])\n"


def read_options(folder: Path, path: Path) -> object:
    """``--cfg-options`` with the lines of the file; the error must name the option."""
    config = file_of("out/config.py", CONFIG)(folder)
    lines = path.read_bytes().decode("utf-8", errors="surrogateescape").split("\n")
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("config")
    parser.error = raise_usage
    add_config_options(parser)
    options = [line.replace('"', "") for line in lines if line and not line.startswith("-")]
    args = parser.parse_args([str(config), *(["--cfg-options", *options] if options else [])])
    try:
        load_config(args).pretty_text  # noqa: B018 - scripts write it into logs
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    return None


def raise_usage(message: str) -> None:
    """What ends a script with its usage."""
    raise ValueError(f"options.txt: {message}")


READERS = [
    Reader("mot-gt", file_of("gt.txt", GT), lambda _, p: read_mot_txt(p, drop_empty=True), TABLE,
           table_is_finite),
    Reader("mot-result", file_of("res.txt", RESULT), lambda _, p: read_mot_txt(p), TABLE,
           table_is_finite),
    Reader("mot-seqinfo", file_of("seqinfo.ini", SEQINFO),
           lambda _, p: read_seqinfo(p, SEQINFO_KEYS), TABLE, seqinfo_is_plausible),
    *(
        Reader(f"mot-folder-{name}", sequence(file), read_folder, TABLE)
        for name, file in (("gt", "gt/gt.txt"), ("det", "det/det.txt"), ("ini", "seqinfo.ini"))
    ),
    *(
        Reader(f"mot-convert-{name}", sequence(file), convert_sequence, TABLE, None, MISSING)
        for name, file in (("gt", "gt/gt.txt"), ("det", "det/det.txt"), ("ini", "seqinfo.ini"))
    ),
    Reader("lasot-infos", sot_files(sot_layout.lasot, "infos.txt"), read_sot(LaSOTDataset), TABLE,
           None, MISSING),
    Reader("lasot-boxes", sot_files(sot_layout.lasot, "c-0/groundtruth.txt"),
           read_sot(LaSOTDataset), TABLE, valid_boxes_are_finite),
    Reader("lasot-flags", sot_files(sot_layout.lasot, "c-0/out_of_view.txt"),
           read_sot(LaSOTDataset), TABLE),
    Reader("got10k-boxes", sot_files(sot_layout.got10k, "train/GOT-10k_000000/groundtruth.txt"),
           read_sot(GOT10kDataset, test_mode=False, split="train"), TABLE, valid_boxes_are_finite),
    Reader("got10k-cover", sot_files(sot_layout.got10k, "train/GOT-10k_000000/cover.label"),
           read_sot(GOT10kDataset, test_mode=False, split="train"), TABLE),
    Reader("trackingnet-boxes", sot_files(trackingnet, "TRAIN_0/anno/v.txt"),
           read_sot(TrackingNetDataset, test_mode=False, split="train"), TABLE,
           valid_boxes_are_finite),
    Reader("trackingnet-infos", sot_files(trackingnet, "infos.txt"),
           read_sot(TrackingNetDataset, test_mode=False, split="train"), TABLE, None, MISSING),
    Reader("otb-boxes", sot_files(otb, "data/V1/groundtruth_rect.txt"), read_sot(OTB100Dataset),
           TABLE, valid_boxes_are_finite),
    Reader("uav123-boxes", sot_files(uav, "anno/UAV123/bike.txt"), read_sot(UAV123Dataset), TABLE,
           valid_boxes_are_finite),
    Reader("vot-polygons", sot_files(vot, "data/bag/groundtruth.txt"), read_sot(VOTDataset), TABLE),
    *(
        Reader(f"convert-{name}", sot_files(layout, damaged), convert_benchmark(find), TABLE,
               None, MISSING)
        for name, layout, find, damaged in (
            ("lasot-boxes", lasot_with_images, lambda f: find_lasot(f, "train", []),
             "root/c/c-1/groundtruth.txt"),
            ("lasot-flags", lasot_with_images, lambda f: find_lasot(f, "train", []),
             "root/c/c-1/full_occlusion.txt"),
            ("got10k-list", got10k_with_images, lambda f: find_got10k(f, "train"),
             "train/list.txt"),
            ("vot-boxes", vot_with_images, find_vot, "data/bag/groundtruth.txt"),
            ("vot-list", vot_with_images, find_vot, "data/list.txt"),
        )
    ),
    Reader("demo-first-box", file_of("first.txt", "10,20,30,40\n"), read_first_box, TABLE),
    Reader("ilsvrc-xml", file_of("a.xml", XML_FILE), lambda _, p: read_xml(p), XML, xml_is_finite),
    *(
        Reader(f"ilsvrc-list-{name.split('_')[0]}-{name.split('_')[1]}", vid_lists(name),
               read_vid_lists, TABLE, None, MISSING)
        for name in ("VID_train_15frames.txt", "VID_val_videos.txt", "DET_train_30classes.txt")
    ),
    Reader("reid-list", file_of("train.txt", "a/1.jpg 0\nb/1.jpg 1\n"), read_reid, TABLE),
    Reader("class-list", file_of("classes.txt", "pedestrian\ncar\n"), read_classes, TABLE,
           refuses=False),
    Reader("cfg-options", file_of("options.txt", OPTIONS), read_options, TEXT),
]  # fmt: skip
