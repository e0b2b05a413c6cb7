"""The directive ``{cli} SCRIPT``: what a script does, and its arguments, from its own parser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cli
from docutils import nodes
from script_parsers import parser_of
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[3]


class CommandLine(SphinxDirective):
    """Description and arguments of a script, named from the root of the repository."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Paragraphs and tables; the page is built again when the script changes."""
        script = ROOT / self.arguments[0]
        if not script.is_file():
            raise self.error(f"there is no {self.arguments[0]}")
        self.env.note_dependency(str(script))
        self.env.note_dependency(str(ROOT / "mmtrack" / "apis" / "cli.py"))
        return self.parse_text_to_nodes(cli.reference(parser_of(script)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("cli", CommandLine)
    return {"version": "1", "parallel_read_safe": True}
