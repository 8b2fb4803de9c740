"""Opening a run: the data, their codebook, and the folder that is theirs."""

import hashlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import pandas as pd
import xarray as xr

from bipbayes.atomic import atomic_path, write_frame, write_text
from bipbayes.cluster import Workers
from bipbayes.data.characteristics import (
    Characteristics,
    characteristics_from_frame,
    covariates_from_frame,
    read_characteristics,
    read_covariates,
)
from bipbayes.data.codebook import Codebook
from bipbayes.data.directions import directions
from bipbayes.data.files import file_digest
from bipbayes.data.parts import PartedStudy, is_large, read_parts
from bipbayes.data.progression import progression
from bipbayes.data.read import labelled, read_responses
from bipbayes.data.sample import Samples
from bipbayes.data.study import Study, found_in_words
from bipbayes.data.study_words import study_words
from bipbayes.describe.cautions import cautions, design_cautions, directions_record, unscaled
from bipbayes.errors import RunError, SettingsError, raise_all, unknown
from bipbayes.intervals import PLAIN
from bipbayes.option_words import COVARIATES, PreviousRule
from bipbayes.phrases import LANGUAGES
from bipbayes.progress import stage
from bipbayes.run.default_study import (
    bip_characteristics,
    claims_or_default,
    codebook_or_default,
    default_simulation,
    register_limits,
    simulate_characteristics,
)
from bipbayes.run.folder import README, RunFolder, hold, place_of_run, refuse_place
from bipbayes.run.settings import ALWAYS, NEVER, Settings
from bipbayes.sampling.priors import read_priors
from bipbayes.sampling.registry import load_model
from bipbayes.wording import StudyLanguage, phrase

logger = logging.getLogger(__name__)

SYNTHETIC_FILE: Final = "synthetic/responses.csv"
TRUTH_FILE: Final = "synthetic/truth.csv"
CODEBOOK_FILE: Final = "codebook.toml"
CHARACTERISTICS_FILE: Final = "synthetic/characteristics.csv"


@dataclass(frozen=True)
class Run:
    """A run whose data are read and whose folder is claimed."""

    settings: Settings
    study: Study | PartedStudy
    codebook: Codebook
    folder: RunFolder

    @property
    def whole(self) -> Study:
        """The study in memory.

        Raises
        ------
        RunError
            It is read in parts.
        """
        if isinstance(self.study, PartedStudy):
            raise RunError(
                f"{self.study.name}: {self.study.size[0]} responses are read in parts, and this "
                "needs all at once; --parts never reads them so (about 2 GB a million)"
            )
        return self.study

    def progression(self) -> xr.Dataset:
        """Compute progression, in memory, by the run's rule for the previous answer."""
        return progression(self.whole, previous=cast(PreviousRule, self.settings.previous))

    def changes(self) -> xr.Dataset | Samples:
        """Compute progression, or take the samples of a study in parts."""
        if isinstance(self.study, PartedStudy):
            return self.study.samples
        return self.progression()

    @property
    def parted(self) -> bool:
        """Whether the responses are read in parts."""
        return isinstance(self.study, PartedStudy)

    def without_responses(self) -> "Run":
        """Return the run with nothing of its study but what names it, for another process."""
        own = self.study
        named = (own.codebook, own.digest, own.synthetic, own.findings, own.name)
        return replace(self, study=Study(pd.DataFrame(), *named))

    def close(self) -> None:
        """Remove what a study in parts keeps on disk, and stop who computed."""
        self.study.close()

    def look_at_directions(self, changes: xr.Dataset | Samples) -> None:
        """Warn of indicators that go against the rest, and note them in ``run.json``.

        Nothing is turned: only the codebook can say what a question means. Outcomes that
        never change are named as well: they have no scale to compare them on. Of a study in
        parts the first is looked at: a hundred thousand responses find any direction.
        """
        if told := unscaled(changes.scale if isinstance(changes, Samples) else changes):
            logger.warning("%s", told)
        if isinstance(self.study, PartedStudy):
            rule = cast(PreviousRule, self.settings.previous)
            changes = progression(self.study.first, previous=rule)
        found = directions(cast(xr.Dataset, changes), self.codebook)
        facts = directions_record(found, self.codebook)
        self.folder.note(directions=facts)
        if found.against:
            logger.warning("%s", facts["sentence"]["en"])


