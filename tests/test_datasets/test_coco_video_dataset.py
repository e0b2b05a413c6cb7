"""``CocoVideoDataset``: which frames, annotations and scores."""

import contextlib
import copy
import io
import os
import pickle

import mmcv
import numpy as np
import pycocotools.mask as mask_utils
import pytest
from mmdet.datasets import CocoDataset
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmtrack.core.evaluation import coco_ap, eval_mot
from mmtrack.datasets import CocoVideoDataset
from mmtrack.datasets.reference_sampling import check_sampler, sample_references

CLASSES = ("car", "person")


def make(path, **kwargs):
    return CocoVideoDataset(ann_file=path, **{"classes": CLASSES, "pipeline": [], **kwargs})


def frames(dataset):
    return [(info["video_id"], info["frame_id"]) for info in dataset.data_infos]


# ---------------------------------------------------------------- frames
def test_frames_come_video_by_video_in_order(write_videos, video_data):
    dataset = make(write_videos(video_data((3, 2))))
    assert frames(dataset) == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]
    assert dataset.img_ids == [info["id"] for info in dataset.data_infos]
    assert dataset.data_infos[0]["filename"] == dataset.data_infos[0]["file_name"]
    assert dataset.flag.tolist() == [1] * 5


@pytest.mark.parametrize(
    ("interval", "expected"), [(1, [0, 1, 2, 3, 4]), (2, [0, 2, 4]), (3, [0, 3])]
)
def test_key_frames(write_videos, video_data, interval, expected):
    dataset = make(write_videos(video_data((5,))), key_img_sampler={"interval": interval})
    assert [frame for _, frame in frames(dataset)] == expected


def test_key_img_sampler_none_keeps_all(write_videos, video_data):
    assert len(make(write_videos(video_data((5,))), key_img_sampler=None)) == 5


def test_training_drops_small_images_and_images_without_wanted_objects(write_videos, video_data):
    data = video_data((4, 2))
    data["images"][0].update(width=31)
    empty = data["images"][1]["id"]
    data["annotations"] = [a for a in data["annotations"] if a["image_id"] != empty]
    path = write_videos(data)
    assert len(make(path)) == 4
    assert len(make(path, test_mode=True)) == 6
    assert len(make(path, filter_empty_gt=False)) == 5
    oracle = CocoDataset(ann_file=path, classes=("car",), pipeline=[])
    ours = make(path, classes=("car",))
    assert set(ours.img_ids) == set(oracle.img_ids)


def test_no_image_to_train_on(write_videos, video_data):
    data = video_data((2,))
    data["annotations"] = []
    with pytest.raises(ValueError, match="none of 2 images can be trained on.*filter_empty_gt"):
        make(write_videos(data))


def test_classes(write_videos, video_data):
    path = write_videos(video_data())
    assert make(path, classes=None).CLASSES == CLASSES
    dataset = make(path, classes=["person"])
    assert (dataset.cat_ids, dataset.cat2label) == ([4], {4: 0})
    with pytest.raises(ValueError, match=r"no category named .*\['dog'\].*its categories are"):
        make(path, classes=["dog"])
    with pytest.warns(UserWarning, match="labels follow the categories"):
        make(path, classes=["person", "car"])
    with pytest.warns(UserWarning, match="labels follow the categories"):
        make(path, classes=["car", "dog"])


@pytest.mark.parametrize(
    ("list_name", "field"),
    [
        ("images", "file_name"),
        ("images", "width"),
        ("annotations", "bbox"),
        ("annotations", "area"),
    ],
)
def test_missing_fields_are_named(write_videos, video_data, list_name, field):
    data = video_data()
    del data[list_name][2][field]
    with pytest.raises(ValueError, match=rf"videos.json: 1 of .* {list_name} have no '{field}'"):
        make(write_videos(data))


def test_repeated_annotation_ids(write_videos, video_data):
    data = video_data()
    data["annotations"][1]["id"] = 0
    with pytest.raises(ValueError, match="ids of annotations are not unique"):
        make(write_videos(data))


def test_missing_file_and_plain_coco(write_videos, video_data, tmp_path):
    with pytest.raises(FileNotFoundError, match="no annotation file"):
        make(str(tmp_path / "nothing.json"))
    data = video_data()
    del data["videos"]
    with pytest.raises(ValueError, match="no list 'videos'.*load_as_video=False"):
        make(write_videos(data))


