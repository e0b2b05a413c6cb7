"""Settings of the documentation (Sphinx)."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "en" / "_ext")]

from mmtrack.version import __version__  # noqa: E402  (needs the path above)

project = "mmtrack"
author = project_copyright = "The mmtrack authors"
release = __version__
extensions = [
    "myst_nb",  # notebooks, and everything else that is Markdown
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx-mathjax-offline",
    "api_pages",
    "cli_tables",
    "outside_links",
    "zoo_tables",
]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks of demo/ are kept with their outputs
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_ext"]
html_theme = "furo"
html_title = f"mmtrack {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
default_role = "py:obj"  # `Name` in a docstring: a link where there is such a name
smartquotes = False  # quotes and dashes of options stay as they are typed
autodoc_typehints = "description"
napoleon_use_ivar = True  # fields of named tuples are described once
autodoc_member_order = "bysource"
autosummary_generate = False  # the pages are those of _ext/api_pages.py
copybutton_prompt_text = "$ "
