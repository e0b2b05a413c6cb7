"""Run scripts as processes of their own, without the seconds that importing torch takes.

Reads a line of JSON for each: ``argv`` (a script or ``-m MODULE`` and its arguments), ``cwd``,
``log`` (file for the output), ``env``, ``timeout``. Writes a line with the exit status. Each runs
in a fork of this process, which has imported everything and has started no thread.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import time
import traceback


def serve() -> None:
    """Answer until the input ends."""
    import mmtrack.apis  # noqa: F401
    import mmtrack.datasets  # noqa: F401
    import mmtrack.models  # noqa: F401

    for line in sys.stdin:
        task = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os._exit(work(**task))
        sys.stdout.write(f"{wait(pid, task['timeout'])}\n")
        sys.stdout.flush()


def wait(pid: int, timeout: float) -> int:
    """Exit status of a process, which is ended after a while."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return 124


def work(argv: list[str], cwd: str, log: str, env: dict[str, str], timeout: float) -> int:
    """Run a script in this process; returns its exit status."""
    os.setpgid(0, 0)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.stdin = open(os.devnull)  # noqa: SIM115 (until the process ends)
    os.chdir(cwd)
    os.environ.update(env)
    sys.path[:0] = [os.path.abspath(p) for p in env.get("PYTHONPATH", "").split(":") if p]
    status = 0
    try:
        if argv[0] == "-c":
            exec(argv[1], {"__name__": "__main__"})
        elif argv[0] == "-m":
            sys.argv = argv[1:]
            runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = argv
            sys.path.insert(0, os.path.dirname(os.path.abspath(argv[0])))
            runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve()