def test_images_instead_of_videos(write_videos, video_data):
    data = video_data((3,))
    del data["videos"]
    for img in data["images"]:
        del img["video_id"], img["frame_id"]
    dataset = make(
        write_videos(data),
        load_as_video=False,
        ref_img_sampler={"num_ref_imgs": 2, "frame_range": 5},
    )
    assert [info["id"] for info in dataset.data_infos] == [img["id"] for img in data["images"]]
    sample = dataset[0]
    assert [frame["img_info"]["id"] for frame in sample] == [dataset.img_ids[0]] * 3
    assert sample[0]["ann_info"]["instance_ids"].tolist() == [0, 1, 2]
    assert not sample[0]["is_video_data"]


def test_empty_annotation_list(write_videos, video_data):
    data = video_data((2,))
    del data["annotations"]
    dataset = make(write_videos(data), test_mode=True, test_load_ann=True)
    ann = dataset[0][0]["ann_info"]
    assert ann["bboxes"].shape == ann["bboxes_ignore"].shape == (0, 4)
    assert ann["labels"].shape == ann["instance_ids"].shape == (0,)


# ---------------------------------------------------------------- annotations
def one_box(video_data, **change):
    data = video_data((1,), objects=1)
    data["annotations"][0].update(bbox=[10, 10, 20, 10], area=200)
    data["annotations"][0].update(change)
    return data


@pytest.mark.parametrize(
    ("change", "kept", "ignored"),
    [
        ({}, 1, 0),
        ({"ignore": True}, 0, 0),
        ({"ignore": 0}, 1, 0),
        ({"iscrowd": 1}, 0, 1),
        ({"iscrowd": True, "ignore": 1}, 0, 0),
        ({"bbox": [64, 10, 20, 10]}, 0, 0),
        ({"bbox": [63.5, 10, 20, 10]}, 1, 0),
        ({"bbox": [-20, 10, 20, 10]}, 0, 0),
        ({"bbox": [10, 48, 5, 5]}, 0, 0),
        ({"area": 0}, 0, 0),
        ({"area": -1}, 0, 0),
        ({"bbox": [10, 10, 0, 0], "area": 0}, 0, 0),
        ({"bbox": [10, 10, 0.9, 5]}, 0, 0),
        ({"bbox": [10, 10, 1, 1]}, 1, 0),
        ({"bbox": [10, 10, 0.5, 5], "iscrowd": 1}, 0, 0),
        ({"category_id": 99}, 0, 0),
        ({"category_id": 99, "iscrowd": 1}, 0, 0),
    ],
)
def test_filter_table(write_videos, video_data, change, kept, ignored):
    dataset = make(write_videos(one_box(video_data, **change)), filter_empty_gt=False)
    ann = dataset.get_ann_info(dataset.data_infos[0])
    assert (len(ann["bboxes"]), len(ann["bboxes_ignore"])) == (kept, ignored)
    assert len(ann["labels"]) == len(ann["instance_ids"]) == len(ann["masks"]) == kept


def test_annotations_agree_with_mmdet(write_videos, video_data):
    data = video_data((4, 3), objects=5)
    rng = np.random.default_rng(0)
    for ann in data["annotations"]:
        ann.update(
            iscrowd=int(rng.random() < 0.2),
            ignore=bool(rng.random() < 0.2),
            segmentation=[[1, 2, 3, 4, 5, 6]],
        )
        ann["bbox"][0] += float(rng.uniform(-40, 60))
    path = write_videos(data)
    ours = make(path, test_mode=True)
    oracle = CocoDataset(ann_file=path, classes=CLASSES, pipeline=[], test_mode=True)
    position = {img_id: i for i, img_id in enumerate(oracle.img_ids)}
    for i, info in enumerate(ours.data_infos):
        found, expected = ours.get_ann_info(info), oracle.get_ann_info(position[info["id"]])
        ids = found.pop("instance_ids")
        assert ids.dtype == np.int64
        assert found.keys() == expected.keys()
        for key in ("bboxes", "labels", "bboxes_ignore"):
            np.testing.assert_array_equal(found[key], expected[key])
            assert found[key].dtype == expected[key].dtype
        assert found["masks"] == expected["masks"]
        assert found["seg_map"] == expected["seg_map"]
        assert ours.get_ann_info(i)["seg_map"] == found["seg_map"]
        assert ours.get_cat_ids(i) == oracle.get_cat_ids(position[info["id"]])


