"""Configuration of the documentation's site, which `make docs` builds with Sphinx."""

from importlib import metadata

project = "Caudal"
copyright = "the authors of Caudal"
version = release = metadata.version("caudal")
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["README.md"]
html_theme = "furo"
html_title = "Caudal"
smartquotes = False
html_favicon = "logo.svg"
html_show_sphinx = False
html_copy_source = False
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # blocks with an ellipsis are no code of their language
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True, "exclude-members": "model_config"}
python_use_unqualified_type_names = True
