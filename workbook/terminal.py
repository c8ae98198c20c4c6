"""How the command line speaks: one console, three marks."""

from rich.console import Console
from rich.markup import escape

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

DONE = "[green]✓[/]"
WRONG = "[red]✗[/]"
NOT_RUN = "[yellow]○[/]"


def error(text: str) -> None:
    """Says what went wrong and, in the text, what to do."""
    errors.print(f"[red]error:[/] {escape(text)}", soft_wrap=True)  # a command in it can be copied


def warning(text: str) -> None:
    """Says what may be wrong though it went on."""
    errors.print(f"[yellow]warning:[/] {escape(text)}", soft_wrap=True)