def test_without_instance_ids(write_videos, video_data):
    data = video_data()
    for ann in data["annotations"]:
        del ann["instance_id"]
    dataset = make(write_videos(data), test_mode=True)
    assert "instance_ids" not in dataset.get_ann_info(0)
    empty = [[np.zeros((0, 6))] * 2] * len(dataset)
    with pytest.raises(ValueError, match="annotations have no 'instance_id'"):
        dataset.evaluate({"track_bboxes": empty}, metric="track", logger="silent")


# ---------------------------------------------------------------- samples
def test_sample_keys(write_videos, video_data):
    path = write_videos(video_data())
    train, test = make(path, ref_img_sampler=None)[0], make(path, test_mode=True)[0]
    common = {
        "img_info",
        "img_prefix",
        "seg_prefix",
        "proposal_file",
        "bbox_fields",
        "mask_fields",
        "seg_fields",
        "is_video_data",
    }
    assert set(train) == common | {"ann_info"}
    assert isinstance(test, list)
    assert set(test[0]) == common
    loaded = make(path, test_mode=True, test_load_ann=True, ref_img_sampler=None)[0]
    assert "ann_info" in loaded


def test_samples_do_not_change_the_data_set(write_videos, video_data):
    dataset = make(
        write_videos(video_data()),
        test_mode=True,
        ref_img_sampler={"num_ref_imgs": 4, "frame_range": 2, "method": "test_with_fix_stride"},
    )
    before = copy.deepcopy(dataset.data_infos)
    for i in range(len(dataset)):
        for frame in dataset[i]:
            frame["img_info"]["color_jitter"] = 1
    assert dataset.data_infos == before


def test_proposals_follow_the_images(write_videos, video_data, tmp_path):
    path = write_videos(video_data((3, 2)))
    proposals = [np.full((1, 5), i, np.float32) for i in range(5)]
    mmcv.dump(proposals, str(tmp_path / "p.pkl"))
    dataset = make(
        path, proposal_file=str(tmp_path / "p.pkl"), ref_img_sampler=None, test_mode=True
    )
    assert [int(dataset[i]["proposals"][0, 0]) for i in range(5)] == list(range(5))


def test_pipeline_reads_images(write_videos, video_data, tmp_path):
    data = video_data((3,))
    dataset = make(
        write_videos(data, images=True),
        img_prefix=str(tmp_path / "images"),
        pipeline=[
            {"type": "LoadMultiImagesFromFile"},
            {"type": "SeqLoadAnnotations", "with_bbox": True, "with_track": True},
        ],
        ref_img_sampler={"num_ref_imgs": 1, "frame_range": 1},
    )
    key, ref = dataset[1]
    assert key["img"].shape == ref["img"].shape == (48, 64, 3)
    assert key["gt_instance_ids"].tolist() == [1, 2, 3]


def test_rejected_samples_are_replaced_but_not_for_ever(write_videos, video_data):
    dataset = make(write_videos(video_data()), ref_img_sampler=None)
    wanted = dataset.img_ids[3]
    dataset.pipeline = lambda sample: sample if sample["img_info"]["id"] == wanted else None
    assert dataset[0]["img_info"]["id"] == wanted
    dataset.pipeline = lambda sample: None
    with pytest.raises(RuntimeError, match="rejected 1000 samples of .*videos.json"):
        dataset[0]


def test_pickle_for_spawned_workers(write_videos, video_data):
    dataset = make(write_videos(video_data()))
    copied = pickle.loads(pickle.dumps(dataset))
    assert copied.data_infos == dataset.data_infos
    np.testing.assert_array_equal(
        copied.get_ann_info(2)["bboxes"], dataset.get_ann_info(2)["bboxes"]
    )


