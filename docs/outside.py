"""A hook of mkdocs: links from docs/ to files of the repository, which a code host shows, become plain names."""

import re
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)#\s]+)(#[^)]*)?\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with the links to files outside docs/ taken out; one to a file that is not there stays, and fails."""

    def named(match: re.Match[str]) -> str:
        there = (REPOSITORY / "docs" / match[2]).exists()
        return match[1] if there else match[0]

    return LINK.sub(named, markdown)