def open_run(settings: Settings, *, in_parts: bool = False) -> Run:
    """Read the data (or make the synthetic ones) and claim the folder.

    Parameters
    ----------
    settings
        The run's.
    in_parts
        Whether what follows can do with responses in parts; else they are read at once.

    Raises
    ------
    BipbayesError
        Data or codebook are refused, or the folder holds another run.
    """
    check_files(settings)
    codebook = codebook_or_default(settings.codebook)
    _check_outcomes(settings, codebook)
    with stage(f"reading {'the default data' if settings.data is None else settings.data.name}"):
        if settings.data is None:
            _refuse_forgotten(RunFolder(place_of_run(settings.out)))
            folder = RunFolder(settings.out, settings.record())
            study: Study | PartedStudy = _synthetic_study(settings, codebook, folder)
        else:
            whole = settings if in_parts else replace(settings, parts=NEVER, scheduler=None)
            study = read_study(whole, codebook, folder=settings.out)
            place = place_of_run(settings.out, synthetic=study.synthetic)
            folder = RunFolder(place, settings.record())
            _claim(folder, study, settings)
    codebook = study.codebook  # with the file's own labels
    _keep_codebook(settings, folder)
    _note_data(folder, study)
    if isinstance(study, Study):
        told = {
            name: design_cautions(study.responses, codebook, language=name) for name in LANGUAGES
        }
        folder.note(cautions=told)
        for sentence in told["en"]:
            logger.warning("%s", sentence)
    logger.info(
        "%s: %s%s",
        study.name,
        codebook.counted("size_of_study", responses=study.size[0], people=study.size[1]),
        " (synthetic data)" if study.synthetic else "",
    )
    return Run(settings, study, codebook, folder)


def study_cautions(study: Study | PartedStudy) -> list[str]:
    """Say what to know of a study before anything is run: design, directions, constant items."""
    if isinstance(study, Study):
        told = cautions(progression(study), study.codebook, responses=study.responses)
    else:  # the first part finds any direction, and says nothing of the design
        told = cautions(progression(study.first), study.codebook)
    return [f"warning: {sentence}" for sentence in told]


def open_stored(settings: Settings, *, alone: bool = True) -> tuple[RunFolder, Codebook]:
    """Open a folder that earlier verbs filled, with the codebook they used.

    Whoever only reads need not be alone in it.

    Raises
    ------
    RunError
        There is no run in the folder, or ``--data`` names other data than the stored ones.
    """
    folder = RunFolder(place_of_run(settings.out), settings.record())
    record = folder.record()
    if "identity" not in record:
        raise RunError(f"{settings.out} holds no run; run 'bipbayes reproduce' or fit-ols first")
    if "data" not in record:
        raise RunError(f"the run in {settings.out} was broken off while it began; run it again")
    if alone:
        hold(folder.path)
    stored = folder.file(CODEBOOK_FILE)
    codebook = codebook_or_default(settings.codebook or (stored if stored.is_file() else None))
    if record["identity"]["codebook"] != _codebook_digest(codebook):
        raise RunError(
            f"{settings.out} was made with another codebook than {settings.codebook or stored}; "
            "give the one it was made with, or choose another --out"
        )
    _check_outcomes(settings, codebook)
    folder.spare(settings.inputs, same=True)
    if settings.data is not None:
        kept = replace(settings, previous=record["identity"]["previous"])
        identity = {"data": file_digest(settings.data), **_rules(codebook, kept)}
        folder.claim(identity, overwrite=False)
    return folder, labelled(codebook, record["data"].get("labels", {}))


def as_made(folder: RunFolder, settings: Settings) -> Settings:
    """Take over what makes a stored run the same: its codebook and rule for previous answers."""
    stored = folder.file(CODEBOOK_FILE)
    codebook = settings.codebook or (stored if stored.is_file() else None)
    return replace(settings, codebook=codebook, previous=folder.record()["identity"]["previous"])


def check_files(settings: Settings) -> None:
    """Refuse files and models that are missing, and priors for models that are not fitted.

    Raises RunError, SettingsError, ModelError: before data are read or anything is written.
    """
    missing = [str(path) for path in settings.inputs if not path.exists()]
    if missing:
        raise RunError(f"there is no file {', '.join(missing)}; give the path of one that is there")
    refuse_place(settings.out)
    for model in settings.models:
        load_model(model)
    if settings.priors is not None:
        names = [Path(model).stem for model in settings.models]
        read_priors(settings.priors, names)


def read_study(settings: Settings, codebook: Codebook, *, folder: Path) -> Study | PartedStudy:
    """Read the data, in parts where that was asked for or where they are many.

    Parts are kept in `folder` until the study is closed.
    """
    path, wanted = cast(Path, settings.data), settings.parts
    parts = wanted == ALWAYS or settings.scheduler is not None
    if not parts and (wanted == NEVER or settings.analysis or not is_large(path)):
        return read_responses(path, codebook)
    return read_parts(
        path,
        codebook,
        folder=folder,
        workers=Workers(settings.scheduler, settings.workers),
        previous=cast(PreviousRule, settings.previous),
    )


def _claim(folder: RunFolder, study: Study | PartedStudy, settings: Settings) -> None:
    """Read all other inputs through, before the slow part; then take the folder."""
    if settings.characteristics is not None:
        if not isinstance(study, Study):
            raise RunError("--characteristics needs --parts never: responses in memory")
        read_characteristics(settings.characteristics, study, codebook=bip_characteristics())
    if settings.claims is not None:
        claims_or_default(settings.claims, study.codebook)
    # As it was read: a file's labels are the data's, and later verbs have no data.
    codebook = codebook_or_default(settings.codebook)
    identity = {"data": study.digest, **_rules(codebook, settings)}
    other = RunFolder(place_of_run(settings.out, synthetic=not study.synthetic))
    other.make_way(overwrite=settings.overwrite, inputs=settings.inputs)
    folder.claim(identity, overwrite=settings.overwrite, inputs=settings.inputs)