def test_annotations_through_a_file_client(write_videos, video_data, tmp_path):
    @mmcv.FileClient.register_backend("bucket", force=True, prefixes="bucket")
    class Bucket(mmcv.BaseStorageBackend):
        """A remote storage with a mapping of paths, as petrel's."""

        def __init__(self, path_mapping):
            self.path_mapping = path_mapping
            self.opened = []

        def _map(self, path):
            for local, remote in self.path_mapping.items():
                path = str(path).replace(local, remote)
            return path.replace("bucket://data", str(tmp_path))

        def get(self, path):
            with open(self._map(path), "rb") as file:
                return file.read()

        def get_text(self, path, encoding="utf-8"):
            return self.get(path).decode(encoding)

        @contextlib.contextmanager
        def get_local_path(self, path):
            copy = tmp_path / "download.tmp"
            copy.write_bytes(self.get(path))
            yield str(copy)
            copy.unlink()

    data = video_data((3,))
    write_videos(data, images=True)
    client = {"backend": "bucket", "path_mapping": {"./data/": "bucket://data/"}}
    kwargs = {
        "data_root": "./data",
        "img_prefix": "images",
        "file_client_args": client,
        "pipeline": [{"type": "LoadMultiImagesFromFile", "file_client_args": client}],
    }
    dataset = make("videos.json", **kwargs)
    assert dataset[0][0]["img"].shape == (48, 64, 3)
    del data["images"][0]["id"]
    write_videos(data)
    with pytest.raises(ValueError, match=r"\./data/videos.json: 1 of 3 images have no 'id'"):
        make("videos.json", **kwargs)  # the path of the config, not that of the copy


# ---------------------------------------------------------------- references
def test_uniform_references_are_distinct_sorted_and_legal():
    seen = set()
    for _ in range(200):
        refs = sample_references(4, 10, [-2, 3], num_ref_imgs=3)
        assert len(set(refs)) == 3
        assert set(refs) <= {2, 3, 5, 6, 7}
        seen |= set(refs)
    assert seen == {2, 3, 5, 6, 7}
    assert sorted(sample_references(0, 3, [-5, 5], num_ref_imgs=9)) == [1, 2]
    assert sorted(sample_references(0, 3, [-5, 5], num_ref_imgs=9, filter_key_img=False)) == [
        0,
        1,
        2,
    ]
    assert sample_references(0, 1, [-5, 5], num_ref_imgs=2) == []


def test_bilateral_references():
    for _ in range(50):
        refs = sorted(sample_references(5, 20, [-3, 4], num_ref_imgs=4, method="bilateral_uniform"))
        assert refs[1] < 5 < refs[2]
        assert refs[0] >= 2
        assert refs[3] <= 9
    assert all(
        r > 0 for r in sample_references(0, 9, [-3, 4], num_ref_imgs=4, method="bilateral_uniform")
    )


@pytest.mark.parametrize(
    ("frame", "length", "count", "expected"),
    [
        (0, 7, 4, [0, 2, 4, 6]),
        (0, 4, 4, [0, 1, 2, 3]),
        (0, 1, 3, [0, 0, 0]),
        (0, 9, 1, [0]),
        (3, 7, 4, []),
    ],
)
def test_adaptive_stride(frame, length, count, expected):
    method = "test_with_adaptive_stride"
    assert sample_references(frame, length, [-2, 2], num_ref_imgs=count, method=method) == expected


@pytest.mark.parametrize(
    ("frame", "frame_range", "stride", "expected"),
    [
        (0, [-2, 2], 1, [0, 0, 0, 1, 2]),
        (3, [-2, 2], 1, [5]),
        (6, [-2, 2], 1, [6]),
        (0, [-1, 2], 3, [0, 0, 3, 6]),
        (1, [-1, 2], 3, []),
        (3, [-1, 2], 3, [6]),
    ],
)
def test_fixed_stride(frame, frame_range, stride, expected):
    method = "test_with_fix_stride"
    assert sample_references(frame, 7, frame_range, stride=stride, method=method) == expected


def test_references_of_the_data_set(write_videos, video_data):
    dataset = make(write_videos(video_data((6, 4))), test_mode=True)
    info = dataset.data_infos[7]
    found = dataset.ref_img_sampling(info, [-1, 1], num_ref_imgs=2)
    assert [f["frame_id"] for f in found] == [1, 0, 2]
    assert {f["video_id"] for f in found} == {2}
    assert "filename" in found[1]
    refs = dataset.ref_img_sampling(info, 1, num_ref_imgs=2, return_key_img=False)
    assert [f["frame_id"] for f in refs] == [0, 2]
    assert [f["id"] for f in dataset.ref_img_sampling(info, 0, num_ref_imgs=2)] == [info["id"]] * 3
    single = {k: v for k, v in info.items() if k != "frame_id"}
    assert len(dataset.ref_img_sampling(single, 3, num_ref_imgs=2)) == 3
    key, *_ = dataset.ref_img_sampling(info, [-2, 1], stride=2, method="test_with_fix_stride")
    assert (key["num_left_ref_imgs"], key["frame_stride"]) == (2, 2)
    assert "frame_stride" not in info


