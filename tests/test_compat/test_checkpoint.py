"""Checkpoints are loaded as data; those that would run code are refused, with a remedy."""

import collections
import http.server
import os
import pickle
import threading
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmcv.runner import CheckpointLoader, load_checkpoint

from mmtrack.compat.checkpoint import (
    CheckpointError,
    checkpoints_trusted,
    load_checkpoint_file,
    load_from_url,
    trust_checkpoints,
)


@pytest.fixture
def trusting():
    trust_checkpoints(True)
    yield
    trust_checkpoints(False)


class Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def published_checkpoint():
    """What runs of OpenMMLab write: weights, optimizer, and meta with NumPy scalars."""
    model = torch.nn.Linear(2, 3)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    meta = dict(
        epoch=3,
        iter=30,
        CLASSES=("person",),
        PALETTE=[(1, 2, 3)],
        config="a = 1\n",
        seed=None,
        env_info="torch",
        hook_msgs=dict(
            best_score=np.float64(0.5),
            counts=np.arange(3),
            flags=np.array([True, False]),
            names=np.array(["a", "bc"]),
            best=np.float32(0.25),
            step=np.int64(7),
        ),
    )
    return dict(
        meta=meta, state_dict=OrderedDict(model.state_dict()), optimizer=optimizer.state_dict()
    )


def as_written_with_numpy_1(path):
    """Rename NumPy's core package inside of a checkpoint, as older versions called it."""
    with zipfile.ZipFile(path) as archive:
        entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in entries:
            if name.endswith("data.pkl"):
                assert b"numpy._core.multiarray" in data
                data = data.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
            archive.writestr(name, data)


@pytest.mark.parametrize("numpy_version", [1, 2])
@pytest.mark.parametrize("zipped", [True, False])
def test_published_checkpoints_load(tmp_path, numpy_version, zipped):
    checkpoint = published_checkpoint()
    path = tmp_path / "model.pth"
    torch.save(checkpoint, path, _use_new_zipfile_serialization=zipped)
    if numpy_version == 1 and zipped:
        as_written_with_numpy_1(path)
    loaded = CheckpointLoader.load_checkpoint(str(path), map_location="cpu")
    messages = loaded["meta"].pop("hook_msgs")
    expected = checkpoint["meta"].pop("hook_msgs")
    assert messages.keys() == expected.keys()
    for key, value in expected.items():
        assert type(messages[key]) is type(value)
        np.testing.assert_array_equal(messages[key], value)
    assert loaded["meta"] == checkpoint["meta"]
    assert loaded["state_dict"].keys() == checkpoint["state_dict"].keys()
    assert torch.equal(loaded["state_dict"]["weight"], checkpoint["state_dict"]["weight"])
    assert loaded["optimizer"]["state"][0]["step"] == 1


@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_refused_and_named(tmp_path, zipped):
    path, victim = tmp_path / "evil.pth", tmp_path / "executed"
    torch.save(
        dict(state_dict={}, meta=Evil(str(victim))), path, _use_new_zipfile_serialization=zipped
    )
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(torch.nn.Linear(1, 1), str(path))
    assert not victim.exists()
    text = str(error.value)
    assert str(path) in text
    assert "mkdir" in text or "posix" in text
    assert "--trust-checkpoint" in text


def test_plain_pickles_are_refused_too(tmp_path):
    path, victim = tmp_path / "evil.pkl", tmp_path / "executed"
    for protocol in (0, 2, 5):
        path.write_bytes(pickle.dumps(Evil(str(victim)), protocol))
        with pytest.raises(CheckpointError, match=r"evil\.pkl asks to execute '(posix|nt)\.mkdir'"):
            load_checkpoint_file(path)
    assert not victim.exists()


def test_trusting_executes(tmp_path, trusting):
    path, victim = tmp_path / "evil.pth", tmp_path / "executed"
    torch.save(Evil(str(victim)), path)
    assert checkpoints_trusted()
    load_checkpoint_file(path)
    assert victim.exists()


