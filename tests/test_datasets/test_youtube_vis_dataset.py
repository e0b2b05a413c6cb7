"""YouTube-VIS: classes, samples with masks, submission files and scores."""

import copy
import json
import zipfile
from dataclasses import replace

import numpy as np
import pycocotools.mask as coco_mask
import pytest
from mmdet.datasets import build_dataset

from mmtrack.datasets import YouTubeVISDataset
from mmtrack.datasets.converters.youtube_vis import annotation_file, convert_youtube_vis
from mmtrack.datasets.synthetic.layouts import LAYOUTS
from mmtrack.datasets.youtube_vis_classes import CLASSES_2019, CLASSES_2021

SIZE = (160, 96)  # width, height


@pytest.fixture(scope="module", params=["2019", "2021"])
def version(request):
    return request.param


@pytest.fixture(scope="module")
def tree(tmp_path_factory, version):
    """A converted synthetic data set; 2021 has polygons."""
    root = tmp_path_factory.mktemp(f"vis{version}")
    layout = LAYOUTS[f"youtube-vis-{version}"]
    options = replace(
        layout.options,
        size=SIZE,
        videos=2,
        valid_videos=2,
        test_videos=1,
        frames=6,
        valid_gt=True,
        polygons=version == "2021",
    )
    layout.write(root, options, lambda: None)
    for split in ("train", "valid", "test"):
        writer = convert_youtube_vis(annotation_file(root, version, split), version)
        writer.write(root / "annotations" / f"{split}.json")
    return root


def build(tree, version, split="valid", **settings):
    return build_dataset(
        {
            "type": "YouTubeVISDataset",
            "dataset_version": version,
            "ann_file": str(tree / "annotations" / f"{split}.json"),
            "img_prefix": str(tree / split / "JPEGImages"),
            "pipeline": [],
            "ref_img_sampler": None,
            "test_mode": True,
            **settings,
        }
    )


def perfect_results(dataset, score=0.9):
    """What a model that knows the truth returns."""
    boxes, masks = [], []
    for info in dataset.data_infos:
        ann = dataset.get_ann_info(info)
        rows = [np.zeros((0, 6), np.float32) for _ in dataset.CLASSES]
        codes = [[] for _ in dataset.CLASSES]
        for k, label in enumerate(ann["labels"]):
            row = np.array([[ann["instance_ids"][k], *ann["bboxes"][k], score]], np.float32)
            rows[label] = np.concatenate((rows[label], row))
            mask = ann["masks"][k]
            code = coco_mask.frPyObjects(mask, info["height"], info["width"])
            codes[label].append(coco_mask.merge(code) if isinstance(mask, list) else code)
        boxes.append(rows)
        masks.append(codes)
    return {"track_bboxes": boxes, "track_masks": masks}


def test_classes_belong_to_the_object(tree, version):
    other = {"2019": "2021", "2021": "2019"}[version]
    dataset = build(tree, version)
    with pytest.warns(UserWarning, match="labels follow the categories"):
        build(tree, other)
    assert {"2019": CLASSES_2019, "2021": CLASSES_2021}[version] == dataset.CLASSES
    assert dataset.cat_ids == list(range(1, 41))
    assert YouTubeVISDataset.CLASSES is None
    some = build(tree, version, classes=["person", "dog"])
    assert len(some.cat_ids) == 2


def test_unknown_version(tree):
    with pytest.raises(NotImplementedError, match="dataset_version is '2020'"):
        build(tree, "2020")


# ------------------------------------------------------------------ training samples
def vis_pipeline(flip, scale=(120, 120)):
    return [
        {"type": "LoadMultiImagesFromFile", "to_float32": True},
        {"type": "SeqLoadAnnotations", "with_bbox": True, "with_mask": True, "with_track": True},
        {"type": "SeqResize", "share_params": True, "img_scale": scale, "keep_ratio": True},
        {"type": "SeqRandomFlip", "share_params": True, "flip_ratio": flip},
        {
            "type": "SeqNormalize",
            "mean": [123.675, 116.28, 103.53],
            "std": [58.395, 57.12, 57.375],
            "to_rgb": True,
        },
        {"type": "SeqPad", "size_divisor": 32},
        {
            "type": "VideoCollect",
            "keys": ["img", "gt_bboxes", "gt_labels", "gt_masks", "gt_instance_ids"],
        },
        {"type": "SeqDefaultFormatBundle", "ref_prefix": "ref"},
    ]


def training_set(tree, version, flip=0.0, scale=(120, 120)):
    sampler = {"num_ref_imgs": 1, "frame_range": 3, "filter_key_img": True, "method": "uniform"}
    return build(
        tree,
        version,
        "train",
        test_mode=False,
        pipeline=vis_pipeline(flip, scale),
        ref_img_sampler=sampler,
    )


