"""The quick-start configs of MaskTrack R-CNN learn, and segment rendered frames."""

import pytest
import torch
from mmcv import Config
from tiny_vis import write_vis_data

from mmtrack.datasets import build_dataset
from mmtrack.models import build_detector, build_model

FOLDER = "configs/quickstart"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_vis_data(tmp_path_factory.mktemp("youtube_vis"), (256, 160))


@pytest.fixture
def load(root, data):
    """A config with its data root moved to a miniature, and without weights of another run."""

    def run(name):
        path = root / FOLDER / f"{name}_r18_synthetic-youtubevis.py"
        assert path.read_text().startswith("# ")
        text = Config.fromfile(str(path)).pretty_text
        moved = text.replace("data/synthetic/youtube_vis_2019/", f"{data}/")
        cfg = Config.fromstring(moved, ".py")
        cfg.model.detector.init_cfg = None
        return cfg

    return run


def test_segments_a_frame(load):
    cfg = load("masktrack_rcnn")
    dataset = build_dataset(cfg.data.test, {"test_mode": True})
    model = build_model(cfg.model).eval()
    sample = dataset[0]
    metas = sample["img_metas"][0].data
    assert metas["pad_shape"] == (160, 256, 3)
    with torch.no_grad():
        result = model(
            return_loss=False, rescale=True, img=[sample["img"][0][None]], img_metas=[[metas]]
        )
    assert [len(rows) for rows in result["track_bboxes"]] == [
        len(masks) for masks in result["track_masks"]
    ]
    assert len(result["track_bboxes"]) == len(cfg.classes) == 7


def batch_of(dataset, count=2):
    """Samples as the model gets them: images stacked, the rest in lists."""
    samples = [dataset[i] for i in range(count)]
    batch = {key: [s[key].data for s in samples] for key in samples[0]}
    return {k: torch.stack(v) if k.endswith("img") else v for k, v in batch.items()}


@pytest.mark.parametrize("name", ["mask-rcnn", "masktrack_rcnn"])
def test_learns(load, name):
    torch.manual_seed(0)
    cfg = load(name)
    if cfg.get("USE_MMDET"):
        model = build_detector(cfg.model.detector)
    else:
        model = build_model(cfg.model)
    model.init_weights()
    model.train()
    batch = batch_of(build_dataset(cfg.data.train))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    totals = []
    for _ in range(10):
        step = model.train_step(batch, optimizer)
        optimizer.zero_grad()
        step["loss"].backward()
        optimizer.step()
        totals.append(step["log_vars"]["loss"])
    assert min(totals[-3:]) < 0.8 * totals[0]


def test_detector_of_both_is_the_same(load):
    first, second = (load(name).model.detector for name in ("mask-rcnn", "masktrack_rcnn"))
    assert first == second
