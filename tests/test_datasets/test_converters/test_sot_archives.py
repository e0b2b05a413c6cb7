"""Unpacking and downloading: archives made here, and a server on this machine."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import json
import runpy
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from mmtrack.datasets.converters.unzip import unzip_got10k, unzip_otb100, unzip_trackingnet
from mmtrack.datasets.converters.vot_download import download_vot
from mmtrack.utils.download import DownloadError, download


def quiet(_):
    pass


def archive(path, *names):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, name)


def zipped(*names):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, name)
    return content.getvalue()


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def otb100(root):
    archive(
        root / "zips/Biker.zip", "Biker/img/0001.jpg", "Biker/img/._0001.jpg",
        "Biker/img/Thumbs.db", "Biker/groundtruth_rect.txt", "__MACOSX/Biker/a", "Biker/.DS_Store",
    )  # fmt: skip
    archive(root / "zips/Board.zip", "Board/img/00001.jpg", "Board/img/notes.txt")


def test_otb100(tmp_path):
    otb100(tmp_path)
    unzip_otb100(tmp_path, quiet)
    assert files(tmp_path / "data") == [
        "Biker/groundtruth_rect.txt", "Biker/img/0001.jpg", "Board/img/00001.jpg",
    ]  # fmt: skip


@pytest.mark.parametrize("top", ["", "TRAIN_0/"], ids=["plain", "in a folder"])
def test_trackingnet(tmp_path, top):
    with zipfile.ZipFile(tmp_path / "TRAIN_0.zip", "w") as file:
        file.writestr(f"{top}anno/a_0.txt", "1,2,3,4")
        file.writestr(f"{top}zips/a_0.zip", zipped("0.jpg", "1.jpg"))
        file.writestr(f"{top}zips/b_0.zip", zipped("b_0/0.jpg"))
    unzip_trackingnet(tmp_path, quiet)
    assert files(tmp_path / "TRAIN_0/frames") == ["a_0/0.jpg", "a_0/1.jpg", "b_0/0.jpg"]
    assert files(tmp_path / "TRAIN_0/anno") == ["a_0.txt"]


@pytest.mark.parametrize("top", ["", "val/", "val_data/"])
def test_got10k(tmp_path, top):
    full = tmp_path / "full_data"
    archive(full / "train_data/GOT-10k_Train_split_01.zip", "GOT-10k_Train_000001/00000001.jpg")
    archive(full / "train_data/GOT-10k_Train_split_02.zip", "GOT-10k_Train_000502/absence.label")
    (full / "train_data/list.txt").write_text("GOT-10k_Train_000001\n")
    archive(full / "val_data.zip", f"{top}GOT-10k_Val_000001/00000001.jpg", f"{top}list.txt")
    unzip_got10k(tmp_path, quiet)
    assert files(tmp_path / "train") == [
        "GOT-10k_Train_000001/00000001.jpg", "GOT-10k_Train_000502/absence.label", "list.txt",
    ]  # fmt: skip
    assert files(tmp_path / "val") == ["GOT-10k_Val_000001/00000001.jpg", "list.txt"]


@pytest.mark.parametrize("unzip", [unzip_otb100, unzip_trackingnet, unzip_got10k])
def test_nothing_there(tmp_path, unzip):
    with pytest.raises(FileNotFoundError, match=r"zip"):
        unzip(tmp_path, quiet)


@pytest.fixture
def run_here(root, monkeypatch):
    """Run a script of tools/convert_datasets inside this process."""

    def run(script, *args):
        monkeypatch.setattr(sys, "argv", [script, *map(str, args)])
        runpy.run_path(str(root / "tools/convert_datasets" / script), run_name="__main__")

    return run


def test_unzip_script(tmp_path, run_here):
    otb100(tmp_path)
    run_here("unzip.py", "otb100", tmp_path)
    assert len(files(tmp_path / "data")) == 3
    with pytest.raises(SystemExit, match="error: .*has neither"):
        run_here("unzip.py", "trackingnet", tmp_path / "none")


@pytest.mark.parametrize(
    ("script", "dataset"),
    [
        ("otb100/unzip_otb100.sh", "otb100"),
        ("got10k/unzip_got10k.sh", "got10k"),
        ("trackingnet/unzip_trackingnet.sh", "trackingnet"),
        ("trackingnet/unzip_trackinget.sh", "trackingnet"),
    ],
)
def test_shell_scripts(tmp_path, root, monkeypatch, script, dataset):
    monkeypatch.setenv("PYTHON", "echo")
    path = root / "tools/convert_datasets" / script
    command = ["bash", str(path), str(tmp_path / "with blank")]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    program, *arguments = out.strip().split(" ", 2)
    assert Path(program).resolve() == root / "tools/convert_datasets/unzip.py"
    assert arguments == [dataset, str(tmp_path / "with blank")]
    done = subprocess.run(command[:2], check=False, capture_output=True, text=True)  # noqa: S603
    assert done.returncode != 0
    assert "DATA_DIR" in done.stderr


@pytest.fixture
def server(tmp_path):
    """Folder that a server on this machine shows, and its address."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_download(server, tmp_path):
    folder, url = server
    (folder / "a").write_bytes(b"content")
    checksum = hashlib.sha1(b"content").hexdigest()  # noqa: S324
    download(f"{url}/a", tmp_path / "a", checksum)
    assert (tmp_path / "a").read_bytes() == b"content"
    with pytest.raises(DownloadError, match="checksum"):
        download(f"{url}/a", tmp_path / "b", "0" * 40)
    with pytest.raises(DownloadError, match="404"):
        download(f"{url}/other", tmp_path / "b")
    with pytest.raises(DownloadError, match="refused"):
        download("http://127.0.0.1:9/a", tmp_path / "b")
    with pytest.raises(ValueError, match="no http"):
        download(f"file://{folder}/a", tmp_path / "b")
    assert not (tmp_path / "b").exists()