@pytest.mark.parametrize("flip", [0.0, 1.0])
@pytest.mark.parametrize("scale", [(120, 120), (320, 192)])
def test_masks_and_boxes_agree_after_resize_and_flip(tree, version, flip, scale):
    dataset = training_set(tree, version, flip, scale)
    np.random.seed(0)
    shared = compared = 0
    for index in range(len(dataset)):
        sample = dataset[index]
        for prefix in ("", "ref_"):
            meta = sample[f"{prefix}img_metas"].data
            assert meta["flip"] is bool(flip)
            boxes = sample[f"{prefix}gt_bboxes"].data.numpy()
            masks = sample[f"{prefix}gt_masks"].data
            ids = sample[f"{prefix}gt_instance_ids"].data
            assert masks.masks.shape == (len(boxes), *sample[f"{prefix}img"].data.shape[-2:])
            assert len(ids) == len(boxes)
            height, width = meta["img_shape"][:2]
            assert not masks.masks[:, height:].any()
            assert not masks.masks[:, :, width:].any()
            factor = meta["scale_factor"][0]
            for box, mask in zip(boxes, masks.masks, strict=True):
                y, x = np.nonzero(mask)
                if len(x) < 8:
                    continue
                tight = [x.min(), y.min(), x.max() + 1, y.max() + 1]
                # a pixel of the smaller image may be gained or lost at each side
                np.testing.assert_allclose(box, tight, atol=1.5 + factor)
                compared += 1
        both = np.intersect1d(sample["gt_instance_ids"].data, sample["ref_gt_instance_ids"].data)
        shared += len(both)
    assert compared > 30
    assert shared > 10


def test_flipped_masks_mirror(tree, version):
    plain, flipped = (training_set(tree, version, flip)[0] for flip in (0.0, 1.0))
    width = plain["img_metas"].data["img_shape"][1]
    first, second = (sample["gt_masks"].data.masks[:, :, :width] for sample in (plain, flipped))
    assert np.array_equal(first, second[:, :, ::-1])


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ([[1, 2, 3]], "annotation 1 in .*polygon 0 has 3 coordinates"),
        ({"size": [5, 5], "counts": [25]}, "annotation 1 in .*the mask has height and width"),
        (None, "annotation 1 in .*not NoneType"),
    ],
)
def test_masks_that_do_not_fit(tree, version, tmp_path, segmentation, message):
    data = json.loads((tree / "annotations" / "train.json").read_text())
    data["annotations"][0]["segmentation"] = segmentation
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(data))
    dataset = build(tree, version, "train", ann_file=str(path))
    with pytest.raises(ValueError, match=message):
        dataset.get_ann_info(0)


def test_empty_masks_are_left_out_of_training(tree, version, tmp_path):
    data = json.loads((tree / "annotations" / "train.json").read_text())
    own = [a for a in data["annotations"] if a["image_id"] == 1]
    own[0].update(segmentation={"size": [96, 160], "counts": [96 * 160]}, area=0)
    path = tmp_path / "empty.json"
    path.write_text(json.dumps(data))
    dataset = build(tree, version, "train", ann_file=str(path))
    assert len(dataset.get_ann_info(0)["masks"]) == len(own) - 1


# ------------------------------------------------------------------ results
def test_truth_scores_one(tree, version):
    dataset = build(tree, version)
    results = perfect_results(dataset)
    before = copy.deepcopy(results)
    scores = dataset.evaluate(results, metric="track_segm", logger="silent")
    assert scores["segm_mAP"] == scores["segm_mAP_50"] == 1
    assert dataset.evaluate(results, logger="silent") == scores
    assert str(results) == str(before)


def test_lost_tracks_score_less(tree, version):
    dataset = build(tree, version)
    results = perfect_results(dataset)
    for boxes, masks in zip(results["track_bboxes"][::2], results["track_masks"][::2], strict=True):
        boxes[:] = [rows[:0] for rows in boxes]
        masks[:] = [[] for _ in masks]
    assert dataset.evaluate(results, logger="silent")["segm_mAP"] < 0.5


def test_submission_has_the_format_of_the_challenge(tree, version, tmp_path):
    dataset = build(tree, version)
    results = perfect_results(dataset)
    target = tmp_path / "out"
    path, tmp_dir = dataset.format_results(results, resfile_path=str(target))
    assert tmp_dir is None
    assert sorted(p.name for p in target.iterdir()) == ["results.json", "submission_file.zip"]
    with zipfile.ZipFile(target / "submission_file.zip") as archive:
        assert archive.namelist() == ["results.json"]
        assert archive.testzip() is None
        tracks = json.loads(archive.read("results.json"))
    with open(path) as file:
        assert json.load(file) == tracks
    official = json.loads(annotation_file(tree, version, "valid").read_text())
    videos = {video["id"]: video for video in official["videos"]}
    categories = {category["id"] for category in official["categories"]}
    assert len(tracks) == len(official["annotations"])
    for track in tracks:
        assert set(track) == {"video_id", "score", "category_id", "segmentations"}
        video = videos[track["video_id"]]
        assert track["category_id"] in categories
        assert track["score"] == pytest.approx(0.9)
        assert len(track["segmentations"]) == video["length"] == len(video["file_names"])
        assert any(track["segmentations"])
        for mask in filter(None, track["segmentations"]):
            assert set(mask) == {"size", "counts"}
            assert mask["size"] == [video["height"], video["width"]]
            assert coco_mask.decode(mask).any()


