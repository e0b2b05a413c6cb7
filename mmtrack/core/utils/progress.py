"""A line that tells how far a run is, renewed in place on a terminal and rarely in a log file."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import IO

TERMINAL_SECONDS = 0.5
LOG_SECONDS = 30.0


class Progress:
    """Counts frames and writes count, speed and remaining time.

    Args:
        length: Number of frames, None where it is not known.
        file: Where the line goes; standard output by default.
    """

    def __init__(self, length: int | None, file: IO[str] | None = None) -> None:
        self.length = length
        self.count = 0
        self._file = sys.stdout if file is None else file
        self._terminal = self._file.isatty()
        self._start = self._written = time.perf_counter()

    def update(self, frames: int = 1) -> None:
        """Count frames that are done."""
        self.count += frames
        now = time.perf_counter()
        if now - self._written > (TERMINAL_SECONDS if self._terminal else LOG_SECONDS):
            self._written = now
            self._write()

    def close(self) -> None:
        """Write the final state and end the line."""
        self._write()
        if self._terminal:
            self._file.write("\n")

    def line(self) -> str:
        """The line, for example ``frame 30/71, 8.9 FPS, 5 s left``."""
        seconds = max(time.perf_counter() - self._start, 1e-9)
        fps = self.count / seconds
        if not self.length:
            return f"frame {self.count}, {fps:.1f} FPS"
        share = f"frame {self.count}/{self.length}, {fps:.1f} FPS"
        if self.count >= self.length or not self.count:
            return f"{share}, {seconds:.0f} s"
        return f"{share}, {(self.length - self.count) / fps:.0f} s left"

    def _write(self) -> None:
        self._file.write(f"\r{self.line():<60}" if self._terminal else f"{self.line()}\n")
        self._file.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
