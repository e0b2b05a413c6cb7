"""A function called for many numbers, in processes that share the memory of this one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

import torch

# Set before the processes are forked, so that they inherit it: nothing has to be pickled.
_function: Callable[[int], Any] | None = None


def fork_map(
    function: Callable[[int], Any], numbers: Sequence[int], processes: int
) -> Iterator[tuple[int, Any]]:
    """Call a function for every number, and give results as they are ready.

    The processes compute with one thread each and must not use a GPU.

    Args:
        function: Called with a number; its results are sent back.
        numbers: The numbers.
        processes: Processes at the same time; one works in this process. So do systems without
            fork.

    Yields:
        A number and its result.
    """
    processes = min(processes, len(numbers))
    if processes < 2 or "fork" not in multiprocessing.get_all_start_methods():
        for number in numbers:
            yield number, function(number)
        return
    global _function
    _function = function
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(
        processes, mp_context=context, initializer=torch.set_num_threads, initargs=(1,)
    )
    try:
        futures = {pool.submit(_call, number): number for number in numbers}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)
        _function = None


def _call(number: int) -> Any:  # noqa: ANN401
    return _function(number)