def test_same_results_same_bytes_and_nothing_is_overwritten(tree, version, tmp_path):
    dataset = build(tree, version)
    results = perfect_results(dataset)
    keep = tmp_path / "mine.txt"
    keep.write_text("keep me")
    paths = [dataset.format_results(results, str(tmp_path))[0] for _ in range(2)]
    assert paths == [str(tmp_path / run / "results.json") for run in ("run_001", "run_002")]
    zips = [(tmp_path / run / "submission_file.zip").read_bytes() for run in ("run_001", "run_002")]
    assert zips[0] == zips[1]
    assert keep.read_text() == "keep me"
    with pytest.raises(NotADirectoryError, match=r"mine\.txt is a file"):
        dataset.format_results(results, str(keep))
    path, tmp_dir = dataset.format_results(results)
    assert path.startswith(tmp_dir.name)
    tmp_dir.cleanup()


def test_a_track_is_the_mean_of_its_frames(tree, version):
    dataset = build(tree, version)
    results = perfect_results(dataset)
    frames = [i for i, info in enumerate(dataset.data_infos) if info["video_id"] == 1]
    for boxes, masks in zip(results["track_bboxes"], results["track_masks"], strict=True):
        boxes[:] = [np.zeros((0, 6), np.float32) for _ in boxes]
        masks[:] = [[] for _ in masks]
    code = coco_mask.encode(np.ones((96, 160), np.uint8, order="F"))
    for frame, (label, score) in zip(frames, [(4, 0.2), (7, 0.4), (7, 0.9)], strict=False):
        results["track_bboxes"][frame][label] = np.array([[33, 0, 0, 9, 9, score]], np.float32)
        results["track_masks"][frame][label] = [code]
    (track,) = dataset.format_results(results, save_as_json=False)
    assert track["score"] == pytest.approx(0.5)
    assert track["category_id"] == 8
    assert [mask is not None for mask in track["segmentations"]] == [True] * 3 + [False] * 3
    json.dumps(track)


def drop_masks(results):
    label = next(i for i, rows in enumerate(results["track_bboxes"][0]) if len(rows))
    results["track_masks"][0][label] = []


def test_of_two_masks_with_one_id_the_later_counts(tree, version):
    dataset = build(tree, version)
    results = perfect_results(dataset)
    want = dataset.format_results(results, save_as_json=False)
    label = next(i for i, rows in enumerate(results["track_bboxes"][0]) if len(rows))
    rows, masks = (results[key][0] for key in ("track_bboxes", "track_masks"))
    worse = rows[label][:1] * [1, 1, 1, 1, 1, 0.1]
    rows[label] = np.concatenate((worse, rows[label]))
    code = coco_mask.encode(np.ones((96, 160), np.uint8, order="F"))
    masks[label] = [code, *masks[label]]
    assert dataset.format_results(results, save_as_json=False) == want


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("track_masks"), "needs results with 'track_masks'"),
        (lambda r: r["track_masks"].pop(), "track_masks has 11 entries.*12 images"),
        (drop_masks, "frame 0 of video 1 has .* boxes and .* masks"),
        (
            lambda r: (
                r["track_bboxes"][0].append(np.zeros((1, 6))),
                r["track_masks"][0].append([r]),
            ),
            "frame 0 of video 1 has a result of class 40.*has 40 categories",
        ),
    ],
)
def test_results_that_do_not_fit(tree, version, change, message):
    dataset = build(tree, version)
    results = perfect_results(dataset)
    change(results)
    with pytest.raises(ValueError, match=message):
        dataset.evaluate(results, logger="silent")


def test_unknown_metric(tree, version):
    dataset = build(tree, version)
    with pytest.raises(ValueError, match="has no metric 'segm'; it has track_segm"):
        dataset.evaluate(perfect_results(dataset), metric="segm")


def test_hidden_truth(tree, version):
    dataset = build(tree, version, "test")
    results = perfect_results(dataset)
    with pytest.raises(ValueError, match="no objects to evaluate against"):
        dataset.evaluate(results, logger="silent")
    assert dataset.format_results(results, save_as_json=False) == []


def test_left_out_frames(tree, version):
    dataset = build(tree, version, key_img_sampler={"interval": 2})
    with pytest.raises(ValueError, match="frames of video 1 are left out"):
        dataset.evaluate(perfect_results(dataset), logger="silent")


def test_objects_that_change_their_category(tree, version, tmp_path):
    data = json.loads((tree / "annotations" / "valid.json").read_text())
    last = [a for a in data["annotations"] if a["instance_id"] == 1][-1]
    last["category_id"] = last["category_id"] % 40 + 1
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(data))
    dataset = build(tree, version, ann_file=str(path))
    with pytest.raises(ValueError, match="object 1 of video 1 has the categories"):
        dataset.convert_back_to_vis_format()
