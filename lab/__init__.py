"""What measures and torments this project; none of it is installed with it.

``benchmarks`` says what it costs, ``soak`` what it bears, ``fuzzing`` what no input does to it.
"""

from __future__ import annotations
