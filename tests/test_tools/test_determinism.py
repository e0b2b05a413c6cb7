"""Same seed, same machine, same numbers: for the quick start of every task, as processes."""

from __future__ import annotations

import pytest
import torch
from tiny_project import read_rows
from tiny_quickstart import QUICK_STARTS, Workshop

QUICK = "bytetrack_yolox_tiny_synthetic-mot17"
CASES = [
    name if name == QUICK else pytest.param(name, marks=pytest.mark.slow) for name in QUICK_STARTS
]
# what the clock and the machine decide
CLOCK = ("time", "data_time", "memory")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory, root, run_script):
    return Workshop(tmp_path_factory.mktemp("quickstart"), root, run_script)


def weights(path):
    checkpoint = torch.load(path, map_location="cpu", weights_only=False)
    return checkpoint["state_dict"]


def numbers(work_dir, epoch):
    """Losses and learning rates of an epoch."""
    rows = [row for row in read_rows(work_dir) if row["epoch"] == epoch]
    return [{key: value for key, value in row.items() if key not in CLOCK} for row in rows]


def assert_same(found, wanted):
    assert found.keys() == wanted.keys()
    differing = [key for key, value in wanted.items() if not torch.equal(found[key], value)]
    assert not differing, f"{len(differing)} of {len(wanted)} differ, first {differing[0]}"


@pytest.mark.parametrize("name", CASES)
def test_two_runs_and_a_resumed_one_give_the_same_bits(workshop, tmp_path, name):
    first = workshop.train(name, tmp_path / "first", "--deterministic", PYTHONHASHSEED="1")
    again = workshop.train(name, tmp_path / "again", "--deterministic", PYTHONHASHSEED="2")
    resumed = workshop.train(
        name, tmp_path / "resumed", "--deterministic", "--resume-from", first / "epoch_1.pth",
        PYTHONHASHSEED="3",
    )  # fmt: skip
    for epoch in (1, 2):
        assert numbers(first, epoch)
        assert numbers(again, epoch) == numbers(first, epoch)
        assert_same(weights(again / f"epoch_{epoch}.pth"), weights(first / f"epoch_{epoch}.pth"))
    assert numbers(resumed, 2) == numbers(first, 2)
    assert_same(weights(resumed / "epoch_2.pth"), weights(first / "epoch_2.pth"))
    # an epoch that repeated the order and augmentations of the one before would prove little
    assert numbers(first, 2)[0] != numbers(first, 1)[0]
