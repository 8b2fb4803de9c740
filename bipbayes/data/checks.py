"""Checks over whole rows: duplicates, citizens in two jobcenters, labels of sites, boxes."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations

import pandas as pd

from bipbayes.data.codebook import NO_TREATMENT, Codebook
from bipbayes.data.columns import role_columns, to_number, uses_boxes
from bipbayes.data.files import HEADER, SHORT
from bipbayes.data.study import Finding, counted, first_rows

SYNTHETIC_COLUMN = "synthetic"
_ALIKE = (
    "differ only by case, blanks, a number's zeros, letters of another alphabet or signs unseen"
)
TWINS = f"rows with labels that {_ALIKE}"
ID_TWINS = f"rows with ids that {_ALIKE}"
# Letters of other alphabets, in small, that look like these.
_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕвкмнтαβεζηικμνορτυχ", "aeopcyxijsbkmhtabezhikmnoptyx", "\u00ad"
)
UNLISTED = "labels that the codebook's list of {jobcenters} lacks"
LINE_BREAKS = r"\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
UNWRITTEN = r"\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ufffd-\uffff"
LOST_DIGITS = "labels that have lost digits"
_NUMBER = re.compile(r"[0-9]+(?:[.,]0*)?")
_PLAIN = r"[1-9][0-9]*|[a-z][a-z0-9_-]*"  # ids of this form are alike only where they are the same
_ZEROS = re.compile(r"^0+(?=[0-9])|[.,]0*$")
_LISTED, _FEW = 12, 6  # absent columns that are all named, and of more than that the first
# Letters that stand for two where a keyboard lacks them.
_TWO = {"å": "aa", "æ": "ae", "ä": "ae", "ø": "oe", "ö": "oe", "ü": "ue", "ß": "ss"}
TWO_LETTERS = str.maketrans(
    _TWO | {one.upper(): two.title() for one, two in _TWO.items() if one != "ß"}
)
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_ROMAN = re.compile("[ivxlcdm]+")
_SHORT = 4  # letters of a word in which a wrong letter may be another name
_SERIES = 6  # labels that are alike without a letter: more are names of a series
_RARE = 3  # times as many rows has the name that a label with a wrong letter is a slip of
_NEAR = 0.7  # of two names, as difflib counts their common letters


def needed_columns(frame: pd.DataFrame, codebook: Codebook) -> list[str]:
    """Return the codebook's columns that a file must have."""
    entries = (*codebook.indicators, *codebook.unanalysed)
    needed = [codebook.citizen, codebook.jobcenter, codebook.date]
    needed += [entry.column for entry in entries if not entry.optional]
    return needed + treatment_columns(frame, codebook)


def told_names(names: Iterable[str]) -> str:
    """List names of columns; one without a name is told as such."""
    return ", ".join(name or "a column without a name" for name in names)


def missing_columns(
    frame: pd.DataFrame,
    needed: Sequence[str],
    *,
    optional: Sequence[str] = (),
    codebook: str = "a codebook, as 'bipbayes codebook FILE' proposes one",
) -> list[Finding]:
    """Name the columns that a file lacks, and those of the file that may be meant.

    Parameters
    ----------
    frame
        The file's columns.
    needed, optional
        Columns that the codebook names.
    codebook
        What the file's own names can be written in.
    """
    absent = [column for column in needed if column not in frame.columns]
    if not absent:
        return []
    known = {*needed, *optional}
    near = _near_names(absent, [str(name) for name in frame.columns if name not in known])
    if len(absent) == len(needed):
        # The first line may be no header but values: only another case or form is a name.
        near = {name: found for name, found in near.items() if _looks(name) == _looks(found)}
    advice = f"add them, or name the file's own columns in {codebook}"
    if len(frame.columns) == 1:
        advice = (
            "the header is one column: fields are separated by comma, semicolon or tab, or by what "
            "a first line such as sep=| says"
        )
    elif len(absent) == len(needed):
        advice += "; the first line must be the header" * bool(frame.attrs.get(HEADER))
    if near:
        told = ", ".join(f"{found!r} for {name!r}" for name, found in near.items())
        advice += f" (did you mean {told}?)"
    rule = "columns of the codebook that the file lacks"
    told = ", ".join(absent) if len(absent) <= _LISTED else f"{', '.join(absent[:_FEW])}, ..."
    return [Finding(told, rule, len(absent), advice, True, of_columns=True)]


