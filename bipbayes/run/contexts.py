"""What all figures and tables of a run share."""

import logging

from bipbayes.data.codebook import Codebook
from bipbayes.data.words import study_words
from bipbayes.run.fits import unsound_fits
from bipbayes.run.folder import RunFolder
from bipbayes.run.settings import Settings
from bipbayes.wording import Context

logger = logging.getLogger(__name__)


def is_synthetic(folder: RunFolder) -> bool:
    """Say whether a folder's results rest on synthetic data."""
    return bool(folder.record()["data"]["synthetic"])


def is_preliminary(folder: RunFolder, settings: Settings) -> bool:
    """Say whether results carry a mark: the run is quick, or a fit of the analysis failed."""
    return settings.quick or bool(unsound_fits(folder, settings.analysis))


def run_context(folder: RunFolder, codebook: Codebook, settings: Settings) -> Context:
    """Return what the figures and tables of a run share."""
    return Context(
        codebook,
        synthetic=is_synthetic(folder),
        language=settings.language,
        preliminary=is_preliminary(folder, settings),
        analysis=settings.analysis,
    )


def recorded_words(folder: RunFolder) -> dict[str, str]:
    """Return the study's own English words, as ``run.json`` keeps them."""
    return dict(folder.record().get("data", {}).get("words") or study_words({}, "en"))


def warn_of_other_counts(folder: RunFolder, settings: Settings) -> None:
    """Say which other tables of real data are blanked for another minimum count than these."""
    if is_synthetic(folder):
        return
    own = settings.minimum_count
    counts = {
        name: done["settings"].get("minimum_count", own)
        for name, done in folder.record().get("stages", {}).items()
    }
    other = {name: count for name, count in counts.items() if count != own}
    if other:
        told = ", ".join(f"{name} ({count})" for name, count in other.items())
        logger.warning(
            "these tables are blanked for fewer than %d %s, those of other verbs for another "
            "count: %s; run all with the same --minimum-count before a table leaves the folder",
            own,
            recorded_words(folder)["citizens"],
            told,
        )