def test_number_of_references_of_test_methods_follows_the_range(write_videos, video_data):
    sampler = {"num_ref_imgs": 9, "frame_range": [-1, 2], "method": "test_with_adaptive_stride"}
    with pytest.warns(UserWarning, match="uses 3 references"):
        dataset = make(write_videos(video_data((5,))), test_mode=True, ref_img_sampler=sampler)
    assert [f["img_info"]["frame_id"] for f in dataset[0]] == [0, 0, 2, 4]
    assert sampler["num_ref_imgs"] == 9


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        ({"frame_range": [1, 2]}, "frame_range"),
        ({"frame_range": -1}, "frame_range"),
        ({"frame_range": [-1]}, "frame_range"),
        ({}, "frame_range"),
        ({"frame_range": 1, "method": "other"}, "method must be one of"),
        ({"frame_range": 1, "method": "bilateral_uniform", "num_ref_imgs": 3}, "even num_ref_imgs"),
        ({"frame_range": 1, "stride": 0}, "stride must be positive"),
    ],
)
def test_samplers_that_cannot_work(sampler, message):
    with pytest.raises(ValueError, match=message):
        check_sampler(sampler)


# ---------------------------------------------------------------- evaluation
def noisy_results(dataset, seed=0, crowded=0):
    """Result dict with noisy boxes; ``crowded`` adds false positives to every image."""
    rng = np.random.default_rng(seed)
    found = {"det_bboxes": [], "track_bboxes": [], "det_masks": []}
    for info in dataset.data_infos:
        ann = dataset.get_ann_info(info)
        boxes, tracks, masks = [[], []], [[], []], [[], []]
        noise = rng.normal(0, 1.0, (len(ann["bboxes"]), 4))
        rows = [*zip(ann["bboxes"] + noise, ann["labels"], ann["instance_ids"], strict=True)]
        for box, label, ident in rows:
            score = rng.uniform()
            boxes[label].append([*box, score])
            tracks[label].append([ident, *box, score])
            plane = np.zeros((info["height"], info["width"]), np.uint8, order="F")
            x1, y1, x2, y2 = box.clip(0).astype(int)
            plane[y1:y2, x1:x2] = 1
            masks[label].append(mask_utils.encode(plane))
        for _ in range(crowded):
            xy = rng.uniform(0, 30, 2)
            boxes[0].append([*xy, *(xy + rng.uniform(3, 12, 2)), rng.uniform()])
        found["det_bboxes"].append([np.array(b, np.float32).reshape(-1, 5) for b in boxes])
        found["track_bboxes"].append([np.array(t, np.float32).reshape(-1, 6) for t in tracks])
        found["det_masks"].append(masks)
    return found


def oracle_stats(dataset, path, results, iou_type="bbox", max_dets=(100, 300, 1000)):
    """Scores of pycocotools alone."""
    rows = []
    for i, per_class in enumerate(results["det_bboxes"]):
        for label, boxes in enumerate(per_class):
            for j, (x1, y1, x2, y2, score) in enumerate(boxes.astype(np.float64).tolist()):
                row = {
                    "image_id": dataset.data_infos[i]["id"],
                    "score": score,
                    "category_id": dataset.cat_ids[label],
                }
                if iou_type == "bbox":
                    row["bbox"] = [x1, y1, x2 - x1, y2 - y1]
                else:
                    row["segmentation"] = results["det_masks"][i][label][j]
                rows.append(row)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(path)
        evaluation = COCOeval(coco, coco.loadRes(rows), iou_type)
        evaluation.params.maxDets = list(max_dets)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


