"""What the log says of the vendor's messages that are malformed or report an error."""

from __future__ import annotations

from django_fcs.protocol import Refusal
from django_fcs.protocol.address import Address
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count

__all__ = ["Faults"]

logger = logger_of(__name__)


class Faults:
    """The faults of one vendor: all are counted, and some are logged."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._complaints = Complaints()

    def note_malformed(self, size: int, reason: str) -> None:
        """Note a frame, or a part of one, that was ignored."""
        if count("upstream_malformed"):
            logger.warning("malformed frame ignored size=%d reason=%s", size, reason)

    def note_error(self, message: Refusal) -> None:
        """Note an error; each text is logged once an hour, and no more than twenty of them."""
        count("upstream_errors")
        short, text = self._address.without_secrets(message.short), self.reason_of(message)
        if self._complaints.is_new("", f"{short} {text}"):
            logger.warning("upstream error short=%s message=%s", short, text)

    def reason_of(self, message: Refusal) -> str:
        """Return what an error says, for operators."""
        return self._address.without_secrets(message.message or message.short)
