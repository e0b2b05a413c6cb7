"""Score tables as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Left out unless asked for: parts of other columns.
DETAILS = frozenset(
    ("IDt", "IDa", "IDm", "DetRe", "DetPr", "AssRe", "AssPr", "OWTA")
    + ("HOTA(0)", "LocA(0)", "HOTALocA(0)")
)


def format_score_table(
    scores: Mapping[str, Mapping[str, float]], keys: Sequence[str] | None = None
) -> str:
    """Align the scores of several sequences, classes or methods as a text table.

    Args:
        scores: Scores by name of the row; ratios as fractions, counts as integers.
        keys: Columns in order; by default all in the order in which they first appear, except
            those that only detail others (`DETAILS`).

    Returns:
        Lines without trailing newline: ratios in percent with one digit, except MOTP, a
        distance, with three; counts as they are; ``-`` for what is missing or undefined.

    Example:
        >>> print(format_score_table({"a": {"MOTA": 0.5, "IDs": 3}, "OVERALL": {"MOTA": 0.25}}))
                 MOTA  IDs
        a        50.0    3
        OVERALL  25.0    -
    """
    if keys is None:
        names = dict.fromkeys(key for row in scores.values() for key in row)
        keys = [key for key in names if key not in DETAILS]
    lines = [["", *keys]]
    lines += [[name, *(_cell(key, row.get(key)) for key in keys)] for name, row in scores.items()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(keys) + 1)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    )


def _cell(key: str, value: float | None) -> str:
    if value is None or value != value:  # NaN is the only value unlike itself
        return "-"
    if isinstance(value, int):
        return str(value)
    return f"{value:.3f}" if key == "MOTP" else f"{100 * value:.1f}"
