"""What the demo prints. Sentences about results come from pages; here are only headings, commands and paths."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding

_WIDTH = 110


class Teller:
    """Prints to stdout: coloured on a terminal, plain when piped."""

    def __init__(self) -> None:
        self.console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)

    def act(self, number: int, title: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{number}. {title}", align="left")

    def says(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)

    def command(self, words: tuple[str, ...]) -> None:
        self.console.print(f"$ {' '.join(words)}", style="bold cyan", markup=False, soft_wrap=True)

    def document(self, markdown: str) -> None:
        """Show a pull request or an issue as its reader sees it, up to the first folded detail."""
        self.console.print(Padding(Markdown(markdown.split("<details>", maxsplit=1)[0].strip()), (1, 2)))

    def path(self, what: str, path: Path) -> None:
        self.console.print(f"  {what:<34} {path}", markup=False, soft_wrap=True)
