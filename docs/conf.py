"""Settings of the documentation; `make docs` builds it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import accelbrainbase  # noqa: E402 - before anything imports MXNet

project = "accel-brain-base"
version = release = accelbrainbase.__version__
copyright = "its authors, GPL-2.0-or-later"
language = "en"

extensions = [
    "breakable_names",
    "flat_names",
    "inherited",
    "mathml",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "output", "pictures"]

html_theme = "furo"
html_title = "accel-brain-base"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# A name in backticks links to what it names, where it names something.
default_role = "py:obj"
autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_default_options = {
    # `hybrid_forward` is Gluon's; the others come from scikit-learn.
    "exclude-members": "hybrid_forward,set_fit_request,set_score_request,set_predict_request"
}
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
napoleon_use_rtype = False
napoleon_use_ivar = True
