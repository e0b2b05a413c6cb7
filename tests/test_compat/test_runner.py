"""Resuming and saving of mmcv's runners."""

import logging
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from mmcv.runner import EpochBasedRunner, IterBasedRunner, save_checkpoint
from torch import nn

from mmtrack.compat.checkpoint import CheckpointError


class Model(nn.Module):
    def __init__(self, width=1):
        super().__init__()
        self.layer = nn.Linear(2, width)

    def train_step(self, data, optimizer, **kwargs):
        loss = self.layer(data).square().mean()
        return dict(loss=loss, log_vars=dict(loss=loss.item()), num_samples=len(data))


def make_runner(cls, work_dir, width=1, epochs=2):
    torch.manual_seed(0)
    model = Model(width)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    limit = dict(max_epochs=epochs) if cls is EpochBasedRunner else dict(max_iters=3 * epochs)
    logger = logging.getLogger("runner_test")
    runner = cls(model, optimizer=optimizer, work_dir=str(work_dir), logger=logger, **limit)
    runner.register_checkpoint_hook(dict(interval=1, by_epoch=cls is EpochBasedRunner))
    runner.register_optimizer_hook(dict(grad_clip=None))
    return runner


def loader():
    generator = torch.Generator().manual_seed(1)
    return torch.utils.data.DataLoader(torch.rand(6, 2, generator=generator), batch_size=2)


def test_epoch_runner_resumes_to_the_same_weights(tmp_path):
    whole = make_runner(EpochBasedRunner, tmp_path / "whole", epochs=4)
    whole.run([loader()], [("train", 1)])
    first = make_runner(EpochBasedRunner, tmp_path / "part", epochs=2)
    first.meta = dict(hook_msgs=dict(best_score=np.float64(0.5)))
    first.run([loader()], [("train", 1)])
    second = make_runner(EpochBasedRunner, tmp_path / "part", epochs=4)
    second.resume(str(tmp_path / "part" / "latest.pth"))
    assert (second.epoch, second.iter) == (2, 6)
    assert second.meta["hook_msgs"]["best_score"] == 0.5
    second.run([loader()], [("train", 1)])
    assert torch.equal(second.model.layer.weight, whole.model.layer.weight)


def test_iteration_runner_resumes_without_cuda(tmp_path):
    first = make_runner(IterBasedRunner, tmp_path)
    first.run([loader()], [("train", 1)])
    second = make_runner(IterBasedRunner, tmp_path)
    second.resume(str(tmp_path / "latest.pth"))
    saved = torch.load(tmp_path / "latest.pth", weights_only=True)
    assert second.iter == saved["meta"]["iter"]
    assert torch.equal(second.model.layer.weight, first.model.layer.weight)
    state = second.optimizer.state_dict()["state"]
    assert state[0]["step"] == 6


def test_configuration_inside_of_a_checkpoint_is_not_executed(tmp_path):
    victim = tmp_path / "executed"
    config = f"import os\nos.mkdir({str(victim)!r})\ngpu_ids = range(0, 4)\n"
    runner = make_runner(EpochBasedRunner, tmp_path)
    path = tmp_path / "evil.pth"
    save_checkpoint(
        runner.model, str(path), runner.optimizer, dict(epoch=1, iter=100, config=config)
    )
    runner.resume(str(path))
    assert not victim.exists()
    assert runner.iter == 400  # four processes then, one now


@pytest.mark.parametrize(
    ("config", "iterations"),
    [
        ("gpu_ids = [0, 1]", 200),
        ("gpu_ids = [0]", 100),
        *((text, 100) for text in ("a = 1", "{not python", "gpu_ids = 7", "gpu_ids = f()", "\0")),
        ("gpu_ids = range('a')", 100),
        ("gpu_ids = " + "(" * 5000, 100),
        (5, 100),
    ],
)
def test_number_of_processes_is_read_from_the_configuration(tmp_path, config, iterations):
    runner = make_runner(EpochBasedRunner, tmp_path)
    path = str(tmp_path / "some.pth")
    save_checkpoint(runner.model, path, meta=dict(epoch=1, iter=100, config=config))
    runner.resume(path)
    assert runner.iter == iterations


def test_weights_only_cannot_be_resumed_from(tmp_path):
    runner = make_runner(EpochBasedRunner, tmp_path)
    path = str(tmp_path / "weights.pth")
    torch.save(runner.model.state_dict(), path)
    with pytest.raises(CheckpointError, match=r"weights\.pth cannot be resumed.*load_from"):
        runner.resume(path)


def test_state_of_another_optimizer(tmp_path):
    runner = make_runner(EpochBasedRunner, tmp_path)
    other = torch.optim.SGD([runner.model.layer.weight], lr=0.1)
    path = str(tmp_path / "some.pth")
    save_checkpoint(runner.model, path, other, dict(epoch=1, iter=1))
    with pytest.raises(CheckpointError, match=r"some\.pth was written by a run with another"):
        runner.resume(path)


