"""What single object trackers share: dispatch, refusal of bad input, drawing."""

from __future__ import annotations

import mmcv
import numpy as np
import pytest
import torch

from mmtrack.models.sot import BaseSingleObjectTracker


class Tracker(BaseSingleObjectTracker):
    """Returns what it was given."""

    def __init__(self):
        super().__init__()
        self.backbone = torch.nn.Conv2d(3, 2, 1)

    def forward_train(self, img, img_metas, search_img, search_img_metas, gt_bboxes):
        return {"loss": img.mean() + search_img.mean() + gt_bboxes, "metas": search_img_metas}

    def simple_test(self, img, img_metas, gt_bboxes):
        return {"img": img, "meta": img_metas[0], "gt": gt_bboxes}


@pytest.fixture
def model():
    return Tracker().eval()


def test_training_gets_template_and_search(model):
    found = model(
        img=torch.ones(2, 3, 4, 4),
        img_metas=[{}, {}],
        search_img=torch.full((2, 1, 3, 8, 8), 3.0),
        search_img_metas=[[{}], [{}]],
        gt_bboxes=5.0,
    )
    assert float(found["loss"]) == 9.0
    assert found["metas"] == [[{}], [{}]]


def test_testing_unwraps_the_one_augmentation(model):
    img = torch.zeros(1, 3, 4, 6)
    found = model([img], [[{"frame_id": 3}]], gt_bboxes=["box"], return_loss=False)
    assert found["img"] is img
    assert found["meta"]["frame_id"] == 3
    assert found["gt"] == ["box"]


@pytest.mark.parametrize(
    ("imgs", "metas", "error", "message"),
    [
        (torch.zeros(1, 3, 4, 4), [[{}]], TypeError, "imgs must be a list"),
        ([torch.zeros(1, 3, 4, 4)], [[{}], [{}]], ValueError, "1 images, but img_metas of 2"),
        ([torch.zeros(2, 3, 4, 4)], [[{}, {}]], ValueError, "one frame at a time"),
        ([torch.zeros(1, 3, 4, 4)] * 2, [[{}]] * 2, NotImplementedError, "no test time augment"),
    ],
    ids=["not a list", "lengths", "two frames", "augmentations"],
)
def test_bad_test_input_is_refused(model, imgs, metas, error, message):
    with pytest.raises(error, match=message):
        model(imgs, metas, return_loss=False)


def test_parts(model):
    assert model.with_backbone
    assert not model.with_neck
    assert not model.with_head


class TestShowResult:
    def test_box_is_drawn_where_it_is(self, model, tmp_path):
        image = np.zeros((40, 60, 3), np.uint8)
        file = tmp_path / "sub" / "a.png"
        drawn = model.show_result(
            image,
            {"track_bboxes": np.array([10, 5, 30, 25, 0.9])},
            color="red",
            score_thr=0.3,
            out_file=str(file),
        )
        ys, xs = np.nonzero(drawn.any(-1))
        assert (xs.min(), ys.min(), xs.max(), ys.max()) == (10, 5, 30, 25)
        assert drawn[5, 10].tolist() == [0, 0, 255]
        assert not drawn[15, 20].any(), "a box is not filled"
        assert not image.any(), "the input is not changed"
        np.testing.assert_array_equal(mmcv.imread(str(file)), drawn)

    def test_state_of_the_vot_protocol_is_no_box(self, model):
        image = np.zeros((20, 20, 3), np.uint8)
        assert not model.show_result(image, {"track_bboxes": np.array([2.0, -1.0])}).any()

    def test_score_is_written_where_there_is_one(self, model):
        image = np.zeros((80, 90, 3), np.uint8)
        box = [20, 40, 60, 70]
        pictures = [
            model.show_result(image, {"track_bboxes": np.array([*box, score])}, show_score=True)
            for score in (0.87, -1.0)
        ]
        assert pictures[0][:36].any(), "the text stands above the box"
        assert not pictures[1][:36].any()

    def test_other_results_are_refused(self, model):
        with pytest.raises(TypeError, match="must be the dict of a frame"):
            model.show_result(np.zeros((8, 8, 3), np.uint8), [])
        with pytest.raises(KeyError, match="no 'track_bboxes'"):
            model.show_result(np.zeros((8, 8, 3), np.uint8), {"det_bboxes": []})
