"""Devices, precision, seeds, options: what scripts prepare before a model runs."""

from __future__ import annotations

import datetime
import os
import random

import mmcv
import numpy as np
import pytest
import tiny_mixformer
import torch

from mmtrack.apis import init_model, init_random_seed, set_random_seed, train
from mmtrack.apis.cli import user_errors
from mmtrack.apis.environment import init_distributed, prepare_for_inference, select_device
from mmtrack.apis.test_options import check_metrics, evaluation_options
from mmtrack.core.utils import setup_multi_processes, tune_cpu_inference, usable_cores


def test_device_that_is_not_there():
    assert select_device("cpu").type == "cpu"
    wanted = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(ValueError, match="no CUDA device|does not exist"):
        select_device(wanted)


def test_launcher_variables_are_named(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT not set"):
        init_distributed("pytorch", torch.device("cpu"), {})
    with pytest.raises(ValueError, match="start the script with srun"):
        init_distributed("slurm", torch.device("cpu"), {"port": 1})


@pytest.fixture
def joined(monkeypatch):
    """What the process group would be made with; it is not made."""
    calls = []
    monkeypatch.setattr(
        mmcv.runner, "init_dist", lambda *args, **kwargs: calls.append((args, kwargs))
    )
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "7")  # so that what the code sets is undone
        monkeypatch.delenv(name)
    return calls


def test_timeout_and_port_of_the_process_group(joined, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "1")
    settings = {"backend": "nccl", "port": 123, "timeout": 90}
    init_distributed("pytorch", torch.device("cpu"), settings)
    # torchrun knows the port; a config with one for slurm works with both
    expected = {"backend": "gloo", "timeout": datetime.timedelta(seconds=90)}
    assert joined == [(("pytorch",), expected)]
    assert settings["port"] == 123
    for wrong in (0, -1, "long"):
        with pytest.raises(ValueError, match=r"dist_params\.timeout is a number of seconds"):
            init_distributed("pytorch", torch.device("cpu"), {"timeout": wrong})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"SLURM_JOB_ID": "31007", "SLURM_STEP_ID": "2"}, "29509"),
        ({"SLURM_JOB_ID": "31007", "MASTER_PORT": "1234"}, "1234"),
        ({}, "29500"),
    ],
)
def test_variables_of_slurm(joined, monkeypatch, given, wanted):
    for name in ("SLURM_JOB_ID", "SLURM_STEP_ID"):
        monkeypatch.delenv(name, raising=False)
    base = {"SLURM_PROCID": "5", "SLURM_NTASKS": "8", "SLURM_LOCALID": "1", "SLURM_NODELIST": "n"}
    for name, value in {**base, "MASTER_ADDR": "n1", **given}.items():
        monkeypatch.setenv(name, value)
    init_distributed("slurm", torch.device("cpu"), {"backend": "nccl"})
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    assert [os.environ[name] for name in names] == ["5", "8", "1", "n1", wanted]
    init_distributed("slurm", torch.device("cpu"), {"backend": "nccl", "port": 99})
    assert os.environ["MASTER_PORT"] == "99"


