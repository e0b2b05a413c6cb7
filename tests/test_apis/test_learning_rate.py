"""The linear scaling rule."""

from __future__ import annotations

import mmcv
import pytest

from mmtrack.apis import learning_rate
from mmtrack.apis.learning_rate import scale_learning_rate


def config(**settings):
    return mmcv.Config(
        {"optimizer": {"type": "SGD", "lr": 0.02}, "data": {"samples_per_gpu": 2}, **settings}
    )


@pytest.mark.parametrize(
    ("processes", "data", "wanted"),
    [
        (1, {"samples_per_gpu": 2}, 0.02 * 2 / 16),
        (8, {"samples_per_gpu": 2}, 0.02),
        (16, {"samples_per_gpu": 4}, 0.08),
        (4, {"samples_per_gpu": 2, "train_dataloader": {"samples_per_gpu": 8}}, 0.04),
        (3, {}, 0.02 * 3 / 16),
    ],
)
def test_rate_follows_the_batch(monkeypatch, processes, data, wanted):
    monkeypatch.setattr(learning_rate, "get_dist_info", lambda: (0, processes))
    cfg = config(data=data, auto_scale_lr={"base_batch_size": 16})
    scale_learning_rate(cfg, force=True)
    assert cfg.optimizer.lr == pytest.approx(wanted)


def test_only_where_it_is_asked_for():
    cfg = config(auto_scale_lr={"enable": False, "base_batch_size": 16})
    scale_learning_rate(cfg)
    assert cfg.optimizer.lr == 0.02
    cfg = config(auto_scale_lr={"enable": True, "base_batch_size": 16})
    scale_learning_rate(cfg)
    assert cfg.optimizer.lr == pytest.approx(0.0025)
    scale_learning_rate(config())


@pytest.mark.parametrize("settings", [{}, {"auto_scale_lr": {"base_batch_size": 0}}])
def test_config_without_a_base(settings):
    with pytest.raises(ValueError, match=r"auto_scale_lr\.base_batch_size is (None|0)"):
        scale_learning_rate(config(**settings), force=True)


def test_error_names_the_batch_of_the_file_not_of_the_options(tmp_path):
    """Somebody scales because of other samples_per_gpu; the config's own are what counts."""
    path = tmp_path / "config.py"
    path.write_text("optimizer = dict(type='SGD', lr=0.02)\ndata = dict(samples_per_gpu=2)\n")
    cfg = mmcv.Config.fromfile(str(path))
    cfg.merge_from_dict({"data.samples_per_gpu": 1})
    with pytest.raises(ValueError, match=r"base_batch_size=16\. .*for one process: 2$"):
        scale_learning_rate(cfg, force=True)
    cfg.merge_from_dict({"auto_scale_lr.base_batch_size": 16})
    scale_learning_rate(cfg, force=True)
    assert cfg.optimizer.lr == pytest.approx(0.02 / 16)


def test_published_configs_scale_with_the_batch_that_the_error_names(root):
    cfg = mmcv.Config.fromfile(str(root / "configs/det/faster-rcnn_r50_fpn_4e_mot17-half.py"))
    with pytest.raises(ValueError, match="base_batch_size=16"):
        scale_learning_rate(cfg, force=True)
    rate = cfg.optimizer.lr
    cfg.merge_from_dict({"auto_scale_lr.base_batch_size": 16})
    scale_learning_rate(cfg, force=True)
    assert cfg.optimizer.lr == pytest.approx(rate / 8)  # one process of eight


def test_resumed_run_is_not_said_to_be_scaled(caplog):
    """The optimizer gets the rate of the checkpoint, whatever the config says."""
    cfg = config(auto_scale_lr={"enable": True, "base_batch_size": 16}, resume_from="epoch_1.pth")
    scale_learning_rate(cfg)
    assert cfg.optimizer.lr == 0.02
    assert "not scaled: a resumed run keeps" in caplog.text


def test_optimizer_without_a_rate():
    cfg = config(auto_scale_lr={"base_batch_size": 2}, optimizer={"type": "Adadelta"})
    with pytest.raises(ValueError, match=r"no optimizer\.lr"):
        scale_learning_rate(cfg, force=True)


def test_agrees_with_mmdet():
    """mmdet's own function, on one process."""
    from mmdet.apis.train import auto_scale_lr

    from mmtrack.utils import get_root_logger

    cfg = config(
        auto_scale_lr={"enable": True, "base_batch_size": 24}, gpu_ids=[0],
        data={"train_dataloader": {"samples_per_gpu": 6}},
    )  # fmt: skip
    ours = mmcv.Config(cfg._cfg_dict.to_dict())
    auto_scale_lr(cfg, False, get_root_logger())
    scale_learning_rate(ours)
    assert ours.optimizer.lr == cfg.optimizer.lr == 0.005