def test_harmless_but_unknown_classes_are_named(tmp_path):
    path = tmp_path / "model.pth"
    torch.save(dict(state_dict={}, meta=collections.ChainMap({"a": 1})), path)
    with pytest.raises(CheckpointError, match=r"'collections\.ChainMap'.*--trust-checkpoint"):
        load_checkpoint_file(path)
    trust_checkpoints(True)
    try:
        assert load_checkpoint_file(path)["meta"]["a"] == 1
    finally:
        trust_checkpoints(False)


def test_object_arrays_cannot_smuggle_code(tmp_path):
    path, victim = tmp_path / "evil.pth", tmp_path / "executed"
    torch.save(np.array([Evil(str(victim))], dtype=object), path)
    with pytest.raises(CheckpointError):
        load_checkpoint_file(path)
    assert not victim.exists()


def whole_file(path):
    torch.save(published_checkpoint(), path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"<html>404 Not Found</html>",
        lambda data: b"\x80\x02",
        lambda data: b"{}",
    ],
    ids=["empty", "truncated", "html", "short pickle", "json"],
)
@pytest.mark.parametrize("trust", [True, False])
def test_damaged_files_are_named(tmp_path, damage, trust):
    path = tmp_path / "broken.pth"
    path.write_bytes(damage(whole_file(path)))
    trust_checkpoints(trust)
    try:
        with pytest.raises(CheckpointError, match=r"broken\.pth is damaged, truncated or not"):
            load_checkpoint_file(path)
    finally:
        trust_checkpoints(False)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"[[[[", "an instruction that no"), (b"text", "an instr"), (b"", "ends")],
)
def test_messages_do_not_advise_to_run_what_is_in_the_file(tmp_path, content, reason):
    """As torch's own text does."""
    path = tmp_path / "some.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"some\.pth is damaged.*: it .*{reason}") as caught:
        load_checkpoint_file(path)
    assert "weights_only" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.pth"):
        load_checkpoint_file(tmp_path / "nothing.pth")
    with pytest.raises(FileNotFoundError, match=r"nothing\.pth"):
        load_checkpoint(torch.nn.Linear(1, 1), str(tmp_path / "nothing.pth"))


@pytest.fixture
def server(tmp_path):
    """A web server of one folder on this machine."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(folder), **kwargs)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as instance:
        thread = threading.Thread(target=instance.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{instance.server_address[1]}"
        instance.shutdown()


def test_http(server, tmp_path, monkeypatch):
    folder, address = server
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    model = torch.nn.Linear(2, 3)
    torch.save(published_checkpoint(), folder / "model.pth")
    loaded = load_checkpoint(model, f"{address}/model.pth", map_location="cpu")
    assert torch.equal(model.weight, loaded["state_dict"]["weight"])
    (folder / "model.pth").unlink()
    load_checkpoint(model, f"{address}/model.pth")  # from the cache
    torch.save(Evil(str(tmp_path / "executed")), folder / "evil.pth")
    with pytest.raises(CheckpointError, match="--trust-checkpoint"):
        load_checkpoint(model, f"{address}/evil.pth")
    assert not (tmp_path / "executed").exists()
    with pytest.raises(CheckpointError, match=r"cannot download checkpoint .*absent\.pth"):
        load_from_url(f"{address}/absent.pth", progress=False)
    assert not list((tmp_path / "cache").rglob("absent*"))


def test_torchvision_scheme(server, tmp_path, monkeypatch):
    from mmcv.runner import checkpoint

    folder, address = server
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    torch.save(torch.nn.Linear(2, 3).state_dict(), folder / "resnet.pth")
    monkeypatch.setattr(
        checkpoint, "get_torchvision_models", lambda: {"resnet50": f"{address}/resnet.pth"}
    )
    model = torch.nn.Linear(2, 3)
    loaded = load_checkpoint(model, "torchvision://resnet50")
    assert torch.equal(model.weight, loaded["weight"])


def test_torchvision_names_resolve_on_the_installed_version():
    from mmcv.runner.checkpoint import get_torchvision_models

    urls = get_torchvision_models()
    assert urls["resnet50"].startswith("https://")
    assert urls["resnet50.imagenet1k_v2"].startswith("https://")
