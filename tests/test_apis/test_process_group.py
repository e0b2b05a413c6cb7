"""What processes tell each other, and what one says that has lost another."""

from __future__ import annotations

import mmcv
import pytest
import torch.distributed as dist
import torch.multiprocessing as mp

from mmtrack.apis import process_group, resume
from mmtrack.apis.process_group import lost_processes_explained, share_text


def tell(rank, folder):
    dist.init_process_group("gloo", f"file://{folder}/store", rank=rank, world_size=2)
    for number, text in enumerate(["runs/épo 1.pth", ""]):
        (folder / f"{rank}_{number}").write_text(share_text(text if rank == 0 else "unused"))
    dist.destroy_process_group()


@pytest.mark.slow
def test_text_of_process_0_reaches_all(tmp_path):
    mp.spawn(tell, (tmp_path,), nprocs=2)
    for rank in (0, 1):
        assert (tmp_path / f"{rank}_0").read_text() == "runs/épo 1.pth"
        assert (tmp_path / f"{rank}_1").read_text() == ""


@pytest.fixture
def second_of_two(monkeypatch):
    for module in (process_group, resume):
        monkeypatch.setattr(module, "get_dist_info", lambda: (1, 2))


@pytest.mark.parametrize(
    "text",
    [
        "[/src/pair.cc:545] Read error [127.0.0.1]:8069: Connection reset by peer. This is",
        "Timed out waiting 8000ms for recv operation to complete",
        "NCCL error: remote process exited or there was a network error",
    ],
)
def test_lost_process_is_explained(second_of_two, capsys, text):
    with pytest.raises(SystemExit) as end, lost_processes_explained("runs/a"):
        raise RuntimeError(text)
    assert end.value.code == 1
    message = capsys.readouterr().err
    assert message.startswith("error: process 1 of 2 (pid ")
    assert "--auto-resume to go on from the last good checkpoint in runs/a" in message
    assert "pair.cc" not in message


def test_other_errors_and_single_processes_keep_their_traceback(second_of_two, monkeypatch):
    with pytest.raises(RuntimeError, match="shape"), lost_processes_explained("runs/a"):
        raise RuntimeError("shape mismatch")
    monkeypatch.setattr(process_group, "get_dist_info", lambda: (0, 1))
    with pytest.raises(RuntimeError, match="timed out"), lost_processes_explained("runs/a"):
        raise RuntimeError("DataLoader timed out")


def test_checkpoint_that_only_the_first_machine_sees(second_of_two, monkeypatch, tmp_path):
    monkeypatch.setattr(resume, "share_text", lambda text: "/elsewhere/epoch_1.pth")
    cfg = mmcv.Config({"work_dir": str(tmp_path)})
    with pytest.raises(FileNotFoundError, match=r"process 1 of 2 does not see /elsewhere/epoch_1"):
        resume.choose_checkpoint(cfg, auto_resume=True)
    monkeypatch.setattr(resume, "share_text", lambda text: "")
    assert resume.choose_checkpoint(cfg, auto_resume=True) == (None, [])
