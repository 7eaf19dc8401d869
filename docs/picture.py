"""
Draws the picture of the demo in the README: what ``classbell demo`` prints, as an SVG.

    python docs/picture.py

writes ``docs/demo.svg``. Nothing in it is made up: the demo runs, and its words are drawn.
"""

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent / "demo.svg"
WIDTH = 132
TITLES = {"Sandbox", "Certificate", "University", "Plan", "Plan again", "A day of changes", "Look further"}


def main() -> None:
    """Run the demo and draw what it printed."""
    command = [sys.executable, "-m", "classbell", "demo"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ make demo", style="bold green"))
    for line in told.splitlines():
        console.print(_styled(line), soft_wrap=False, overflow="ellipsis", no_wrap=True)
    drawn = console.export_svg(title="classbell demo")
    # Rich names fonts on a server of somebody else's; the reader's own monospace font will do.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    PICTURE.write_text(drawn, encoding="utf-8")
    print(f"wrote {PICTURE.name}")


def _styled(line: str) -> Text:
    if line in TITLES:
        return Text(line, style="bold cyan")
    if line.startswith("Example University"):
        return Text(line, style="bold")
    signs = {"+": "green", "~": "yellow", "-": "red"}
    return Text(line, style=signs.get(line[:1], "") if line[1:3] == "  " else "")


if __name__ == "__main__":
    main()
