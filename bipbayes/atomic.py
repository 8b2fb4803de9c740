"""Writing files so that a reader sees the old one or the whole new one, never half of it."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes `path`'s place when the block succeeds.

    The temporary name keeps the suffix, since many writers choose the format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with line feeds on every system."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as indented JSON, atomically."""
    write_text(path, json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n")


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as CSV at full precision, atomically."""
    write_text(path, frame.to_csv(index=False, lineterminator="\n"))
