"""What `xunjian audit` prints, and the exit status that it ends with: 0 held, 1 something differs, 2 cannot be read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TimeElapsedColumn
from rich.text import Text
from sqlalchemy.exc import DBAPIError

from services.scoring.audit import KEEPER, Fault, Verification
from services.scoring.replay import Replay, Replayed
from services.scoring.snapshot import Unreadable, of_config, of_folder, unreadable
from shared.config import SERVICES
from shared.database import Database

SHOWN = 20
"""How many differences are told one by one."""