def _refuse_forgotten(folder: RunFolder) -> None:
    """Refuse the default data for a folder of real ones, even to overwrite it.

    Raises RunError: the folder was made from a file.
    """
    data = folder.record().get("data", {})
    if data and not data.get("synthetic"):
        raise RunError(
            f"no --data was given, and {folder.path} was made from {data.get('name')}; give that "
            "file with --data, or another --out for the default data, which are synthetic"
        )


def _synthetic_study(settings: Settings, codebook: Codebook, folder: RunFolder) -> Study:
    """Write the default data into the folder and read them as any other file."""
    from bipbayes.synthetic.simulate import write_responses

    if not codebook.is_bip:
        raise SettingsError("the default data are BIP's; give your own with --data")
    path = folder.file(SYNTHETIC_FILE)
    if not (path.is_file() and folder.record().get("identity")):
        # Written beside its place first: the folder may belong to another run.
        with atomic_path(path) as part:
            simulation = default_simulation()
            write_responses(simulation.responses, part)
            study = read_responses(part, codebook)
            _claim(folder, study, settings)
        write_frame(folder.file(TRUTH_FILE), simulation.truth, treatments=codebook.treatment_codes)
    else:
        study = read_responses(path, codebook)
        _claim(folder, study, settings)
    return replace(study, name="synthetic BIP")


def _rules(codebook: Codebook, settings: Settings) -> dict[str, str]:
    return {"codebook": _codebook_digest(codebook), "previous": settings.previous}


def _codebook_digest(codebook: Codebook) -> str:
    return hashlib.sha256(repr(codebook).encode("utf-8")).hexdigest()


def _note_data(folder: RunFolder, study: Study | PartedStudy) -> None:
    facts: dict[str, Any] = {
        "name": study.name,
        "sha256": study.digest,
        "synthetic": study.synthetic,
        "responses": study.size[0],
        "citizens": study.size[1],
        "codebook": study.codebook.name,
        "treatments": list(study.codebook.treatment_codes),
        "reversed": list(study.codebook.reversed_codes),
        "words": study_words(study.codebook.words, "en"),
        "labels": dict(study.labels) if isinstance(study, Study) else {},
        "findings": found_in_words(study.findings, study.codebook),
    }
    folder.note(data=facts)
    if not study.synthetic:
        language = StudyLanguage("en", study_words(study.codebook.words, "en"))
        write_text(folder.file(README), phrase("private_readme", language) + "\n")
        folder.note()


def _keep_codebook(settings: Settings, folder: RunFolder) -> None:
    kept = folder.file(CODEBOOK_FILE)
    if settings.codebook is not None and not kept.is_file():
        text = Path(settings.codebook).read_text(encoding="utf-8")
        write_text(kept, text)


def _check_outcomes(settings: Settings, codebook: Codebook) -> None:
    known = codebook.outcomes
    faults = [unknown("--outcome", name, known) for name in settings.outcomes if name not in known]
    raise_all(SettingsError, "These options were refused:", faults)


def load_characteristics(run: Run, path: Path | None) -> Characteristics | None:
    """Read the given file; make the synthetic register for the default data; else none."""
    if path is not None:
        return read_characteristics(path, run.whole, codebook=bip_characteristics())
    if run.settings.data is not None:
        return None
    run.folder.write("tables/register_limits.csv", register_limits())
    frame = simulate_characteristics(run.whole)
    run.folder.write(CHARACTERISTICS_FILE, frame)
    return characteristics_from_frame(
        frame, run.whole, codebook=bip_characteristics(), name="synthetic register"
    )


def analysed(run: Run, changes: xr.Dataset | Samples) -> xr.Dataset | Samples:
    """Return the changes as the run's analysis takes them: only the plain one takes parts."""
    if run.settings.analysis == PLAIN or isinstance(changes, xr.Dataset):
        return changes
    return run.progression()


def covariates_of(run: Run) -> pd.DataFrame | None:
    """Read what the run's analysis adjusts for, if it does: ``citizen`` and the covariates.

    Those of the file given, or of the synthetic register for the default data.

    Raises SettingsError: the data are the user's own and no file is given.
    """
    settings = run.settings
    if COVARIATES not in settings.adjust:
        return None
    if settings.characteristics is not None:
        return read_covariates(settings.characteristics, run.whole, columns=settings.covariates)
    people = load_characteristics(run, None)
    if people is None:
        raise SettingsError(
            run.codebook.say(
                "--adjust covariates needs a file with one row a {citizen}: give its path with "
                "--characteristics, and the columns to use with --covariate (default: all numbers)"
            )
        )
    frame = people.citizens.rename(columns={"citizen": run.study.codebook.citizen})
    marked = frame.assign(synthetic=int(people.synthetic))
    return covariates_from_frame(marked, run.whole, columns=settings.covariates, name=people.name)