@pytest.mark.parametrize("library", ["fastest", "pycocotools"])
@pytest.mark.parametrize("crowded", [0, 130])
def test_bbox_scores_are_those_of_pycocotools(
    write_videos, video_data, monkeypatch, library, crowded
):
    if library == "pycocotools":
        monkeypatch.setattr(coco_ap, "coco_eval_classes", lambda: (COCO, COCOeval))
    data = video_data((4, 3), objects=4)
    for ann in data["annotations"]:
        ann["id"] += 1  # pycocotools takes objects with id 0 for missed
    for ann in data["annotations"][::7]:
        ann.update(iscrowd=True, ignore=True)
    path = write_videos(data)
    dataset = make(path, test_mode=True)
    results = noisy_results(dataset, crowded=crowded)
    expected = oracle_stats(dataset, path, results)
    before = copy.deepcopy(results)
    scores = dataset.evaluate(results, metric="bbox", logger="silent")
    names = ("mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l")
    for name, value in zip(names, expected, strict=False):
        assert scores[f"bbox_{name}"] == pytest.approx(value, abs=5.1e-5), name
    assert scores["bbox_mAP_copypaste"].split() == [f"{v:.4f}" for v in expected[:6]]
    assert 0.1 < scores["bbox_mAP"] < 1
    for a, b in zip(results["det_bboxes"], before["det_bboxes"], strict=True):
        np.testing.assert_array_equal(a[0], b[0])
    again = dataset.evaluate(results, metric="bbox", logger="silent")
    assert again == scores
    assert dataset.get_ann_info(0).keys() >= {"bboxes"}
    assert dataset.coco.dataset == data  # evaluation leaves the annotations alone
    items = ["mAP_50", "AR@100", "AR@300", "AR@1000", "AR_s@1000", "AR_m@1000", "AR_l@1000"]
    recalls = dataset.evaluate(
        results, metric="bbox", logger="silent", bbox_kwargs={"metric_items": items}
    )
    for item, index in zip(items, [1, 6, 7, 8, 9, 10, 11], strict=True):
        assert recalls[f"bbox_{item}"] == pytest.approx(expected[index], abs=5.1e-5), item


def test_object_with_id_zero_counts(write_videos, video_data):
    dataset = make(write_videos(video_data((1,), objects=1)), test_mode=True)
    box = dataset.get_ann_info(0)["bboxes"]
    rows = np.hstack([box, [[0.9]]])
    scores = dataset.evaluate([[np.zeros((0, 5)), rows]], metric="bbox", logger="silent")
    assert scores["bbox_mAP"] == pytest.approx(1, abs=1e-3)


def test_segm_scores_are_those_of_pycocotools(write_videos, video_data):
    data = video_data((3,), objects=3)
    for ann in data["annotations"]:
        ann["id"] += 1
        x, y, w, h = ann["bbox"]
        ann["segmentation"] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    path = write_videos(data)
    dataset = make(path, test_mode=True)
    results = noisy_results(dataset)
    expected = oracle_stats(dataset, path, results, "segm")
    scores = dataset.evaluate(results, metric=["segm"], logger="silent")
    for name, value in zip(("mAP", "mAP_50", "mAP_75", "mAP_s"), expected, strict=False):
        assert scores[f"segm_{name}"] == pytest.approx(value, abs=5.1e-5)
    pairs = [*zip(results["det_bboxes"], results["det_masks"], strict=True)]
    assert dataset.evaluate(pairs, metric="segm", logger="silent") == scores


def test_track_scores_are_those_of_eval_mot(write_videos, video_data):
    dataset = make(write_videos(video_data((4, 3))), test_mode=True)
    results = noisy_results(dataset)
    scores = dataset.evaluate(results, metric="track", logger="silent")
    anns = [dataset.get_ann_info(info) for info in dataset.data_infos]
    tracks = results["track_bboxes"]
    expected = eval_mot(
        [tracks[:4], tracks[4:]], [anns[:4], anns[4:]], logger="silent", classes=CLASSES
    )
    assert scores == expected
    assert scores["MOTA"] > 0.9


def test_no_detections_at_all(write_videos, video_data):
    dataset = make(write_videos(video_data((2,))), test_mode=True)
    empty = [[np.zeros((0, 5), np.float32)] * 2] * 2
    scores = dataset.evaluate({"det_bboxes": empty}, metric="bbox", logger="silent")
    assert scores["bbox_mAP"] == 0
    assert scores["bbox_mAP_l"] == -1