def change(checkpoint, path, value):
    *parents, last = path.split(".")
    for name in parents:
        checkpoint = checkpoint[int(name) if name.isdigit() else name]
    checkpoint[last] = value


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("meta.epoch", "one", r"meta\.epoch is 'one', expected a count"),
        ("meta.epoch", -3, r"meta\.epoch is -3"),
        ("meta.iter", float("nan"), r"meta\.iter is nan"),
        ("meta.hook_msgs", [1], r"meta\.hook_msgs is \[1\]"),
        ("meta.hook_msgs.best_score", "x", r"best_score is 'x', expected a number"),
        ("meta.hook_msgs.best_score", float("nan"), "best_score is nan"),
        ("meta", [1], "it lacks epoch, iter"),
        ("state_dict", [1], "it lacks state_dict"),
        ("optimizer", [1], "another optimizer or model"),
        ("optimizer.param_groups.0.lr", "x", "lr is 'x', expected something like 0.1"),
        ("optimizer.param_groups.0.betas", [0.9], r"betas is \[0\.9\]"),
        ("optimizer.param_groups.0.eps", float("nan"), "eps is nan"),
        ("optimizer.param_groups.0.amsgrad", 5, "amsgrad is 5, expected something like False"),
        ("optimizer.state.0", {"step": torch.tensor(1.0)}, "lacks exp_avg, exp_avg_sq"),
        ("optimizer.state.0.exp_avg", torch.zeros(3), r"exp_avg has the shape \(3,\)"),
    ],
)
def test_damaged_state_of_a_training_is_named(tmp_path, place, value, message):
    """All of these went into the run, or ended in an error without the name of the file."""
    first = make_runner(EpochBasedRunner, tmp_path)
    first.meta = dict(hook_msgs=dict(best_score=np.float32(0.5)))
    first.run([loader()], [("train", 1)])
    path = tmp_path / "epoch_2.pth"
    checkpoint = torch.load(path, weights_only=False)
    change(checkpoint, place, value)
    torch.save(checkpoint, path)
    with pytest.raises(CheckpointError, match=rf"(?s)epoch_2\.pth.*{message}"):
        make_runner(EpochBasedRunner, tmp_path).resume(str(path))


def test_weights_of_another_model_are_not_resumed_in_part(tmp_path):
    make_runner(EpochBasedRunner, tmp_path, width=2).run([loader()], [("train", 1)])
    with pytest.raises(CheckpointError, match=r"(?s)epoch_2\.pth.*layer\.weight.*load_from"):
        make_runner(EpochBasedRunner, tmp_path).resume(str(tmp_path / "epoch_2.pth"))
    checkpoint = torch.load(tmp_path / "epoch_2.pth", weights_only=False)
    del checkpoint["state_dict"]["layer.bias"]
    torch.save(checkpoint, tmp_path / "epoch_2.pth")
    with pytest.raises(CheckpointError, match=r"missing in the weights: layer\.bias"):
        make_runner(EpochBasedRunner, tmp_path, width=2).resume(str(tmp_path / "epoch_2.pth"))


def test_a_run_that_has_ended_says_so(tmp_path, caplog):
    make_runner(EpochBasedRunner, tmp_path).run([loader()], [("train", 1)])
    make_runner(EpochBasedRunner, tmp_path).resume(str(tmp_path / "epoch_1.pth"))
    assert "nothing is left" not in caplog.text
    make_runner(EpochBasedRunner, tmp_path).resume(str(tmp_path / "epoch_2.pth"))
    assert "epoch_2.pth is of epoch 2 and the config ends with epoch 2: nothing is" in caplog.text


WRITER = """
import sys, torch
import mmtrack
from mmcv.runner import save_checkpoint
model = torch.nn.Linear(1500, 1500)
print("ready", flush=True)
while True:
    save_checkpoint(model, sys.argv[1])
"""


def test_a_killed_run_leaves_whole_checkpoints(tmp_path):
    path = tmp_path / "epoch_1.pth"
    for delay in (0.0, 0.017):
        command = [sys.executable, "-W", "ignore", "-c", WRITER, str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        process.stdout.readline()
        deadline = time.monotonic() + 20
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert torch.load(path, weights_only=True)["state_dict"]["weight"].shape == (1500, 1500)
        path.unlink()


def test_failed_saving_keeps_the_previous_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "epoch_1.pth"
    save_checkpoint(Model(), str(path))
    before = path.read_bytes()

    def no_space(source, target):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(Model(), str(path))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["epoch_1.pth"]


def test_epochs_do_not_sleep(tmp_path):
    runner = make_runner(EpochBasedRunner, tmp_path, epochs=4)
    start = time.monotonic()
    runner.run([loader()], [("train", 1)])
    assert time.monotonic() - start < 6  # mmcv alone sleeps for nine seconds


def test_a_disk_that_is_full_keeps_the_previous_checkpoint(tmp_path):
    """The system refuses files over a megabyte, as a full disk refuses any."""
    code = (
        "import resource, sys, torch, mmtrack\n"
        "from mmcv.runner import save_checkpoint\n"
        "save_checkpoint(torch.nn.Linear(9, 9), sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "save_checkpoint(torch.nn.Linear(900, 900), sys.argv[1])\n"
    )
    path = tmp_path / "epoch_1.pth"
    command = [sys.executable, "-W", "ignore", "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr.splitlines()[-1].endswith(f"File too large: '{path}'")
    assert torch.load(path, weights_only=True)["state_dict"]["weight"].shape == (9, 9)
    assert [p.name for p in tmp_path.iterdir()] == ["epoch_1.pth"]


def test_link_is_replaced_in_one_step(tmp_path, monkeypatch):
    import mmcv

    (tmp_path / "latest.pth").symlink_to("epoch_1.pth")
    stale = tmp_path / f".latest.pth.{os.getpid()}"
    stale.symlink_to("epoch_0.pth")  # of a run that was killed
    monkeypatch.setattr(os, "remove", None)  # mmcv takes the link away first
    mmcv.symlink("epoch_2.pth", str(tmp_path / "latest.pth"))
    assert os.readlink(tmp_path / "latest.pth") == "epoch_2.pth"
    assert [p.name for p in tmp_path.iterdir()] == ["latest.pth"]
    with pytest.raises(FileExistsError):
        mmcv.symlink("epoch_3.pth", str(tmp_path / "latest.pth"), overwrite=False)
