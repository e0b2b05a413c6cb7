"""Read damaged files in a process that is watched: what it raises, writes, runs and takes."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import os
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CPU_SECONDS = 10  # of one case; the good file takes milliseconds
WALL_SECONDS = 120  # without any sign of life, on a machine that others use too
MEMORY = 3 << 30  # address space that a process may take on top of what it has
GROWTH = 300 << 20  # memory that a file of some kilobytes may cost
# Errors that tell a user what is wrong with a file, if their text names it.
ALLOWED = (ValueError, OSError, KeyError)
# What numpy and torch need to restore arrays and tensors.
_DATA_MODULES = ("numpy", "_codecs", "collections", "torch", "builtins", "__builtin__")
_RUNS = (
    "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "subprocess.Popen",
    "pty.spawn", "ctypes.dlopen", "socket.connect", "socket.getaddrinfo", "urllib.Request",
    "webbrowser.open",
)  # fmt: skip
_CHANGES = (
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.truncate",
    "os.chmod", "os.chown", "shutil.rmtree", "shutil.move", "shutil.copyfile", "os.utime",
)  # fmt: skip


# Which argument is the open folder that a path is relative to, where there is one.
_FOLDER_ARGUMENT = {"os.remove": 1, "os.rmdir": 1, "os.mkdir": 2}


class CaseTimeout(BaseException):
    """A case takes too long."""


@dataclass(frozen=True)
class Case:
    """How a case went.

    Attributes:
        seed: Its seed.
        verdict: ``'accepted'``, ``'refused'`` or ``'broken'``.
        text: The message of the refusal, or what is broken.
    """

    seed: int
    verdict: str
    text: str = ""


class Watch:
    """Notes what code does that reading a file must not do.

    Audit hooks stay for the life of a process, so this belongs into one that ends soon.
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self.folder: str | None = None  # what may be written to; None while nobody watches
        sys.addaudithook(self._hook)

    @contextlib.contextmanager
    def watching(self, folder: Path) -> Iterator[None]:
        """Watch the block, which may write to a folder and nowhere else."""
        self.found, self.folder = [], os.path.realpath(folder)
        try:
            yield
        finally:
            self.folder = None

    def _hook(self, event: str, args: tuple) -> None:
        if self.folder is None:
            return
        if event in _RUNS:
            self.found.append(f"{event} {args!r:.200}")
        elif event == "exec":
            self._on_exec(args[0])
        elif event == "pickle.find_class":
            if not str(args[0]).startswith(_DATA_MODULES) or args[1] in ("eval", "exec", "getattr"):
                self.found.append(f"unpickles {args[0]}.{args[1]}")
        elif event == "open":
            path, mode, flags = args
            writes = (mode is not None and set(mode) & set("wax+")) or (
                mode is None and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            )
            if writes and not isinstance(path, int):
                self._on_change("open for writing", path)
        elif event in _CHANGES:
            folder = _folder_of(args[_FOLDER_ARGUMENT[event]]) if event in _FOLDER_ARGUMENT else ""
            for path in args[:2]:
                if isinstance(path, (str, bytes, os.PathLike)):
                    self._on_change(event, os.path.join(folder, os.fsdecode(path)))

    def _on_exec(self, code: object) -> None:
        """Imports execute code of files; anything else comes from a string."""
        name = getattr(code, "co_filename", "?")
        if not (os.path.isfile(name) or name.startswith("<frozen")):
            self.found.append(f"executes code from {name}")

    def _on_change(self, what: str, path: str | bytes | os.PathLike) -> None:
        real = os.path.realpath(os.fsdecode(path))
        inside = real == self.folder or real.startswith(self.folder + os.sep)
        if not inside and real != os.devnull and "__pycache__" not in real:
            self.found.append(f"{what} {real}")


def _folder_of(descriptor: int) -> str:
    """Path of an open folder; empty for the working folder."""
    return os.readlink(f"/proc/self/fd/{descriptor}") if descriptor >= 0 else ""


def run_cases(
    prepare: Callable[[Path, int], Path],
    read: Callable[[Path], object],
    names: Callable[[Path], Sequence[str]],
    seeds: Sequence[int],
    folder: Path,
) -> list[Case]:
    """Run cases in child processes; one that dies or hangs is reported and the others go on.

    Args:
        prepare: Makes the damaged files of a seed in an empty folder; returns what ``read`` gets.
        read: Reads the file. It may write to the folder ``out`` beside it.
        names: One of these must be in the message of a refusal.
        seeds: The cases.
        folder: Where they live.
    """
    cases: list[Case] = []
    left = list(seeds)
    while left:
        done, reason = _run_child(prepare, read, names, left, folder)
        cases += done
        left = left[len(done) :]
        if left and reason:
            cases.append(Case(left.pop(0), "broken", reason))
    return cases


