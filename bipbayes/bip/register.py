"""A synthetic register: characteristics of citizens that give the printed Tables 4 to 11.

The printed shares and means are weighted counts of citizens, whose weights are the responses
they have in each group. Every characteristic is drawn so that these come out, the wholes before
their parts (`register_shares`), the amounts in whole units (`register_amounts`). All draws come
from one seed, and decisions fall in whole numbers, so the frame is the same on every machine.

Three places of the report contradict themselves (``inconsistencies.csv``):

- X13, number of children: the rows add up to 90 to 95 % in four groups. The register keeps the
  printed shares; a citizen may stand in none of the rows.
- X35, general practitioner: fewer services than weeks with one. Both rows cannot hold, so the
  weeks are as printed and the services as near as they can be, one for each of these weeks.
- X36, penal code: more convicted than charged in O and S. Here every conviction has a charge;
  both shares meet half-way, within half a point of print.
"""

from typing import Final

import numpy as np
import pandas as pd

from bipbayes.bip.codebook import bip_characteristics
from bipbayes.bip.register_amounts import draw_ages, draw_fees, draw_times, draw_weeks
from bipbayes.bip.register_panel import make_panel, printed_values
from bipbayes.bip.register_shares import Draft, draw_shares
from bipbayes.data.study import Study
from bipbayes.synthetic.streams import Stream

STREAM: Final = 11
"""Label that keeps the register's random numbers apart from those of the responses."""


def simulate_characteristics(study: Study, *, seed: int) -> pd.DataFrame:
    """Simulate one row a citizen of a study.

    Parameters
    ----------
    study
        Responses with the report's four treatments; synthetic ones, of any size.
    seed
        Whole number; the same seed and study give the same frame, byte for byte.

    Returns
    -------
    pandas.DataFrame
        The citizen's id (under the study's own column name), the 63 columns of
        `bip_characteristics` and ``synthetic`` (1), citizens in order of first appearance.

    Raises
    ------
    SettingsError
        The study has other treatments than the report's tables.
    """
    codebook = bip_characteristics()
    panel = make_panel(study)
    printed = printed_values(panel.groups)
    kinds = {entry.column: entry.kind for entry in codebook.characteristics}
    stream = Stream(seed, STREAM)
    shares = {column: value for column, value in printed.items() if kinds[column] == "share"}
    draft = Draft(stream, panel, shares)
    draw_shares(draft)
    columns: dict[str, object] = {
        name: held.astype(np.int64) for name, held in draft.columns.items()
    }
    columns |= draw_times(stream, panel, printed)
    columns["age"] = draw_ages(stream, panel, printed["age"])
    weeks = draw_weeks(stream, panel, printed["general_practitioner_weeks"])
    # One service for each week with a visit is as near as print allows (X35).
    services = weeks
    fees = draw_fees(stream, panel, printed["general_practitioner_fees"], services=services)
    columns["general_practitioner_weeks"] = weeks.astype(np.int64)
    columns["general_practitioner_services"] = services.astype(np.int64)
    columns["general_practitioner_fees"] = fees.astype(np.int64)
    frame = pd.DataFrame({name: columns[name] for name in codebook.columns})
    frame.insert(0, study.codebook.citizen, list(panel.citizens))
    return frame.assign(synthetic=1)
