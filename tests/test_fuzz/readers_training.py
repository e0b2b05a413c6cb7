"""Readers of the checkpoint that a training goes on from."""

from __future__ import annotations

import logging
import tempfile
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import torch
from mmcv.runner import EpochBasedRunner
from test_fuzz.mutators import Rng, change_value
from test_fuzz.reader import Reader, file_of
from test_fuzz.readers_binary import CHECKPOINT

from mmtrack.apis.resume import check_resumable
from mmtrack.core.evaluation import EvalHook

repr(torch.zeros(1))  # torch imports modules, which run code, when it first shows a tensor


class Layer(torch.nn.Linear):
    """A model that mmcv can train and test."""

    def train_step(self, data: object, optimizer: object, **kwargs: object) -> dict:
        """The loss of fixed numbers."""
        loss = self(torch.ones(2, 4)).square().mean()
        return {"loss": loss, "log_vars": {}, "num_samples": 2}


class Scores(torch.utils.data.Dataset):
    """A data set whose results are always a little better."""

    def __init__(self, runner: EpochBasedRunner):
        self.runner = runner

    def __len__(self) -> int:
        return 1

    def evaluate(self, results: object, logger: object) -> dict:
        """The epoch as score."""
        return {"score": self.runner.epoch + 1.0}


def training(folder: Path, epochs: int) -> EpochBasedRunner:
    """A run with one iteration an epoch, checkpoints, evaluation and best checkpoints."""
    torch.manual_seed(0)
    model = Layer(4, 3)
    logger = logging.getLogger("fuzz")
    logger.setLevel(logging.ERROR)
    runner = EpochBasedRunner(
        model, optimizer=torch.optim.Adam(model.parameters()), work_dir=str(folder), logger=logger,
        max_epochs=epochs, meta={"config": "gpu_ids = [0]\n"},
    )  # fmt: skip
    runner.register_training_hooks(
        {"policy": "step", "step": [1]},
        {"grad_clip": None},
        {"interval": 1, "create_symlink": False},
    )
    loader = torch.utils.data.DataLoader(Scores(runner))
    runner.register_hook(
        EvalHook(loader, save_best="score", rule="greater", test_fn=lambda model, loader: []),
        priority="LOW",
    )
    return runner


@lru_cache
def training_checkpoint() -> bytes:
    """What a run writes after its second epoch."""
    with tempfile.TemporaryDirectory() as folder:
        training(Path(folder), 2).run([[0]], [("train", 1)])
        return Path(folder, "epoch_2.pth").read_bytes()


def change_training(data: bytes, rng: Rng) -> bytes:
    """A sound file with other values in its meta, optimizer or weights."""
    content = torch.load(BytesIO(data), weights_only=False)
    for _ in range(rng.integers(1, 3)):
        part = ("meta", "optimizer", "state_dict")[rng.integers(3)]
        content[part] = change_value(content[part], rng)
    target = BytesIO()
    torch.save(content, target)
    return target.getvalue()


def read_resumed(folder: Path, path: Path) -> None:
    """As ``--resume-from``, with one more epoch."""
    check_resumable(str(path))
    runner = training(folder / "out", 3)
    runner.resume(str(path), map_location="cpu")
    runner.run([[0]], [("train", 1)])


READERS = [
    Reader("training-checkpoint", lambda f: file_of("epoch_2.pth", training_checkpoint())(f),
           read_resumed, (*CHECKPOINT, *(change_training,) * 16)),
]  # fmt: skip
