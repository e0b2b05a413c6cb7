"""Loggers of a training: text and json always, others where their packages are installed."""

from __future__ import annotations

import json
import struct

import mmcv
import pytest
from mmcv.runner import HOOKS
from tiny_project import ITERATIONS, read_rows

from mmtrack.apis import loggers
from mmtrack.apis.loggers import PACKAGES, require_loggers


def config(*hooks):
    return mmcv.Config({"log_config": {"hooks": [{"type": name} for name in hooks]}})


@pytest.mark.parametrize("name", PACKAGES)
def test_missing_package_is_named(monkeypatch, name):
    monkeypatch.setattr(loggers.importlib.util, "find_spec", lambda module: None)
    with pytest.raises(ImportError, match=rf"hooks\[1\] \({name}\).*pip install \w+"):
        require_loggers(config("TextLoggerHook", name))
    require_loggers(config("TextLoggerHook"))
    require_loggers(mmcv.Config({}))
    assert name in HOOKS


def hooks_of(tiny, hook):
    """Text of a config with one more logger, which writes every second iteration."""
    return (
        f"_base_ = {str(tiny / 'detector.py')!r}\ntotal_epochs = 1\n"
        f"log_config = dict(interval=2, hooks=[dict(type='TextLoggerHook'), {hook}])\n"
    )


@pytest.fixture
def logged(tiny, run_script, tmp_path):
    """Train with a logger; returns the losses in the json log, by iteration."""

    def run(hook, *options, **env):
        (tmp_path / "config.py").write_text(hooks_of(tiny, hook))
        run_script(
            "tools/train.py", tmp_path / "config.py", "--device", "cpu", "--seed", "0",
            "--work-dir", tmp_path / "run", *options, cwd=tmp_path, env=env,
        )  # fmt: skip
        rows = [row for row in read_rows(tmp_path / "run") if row["mode"] == "train"]
        assert [row["iter"] for row in rows] == [2, 4, ITERATIONS]
        return {row["iter"]: row["loss"] for row in rows}

    return run


def test_tensorboard_holds_what_the_json_log_holds(logged, tmp_path):
    """Also the learning rate, scaled for this batch of two on the command line."""
    pytest.importorskip("tensorboard", reason="needs tensorboard (requirements/optional.txt)")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    losses = logged(
        "dict(type='TensorboardLoggerHook')", "--auto-scale-lr", "--no-validate",
        "--cfg-options", "auto_scale_lr.base_batch_size=8",
    )  # fmt: skip
    events = EventAccumulator(str(tmp_path / "run" / "tf_logs")).Reload()
    found = {event.step: event.value for event in events.Scalars("train/loss")}
    assert found == pytest.approx(losses, abs=1e-4)  # the json log rounds
    (text,) = (path.read_text() for path in (tmp_path / "run").glob("*.log"))
    assert "Learning rate scaled from 0.002 to 0.0005: batch of 2 (1 process(es) x 2" in text
    rates = [event.value for event in events.Scalars("learning_rate")]
    assert rates == pytest.approx([0.0005] * len(losses))


@pytest.mark.slow
def test_mlflow_keeps_metrics_and_checkpoint(logged, tmp_path):
    mlflow = pytest.importorskip("mlflow", reason="needs mlflow (requirements/loggers.txt)")
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    losses = logged("dict(type='MlflowLoggerHook', exp_name='tiny')", MLFLOW_TRACKING_URI=address)
    client = mlflow.MlflowClient(address)
    (run,) = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    assert run.info.status == "FINISHED"
    history = client.get_metric_history(run.info.run_id, "train/loss")
    assert {m.step: m.value for m in history} == pytest.approx(losses, abs=1e-4)
    assert "val/bbox_mAP" in run.data.metrics
    (stored,) = tmp_path.rglob("artifacts/models/epoch_1.pth")
    assert stored.read_bytes() == (tmp_path / "run" / "epoch_1.pth").read_bytes()


@pytest.mark.slow
def test_wandb_offline(logged, tmp_path):
    pytest.importorskip("wandb", reason="needs wandb (requirements/loggers.txt)")
    hook = "dict(type='WandbLoggerHook', init_kwargs=dict(project='tiny'))"
    logged(hook, WANDB_MODE="offline", WANDB_DIR=str(tmp_path))
    (record,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    found = wandb_history(record)
    losses = {
        row["iter"]: row["loss"] for row in read_rows(tmp_path / "run") if row["mode"] == "train"
    }
    assert {k: v for k, v in found.items() if k in losses} == pytest.approx(losses, abs=1e-4)


def wandb_history(record):
    """``train/loss`` by step, from the file that an offline run leaves."""
    from wandb.proto.wandb_internal_pb2 import Record

    found = {}
    for content in log_records(record.read_bytes()):
        message = Record()
        message.ParseFromString(content)
        items = {item.key or item.nested_key[0]: item for item in message.history.item}
        if "train/loss" in items:
            found[message.history.step.num] = json.loads(items["train/loss"].value_json)
    return found


def log_records(content, block=32768):
    """Records of a file in LevelDB's log format, which may be cut into pieces (types 2 to 4)."""
    position, pieces = 7, b""  # wandb's own head
    while position + 7 <= len(content):
        if block - position % block < 7:
            position += block - position % block
        _, length, kind = struct.unpack_from("<IHB", content, position)
        pieces += content[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            yield pieces
            pieces = b""