def _near_names(absent: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Find the unused name of a file that is nearest to each absent one, if one is near."""
    looks = {_looks(name): name for name in names if not name.isnumeric()}
    found = {name: get_close_matches(_looks(name), looks, n=1, cutoff=_NEAR) for name in absent}
    return {name: looks[near[0]] for name, near in found.items() if near}


def treatment_columns(frame: pd.DataFrame, codebook: Codebook) -> list[str]:
    """Columns that tell the treatments: the boxes, or one column a treatment."""
    direct = list(codebook.treatment_codes)
    if not uses_boxes(frame, codebook) and all(column in frame.columns for column in direct):
        return direct
    return [activity.column for activity in codebook.activities]


def short_end(frame: pd.DataFrame) -> list[Finding]:
    """Warn of a file that ends within a line, in an entry that may be cut."""
    rule = "a last line that is not ended, its last entry shorter than all others"
    cut = pd.Series([False] * (len(frame) - 1) + [bool(frame.attrs.get(SHORT))], dtype="bool")
    return counted("all columns", rule, cut, "look whether the file was cut off there")


def extra_columns(frame: pd.DataFrame, used: Sequence[str]) -> list[Finding]:
    """Name columns that are not used."""
    extra = [str(column) for column in frame.columns if column not in {*used, SYNTHETIC_COLUMN}]
    if not extra:
        return []
    rule = "columns not in the codebook"
    return [Finding(told_names(extra), rule, len(extra), "ignored", of_columns=True)]


def empty_keys(responses: pd.DataFrame, codebook: Codebook, unread_dates: int) -> list[Finding]:
    """Count rows without citizen, jobcenter or date (unreadable dates are counted elsewhere)."""
    already = {"date": unread_dates}
    return [
        Finding(
            getattr(codebook, column),
            "rows without a value",
            count,
            "every response needs one",
            refused=True,
            rows=first_rows(responses[column].isna()) if not already.get(column) else (),
        )
        for column in ("citizen", "jobcenter", "date")
        if (count := int(responses[column].isna().sum()) - already.get(column, 0))
    ]


def repeated_rows(responses: pd.DataFrame, codebook: Codebook) -> tuple[pd.Series, list[Finding]]:
    """Find rows of one citizen and date: identical ones are dropped, others refused.

    Returns
    -------
    tuple
        True for the rows to keep, and the findings.
    """
    identical = responses.duplicated()
    keyed = responses[~identical & responses["date"].notna() & responses["citizen"].notna()]
    twice = keyed.duplicated(["citizen", "date"], keep=False)
    identical_rows, one = "identical rows of one {citizen} and date", "one kept"
    return ~identical, [
        *counted("all columns", identical_rows, int(identical.sum()), one),
        *counted(
            f"{codebook.citizen}, {codebook.date}",
            "different rows of one {citizen} and date",
            twice.reindex(responses.index, fill_value=False),
            "keep one response a {citizen} and day",
            refused=True,
        ),
    ]


def label_twins(raw: pd.Series, labels: pd.Series, column: str) -> list[Finding]:
    """Find labels that a reader cannot tell apart.

    Unicode forms of one label have become one (warned); labels that differ only by case, blanks
    or invisible characters are refused, since nobody can say whether they are one.

    Parameters
    ----------
    raw, labels
        As the file has them, and as `bipbayes.data.columns.to_text` reads them.
    column
        Their column in the file.
    """
    text = raw.astype("string").str.strip()
    count = int((text != text.str.normalize("NFC")).fillna(False).sum())
    advice = "each is read as the one that looks the same"
    findings = counted(column, "labels in another Unicode form", count, advice)
    known = labels.dropna()
    twins = known.isin(twin_labels(known.unique()))
    if twins.any():
        rows = first_rows(twins.reindex(labels.index, fill_value=False))
        findings.append(twin_finding(column, int(twins.sum()), rows))
    return findings


def id_twins(ids: pd.Series, column: str) -> list[Finding]:
    """Warn of ids that a reader cannot tell apart: they may be one, and may be made so."""
    known = ids.dropna()
    every = pd.Series(known.unique(), dtype="str")
    twins = known.isin([] if every.str.fullmatch(_PLAIN).all() else twin_labels(every))
    advice = "each is read as a {citizen} of its own: where they are one, write them in one way"
    return counted(column, ID_TWINS, twins.reindex(ids.index, fill_value=False), advice)


def seen_ids(ids: pd.Series) -> pd.Series:
    """Return what a reader sees of ids: one text for all that `id_twins` would warn of."""
    odd = ids.notna() & ~ids.str.fullmatch(_PLAIN).fillna(False).astype(bool)
    return ids.where(~odd, ids[odd].map(_looks)) if odd.any() else ids


def twin_finding(column: str, count: int, rows: tuple[int, ...] = ()) -> Finding:
    """Refuse rows with labels that a reader cannot tell from another one."""
    return Finding(column, TWINS, count, "write each label in one way", True, rows)


def twin_labels(labels: Iterable[str]) -> list[str]:
    """Return the labels that a reader cannot tell from another one."""
    looks = pd.Series({label: _looks(label) for label in labels}, dtype="object")
    return [str(label) for label in looks.index[looks.duplicated(keep=False)]]


def _looks(label: str) -> str:
    """Return what is left of a label without case, blanks, zeros and invisible characters."""
    text = unicodedata.normalize("NFKC", label).casefold().translate(_LOOK_ALIKES)
    if not text.isascii():
        text = "".join(c for c in text if unicodedata.category(c)[0] not in "CZ")
    seen = "".join(text.split())
    return _ZEROS.sub("", seen) if _NUMBER.fullmatch(seen) else seen


def unlisted_sites(sites: pd.Series, codebook: Codebook) -> list[Finding]:
    """Refuse labels of sites that the codebook's list lacks."""
    if not _lists_sites(codebook):
        return []
    strange = sites.notna() & ~sites.isin(codebook.jobcenters)
    advice = "correct them, or list them there"
    return counted(codebook.jobcenter, UNLISTED, strange, advice, refused=True)


def site_findings(
    counts: Mapping[str, int],
    codebook: Codebook,
    found: Iterable[Finding],
    *,
    sites: pd.Series | None = None,
) -> list[Finding]:
    """Say what is odd about the sites of all data: absent ones, labels that may be slips.

    Parameters
    ----------
    counts
        Number of responses by label.
    codebook
        May list the sites.
    found
        Absent sites are told on a refusal for labels that are not listed, too.
    sites
        The labels, where all are in memory: rows are named then.
    """
    findings = []
    absent = [name for name in codebook.jobcenters if name not in counts]
    if absent and _lists_sites(codebook):
        rule, told = "the codebook lists {jobcenters} that no row holds", ", ".join(absent)
        refused = any(one.rule == UNLISTED for one in found)
        findings = [Finding(codebook.jobcenter, rule, len(absent), told, refused, of_columns=True)]
    near = near_labels(counts)
    rows = sum(counts[label] for label in near) if sites is None else sites.isin(near)
    rule = "rows with labels that are spelt nearly as another one"
    advice = "each is read as a {jobcenter} of its own: where they are one, write them in one way"
    return findings + counted(codebook.jobcenter, rule, rows, advice)


def _lists_sites(codebook: Codebook) -> bool:
    # The report's letters stand for names that only the data hold.
    return bool(codebook.jobcenters) and not codebook.is_bip


def near_labels(counts: Mapping[str, int]) -> list[str]:
    """Return the rarer one of any two labels between which a slip makes the difference.

    That is one letter too many, two that changed places, accents or punctuation, and in a label
    that is much rarer a wrong letter. Numbers, short words and first letters, and a wrong letter
    at a word's end, tell sites apart that are called in one way: ``School 1``, ``Site A``.
    """
    spelt = {label: _spelling(label) for label in counts}
    alike: dict[str, list[str]] = defaultdict(list)
    for label, spelling in spelt.items():
        in_two = _spelling(label.casefold().translate(TWO_LETTERS))
        texts = {spelling, _in_one_word(spelling), in_two, *_without_a_letter(spelling)}
        for text in texts - {""}:
            alike[text].append(label)
    found = set()
    for labels in alike.values():
        for pair in combinations(labels if len(labels) <= _SERIES else (), 2):
            rarer, other = sorted(pair, key=lambda label: (counts[label], label))
            rare = _RARE * counts[rarer] <= counts[other]
            if _is_slip(spelt[rarer], spelt[other], rare=rare):
                found.add(rarer)
    return sorted(found)


def _spelling(label: str) -> str:
    """Return a label in small plain letters, with one blank between its words (``SiteA``: two)."""
    parted = re.sub(r"(?<=[^\W\d_A-ZÆØÅ])(?=[A-ZÆØÅ])", " ", label).casefold().replace("ø", "o")
    plain = unicodedata.normalize("NFKD", re.sub("['’`´]", "", parted))
    kinds = ((c, unicodedata.category(c)) for c in plain)
    return " ".join("".join(" " if k[0] in "PZ" else c for c, k in kinds if k != "Mn").split())


def _in_one_word(spelling: str) -> str:
    """Return a spelling without blanks, which tell numbers and short names apart."""
    joined = spelling.replace(" ", "")
    return joined if _LONG_WORD.fullmatch(joined) else spelling


def _without_a_letter(spelling: str) -> list[str]:
    """Return a spelling without each of the letters where a slip is looked for."""
    return [
        spelling[:place] + spelling[place + 1 :]
        for word in _LONG_WORD.finditer(spelling)
        if word[0].islower() and not _ROMAN.fullmatch(word[0])
        for place in range(word.start() + 1, word.end())
    ]


def _is_slip(one: str, other: str, *, rare: bool) -> bool:
    """Say whether spellings that are alike without a letter of each differ by a slip."""
    if len(one) != len(other) or one == other:
        return True  # a letter too many, or nothing but accents and punctuation
    first, *more = (place for place in range(len(one)) if one[place] != other[place])
    if more:  # letters changed places
        return [first + 1] == more and one[first : first + 2] == other[first : first + 2][::-1]
    inside = (word for word in _LONG_WORD.finditer(one) if word.start() <= first < word.end() - 1)
    return rare and any(len(word[0]) > _SHORT for word in inside)


def moved_citizens(responses: pd.DataFrame, codebook: Codebook) -> list[Finding]:
    """Count citizens with responses in more than one jobcenter."""
    jobcenters = responses.groupby("citizen", observed=True)["jobcenter"].nunique()
    rule = "{citizens} with responses in more than one {jobcenter}"
    advice = "each response counts in the {jobcenter} where it was given"
    return counted(codebook.jobcenter, rule, int((jobcenters > 1).sum()), advice)


def contradictory_boxes(responses: pd.DataFrame, codebook: Codebook) -> list[Finding]:
    """Count responses with the box "none" ticked beside an activity."""
    none = [column for column in role_columns(codebook, NO_TREATMENT) if column in responses]
    treated = responses["combination"].str.contains("1")
    count = int(((responses[none] == 1).any(axis=1) & treated).sum()) if none else 0
    return counted(", ".join(none), "ticked beside an activity", count, "the activity wins")


def contradictory_columns(
    frame: pd.DataFrame, responses: pd.DataFrame, codebook: Codebook
) -> list[Finding]:
    """Refuse treatment columns beside the boxes that say something else.

    Parameters
    ----------
    frame
        The file's rows, those of `responses` in the same order.
    responses
        With the ``combination`` that the boxes tell.
    codebook
        Names both.
    """
    used = {activity.column for activity in codebook.activities}
    if not uses_boxes(frame, codebook):
        return []
    findings = []
    rule = "says something else than the tick boxes"
    advice = "correct the one or the other, or leave the column out"
    for place, code in enumerate(codebook.treatment_codes):
        if code in used or code not in frame:
            continue
        given, unread = to_number(frame[code].reset_index(drop=True))
        told = responses["combination"].str[place].map({"0": 0.0, "1": 1.0})
        differ = unread | (given.notna() & told.notna() & (given != told))
        findings += counted(code, rule, differ, advice, refused=True)
    return findings


def unknown_activities(responses: pd.DataFrame) -> list[Finding]:
    """Count responses whose activities are unknown."""
    return counted(
        "activities",
        "responses whose activities are unknown",
        int((responses["combination"] == "").sum()),
        'neither an activity nor "none" is given; left out of the analysis sample, kept as '
        "previous answers",
    )
