"""How the documentation is built: ``make docs``."""

from __future__ import annotations

import geocbar

project = "geocbar"
author = "The geocbar developers"
copyright = "2026, the geocbar developers"
version = release = geocbar.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_click",
]
exclude_patterns = ["_build"]
language = "en"

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3

autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "furo"
html_title = f"geocbar {version}"
html_show_sourcelink = False
