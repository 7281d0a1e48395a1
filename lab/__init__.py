"""Programs that measure this project and try to break it. They are not part of the package.

``benchmarks`` measures what prices cost, ``soak`` runs a site under faults for half an hour, and
``fuzzing`` feeds it malformed input. They do not import each other; ``kit`` contains the code
that they share.
"""

from __future__ import annotations
