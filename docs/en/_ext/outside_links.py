"""Links of pages to Markdown files and notebooks outside of the documentation's folder.

They work where the repository is browsed; Sphinx takes them for pages that it does not have. Here a
file that is shown under another path (``docs/en/notebooks`` is a link to ``demo``) becomes a link
to its page, and any other file one to a copy of it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

SUFFIXES = (".md", ".ipynb")


def mend_links(app: Sphinx, doctree: nodes.document) -> None:
    """Replace what MyST made of links that lead out of the folder."""
    pages = {
        os.path.splitext(os.path.realpath(app.env.doc2path(name)))[0]: name
        for name in app.env.found_docs
    }
    for node in list(doctree.findall(addnodes.pending_xref)):
        target = node.get("reftarget", "")
        # MyST names pages inside by their path from the folder, and others by their whole path
        if node.get("refdomain") != "doc" or not os.path.isabs(target):
            continue
        if target in pages:
            node["reftarget"] = pages[target]
            continue
        found = [target + suffix for suffix in SUFFIXES if os.path.isfile(target + suffix)]
        if found:
            node.replace_self(_download(app, node, found[0]))


def _download(app: Sphinx, link: addnodes.pending_xref, file: str) -> nodes.Node:
    page = Path(app.env.doc2path(link["refdoc"])).parent
    found = addnodes.download_reference(
        reftarget=os.path.relpath(file, page), refdoc=link["refdoc"], reftype="myst"
    )
    name = nodes.inline("", os.path.basename(file))
    found.extend(link.children if link.astext() else [name])
    return found


def setup(app: Sphinx) -> dict[str, Any]:
    """Mend links before Sphinx collects the files to download."""
    app.connect("doctree-read", mend_links, priority=100)
    return {"version": "1", "parallel_read_safe": True}
