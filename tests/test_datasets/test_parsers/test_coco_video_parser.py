"""Indices of ``CocoVID`` against plain loops over the file."""

import copy
import json
from collections import defaultdict

import numpy as np
import pytest

from mmtrack.datasets.parsers import CocoVID


def make_data(seed=0, lengths=(5, 3, 7), objects=4):
    """A CocoVID dict with images and annotations in random order, ids with gaps."""
    rng = np.random.default_rng(seed)
    data = {"videos": [], "images": [], "annotations": [], "categories": [{"id": 2, "name": "a"}]}
    ann_id = 0
    for v, length in enumerate(lengths):
        video = 10 * (len(lengths) - v)
        data["videos"].append({"id": video, "name": f"video-{v}"})
        for frame in range(length):
            image = 100 * video + 7 * frame
            data["images"].append(
                {
                    "id": image,
                    "video_id": video,
                    "frame_id": frame,
                    "width": 64,
                    "height": 48,
                    "file_name": f"video-{v}/{frame}.jpg",
                }
            )
            for k in rng.permutation(objects)[: rng.integers(objects + 1)]:
                ann_id += 1
                data["annotations"].append(
                    {
                        "id": ann_id,
                        "image_id": image,
                        "video_id": video,
                        "category_id": 2,
                        "instance_id": 50 * v + int(k),
                        "bbox": [1, 2, 10, 20],
                        "area": 200,
                    }
                )
    for key in ("images", "annotations"):
        data[key] = [data[key][i] for i in rng.permutation(len(data[key]))]
    return data


def write(folder, data):
    path = folder / "video.json"
    path.write_text(json.dumps(data))
    return path


def brute_force(data):
    frames, instances, images = defaultdict(list), defaultdict(list), defaultdict(list)
    for img in sorted(data["images"], key=lambda img: img["frame_id"]):
        frames[img["video_id"]].append(img["id"])
    for ann in data["annotations"]:
        images[ann["instance_id"]].append(ann["image_id"])
        if ann["instance_id"] not in instances[ann["video_id"]]:
            instances[ann["video_id"]].append(ann["instance_id"])
    return frames, instances, images


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("how", ["file", "dict"])
def test_indices(tmp_path, seed, how):
    data = make_data(seed)
    if how == "file":
        coco = CocoVID(write(tmp_path, data))
    else:
        coco = CocoVID()
        coco.dataset = copy.deepcopy(data)
        coco.createIndex()
    frames, instances, images = brute_force(data)
    assert coco.get_vid_ids() == [video["id"] for video in data["videos"]]
    assert dict(coco.vidToImgs) == frames
    assert dict(coco.vidToInstances) == instances
    assert dict(coco.instancesToImgs) == images
    assert list(coco.instancesToImgs) == list(images)
    assert coco.videos == {video["id"]: video for video in data["videos"]}
    for video in frames:
        assert coco.get_img_ids_from_vid(video) == frames[video]
        assert coco.get_ins_ids_from_vid(video) == instances[video]
    for instance in images:
        assert coco.get_img_ids_from_ins_id(instance) == images[instance]


def test_queries_of_videos(tmp_path):
    coco = CocoVID(write(tmp_path, make_data()))
    assert sorted(coco.get_vid_ids([10, 20, 10])) == [10, 20]
    assert coco.get_vid_ids(10) == [10]
    assert [v["name"] for v in coco.load_vids([10, 30])] == ["video-2", "video-0"]
    assert len(coco.load_vids()) == len(coco.get_vid_ids([])) == 3
    assert coco.load_vids([]) == []
    assert coco.load_vids(20)[0]["name"] == "video-1"
    assert coco.get_img_ids_from_vid(99) == coco.get_ins_ids_from_vid(99) == []
    assert coco.get_img_ids_from_ins_id(12345) == []
    taken = coco.get_img_ids_from_vid(10)
    taken.clear()  # the list is the caller's
    assert coco.get_img_ids_from_vid(10)


def test_annotations_without_video_or_instance(tmp_path):
    data = make_data()
    for ann in data["annotations"][::2]:
        del ann["video_id"]
    for ann in data["annotations"][::3]:
        del ann["instance_id"]
    coco = CocoVID(write(tmp_path, data))
    kept = [a for a in data["annotations"] if "video_id" in a and "instance_id" in a]
    _, instances, _ = brute_force({**data, "annotations": kept})
    assert dict(coco.vidToInstances) == instances
    for ann in data["annotations"]:
        ann.pop("instance_id", None)
    coco = CocoVID(write(tmp_path, data))
    assert len(coco.vidToInstances) == len(coco.instancesToImgs) == 0
    del data["annotations"]
    coco = CocoVID(write(tmp_path, data))
    assert coco.get_img_ids_from_vid(20)
    assert coco.get_ins_ids_from_vid(20) == []


