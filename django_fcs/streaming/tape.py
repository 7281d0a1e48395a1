"""The recording of what the vendor sends; a full disk must not stop the prices."""

from __future__ import annotations

from django_fcs.exceptions import RecordingError
from django_fcs.recording import Recorder
from django_fcs.tools.logs import logger_of
from django_fcs.upstream import Arrival

__all__ = ["Tape"]

logger = logger_of(__name__)


class Tape:
    """Records frames until that fails.

    Args:
        recorder: Where frames are written; ``None`` records nothing.
    """

    def __init__(self, recorder: Recorder | None) -> None:
        self._recorder = recorder

    def write(self, arrival: Arrival) -> None:
        """Write a frame."""
        if self._recorder is None:
            return
        try:
            self._recorder.write(arrival.at, arrival.text)
        except RecordingError as error:
            logger.error("recording stopped, streaming continues reason=%s", error)
            self._recorder = None
