"""The quick-start config of MaskTrack R-CNN learns, and segments rendered frames."""

import pytest
import torch
from mmcv import Config
from tiny_vis import write_vis_data

from mmtrack.datasets import build_dataset
from mmtrack.models import build_model

NAME = "configs/quickstart/masktrack_rcnn_r18_synthetic-youtubevis.py"


@pytest.fixture(scope="module")
def cfg(root, tmp_path_factory):
    """The config with its data root moved to a miniature."""
    data = write_vis_data(tmp_path_factory.mktemp("youtube_vis"), (320, 192))
    assert (root / NAME).read_text().startswith("# ")
    text = Config.fromfile(str(root / NAME)).pretty_text
    return Config.fromstring(text.replace("data/synthetic/youtube_vis_2019/", f"{data}/"), ".py")


def test_segments_a_frame(cfg):
    dataset = build_dataset(cfg.data.test, {"test_mode": True})
    model = build_model(cfg.model).eval()
    sample = dataset[0]
    metas = sample["img_metas"][0].data
    assert metas["pad_shape"] == (192, 320, 3)
    with torch.no_grad():
        result = model(
            return_loss=False, rescale=True, img=[sample["img"][0][None]], img_metas=[[metas]]
        )
    assert [len(rows) for rows in result["track_bboxes"]] == [
        len(masks) for masks in result["track_masks"]
    ]
    assert len(result["track_bboxes"]) == len(cfg.classes) == 7


def test_learns(cfg):
    torch.manual_seed(0)
    dataset = build_dataset(cfg.data.train)
    model = build_model(cfg.model).train()
    model.init_weights()
    samples = [dataset[i] for i in range(2)]
    stacked = {k: torch.stack([s[k].data for s in samples]) for k in ("img", "ref_img")}
    lists = {k: [s[k].data for s in samples] for k in samples[0] if k not in stacked}
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.optimizer.lr)
    totals = []
    for _ in range(10):
        step = model.train_step({**stacked, **lists}, optimizer)
        optimizer.zero_grad()
        step["loss"].backward()
        optimizer.step()
        totals.append(step["log_vars"]["loss"])
    assert min(totals[-3:]) < 0.8 * totals[0]
