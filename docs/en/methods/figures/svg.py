"""Diagrams of boxes and arrows as SVG that reads well on light and on dark pages.

Boxes lie in the cells of a grid. An arrow leaves and enters at the middle of a side; where the two
boxes share neither row nor column it has one corner, or it follows the cells that are named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

BOX_WIDTH, BOX_HEIGHT = 162, 60
GAP_X, GAP_Y = 30, 58
MARGIN = 22
LINE = 17  # between lines of text
LEGEND = 36
LANE = 26  # from the outer boxes to an arrow around them

STYLE = """
  .card { fill: #ffffff; stroke: #d5dae1; }
  .box { stroke-width: 1.4; }
  .in { fill: #e8eef9; stroke: #5b7fc7; }
  .net { fill: #fdeedd; stroke: #cf8a34; }
  .op { fill: #eef1f4; stroke: #7d8894; }
  .mem { fill: #f0e8f9; stroke: #9067c6; }
  .out { fill: #e3f3e8; stroke: #3f9a5f; }
  text { font: 14px "Helvetica Neue", Helvetica, Arial, sans-serif; fill: #1d2530;
    text-anchor: middle; }
  .label { font-size: 12.5px; fill: #4a5561; stroke: #ffffff; stroke-width: 8px;
    paint-order: stroke; stroke-linejoin: round; }
  .key { font-size: 12px; fill: #4a5561; text-anchor: start; }
  .way { fill: none; stroke: #5d6875; stroke-width: 1.5; }
  .later { stroke-dasharray: 5 4; }
  .tip { fill: #5d6875; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #191d24; stroke: #39414d; }
    .in { fill: #233252; stroke: #7f9fde; }
    .net { fill: #47331a; stroke: #dfa45a; }
    .op { fill: #2b323b; stroke: #98a3b0; }
    .mem { fill: #3a2b52; stroke: #b08fe0; }
    .out { fill: #1f4029; stroke: #63bd83; }
    text { fill: #e9edf2; }
    .label, .key { fill: #b9c2cd; }
    .label { stroke: #191d24; }
    .way { stroke: #a4afbb; }
    .tip { fill: #a4afbb; }
  }
"""
KINDS = {
    "in": "input",
    "net": "network, learnt",
    "op": "computed",
    "mem": "kept between frames",
    "out": "result",
}


@dataclass
class Figure:
    """A diagram.

    Attributes:
        title: For screen readers.
        boxes: Column, row, kind and text of each box, by name.
        arrows: Drawn arrows, in order.
        lanes: Arrows that run above (``"over"``) and below (``"under"``) all boxes.
    """

    title: str
    boxes: dict[str, tuple[float, float, str, str]] = field(default_factory=dict)
    arrows: list[str] = field(default_factory=list)
    lanes: set[str] = field(default_factory=set)

    def box(self, name: str, col: float, row: float, kind: str, text: str) -> None:
        """Put a box into a cell; lines of the text are separated by ``|``."""
        if kind not in KINDS:
            raise ValueError(f"{name}: kind must be one of {', '.join(KINDS)}, found {kind!r}")
        self.boxes[name] = (col, row, kind, text)

    def arrow(
        self,
        start: str,
        end: str,
        label: str = "",
        *,
        via: str = "",
        at: float = 0.5,
        later: bool = False,
    ) -> None:
        """Draw an arrow between two boxes.

        Args:
            start: Name of a box.
            end: Name of a box.
            label: Text beside it; lines are separated by ``|``.
            via: ``"vh"``: first up or down, then sideways; ``"hv"``: the other way round;
                ``"under"`` and ``"over"``: around the lower or the upper of the two rows.
            at: Place of the label on the way, from 0 to 1.
            later: What the next frame gets; dashed.
        """
        self.lanes |= {via} & {"over", "under"}
        points = self._way(start, end, via)
        path = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
        dashed = " later" if later else ""
        self.arrows.append(f'<path class="way{dashed}" d="{path}" marker-end="url(#tip)"/>')
        if label:
            x, y = _along(points, at)
            self.arrows.append(_text(label, x, y, "label"))

    def _center(self, name: str) -> tuple[float, float]:
        col, row = self.boxes[name][:2]
        x = MARGIN + col * (BOX_WIDTH + GAP_X) + BOX_WIDTH / 2
        return x, MARGIN + row * (BOX_HEIGHT + GAP_Y) + BOX_HEIGHT / 2

    def _way(self, start: str, end: str, via: str) -> list[tuple[float, float]]:
        (x1, y1), (x2, y2) = self._center(start), self._center(end)
        half_w, half_h = BOX_WIDTH / 2, BOX_HEIGHT / 2
        right, down = (1 if x2 > x1 else -1), (1 if y2 > y1 else -1)
        if via in ("under", "over"):
            sign = 1 if via == "under" else -1
            lane = max(y1 * sign, y2 * sign) * sign + sign * (half_h + LANE)
            edge = sign * half_h
            return [(x1, y1 + edge), (x1, lane), (x2, lane), (x2, y2 + edge)]
        if y1 == y2:
            return [(x1 + right * half_w, y1), (x2 - right * half_w, y2)]
        if x1 == x2:
            return [(x1, y1 + down * half_h), (x2, y2 - down * half_h)]
        if via == "hv":
            return [(x1 + right * half_w, y1), (x2, y1), (x2, y2 - down * half_h)]
        if via == "vh":
            return [(x1, y1 + down * half_h), (x1, y2), (x2 - right * half_w, y2)]
        middle = x2 - right * (half_w + GAP_X / 2)
        return [(x1 + right * half_w, y1), (middle, y1), (middle, y2), (x2 - right * half_w, y2)]

    def svg(self) -> str:
        """The diagram as a file."""
        cols = max(col for col, *_ in self.boxes.values()) + 1
        rows = max(row for _, row, *_ in self.boxes.values()) + 1
        width = 2 * MARGIN + cols * BOX_WIDTH + (cols - 1) * GAP_X
        height = 2 * MARGIN + rows * BOX_HEIGHT + (rows - 1) * GAP_Y + LEGEND
        top = -LANE if "over" in self.lanes else 0
        bottom = height + (LANE if "under" in self.lanes else 0)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {top:g} {width:g} '
            f'{bottom - top:g}" width="{width:g}" height="{bottom - top:g}" role="img" '
            f'aria-label="{escape(self.title)}">',
            f"<title>{escape(self.title)}</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" markerWidth="9" markerHeight="9" refX="7.5" refY="4" '
            'orient="auto"><path class="tip" d="M0 0 L8 4 L0 8 z"/></marker></defs>',
            f'<rect class="card" x="0.5" y="{top + 0.5:g}" width="{width - 1:g}" '
            f'height="{bottom - top - 1:g}" rx="8"/>',
            *self._drawn_boxes(),
            *self.arrows,
            *self._legend(bottom - MARGIN),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _drawn_boxes(self) -> list[str]:
        drawn = []
        for name, (_, _, kind, text) in self.boxes.items():
            x, y = self._center(name)
            radius = {"in": 20, "out": 20, "mem": 3}.get(kind, 8)
            drawn.append(
                f'<rect class="box {kind}" x="{x - BOX_WIDTH / 2:g}" y="{y - BOX_HEIGHT / 2:g}" '
                f'width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="{radius}"/>'
            )
            drawn.append(_text(text, x, y))
        return drawn

    def _legend(self, y: float) -> list[str]:
        used = [kind for kind in KINDS if any(kind == box[2] for box in self.boxes.values())]
        drawn, x = [], float(MARGIN)
        for kind in used:
            drawn.append(
                f'<rect class="box {kind}" x="{x:g}" y="{y - 10:g}" width="14" height="12" rx="3"/>'
            )
            drawn.append(f'<text class="key" x="{x + 20:g}" y="{y:g}">{KINDS[kind]}</text>')
            x += 46 + 6.6 * len(KINDS[kind])
        return drawn


def _text(text: str, x: float, y: float, kind: str = "") -> str:
    lines = text.split("|")
    top = y - (len(lines) - 1) * LINE / 2 + 4
    spans = "".join(
        f'<tspan x="{x:g}" y="{top + i * LINE:g}">{escape(line)}</tspan>'
        for i, line in enumerate(lines)
    )
    name = f' class="{kind}"' if kind else ""
    return f"<text{name}>{spans}</text>"


def _along(points: list[tuple[float, float]], share: float) -> tuple[float, float]:
    """The place after a share of the length of a way."""
    pieces = list(zip(points, points[1:], strict=False))
    lengths = [abs(x2 - x1) + abs(y2 - y1) for (x1, y1), (x2, y2) in pieces]
    left = share * sum(lengths)
    for ((x1, y1), (x2, y2)), length in zip(pieces, lengths, strict=True):
        if left <= length:
            part = left / length if length else 0
            return x1 + part * (x2 - x1), y1 + part * (y2 - y1)
        left -= length
    return points[-1]