def test_classwise_table_is_logged(write_videos, video_data, caplog):
    dataset = make(write_videos(video_data((2,))), test_mode=True)
    import logging

    logger = logging.getLogger("classwise")
    with caplog.at_level("INFO", logger="classwise"):
        dataset.evaluate(
            noisy_results(dataset), metric="bbox", logger=logger, bbox_kwargs={"classwise": True}
        )
    assert "person" in caplog.text
    assert "mAP_50" in caplog.text


@pytest.mark.parametrize(
    ("results", "metric", "message"),
    [
        ({}, "mAP", "CocoVideoDataset has no metric 'mAP'; it has bbox, segm, track"),
        (
            {"track_bboxes": []},
            "bbox",
            r"needs results with 'det_bboxes', but got \['track_bboxes'\]",
        ),
        ([], "track", "needs results with 'track_bboxes', but got a list"),
        ({"det_bboxes": [[]]}, "bbox", "1 entries, but .* has 5 images"),
        ({"det_bboxes": [[]] * 5}, "segm", "needs results with 'det_masks'"),
    ],
)
def test_evaluation_errors(write_videos, video_data, results, metric, message):
    dataset = make(write_videos(video_data((3, 2))), test_mode=True)
    with pytest.raises(ValueError, match=message):
        dataset.evaluate(results, metric=metric, logger="silent")


def test_tracks_need_videos(write_videos, video_data):
    dataset = make(write_videos(video_data()), test_mode=True, load_as_video=False)
    with pytest.raises(ValueError, match="load_as_video=False"):
        dataset.evaluate({"track_bboxes": []}, metric="track", logger="silent")


def test_unknown_metric_item(write_videos, video_data):
    dataset = make(write_videos(video_data((1,))), test_mode=True)
    with pytest.raises(ValueError, match="metric_items: 'AR@7' is not one of mAP"):
        dataset.evaluate(
            noisy_results(dataset),
            metric="bbox",
            logger="silent",
            bbox_kwargs={"metric_items": "AR@7"},
        )


class _MakesFolder:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_proposals_are_data(write_videos, video_data, tmp_path):
    path = tmp_path / "proposals.pkl"
    boxes = [np.full((2, 5), float(i)) for i in range(8)]
    path.write_bytes(pickle.dumps(boxes))
    settings = {
        "ann_file": write_videos(video_data()),
        "pipeline": [],
        "ref_img_sampler": None,
        "test_mode": True,
        "proposal_file": str(path),
    }
    dataset = CocoVideoDataset(**settings)
    np.testing.assert_array_equal(dataset[3]["proposals"], boxes[3])
    path.write_bytes(pickle.dumps([_MakesFolder(tmp_path / "made")]))
    with pytest.raises(ValueError, match=r"proposals\.pkl: the pickle would load .*mkdir"):
        CocoVideoDataset(**settings)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["images"][2].update(width="64"), r"'width' of images\[2\] .*a finite"),
        (lambda d: d["images"][2].update(file_name="a\0b"), r"'file_name' of images\[2\] .*a text"),
        (lambda d: d["images"][2].update(file_name=5), r"'file_name' of images\[2\] .*a text"),
        (lambda d: d["images"][2].update(id=d["images"][0]["id"]), "images are not unique"),
        (
            lambda d: d["annotations"][1].update(bbox=[1, 2, 3]),
            r"'bbox' of annotations\[1\] \(id 1",
        ),
        (lambda d: d["annotations"][1].update(bbox=None), "is None, expected 4 finite numbers"),
        (lambda d: d["annotations"][1].update(area=float("nan")), "'area' .* is nan"),
        (lambda d: d.pop("categories"), "has no list 'categories'"),
        (lambda d: d.update(videos=3), "videos is 3, expected a list"),
        (lambda d: d["videos"].append(d["videos"][0]), "videos have ids that occur twice"),
        (lambda d: d["annotations"].append(7), "expected an object"),
    ],
)
def test_values_of_a_wrong_kind_are_named(write_videos, video_data, change, message):
    data = video_data()
    change(data)
    path = write_videos(data)
    with pytest.raises(ValueError, match=message) as error:
        CocoVideoDataset(ann_file=path, pipeline=[], ref_img_sampler=None, test_mode=True)
    assert path in str(error.value)