def test_ids_may_be_zero(tmp_path):
    ann = {"image_id": 0, "video_id": 0, "category_id": 0, "instance_id": 0}
    data = {
        "videos": [{"id": 0, "name": "v"}],
        "images": [{"id": 0, "video_id": 0, "frame_id": 0, "file_name": "a.jpg"}],
        "annotations": [{"id": 0, **ann}, {"id": 1, **ann, "instance_id": 1}],
        "categories": [{"id": 0, "name": "c"}],
    }
    coco = CocoVID(write(tmp_path, data))
    assert coco.get_ins_ids_from_vid(0) == [0, 1]
    assert coco.get_img_ids_from_ins_id(0) == coco.get_img_ids_from_vid(0) == [0]
    assert coco.getAnnIds(imgIds=0, catIds=0) == [0, 1]


def test_videos_without_images_and_of_one_frame(tmp_path):
    data = make_data(lengths=(1, 2))
    data["videos"].append({"id": 5, "name": "empty"})
    coco = CocoVID(write(tmp_path, data))
    assert coco.get_img_ids_from_vid(5) == []
    assert len(coco.get_img_ids_from_vid(20)) == 1


@pytest.mark.parametrize("how", ["file", "dict"])
def test_images_as_videos(tmp_path, how):
    data = make_data()
    del data["videos"]
    for img in data["images"]:
        del img["video_id"], img["frame_id"]
    if how == "file":
        coco = CocoVID(write(tmp_path, data), load_img_as_vid=True)
    else:
        coco = CocoVID(load_img_as_vid=True)
        coco.dataset = copy.deepcopy(data)
        coco.createIndex()
    expected = coco.convert_img_to_vid(copy.deepcopy(data))
    assert coco.dataset == expected
    ids = [img["id"] for img in data["images"]]
    assert coco.get_vid_ids() == ids
    for img_id in ids:
        assert coco.get_img_ids_from_vid(img_id) == [img_id]
        own = [a["id"] for a in data["annotations"] if a["image_id"] == img_id]
        assert coco.get_ins_ids_from_vid(img_id) == own
    assert coco.imgs[ids[0]]["frame_id"] == 0


def test_a_file_with_videos_is_not_converted(tmp_path):
    data = make_data()
    coco = CocoVID(write(tmp_path, data), load_img_as_vid=True)
    assert coco.get_vid_ids() == [video["id"] for video in data["videos"]]


def drop_video_id(data):
    del data["images"][4]["video_id"]


def gap(data):
    next(i for i in data["images"] if i["video_id"] == 30 and i["frame_id"] == 2)["frame_id"] = 9


def repeat(data):
    next(i for i in data["images"] if i["video_id"] == 10 and i["frame_id"] == 2)["frame_id"] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("videos"), "has no list 'videos'. .*load_as_video=False"),
        (drop_video_id, r"1 of 15 images have no 'video_id' \(first: images\[4\], id .*Convert"),
        (lambda d: [i.pop("frame_id") for i in d["images"]], "15 of 15 images have no 'frame_id'"),
        (lambda d: d["videos"][1].pop("name"), r"videos\[1\].* has no 'name'"),
        (lambda d: d["videos"].pop(), "belong to video 10, which is not in 'videos'"),
        (gap, "frames of video 30 .* 3 was found in the place of 2"),
        (repeat, "frames of video 10 .* 1 was found in the place of 2"),
    ],
)
def test_errors_name_file_field_and_remedy(tmp_path, change, message):
    data = make_data()
    change(data)
    with pytest.raises(ValueError, match="video.json.*" + message):
        CocoVID(write(tmp_path, data))


def test_frames_in_any_order_are_normal(tmp_path):
    data = make_data()
    data["images"].reverse()
    assert CocoVID(write(tmp_path, data)).get_img_ids_from_vid(30) == [
        3000 + 7 * f for f in range(5)
    ]


def test_the_benchmark_compares_equal_indices(tmp_path, root):
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "bench_cocovid", root / "tools/analysis/bench/bench_cocovid.py"
    )
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    path = tmp_path / "bench.json"
    bench.write_file(path, 700, 2100, seed=1)
    plain, coco = bench.PlainIndex(str(path)), CocoVID(path)
    assert dict(coco.anns) == plain.anns
    assert dict(coco.vidToImgs) == plain.vid_to_imgs
    assert dict(coco.imgToAnns) == plain.img_to_anns
    assert dict(coco.instancesToImgs) == plain.instances_to_imgs
    assert {v: list(i) for v, i in plain.vid_to_instances.items()} == dict(coco.vidToInstances)
