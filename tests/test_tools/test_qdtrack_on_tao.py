"""QDTrack on miniature TAO as users run it: trained from the weights of LVIS, tested, scored."""

import json
from dataclasses import replace

import pytest
import torch
from mmcv import Config

from mmtrack.datasets.converters.tao import convert_tao_folder
from mmtrack.datasets.synthetic.layouts import LAYOUTS
from mmtrack.models import build_model

# The published configs with few channels and small frames.
CONFIG = """
_base_ = "{root}/configs/mot/qdtrack/qdtrack_faster-rcnn_r101_fpn_{name}.py"
channels = 16
model = dict(
    detector=dict(
        backbone=dict(depth=18, base_channels=8, init_cfg=None),
        neck=dict(in_channels=[8, 16, 32, 64], out_channels=channels),
        rpn_head=dict(in_channels=channels, feat_channels=channels),
        roi_head=dict(
            bbox_roi_extractor=dict(out_channels=channels),
            bbox_head=dict(in_channels=channels, fc_out_channels=16, num_classes={classes}),
        ),
        train_cfg=dict(rpn_proposal=dict(nms_pre=60, max_per_img=30)),
        test_cfg=dict(rpn=dict(nms_pre=60, max_per_img=30), rcnn=dict(max_per_img=40)),
    ),
    track_head=dict(
        roi_extractor=dict(out_channels=channels),
        embed_head=dict(
            num_convs=1, in_channels=channels, conv_out_channels=channels, fc_out_channels=16,
            embed_channels=8, norm_cfg=dict(num_groups=4),
        ),
    ),
)
data = dict(workers_per_gpu=0)
total_epochs = 1
evaluation = dict(start=5)
log_config = dict(interval=1)
"""


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    """``data/tao`` with annotations, ``tao.py`` and ``lvis.pth``, untrained."""
    folder = tmp_path_factory.mktemp("qdtrack")
    tao = folder / "data" / "tao"
    tao.mkdir(parents=True)
    layout = LAYOUTS["tao"]
    options = replace(
        layout.options, size=(160, 96), videos=1, val_videos=2, test_videos=0, frames=4
    )
    layout.write(tao, options, lambda: None)
    convert_tao_folder(tao / "annotations", filter_classes=True)
    classes = (tao / "annotations" / "tao_classes.txt").read_text().splitlines()
    text = CONFIG.format(root=root, name="12e_tao", classes=len(classes))
    (folder / "tao.py").write_text(text)
    torch.manual_seed(0)
    model = build_model(Config.fromfile(folder / "tao.py").model)
    torch.save({"state_dict": model.state_dict(), "meta": {}}, folder / "lvis.pth")
    return folder


SMALL = [
    "data.train.dataset.pipeline.2.img_scale=[(160,96)]",
    "data.val.pipeline.1.img_scale=(160,96)",
    "data.test.pipeline.1.img_scale=(160,96)",
]


def test_trains_the_track_head_and_scores_tracks(project, run_script):
    """The commands of QDTrack's page: `load_from` names the weights of LVIS."""
    pytest.importorskip("trackeval")
    run_script(
        "tools/train.py", "tao.py", "--work-dir", "run", "--device", "cpu", "--seed", "0",
        "--cfg-options", "load_from=lvis.pth", *SMALL, cwd=project,
    )  # fmt: skip
    before = torch.load(project / "lvis.pth", weights_only=True)["state_dict"]
    after = torch.load(project / "run" / "latest.pth", weights_only=True)["state_dict"]
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("track_head.") for name in changed)
    (log,) = (project / "run").glob("*.log.json")
    rows = [json.loads(line) for line in log.read_text().splitlines()[1:]]
    assert all({"loss_track", "loss_track_aux", "loss_cls"} <= set(row) for row in rows)

    # a checkpoint alone: the metric of the config, which is track
    done = run_script(
        "tools/test.py", "tao.py", "--checkpoint", "run/latest.pth", "--device", "cpu",
        "--work-dir", "scores", "--cfg-options", *SMALL, cwd=project,
    )  # fmt: skip
    (file,) = (project / "scores").glob("eval_*.json")
    scores = json.loads(file.read_text())["metric"]
    assert {"track_AP", "track_AP50", "track_AP75"} <= set(scores), done.stdout


def test_training_beside_a_random_frozen_detector_is_refused(project, run_here, monkeypatch):
    monkeypatch.chdir(project)
    done = run_here("tools/train.py", "tao.py", "--work-dir", "refused", "--device", "cpu")
    assert done.status in (1, 2)
    assert "freezes detector" in done.err
    assert "load_from=FILE" in done.err
