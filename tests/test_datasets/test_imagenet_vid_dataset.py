"""``ImagenetVIDDataset``: training and test frames, scores by speed, bad input."""

import numpy as np
import pytest

from mmtrack.datasets import CocoVideoDataset, ImagenetVIDDataset, build_dataset

CLASSES = ("car", "person")


@pytest.fixture
def vid_data(video_data):
    """Function that makes a CocoVID file with every second frame for training."""

    def make(lengths=(5, 3), train=True, **kwargs):
        data = video_data(lengths, **kwargs)
        for image in data["images"]:
            image["is_vid_train_frame"] = train and image["frame_id"] % 2 == 0
        return data

    return make


def make(path, **kwargs):
    kwargs = {"classes": CLASSES, "pipeline": [], **kwargs}
    return ImagenetVIDDataset(ann_file=path, **kwargs)


def frames(dataset):
    return [(info["video_id"], info["frame_id"]) for info in dataset.data_infos]


def test_classes_are_those_of_the_challenge(write_videos, vid_data):
    data = vid_data()
    data["categories"] = [
        {"id": i, "name": name} for i, name in enumerate(ImagenetVIDDataset.CLASSES, 1)
    ]
    data["categories"].append({"id": 31, "name": "other_categeries"})
    data["annotations"][0]["category_id"] = 31
    dataset = ImagenetVIDDataset(ann_file=write_videos(data), pipeline=[])
    assert len(dataset.CLASSES) == 30
    assert dataset.cat2label == {i: i - 1 for i in range(1, 31)}
    assert dataset.get_ann_info(0)["labels"].tolist() == [6, 3]  # the other class is left out


def test_training_frames_and_their_references(write_videos, vid_data):
    path = write_videos(vid_data((5, 3)))
    sampler = {"frame_range": 9, "num_ref_imgs": 4, "method": "uniform"}
    dataset = make(path, ref_img_sampler=sampler, key_img_sampler={"interval": 3})
    assert frames(dataset) == [(1, 0), (1, 2), (1, 4), (2, 0), (2, 2)]
    sample = dataset[0]
    assert [frame["img_info"]["frame_id"] for frame in sample] == [0, 1, 2, 3, 4]
    assert all(frame["ann_info"]["instance_ids"].size == 3 for frame in sample)


def test_all_frames_are_tested(write_videos, vid_data):
    path = write_videos(vid_data((4, 2), train=False))
    dataset = make(path, test_mode=True, key_img_sampler={"interval": 2})
    assert frames(dataset) == [(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1)]


def test_images_instead_of_videos(write_videos, vid_data):
    data = vid_data((4,))
    del data["videos"]
    for image in data["images"]:
        del image["video_id"], image["frame_id"]
    path = write_videos(data)
    sampler = {"frame_range": 0, "num_ref_imgs": 2, "method": "bilateral_uniform"}
    dataset = make(path, load_as_video=False, ref_img_sampler=sampler)
    flagged = [image["id"] for image in data["images"] if image["is_vid_train_frame"]]
    assert dataset.img_ids == flagged
    assert [frame["img_info"]["id"] for frame in dataset[1]] == [flagged[1]] * 3
    assert len(make(path, load_as_video=False, test_mode=True)) == 4


def test_video_and_images_mixed(write_videos, vid_data):
    video = write_videos(vid_data((4,)), "vid.json")
    image = write_videos(vid_data((6,)), "det.json")
    common = {"type": "ImagenetVIDDataset", "pipeline": [], "classes": CLASSES}
    mixed = build_dataset(
        [
            {**common, "ann_file": video, "ref_img_sampler": {"frame_range": 9}},
            {
                **common,
                "ann_file": image,
                "load_as_video": False,
                "ref_img_sampler": {"frame_range": 0, "filter_key_img": False},
            },
        ]
    )
    assert len(mixed) == 2 + 3
    assert [len(mixed[i]) for i in range(5)] == [2] * 5
    assert mixed[0][0]["is_video_data"]
    assert not mixed[4][0]["is_video_data"]


@pytest.mark.parametrize("as_video", [True, False])
@pytest.mark.parametrize("test_mode", [True, False])
def test_images_without_the_flag(write_videos, vid_data, as_video, test_mode):
    data = vid_data()
    del data["images"][3]["is_vid_train_frame"]
    message = r"videos.json: 1 of 8 images have no 'is_vid_train_frame'.*convert_datasets/ilsvrc"
    with pytest.raises(ValueError, match=message):
        make(write_videos(data), load_as_video=as_video, test_mode=test_mode)


def test_files_for_the_other_purpose(write_videos, vid_data):
    with pytest.raises(ValueError, match=r"5 images have is_vid_train_frame=true.*vid_val\.json"):
        make(write_videos(vid_data()), test_mode=True)
    with pytest.raises(ValueError, match="nothing to train on"):
        make(write_videos(vid_data(train=False)))


def perfect(dataset):
    """Results that equal the annotations."""
    found = []
    for info in dataset.data_infos:
        ann = dataset.get_ann_info(info)
        rows = np.column_stack((ann["bboxes"], np.ones(len(ann["bboxes"]))))
        found.append([rows[ann["labels"] == label] for label in range(len(CLASSES))])
    return {"det_bboxes": found}


def test_scores_by_speed(write_videos, vid_data, capsys):
    # the objects move by 3 pixels a frame and are 8 to 20 pixels wide
    path = write_videos(vid_data((4, 3), train=False))
    dataset = make(path, test_mode=True)
    results = perfect(dataset)
    scores = dataset.evaluate(results, metric="bbox", bbox_kwargs={"classwise": True})
    plain = CocoVideoDataset(ann_file=path, classes=CLASSES, pipeline=[], test_mode=True)
    expected = plain.evaluate(results, metric="bbox", logger="silent")
    added = {f"bbox_{key}_{s}" for key in ("mAP", "mAP_50") for s in ("slow", "medium", "fast")}
    assert {key: scores[key] for key in expected} == expected
    assert set(scores) - set(expected) == added
    assert (scores["bbox_mAP_slow"], scores["bbox_mAP_medium"]) == (-1, -1)
    assert scores["bbox_mAP_fast"] == 1
    printed = capsys.readouterr().out
    assert "AP person" in printed
    assert "slow" in printed
    missed = {"det_bboxes": [[rows[0], np.zeros((0, 5))] for rows in results["det_bboxes"]]}
    assert dataset.evaluate(missed, metric="bbox", logger="silent")["bbox_mAP_fast"] == 0.5


def test_instance_ids_that_start_again_in_each_video(write_videos, vid_data):
    data = vid_data((4, 4), train=False)
    path = write_videos(data, "global.json")
    expected = make(path, test_mode=True)._motion()
    for ann in data["annotations"]:
        ann["instance_id"] = ann["instance_id"] % 10
    local = make(write_videos(data, "local.json"), test_mode=True)._motion()
    np.testing.assert_array_equal(local, expected)


def test_objects_without_ids_have_no_speed(write_videos, vid_data, capsys):
    data = vid_data((3,), train=False)
    for ann in data["annotations"]:
        del ann["instance_id"]
    dataset = make(write_videos(data), test_mode=True)
    scores = dataset.evaluate(perfect(dataset), metric="bbox")
    assert scores["bbox_mAP"] == 1
    assert "bbox_mAP_slow" not in scores
    assert "objects without 'instance_id' have no speed" in capsys.readouterr().out
