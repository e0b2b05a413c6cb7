"""mmcv's wrappers on the installed torch: one process, and two over gloo."""

import os
import socket

import pytest
import torch
from mmcv.parallel import DataContainer, MMDataParallel, MMDistributedDataParallel
from torch import nn

from mmtrack.utils import build_ddp, build_dp, get_device


class Model(nn.Module):
    """Remembers what it was called with; the loss depends on the process."""

    def __init__(self, unused=False):
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.unused = nn.Linear(2, 2) if unused else None

    def forward(self, img, img_metas, return_loss=True, **kwargs):
        assert isinstance(img, torch.Tensor), type(img)
        assert isinstance(img_metas, list), type(img_metas)
        assert isinstance(img_metas[0], dict), type(img_metas[0])
        return self.layer(img)

    def train_step(self, data, optimizer, **kwargs):
        out = self.layer(data["img"])
        assert data["img_metas"][0]["name"]
        loss = out.square().sum()
        return dict(loss=loss, log_vars=dict(loss=loss.item()), num_samples=len(out))

    def val_step(self, data, optimizer=None, **kwargs):
        return dict(value=self.layer(data["img"]).sum(), log_vars={}, num_samples=1)


def batch(seed=0):
    """As mmcv's collate function makes it: DataContainers with one entry for each device."""
    image = torch.rand(4, 3, generator=torch.Generator().manual_seed(seed))
    metas = [dict(name=f"image {index}") for index in range(4)]
    return dict(
        img=DataContainer([image], stack=True, pad_dims=None),
        img_metas=DataContainer([metas], cpu_only=True),
    )


def test_data_parallel(device):
    wrapped = build_dp(Model(), device, device_ids=[0])
    assert isinstance(wrapped, MMDataParallel)
    optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.1)
    outputs = wrapped.train_step(batch(), optimizer)
    outputs["loss"].backward()
    assert outputs["loss"].device.type == device
    assert wrapped.module.layer.weight.grad.abs().sum() > 0
    assert wrapped(**batch(), return_loss=False).shape == (4, 1)
    assert wrapped.val_step(batch(), optimizer)["value"].device.type == device


@pytest.mark.gpu
def test_cpu_stays_on_the_cpu_beside_a_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    wrapped = build_dp(Model().cuda(), "cpu", device_ids=[0])
    assert wrapped(**batch(), return_loss=False).device.type == "cpu"


def test_devices():
    assert get_device() == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ValueError, match="one of cpu, cuda, got 'tpu'"):
        build_dp(Model(), "tpu")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="no usable GPU"):
            build_ddp(Model())


def train(rank, unused):
    """Three steps on this process's batches; returns what must agree between processes."""
    torch.manual_seed(rank)  # weights differ until DDP copies those of process 0
    wrapped = build_ddp(Model(unused), "cpu", device_ids=[0], find_unused_parameters=unused)
    assert isinstance(wrapped, MMDistributedDataParallel)
    optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.01)
    for step in range(3):
        outputs = wrapped.train_step(batch(10 * step + rank), optimizer)
        optimizer.zero_grad()
        outputs["loss"].backward()
        optimizer.step()
    with torch.no_grad():
        value = wrapped.val_step(batch(), optimizer)["value"].item()
        shape = tuple(wrapped(**batch(), return_loss=False).shape)
    return dict(weight=wrapped.module.layer.weight.detach(), value=value, shape=shape)


def worker(rank, ports, results):
    """Start by each of mmcv's launchers, asking for nccl, without GPUs."""
    from mmcv.runner import get_dist_info, init_dist

    import mmtrack  # noqa: F401

    os.environ.update(MASTER_ADDR="127.0.0.1", SLURM_NODELIST="localhost")
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2")
    os.environ.update(SLURM_PROCID=str(rank), SLURM_NTASKS="2", SLURM_LOCALID="0")
    result = {}
    for (launcher, unused), port in zip(CASES, ports, strict=True):
        os.environ["MASTER_PORT"] = str(port)
        init_dist(launcher, backend="nccl")
        assert get_dist_info() == (rank, 2)
        assert torch.distributed.get_backend() == "gloo"
        result[unused] = train(rank, unused)
        torch.distributed.destroy_process_group()
    torch.save(result, f"{results}.{rank}")


CASES = [("pytorch", False), ("slurm", True)]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for item in sockets:
        item.bind(("127.0.0.1", 0))
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    return ports


def test_two_processes_train_like_one_on_both_batches(tmp_path):
    """DDP averages gradients: equal to one process that adds both losses and halves them."""
    if torch.cuda.is_available():
        pytest.skip("with GPUs mmcv's launchers are used as they are")
    results = str(tmp_path / "result")
    torch.multiprocessing.spawn(worker, (free_ports(2), results), nprocs=2)
    both = [torch.load(f"{results}.{rank}", weights_only=True) for rank in (0, 1)]
    for _, unused in CASES:
        first, second = (result[unused] for result in both)
        assert torch.equal(first["weight"], second["weight"])
        assert first["value"] == second["value"]
        assert first["shape"] == (4, 1)
        torch.testing.assert_close(first["weight"], train_single(unused))


def train_single(unused):
    torch.manual_seed(0)
    single = build_dp(Model(unused), "cpu")
    optimizer = torch.optim.SGD(single.parameters(), lr=0.01)
    for step in range(3):
        losses = [single.train_step(batch(10 * step + r), optimizer)["loss"] for r in (0, 1)]
        optimizer.zero_grad()
        (sum(losses) / 2).backward()
        optimizer.step()
    return single.module.layer.weight.detach()


@pytest.mark.gpu
def test_one_process_on_a_gpu(tmp_path):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.distributed.init_process_group(
        "nccl", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    wrapped = build_ddp(Model(), "cuda", device_ids=[0])
    outputs = wrapped.train_step(batch(), None)
    outputs["loss"].backward()
    assert outputs["loss"].is_cuda
    assert wrapped.module.layer.weight.grad.is_cuda
    assert wrapped(**batch(), return_loss=False).is_cuda
    torch.distributed.destroy_process_group()
