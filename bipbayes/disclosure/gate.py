"""The last gate: what a file that is to leave may not hold, whatever wrote it.

Nothing here says what was found, only of which kind and how often.
"""

import getpass
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

TEXT: Final = (".csv", ".txt", ".html", ".md", ".tex", ".json")
_SHORTEST: Final = 4  # letters of an id that can be told from a word or a code
_DIGITS: Final = 7  # digits of an id that can be told from a count
_TELLING: Final = 5  # significant digits of an amount that can be told from another number
_EVERYBODY: Final = {"root", "user", "admin", "home", "users"}  # no name of a person
_CPR: Final = re.compile(r"(?<![\w.,])(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2}-?\d{4}(?!\w)")
_PATH: Final = re.compile(r"(?<![\w/.:<])/(?:home|Users|root|tmp|mnt|var)/\w|\b[A-Za-z]:\\\w")
_TOKEN: Final = re.compile(r"(?<![\w.])\w[\w-]*(?!\w|\.\d)")
_NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_DATE: Final = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?![\dT])")  # a time stamp is no answer's
_PICTURES: Final = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")
_PNG_TEXT: Final = (b"tEXt", b"zTXt", b"iTXt", b"eXIf")
COUNTS: Final = ("n_citizens", "n_carriers")


@dataclass(frozen=True)
class Sought:
    """What must not be found.

    Attributes
    ----------
    ids
        Of citizens.
    dates
        ISO dates of responses.
    extremes
        Largest and smallest amounts that fewer citizens than the minimum have.
    columns
        Names of columns that hold ids.
    paths
        Folders of this machine.
    minimum_count
        Fewest citizens behind a number.
    """

    ids: frozenset[str]
    dates: frozenset[str]
    extremes: frozenset[float]
    columns: frozenset[str]
    paths: tuple[str, ...]
    minimum_count: int

    @property
    def told(self) -> frozenset[str]:
        """Ids that cannot be taken for a count, a code or a word."""
        return frozenset(
            name
            for name in self.ids
            if len(name) >= (_DIGITS if name.isdigit() else _SHORTEST) and _is_no_word(name)
        )


def _is_no_word(name: str) -> bool:
    return any(letter.isdigit() for letter in name) or " " in name


def faults_of(path: Path, sought: Sought) -> list[str]:
    """Return why a file must not leave; empty where it may.

    Parameters
    ----------
    path
        CSV, text, a page, Word or PNG; of others nothing can be said, so that they stay.
    sought
        What must not be in it.
    """
    if path.suffix == ".png":
        held = path.read_bytes()
        return ["the picture carries text"] * any(name in held for name in _PNG_TEXT)
    if path.suffix == ".docx":
        with zipfile.ZipFile(path) as parts:
            names = [name for name in parts.namelist() if name.endswith(".xml")]
            text = " ".join(parts.read(name).decode("utf-8") for name in names)
        return faults_in(re.sub(r"<[^>]*>", " ", text), sought)
    if path.suffix not in TEXT:
        return [f"a file of the kind {path.suffix} cannot be looked through"]
    text = path.read_text(encoding="utf-8")
    faults = faults_in(_PICTURES.sub("", text), sought)
    return faults + (_faults_of_rows(path, sought) if path.suffix == ".csv" else [])


def faults_in(text: str, sought: Sought) -> list[str]:
    """Return why a text must not leave."""
    tokens, told = set(_TOKEN.findall(text)), sought.told
    split = [name for name in told if not re.fullmatch(r"\w[\w-]*", name)]
    ids = len(told & tokens) + sum(name in text for name in split)
    users = {getpass.getuser(), Path.home().name} - _EVERYBODY
    numbers = {float(number) for number in _NUMBER.findall(text)} if sought.extremes else set()
    extremes = {value for value in sought.extremes if len(f"{abs(value):g}") >= _TELLING}
    found = {
        "ids of the data": ids,
        "numbers like a CPR number": len(_CPR.findall(text)),
        "dates of responses": len(set(_DATE.findall(text)) & sought.dates),
        "folders of this machine": len(_PATH.findall(text))
        + sum(folder in text for folder in sought.paths if len(folder) > _SHORTEST),
        "the user's name": len({name for name in users if len(name) >= _SHORTEST} & tokens),
        "largest or smallest amounts": len(extremes & numbers),
    }
    return [f"{what} ({count})" for what, count in found.items() if count]


def table_of(path: Path) -> pd.DataFrame:
    """Read a CSV as whoever receives it would."""
    return pd.read_csv(path, low_memory=False)


def _faults_of_rows(path: Path, sought: Sought) -> list[str]:
    frame = table_of(path)
    faults = [
        f"a column of ids ({len(frame)} rows)"
        for name in frame.columns
        if str(name).lower() in sought.columns
    ]
    least = sought.minimum_count
    for name in COUNTS:
        if name in frame:
            counts = pd.to_numeric(frame[name], errors="coerce")
            if few := int(((counts > 0) & (counts < least)).sum()):
                faults.append(f"rows with {name} from 1 to {least - 1} ({few})")
    return faults
