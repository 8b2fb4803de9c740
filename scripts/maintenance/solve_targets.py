"""Write what the synthetic BIP aims at: ``python scripts/maintenance/solve_targets.py FOLDER``.

Writes ``jobcenters.csv``, ``sd.csv`` and ``targets.csv``; with ``--truth``, once these lie in
``bipbayes/bip/resources/synthetic``, the ``truth.csv`` of the default simulation.
"""

import sys
from pathlib import Path

from bipbayes.bip.solving.targets import solve_targets_into, truth_into

if __name__ == "__main__":
    (truth_into if "--truth" in sys.argv else solve_targets_into)(Path(sys.argv[1]))
