"""What measures and torments this project; none of it is installed with it.

``benchmarks`` says what it costs, ``soak`` what it bears, ``fuzzing`` what no input does to it.
They know nothing of each other; what they share is in ``kit``.
"""

from __future__ import annotations
