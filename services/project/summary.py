"""A result that an installation answered, as the table that `xunjian score` prints."""

from typing import Any

from services.project.client import Client
from services.scoring.rulebooks.rulebook import read_rulebook
from services.scoring.table import print_table


def print_result(client: Client, result: dict[str, Any]) -> None:
    """Print the rows of a result (`score --json`), in the words of the rulebook that it was scored by."""
    rulebook = client.get(f"/rulebooks/{result['rulebook_sha256']}")
    print_table(read_rulebook(rulebook["text"].encode()), result)
