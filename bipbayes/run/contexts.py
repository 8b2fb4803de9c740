"""What all figures and tables of a run share."""

from bipbayes.data.codebook import Codebook
from bipbayes.plots.captions import FigureContext
from bipbayes.run.fits import unsound_fits
from bipbayes.run.folder import RunFolder
from bipbayes.run.settings import Settings
from bipbayes.tables.layout import TableContext


def is_synthetic(folder: RunFolder) -> bool:
    """Say whether a folder's results rest on synthetic data."""
    return bool(folder.record()["data"]["synthetic"])


def is_preliminary(folder: RunFolder, settings: Settings) -> bool:
    """Say whether results carry a mark: the run is quick, or a fit of the analysis failed."""
    return settings.quick or bool(unsound_fits(folder, settings.analysis))


def figure_context(folder: RunFolder, codebook: Codebook, settings: Settings) -> FigureContext:
    """Return what the captions of a run share."""
    return FigureContext(
        codebook,
        synthetic=is_synthetic(folder),
        language=settings.language,
        preliminary=is_preliminary(folder, settings),
        analysis=settings.analysis,
    )


def table_context(folder: RunFolder, codebook: Codebook, settings: Settings) -> TableContext:
    """Return what the tables of a run share."""
    return TableContext(
        codebook,
        synthetic=is_synthetic(folder),
        language=settings.language,
        preliminary=is_preliminary(folder, settings),
        analysis=settings.analysis,
    )