def _run_child(
    prepare: Callable, read: Callable, names: Callable, seeds: Sequence[int], folder: Path
) -> tuple[list[Case], str]:
    """Cases that a child finished, and why it ended early if it did."""
    source, sink = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(source)
            _child(prepare, read, names, seeds, folder, sink)
            status = 0
        except BaseException:  # noqa: BLE001 - whatever happens, the child must not go on as pytest
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(sink)
    lines, reason = _listen(source, child)
    _, status = os.waitpid(child, 0)
    if not reason and os.WIFSIGNALED(status):
        reason = f"the process died of signal {os.WTERMSIG(status)}"
    elif not reason and os.WEXITSTATUS(status):
        reason = f"the process ended with status {os.WEXITSTATUS(status)}"
    return [Case(**json.loads(line)) for line in lines], reason


def _listen(source: int, child: int) -> tuple[list[bytes], str]:
    """Complete lines that a child writes, and whether it had to be killed."""
    text = b""
    with os.fdopen(source, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], WALL_SECONDS)
            if not ready:
                os.kill(child, signal.SIGKILL)
                return text.split(b"\n")[:-1], f"no answer for {WALL_SECONDS} s"
            piece = pipe.read(1 << 16)
            if not piece:
                return text.split(b"\n")[:-1], ""
            text += piece


def _child(
    prepare: Callable,
    read: Callable,
    names: Callable,
    seeds: Sequence[int],
    folder: Path,
    sink: int,
) -> None:
    """Run cases in this process and write a line about each."""
    _quiet()
    faulthandler.disable()  # of pytest, which would print the crash of this process as its own
    tempfile.tempdir = str(folder / "out")
    warnings.simplefilter("ignore")
    _limit_memory()
    watch = Watch()
    # Modules that readers import late, and caches they fill, are no finding.
    _fresh(folder)
    read(prepare(folder, -1))
    signal.signal(signal.SIGPROF, _on_timer)
    for seed in seeds:
        _fresh(folder)
        case = _run_case(watch, prepare, read, names, seed, folder)
        os.write(sink, json.dumps(case.__dict__).encode() + b"\n")


def _run_case(
    watch: Watch, prepare: Callable, read: Callable, names: Callable, seed: int, folder: Path
) -> Case:
    try:
        path = prepare(folder, seed)
    except Exception as failed:  # noqa: BLE001 - of the test, not of what it tests
        return Case(seed, "broken", f"the case could not be made: {failed!r}")
    before, peak = _tree(folder), _peak(reset=True)
    error: BaseException | None = None
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        with watch.watching(folder / "out"):
            read(path)
    except BaseException as caught:  # noqa: BLE001 - judged below
        error = caught
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    found = list(watch.found)
    found += _judge(error, names(path))
    found += [f"changed {name}" for name in _changes(before, _tree(folder))]
    grown = _peak() - peak
    if grown > GROWTH:
        found.append(f"took {grown >> 20} MB of memory")
    if time.process_time() - start > CPU_SECONDS:
        found.append(f"took {time.process_time() - start:.0f} s")
    if found:
        return Case(seed, "broken", "; ".join(found))
    if error is None:
        return Case(seed, "accepted")
    text = str(error)[:500]
    del error
    gc.collect(0)
    return Case(seed, "refused", text)


def _judge(error: BaseException | None, names: Sequence[str]) -> list[str]:
    """What is wrong with an error that a file caused."""
    if error is None:
        return []
    text = str(error)
    if isinstance(error, ALLOWED) and any(name in text for name in names):
        return []
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames[-6:]))
    return [f"{type(error).__name__}: {text[:300]} [{where}]"]


def _quiet() -> None:
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        if not os.environ.get("MMTRACK_FUZZ_SHOW"):
            os.dup2(nothing.fileno(), 2)


def _limit_memory() -> None:
    """MemoryError instead of a machine that swaps."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _on_timer(number: int, frame: object) -> None:
    raise CaseTimeout(f"more than {CPU_SECONDS} s")


def _peak(*, reset: bool = False) -> int:
    """Most memory that this process had since the last reset, in bytes."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+)", status)[1]) << 10


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "out").mkdir(parents=True)


def _tree(folder: Path) -> dict[str, tuple]:
    """Every entry below the folder around the case, apart from the output."""
    found = {}
    for parent, folders, files in os.walk(folder.parent):
        if Path(parent) == folder:
            folders[:] = [name for name in folders if name != "out"]
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            status = os.lstat(path)
            size = status.st_size if name in files else 0
            found[os.path.relpath(path, folder.parent)] = (status.st_mode, size)
    return found


def _changes(before: dict[str, tuple], after: dict[str, tuple]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
