"""Proposals of the frames in a window, and what the second stage computed of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from ..aggregators.selsa_aggregator import EncodedReferences
from .frame_memory import ReferenceWindow, Tensors, distinct_frames, frame_identity

Encoded = list[EncodedReferences | torch.Tensor]


class ProposalMemory:
    """Proposals and their encodings, computed once for every frame that enters a window.

    Args:
        window: The frames.
        propose: Proposals of frames from their features and meta data: per frame ``(P, 5)``.
        encode: Encodings of all proposals from features and proposals, see
            :meth:`SelsaRoIHead.encode_references`.
        capacity: Largest number of proposals of a frame.
    """

    def __init__(
        self,
        window: ReferenceWindow,
        propose: Callable[[Tensors, list[dict]], list[torch.Tensor]],
        encode: Callable[[Tensors, list[torch.Tensor]], Encoded],
        capacity: int,
    ) -> None:
        self._window = window
        self._propose = propose
        self._encode = encode
        self._capacity = capacity
        self.clear()

    def clear(self) -> None:
        """Forget the video."""
        # each (frames, capacity, ...): the proposals, then the encodings
        self._buffers: Tensors = ()
        self._template: Encoded = []
        self._counts: list[int] = []
        self._rows: torch.Tensor | None = None

    def update(self) -> None:
        """Compute what is not known yet of the frames in the window."""
        window = self._window
        if len(self._counts) != len(window):
            self.clear()
            self._counts = [0] * len(window)
        changed = sorted(window.changed)
        if not changed:
            return
        known = {
            frame_identity(meta): place
            for place, meta in enumerate(window.metas)
            if place not in window.changed
        }
        copies = [p for p in changed if known.get(frame_identity(window.metas[p])) is not None]
        for place in copies:
            self._copy(known[frame_identity(window.metas[place])], place)
        self._compute([place for place in changed if place not in copies])
        self._rows = self._valid_rows()
        window.changed.clear()

    def proposals(self, place: int) -> torch.Tensor:
        """Proposals of a frame, ``(P, 5)``."""
        return self._buffers[0][place, : self._counts[place]]

    def references(self) -> Encoded:
        """Encodings of the proposals of all frames, as ``encode`` returns them."""
        flat = [buffer.flatten(0, 1) for buffer in self._buffers[1:]]
        if self._rows is not None:
            flat = [rows[self._rows] for rows in flat]
        return _like(self._template, flat)

    def _compute(self, places: list[int]) -> None:
        first, inverse = distinct_frames([self._window.metas[place] for place in places])
        sources = [places[i] for i in first]
        if not sources:
            return
        feats = tuple(buffer[sources] for buffer in self._window.tensors)
        proposals = self._propose(feats, [self._window.metas[place] for place in sources])
        encoded = self._encode(feats, proposals)
        counts = [len(rows) for rows in proposals]
        values = [torch.cat(proposals), *_tensors(encoded)]
        if not self._buffers:
            self._template = encoded
            self._buffers = tuple(
                value.new_zeros(len(self._counts), self._capacity, *value.shape[1:])
                for value in values
            )
        for buffer, value in zip(self._buffers, values, strict=True):
            for place, rows in zip(sources, value.detach().split(counts), strict=True):
                buffer[place, : len(rows)] = rows
        for place, count in zip(sources, counts, strict=True):
            self._counts[place] = count
        for place, number in zip(places, inverse, strict=True):
            self._copy(sources[number], place)

    def _copy(self, source: int, target: int) -> None:
        if source != target:
            for buffer in self._buffers:
                buffer[target] = buffer[source]
            self._counts[target] = self._counts[source]

    def _valid_rows(self) -> torch.Tensor | None:
        """Rows of the flat buffers that hold proposals, None if all do."""
        if all(count == self._capacity for count in self._counts):
            return None
        rows = [
            torch.arange(count) + place * self._capacity for place, count in enumerate(self._counts)
        ]
        return torch.cat(rows).to(self._buffers[0].device)


def _tensors(encoded: Encoded) -> list[torch.Tensor]:
    """All tensors of the encodings, in order."""
    return [
        tensor
        for entry in encoded
        for tensor in ([entry] if isinstance(entry, torch.Tensor) else entry)
    ]


def _like(template: Encoded, tensors: Sequence[torch.Tensor]) -> Encoded:
    """Encodings with the structure of others."""
    remaining = iter(tensors)
    return [
        next(remaining)
        if isinstance(entry, torch.Tensor)
        else EncodedReferences(*(next(remaining) for _ in entry))
        for entry in template
    ]
