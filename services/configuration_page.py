"""The page of all settings, docs/configuration.md, from the table in the code: `python -m services.configuration_page`."""

import sys
from collections.abc import Iterator

import yaml

from shared.config import ALL, SERVICES, Setting
from shared.configuring import FILE, VARIABLES

HEAD = f"""# Configuration

<!-- Made from shared/config.py by make catalogue; do not edit. -->

`xunjian host SERVICE --config infra/config.yaml` runs one service. What the file says is read first, and what the environment
says goes above it: the variable `XUNJIAN_X` for the setting `X`. `infra/config.yaml` names every setting with its default, so
variables are all that has to be said.

- A value is written as YAML where it is more than a text: `true`, `4`, `2.5`, `[one, another]`, `{{one: …}}`. A variable that is
  empty or `null` says nothing.
- Any variable can be said by a file: `XUNJIAN_X{FILE}` is the path of a file that holds the value. The end of its last line
  is not part of it. Say secrets so, which are marked below: what stands in an environment, others may read. They never
  appear in the log.
- `AMQP_URI` and `DATABASES` need hold no passwords: `BROKER_PASSWORD` and `DATABASE_PASSWORD` are put into them as they are,
  whatever signs they hold. In an address itself, signs like `@` and `/` are written `%40` and `%2F`.
- A name that is unknown, a value of another kind, a file that cannot be read: the process does not start, says which, and
  what was expected, in one line, and ends with exit status 2.

The embedded platform (`xunjian serve`) takes from the environment what is marked *also embedded*; the rest follows from its
folder and its port.

| Setting | Variable | What it may be | Default | Read by | Meaning |
|---|---|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(f"| {' | '.join(_cells(variable, one))} |\n" for variable, one in VARIABLES.items())


def _cells(variable: str, one: Setting) -> Iterator[str]:
    yield f"`{one.name}`"
    yield f"`{variable}`"
    yield one.kind.expected
    yield f"`{_written(one.default)}`"
    yield _readers(one.by)
    marks = [word for word, holds in (("*secret*", one.secret), ("*also embedded*", one.outside)) if holds]
    yield " ".join([one.meaning, *([f"({', '.join(marks)})"] if marks else [])])


def _readers(by: tuple[str, ...]) -> str:
    match by:
        case _ if by == ALL:
            return "all"
        case _ if by == SERVICES:
            return "all but the gateway"
    return ", ".join(by)


def _written(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()


if __name__ == "__main__":
    sys.stdout.write(page())