def test_machines_of_a_slurm_job_cannot_be_learnt(joined, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("SLURM_PROCID", "SLURM_NTASKS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("SLURM_NODELIST", "node[1-2]")
    with pytest.raises(ValueError, match=r"SLURM_NODELIST=node\[1-2\].*set MASTER_ADDR"):
        init_distributed("slurm", torch.device("cpu"), {})


def test_bfloat16_in_networks_with_other_methods_than_forward():
    """A frame of MixFormer runs no forward of its backbone."""
    model = tiny_mixformer.build()
    prepare_for_inference(model, torch.device("cpu"), bf16=True)
    seen = []
    model.backbone.stage1.blocks[0].attn.proj_q.register_forward_hook(
        lambda *args: seen.append(args[2].dtype)
    )
    with torch.no_grad():
        model.set_online(torch.randn(1, 3, 32, 32), torch.randn(1, 3, 32, 32))
        found = model.head(*model.backbone.forward_test(torch.randn(1, 3, 64, 64)))
    assert seen == [torch.bfloat16] * 2
    assert {value.dtype for value in found.values()} == {torch.float32}


def test_bfloat16_keeps_coordinates_exact(tiny):
    """Boxes of a wide image: bfloat16 could not tell 1911 from 1912."""
    image = np.random.default_rng(0).integers(0, 255, (64, 1920, 3), np.uint8)

    def boxes(**options):
        model = init_model(str(tiny / "tracker.py"), str(tiny / "tracker.pth"), device="cpu")
        model = prepare_for_inference(model, torch.device("cpu"), **options)
        img = torch.from_numpy(image.transpose(2, 0, 1)[None].astype(np.float32))
        with torch.no_grad():
            outs = model.detector.bbox_head(model.detector.extract_feat(img))
        assert all(t.dtype == torch.float32 for level in outs for t in level)
        metas = [{"scale_factor": np.ones(4, np.float32), "img_shape": (64, 1920, 3)}]
        # bbox_head's thresholds would select by score; without them all cells are compared
        cfg = mmcv.ConfigDict(score_thr=-1.0, nms={"type": "nms", "iou_threshold": 1.1})
        return model.detector.bbox_head.get_bboxes(*outs, metas, cfg=cfg)[0][0]

    exact = boxes()
    half = boxes(bf16=True, channels_last=True)
    # The same cells answer, in another order where scores are almost equal.
    order = lambda b: b[np.lexsort(b.numpy().round()[:, :4].T)][:, :4]  # noqa: E731
    assert len(exact) == len(half)
    assert torch.allclose(order(exact), order(half), atol=0.6)


def test_seeds_repeat():
    draws = []
    for _ in range(2):
        set_random_seed(5)
        draws.append((random.random(), np.random.rand(), torch.rand(1).item()))
    assert draws[0] == draws[1]
    assert init_random_seed(7) == 7
    set_random_seed(5)
    first = init_random_seed(device="cpu")
    set_random_seed(5)
    assert init_random_seed(device="cpu") != first  # a fresh seed, although numpy is seeded


def test_threads_are_told(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    try:
        text = tune_cpu_inference(local_processes=1)
        assert torch.get_num_threads() == usable_cores()
        assert f"{usable_cores()} usable cores" in text
        tune_cpu_inference(local_processes=1000)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert "OMP_NUM_THREADS=1" in tune_cpu_inference()


def test_workers_get_one_thread(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    setup_multi_processes(mmcv.Config({"data": {"workers_per_gpu": 1}}))
    assert "OMP_NUM_THREADS" not in os.environ
    setup_multi_processes(mmcv.Config({"data": {"train_dataloader": {"workers_per_gpu": 4}}}))
    assert os.environ["OMP_NUM_THREADS"] == "1"
    assert os.environ["MKL_NUM_THREADS"] == "3"
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def test_ema_hooks_resume_with_the_run():
    cfg = mmcv.Config(
        {
            "custom_hooks": [
                {"type": "ExpMomentumEMAHook", "resume_from": None},
                {"type": "EMAHook", "resume_from": "own.pth"},
                {"type": "SyncNormHook"},
            ]
        }
    )
    hooks = train._custom_hooks(cfg, "run.pth")
    assert [h.get("resume_from") for h in hooks] == ["run.pth", "own.pth", None]
    assert train._custom_hooks(cfg, None)[0]["resume_from"] is None
    assert cfg.custom_hooks[0]["resume_from"] is None  # the config is not changed


def test_unknown_metrics_name_the_known_ones():
    class ReIDDataset:
        pass

    class MyReID(ReIDDataset):
        pass

    check_metrics(MyReID(), ["mAP", "CMC"])
    with pytest.raises(ValueError, match="MyReID computes mAP, CMC; did you mean mAP"):
        check_metrics(MyReID(), ["map"])
    check_metrics(object(), ["anything"])


def test_evaluation_options_leave_hook_keys_out():
    cfg = mmcv.Config({"evaluation": {"interval": 2, "metric": ["track"], "bbox_iou_thr": 0.4}})
    options = evaluation_options(cfg, ["bbox"], {"bbox_iou_thr": 0.7})
    assert options == {"metric": ["bbox"], "bbox_iou_thr": 0.7}


def test_user_errors_are_one_line(capsys, monkeypatch):
    monkeypatch.delenv("MMTRACK_TRACEBACK", raising=False)
    with pytest.raises(SystemExit) as end, user_errors():
        raise KeyError("no such thing")
    assert end.value.code == 1
    assert capsys.readouterr().err.startswith("error: no such thing\n(KeyError")
    monkeypatch.setenv("MMTRACK_TRACEBACK", "1")
    with pytest.raises(KeyError), user_errors():
        raise KeyError("no such thing")
    with pytest.raises(ZeroDivisionError), user_errors():
        print(1 / 0)