def describe(folder, names, checksum=None):
    videos = []
    for name in names:
        archives = {}
        for part, content in (("annotations", "groundtruth.txt"), ("color", "00000001.jpg")):
            data = zipped(content)
            (folder / "vot" / f"{name}-{part}.zip").write_bytes(data)
            archives[part] = {
                "url": f"{name}-{part}.zip",
                "checksum": checksum or hashlib.sha1(data).hexdigest(),  # noqa: S324
            }
        channels = {"color": archives["color"]}
        videos.append({"name": name, "annotations": archives["annotations"], "channels": channels})
    (folder / "vot" / "description.json").write_text(json.dumps({"sequences": videos}))


def test_vot(server, tmp_path, run_here):
    folder, url = server
    (folder / "vot").mkdir()
    describe(folder, ["ants1", "bag"])
    run_here(
        "vot/download_vot.py", "--dataset", "vot2019",
        "--save_path", tmp_path / "out", "--url", f"{url}/vot/description.json",
    )  # fmt: skip
    assert (tmp_path / "out/list.txt").read_text() == "ants1\nbag\n"
    found = [f for f in files(tmp_path / "out/bag") if not f.startswith(".")]
    assert found == ["color/00000001.jpg", "groundtruth.txt"]
    for path in (folder / "vot").glob("*.zip"):
        path.unlink()
    download_vot(f"{url}/vot/description.json", tmp_path / "out", quiet)  # nothing is left to do


def test_vot_that_cannot_be_trusted(server, tmp_path):
    folder, url = server
    (folder / "vot").mkdir()
    describe(folder, ["ants1"], checksum="0" * 40)
    with pytest.raises(DownloadError, match="checksum"):
        download_vot(f"{url}/vot/description.json", tmp_path / "out", quiet)
    (folder / "vot/description.json").write_text(
        json.dumps({"sequences": [{"name": "../a", "annotations": {}, "channels": {}}]})
    )
    with pytest.raises(ValueError, match="cannot name a folder"):
        download_vot(f"{url}/vot/description.json", tmp_path / "out", quiet)
    (folder / "vot/description.json").write_text("{}")
    with pytest.raises(ValueError, match="does not describe"):
        download_vot(f"{url}/vot/description.json", tmp_path / "out", quiet)


def test_otb100_archives(server, tmp_path, run_here):
    """Those that the server has; the others are named."""
    folder, url = server
    for name in ("Biker", "Jogging"):
        (folder / f"{name}.zip").write_bytes(zipped("a"))
    script = ("otb100/download_otb100.py", "-o", tmp_path / "zips", "-p", 8, "--server", url)
    with pytest.raises(SystemExit, match="96 archives are missing") as end:
        run_here(*script)
    assert f"{url}/Basketball.zip cannot be downloaded: HTTP Error 404" in str(end.value)
    assert files(tmp_path / "zips") == ["Biker.zip", "Jogging.zip"]
