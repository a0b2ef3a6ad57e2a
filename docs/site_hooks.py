"""For mkdocs: roles of docstrings, such as :func:`name`, appear as the name alone."""

import re
from typing import Any

ROLE = re.compile(r":(?:func|mod|class|meth|data|attr|exc):(?=<code>)")


def on_page_content(html: str, **_: Any) -> str:
    """Remove the names of roles from a rendered page."""
    return ROLE.sub("", html)
