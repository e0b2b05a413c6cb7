"""A real TorchServe with a model of each task: videos are posted and answers compared.

The server is started by docker/serve/entrypoint.sh with the settings of the image, moved to free
ports of this machine.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import serving_models
from launching import free_port

from mmtrack.apis.serving import FOLDER_PREFIX, VideoService
from mmtrack.apis.serving_compare import Tolerance, compare_results
from mmtrack.core.visualization import open_source

TASKS = ("mot", "sot", "vid", "vis")
# Masks of random weights lie near their threshold: rounding turns single pixels over.
ROUNDING = Tolerance(pixels=0.002, score=1e-5, overlap=0.98)
MAX_REQUEST = 2_000_000  # bytes; that of the image would take minutes here
READY_WITHIN = 400  # seconds, on a busy machine; a quiet one needs about 15

MISSING = [name for name in ("ts", "model_archiver") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason="torchserve is not installed (optional.txt)"),
    pytest.mark.skipif(shutil.which("java") is None, reason="TorchServe needs Java"),
]


@pytest.fixture(scope="module")
def cases(root, tmp_path_factory):
    return serving_models.make_cases(root, tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def store(root, cases, tmp_path_factory):
    """A model store with an archive for each task."""
    folder = tmp_path_factory.mktemp("store")
    script = root / "tools" / "torchserve" / "mmtrack2torchserve.py"
    with pytest.MonkeyPatch.context() as patch:
        for name, case in cases.items():
            args = [case.config, case.checkpoint, "--output-folder", folder, "--model-name", name]
            patch.setattr(sys, "argv", [str(script), *map(str, args), "--max-megabytes", "1"])
            runpy.run_path(str(script), run_name="__main__")
    return folder


def settings(root, store, ports):
    """config.properties of the image for this machine."""
    text = (root / "docker" / "serve" / "config.properties").read_text()
    for ours, theirs in zip(ports, ("8080", "8081", "8082"), strict=False):
        text = text.replace(f"0.0.0.0:{theirs}", f"127.0.0.1:{ours}")
    text = text.replace("/home/model-server/model-store", str(store))
    text = re.sub(r"(?m)^max_request_size=.*$", f"max_request_size={MAX_REQUEST}", text)
    grpc = f"grpc_inference_port={ports[3]}\ngrpc_management_port={ports[4]}\n"
    return f"{text}\n{grpc}disable_system_metrics=true\n"


@contextlib.contextmanager
def running_server(root, store, folder):
    """The server; ends with its workers."""
    ports = [free_port() for _ in range(5)]
    (folder / "tmp").mkdir()
    (folder / "config.properties").write_text(settings(root, store, ports))
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(root),
        "TMPDIR": str(folder / "tmp"),
        "TEMP": str(folder / "tmp"),
        "TS_CONFIG_FILE": str(folder / "config.properties"),
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    command = [str(root / "docker" / "serve" / "entrypoint.sh")]
    if shutil.which("setpriv"):  # ends it also where these tests are killed
        command = ["setpriv", "--pdeathsig", "TERM", *command]
    with open(folder / "log.txt", "w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    server = SimpleNamespace(
        process=process, folder=folder, address=f"127.0.0.1:{ports[0]}", manager=ports[1]
    )
    try:
        wait_until_ready(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # whatever is left of this session


@pytest.fixture(scope="module")
def server(root, store, tmp_path_factory):
    with running_server(root, store, tmp_path_factory.mktemp("server")) as server:
        yield server


def worker(server, name):
    """What the management API says of the worker of a model; None before there is one."""
    status, _, body = call(f"127.0.0.1:{server.manager}", "GET", f"/models/{name}")
    workers = json.loads(body)[0]["workers"] if status == 200 else []
    return workers[0] if workers else None


def wait_until_ready(server):
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end and server.process.poll() is None:
        with contextlib.suppress(ConnectionError):
            states = [worker(server, name) for name in TASKS]
            if all(state and state["status"] == "READY" for state in states):
                return
        time.sleep(0.2)
    pytest.fail(f"the server is not ready\n{(server.folder / 'log.txt').read_text()[-5000:]}")


def call(address, method, path, body=b"", headers=None):
    connection = http.client.HTTPConnection(address, timeout=300)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.getheader("content-type"), response.read()
    finally:
        connection.close()


def post(server, name, body, headers=None):
    headers = {"Content-Type": "application/octet-stream", **(headers or {})}
    return call(server.address, "POST", f"/predictions/{name}", body, headers)


def as_headers(options):
    return {f"X-Mmtrack-{name.replace('_', '-').title()}": value for name, value in options.items()}


def ask_json(server, name, case):
    """JSON for the video and options of a case."""
    options = as_headers({**case.options, "output": "json"})
    status, _, body = post(server, name, case.video.read_bytes(), options)
    assert status == 200, body
    return json.loads(body)


@pytest.mark.parametrize("name", TASKS)
def test_served_video_is_that_of_the_documented_functions(server, cases, tmp_path, name):
    case = cases[name]
    status, kind, body = post(server, name, case.video.read_bytes(), as_headers(case.options))
    assert (status, kind) == (200, "video/mp4"), body
    (tmp_path / "served.mp4").write_bytes(body)
    served = open_source(str(tmp_path / "served.mp4"))
    assert served.fps == serving_models.FPS
    wanted = serving_models.drawn_video(name, case, tmp_path / "local.mp4")
    np.testing.assert_array_equal(list(served), wanted)


@pytest.mark.parametrize("name", TASKS)
def test_served_results_are_those_of_this_process(server, cases, name):
    case = cases[name]
    service = VideoService(serving_models.load(case))
    fields = {"data": case.video.read_bytes(), **case.options, "output": "json"}
    local = json.loads(service.answer(fields).body)
    served = ask_json(server, name, case)
    assert compare_results(served, local, float(case.options.get("score_thr", 0)), ROUNDING) == []
    assert any(frame["objects"] for frame in local["frames"])


def test_curl_as_in_the_manual(server, cases, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    url = f"http://{server.address}/predictions/mot"
    command = ["curl", "-sf", url, "-T", cases["mot"].video, "-o", tmp_path / "result.mp4"]
    subprocess.run(list(map(str, command)), check=True, timeout=100)
    assert len(list(open_source(str(tmp_path / "result.mp4")))) == 5


def test_forms_of_a_request(server, cases):
    case = cases["sot"]
    data = case.video.read_bytes()
    code = b64encode(data).decode()
    options = {**case.options, "output": "json"}
    wanted = ask_json(server, "sot", case)
    box = list(serving_models.BOX)
    as_json = json.dumps({"data": code, "init_bbox": box, "output": "json"}).encode()
    for headers, body in (
        serving_models.multipart({"data": data, **options}),
        serving_models.multipart({"data": code, **options}),
        ({"Content-Type": "application/json"}, as_json),
        ({"Content-Type": "text/plain", **as_headers(options)}, code.encode()),
    ):
        status, _, answer = post(server, "sot", body, headers)
        assert status == 200, answer
        assert json.loads(answer) == wanted


def bad_requests(cases):
    """Model, body, headers, status and a part of the message."""
    video = cases["mot"].video.read_bytes()
    form = serving_models.multipart
    boxes = {
        "500,500,9,9": "outside",
        "1,2,-3,4": "above zero",
        "nan,1,2,3": "finite",
        "1,2": "four",
    }
    yield "mot", b"", {}, 400, "empty"
    yield "mot", b"this is no video", {}, 422, "no video"
    yield "mot", video[: len(video) // 2], {}, 422, "truncated"
    yield "mot", video + bytes(2**20), {}, 413, "limit of this server is 1 MB"
    yield "mot", bytes(MAX_REQUEST + 1), {}, 413, ""  # by TorchServe itself
    yield "mot", video, as_headers({"score_thr": "2"}), 400, "score_thr"
    yield "mot", video, as_headers({"init_bbox": "1,2,3,4"}), 400, "leave it out"
    yield "mot", video, as_headers({"outputs": "json"}), 400, "unknown field 'outputs'"
    yield "sot", video, {}, 400, "init_bbox is missing"
    for box, message in boxes.items():
        headers, body = form({"data": video, "init_bbox": box})
        yield "sot", body, headers, 400, message


def test_bad_requests_are_explained_and_workers_live_on(server, cases):
    before = {name: worker(server, name)["pid"] for name in ("mot", "sot")}
    wanted = ask_json(server, "mot", cases["mot"])
    for name, body, headers, status, message in bad_requests(cases):
        got, _, answer = post(server, name, body, headers)
        assert got == status, answer
        assert message in (json.loads(answer)["message"] if answer else "")
    assert ask_json(server, "mot", cases["mot"]) == wanted
    assert {name: worker(server, name)["pid"] for name in before} == before
    assert not list((server.folder / "tmp").glob(f"{FOLDER_PREFIX}*"))


def test_no_model_can_be_added(server):
    status, _, body = call(f"127.0.0.1:{server.manager}", "POST", "/models?url=mot.mar")
    assert status == 405, body


def client_args(server, case, name):
    files = [case.video, case.config, case.checkpoint, name]
    return [*files, "--device", "cpu", "--inference-addr", server.address]


def test_client_as_a_user_runs_it(run_script, server, cases, tmp_path):
    options = ["--score-thr", "0.2", "--result-video", tmp_path / "result.mp4"]
    args = client_args(server, cases["mot"], "mot")
    done = run_script("tools/torchserve/test_torchserve.py", *args, *options)
    assert "video: 5 frames, at most 0.000% of the pixels of one differ" in done.stdout
    assert "results: 5 frames, " in done.stdout
    assert "served and local results agree" in done.stdout
    assert len(list(open_source(str(tmp_path / "result.mp4")))) == 5


def test_client_with_a_box(run_here, server, cases):
    args = [*client_args(server, cases["sot"], "sot"), "--init-bbox", *serving_models.BOX]
    done = run_here("tools/torchserve/test_torchserve.py", *args)
    assert done.status == 0, done.err
    assert "results: 6 frames, 6 objects here" in done.out


@pytest.mark.parametrize("compare", ["video", "results"])
def test_client_notices_other_weights(run_here, server, cases, tmp_path, compare):
    from tiny_project import save_random_weights

    other = save_random_weights(cases["mot"].config, tmp_path / "other.pth", seed=3)
    case = cases["mot"]._replace(checkpoint=other)
    options = ["--score-thr", "0.2", "--compare", compare]
    done = run_here(
        "tools/torchserve/test_torchserve.py", *client_args(server, case, "mot"), *options
    )
    assert "served and local results differ:\n" in str(done.status)


def test_client_explains_refusals(run_here, server, cases):
    script = "tools/torchserve/test_torchserve.py"
    done = run_here(script, *client_args(server, cases["sot"], "sot"))
    assert done.status == 1
    assert "answered 400" in done.err
    assert "init_bbox is missing" in done.err
    done = run_here(script, *client_args(server, cases["mot"], "nothing"))
    assert "answered 404" in done.err
    args = [*client_args(server, cases["mot"], "mot")[:-1], f"127.0.0.1:{free_port()}"]
    done = run_here(script, *args)
    assert done.status == 1
    assert "is TorchServe running there?" in done.err
    done = run_here(script, *args[:-1], "http://localhost")
    assert done.status == 1
    assert "HOST:PORT, without http://" in done.err


def test_real_video(run_here, server, cases, shared):
    video = shared / "data" / "demo.mp4"
    if not video.is_file():
        pytest.skip(f"{video} is not there")
    case = cases["mot"]._replace(video=video)
    args = [*client_args(server, case, "mot"), "--score-thr", "0.2"]
    done = run_here("tools/torchserve/test_torchserve.py", *args)
    assert done.status == 0, done.err
    assert "video: 8 frames, at most 0.000%" in done.out


def test_signal_ends_server_and_workers(server):
    """The last test: `docker stop` ends everything, and nothing stays behind."""
    pids = [worker(server, name)["pid"] for name in TASKS]
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=60) == 0
    end = time.monotonic() + 30
    while any(os.path.exists(f"/proc/{pid}") for pid in pids) and time.monotonic() < end:
        time.sleep(0.1)
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
