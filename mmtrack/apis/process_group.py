"""What the processes of one training tell each other, and what is said when one is lost."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
from collections.abc import Iterator

import torch
import torch.distributed as dist
from mmcv.runner import get_dist_info

# How gloo and nccl say that another process does not answer any more.
LOST = re.compile(
    r"closed by peer|reset by peer|timed out|timeout|broken pipe|socket closed|"
    r"remote process exited|connection refused|connection was likely closed",
    re.IGNORECASE,
)


def share_text(text: str) -> str:
    """Send a text from process 0 to all.

    Args:
        text: Only that of process 0 counts.

    Returns:
        It, in all processes.
    """
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    content = torch.tensor(list(text.encode()), dtype=torch.uint8, device=device)
    size = torch.tensor(len(content), dtype=torch.int64, device=device)
    dist.broadcast(size, src=0)
    if get_dist_info()[0] != 0:
        content = torch.empty(int(size), dtype=torch.uint8, device=device)
    dist.broadcast(content, src=0)
    return bytes(content.tolist()).decode()


def _first_words(error: Exception) -> str:
    """The first sentence of an error, without the place in the sources of the backend."""
    line = re.sub(r"^\[\S+\] ", "", str(error).splitlines()[0])
    return line.partition(". ")[0]


@contextlib.contextmanager
def lost_processes_explained(work_dir: str) -> Iterator[None]:
    """Say in plain words that another process of the run has died or hangs, and end this one.

    The error of the backend stays as the cause for the traceback.

    Args:
        work_dir: Named in the message as the place to go on from.

    Raises:
        SystemExit: status 1, after the message.
    """
    try:
        yield
    except RuntimeError as error:  # torch.distributed's errors are all of this kind
        rank, world_size = get_dist_info()
        if world_size == 1 or not LOST.search(str(error)):
            raise
        sys.stderr.write(
            f"error: process {rank} of {world_size} (pid {os.getpid()} on {socket.gethostname()}) "
            f"has lost another process, which died or hangs: {_first_words(error)}\n"
            "Its own messages, or the launcher's summary, say which one and why. Start the same "
            f"command with --auto-resume to go on from the last good checkpoint in {work_dir}.\n"
        )
        sys.stderr.flush()
        raise SystemExit(1) from error
