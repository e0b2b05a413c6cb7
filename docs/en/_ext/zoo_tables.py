"""Directives that put tables of published models into a page.

``{zoo-table} FOLDER`` shows the models of a metafile, with ``:match: PATTERN`` some of them.
``{zoo-statistics}`` counts configs and weights of each method.
``{zoo-unpublished} [PATTERN]`` lists the configs for which nothing was published.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar

import zoo
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[3]


class _FromMetafiles(SphinxDirective):
    """A directive that renders Markdown made from the metafiles."""

    def link(self) -> str:
        """Way from the page to the root of the repository."""
        page = Path(self.env.doc2path(self.env.docname))
        return os.path.relpath(ROOT, page.parent) + "/"

    def render(self, text: str) -> list[nodes.Node]:
        """Nodes of Markdown; the page is built again when a metafile changes."""
        for path in ROOT.glob("configs/**/metafile.yml"):
            self.env.note_dependency(str(path))
        return self.parse_text_to_nodes(text)


class ZooTable(_FromMetafiles):
    """The models of one metafile."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"match": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Tables of the models."""
        collections = zoo.read_collections(ROOT)
        folder = self.arguments[0]
        if folder not in collections:
            raise self.error(f"no metafile in configs/{folder}; there are {', '.join(collections)}")
        pattern = self.options.get("match", "*")
        models = zoo.select(collections[folder].models, pattern)
        if not models:
            raise self.error(f"no model of configs/{folder} matches {pattern}")
        return self.render(zoo.tables(models, self.link()))


class ZooStatistics(_FromMetafiles):
    """How much was published for each method."""

    def run(self) -> list[nodes.Node]:
        """A table with a row for each metafile."""
        return self.render(zoo.statistics(zoo.read_collections(ROOT).values(), self.link()))


class ZooUnpublished(_FromMetafiles):
    """Configs without published weights."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A list of links."""
        pattern = self.arguments[0] if self.arguments else "*"
        configs = [c for c in zoo.without_weights(ROOT) if fnmatchcase(c, f"configs/{pattern}")]
        if not configs:
            raise self.error(f"no config without published weights matches {pattern}")
        return self.render(zoo.config_list(configs, self.link()))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("zoo-table", ZooTable)
    app.add_directive("zoo-statistics", ZooStatistics)
    app.add_directive("zoo-unpublished", ZooUnpublished)
    return {"version": "1", "parallel_read_safe": True}
