"""Which checkpoint a training goes on from."""

from __future__ import annotations

import os
import shutil

import mmcv
import pytest
import torch
from mmcv.runner import save_checkpoint

from mmtrack.apis.resume import check_resumable, choose_checkpoint, list_checkpoints
from mmtrack.compat.checkpoint import CheckpointError


@pytest.fixture
def folder(tmp_path):
    """Three epochs and a best checkpoint, ``latest.pth`` on the third."""
    model = torch.nn.Linear(40, 40)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in (1, 2, 10):
        path = str(tmp_path / f"epoch_{epoch}.pth")
        save_checkpoint(model, path, optimizer, {"epoch": epoch, "iter": 5 * epoch})
    shutil.copy(path, tmp_path / "best_bbox_mAP_epoch_99.pth")
    (tmp_path / "latest.pth").symlink_to("epoch_10.pth")
    return tmp_path


def names(folder):
    return [os.path.basename(path) for path in list_checkpoints(folder)]


def choose(folder, *, auto_resume=True, **options):
    cfg = mmcv.Config({"work_dir": str(folder), **options})
    return choose_checkpoint(cfg, auto_resume=auto_resume)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-500])


def flip(path):
    """One bit of the weights: torch loads such a file without a word."""
    content = bytearray(path.read_bytes())
    weight = torch.load(path, weights_only=True)["state_dict"]["weight"].numpy().tobytes()
    content[content.index(weight) + 100] ^= 4
    path.write_bytes(content)
    torch.load(path, weights_only=True)


def empty(path):
    path.write_bytes(b"")


def test_newest_first_by_number_not_by_name(folder):
    assert names(folder) == ["epoch_10.pth", "epoch_2.pth", "epoch_1.pth"]
    (folder / "latest.pth").unlink()
    assert names(folder) == ["epoch_10.pth", "epoch_2.pth", "epoch_1.pth"]
    assert names(folder / "nowhere") == []


def test_link_decides_where_a_run_was_resumed_from_an_older_checkpoint(folder):
    (folder / "latest.pth").unlink()
    (folder / "latest.pth").symlink_to("epoch_2.pth")
    (folder / "iter_1.pth").write_bytes(b"of another run")
    assert names(folder) == ["epoch_2.pth", "epoch_1.pth"]


def test_latest_may_be_a_copy(folder):
    (folder / "latest.pth").unlink()
    shutil.copy(folder / "epoch_2.pth", folder / "latest.pth")
    assert names(folder)[0] == "latest.pth"


@pytest.mark.parametrize("damage", [truncate, flip, empty, os.unlink])
def test_damaged_checkpoint_is_passed_over_with_a_warning(folder, damage):
    damage(folder / "epoch_10.pth")
    for found in (
        choose(folder),
        choose("elsewhere", auto_resume=False, resume_from=str(folder / "latest.pth")),
    ):
        assert found.path == str(folder / "epoch_2.pth")
        (note,) = found.notes
        assert f"{folder / 'epoch_10.pth'}" in note
        assert note.endswith(f"going on from {folder / 'epoch_2.pth'}")


def test_damage_that_the_zip_reader_stumbles_over_is_passed_over_too(folder):
    """A flag says that the name of a member is UTF-8, which it is not."""
    path = folder / "epoch_10.pth"
    content = bytearray(path.read_bytes())
    start = content.index(b"PK\x01\x02")  # of the first entry of the directory
    content[start + 9] |= 8
    content[start + 46] = 0xFF
    path.write_bytes(content)
    found = choose(folder)
    assert found.path == str(folder / "epoch_2.pth")
    assert "epoch_10.pth" in found.notes[0]


def test_two_damaged_checkpoints(folder):
    truncate(folder / "epoch_10.pth")
    flip(folder / "epoch_2.pth")
    found = choose(folder)
    assert found.path == str(folder / "epoch_1.pth")
    assert ["truncated" in note or "check sum" in note for note in found.notes] == [True, True]


def test_nothing_whole_is_an_error_not_a_start_from_nothing(folder):
    for path in folder.glob("epoch_*.pth"):
        truncate(path)
    with pytest.raises(CheckpointError, match=r"(?s)no checkpoint.*epoch_10.*epoch_2.*epoch_1\."):
        choose(folder)


def test_a_file_that_is_named_is_taken_or_refused(folder):
    path = str(folder / "epoch_2.pth")
    assert choose(folder, auto_resume=False, resume_from=path).path == path
    flip(folder / "epoch_2.pth")
    with pytest.raises(CheckpointError, match=r"epoch_2\.pth is damaged: wrong check sum"):
        choose(folder, auto_resume=False, resume_from=path)
    with pytest.raises(FileNotFoundError, match="latest"):
        choose(folder, auto_resume=False, resume_from=str(folder / "sub" / "latest.pth"))


def test_an_empty_work_dir_leaves_resume_from(folder, tmp_path):
    path = str(folder / "epoch_1.pth")
    assert choose(tmp_path / "new", resume_from=path).path == path
    assert choose(folder, resume_from=path).path == str(folder / "epoch_10.pth")
    assert choose(tmp_path / "new") == (None, [])


def test_folder_of_the_checkpoint_hook(folder, tmp_path):
    config = {"checkpoint_config": {"out_dir": str(folder.parent)}}
    assert choose(f"/other/{folder.name}/", **config).path == str(folder / "epoch_10.pth")
    config["checkpoint_config"]["out_dir"] = "s3://bucket"
    with pytest.raises(ValueError, match="s3://bucket is no local folder"):
        choose(folder, **config)


def test_weights_alone(folder):
    torch.save({"state_dict": {"weight": torch.zeros(1)}, "meta": {}}, folder / "epoch_11.pth")
    with pytest.raises(ValueError, match="lacks epoch, iter, optimizer"):
        check_resumable(str(folder / "epoch_11.pth"))


def test_files_of_old_torch_have_no_sums(folder):
    state = torch.load(folder / "epoch_1.pth", weights_only=True)
    path = folder / "epoch_1.pth"
    torch.save(state, path, _use_new_zipfile_serialization=False)
    check_resumable(str(path))
