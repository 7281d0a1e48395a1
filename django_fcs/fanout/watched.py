"""The rooms of a process: which are joined, their last prices, and their states."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from django_fcs.conf import conf
from django_fcs.exceptions import ProtocolError
from django_fcs.layer.events import Beat, RoomNotice
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Expectation, State, decide
from django_fcs.prices.store import LastValue
from django_fcs.prices.updates import Update, end_of, respell
from django_fcs.protocol import RoomState, serialise
from django_fcs.rooms import Room
from django_fcs.tools.clocks import since_boot
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count

from .path import Path
from .routes import Key

__all__ = ["Claim", "Heard", "Limits", "Noticed", "Watched", "WatchedRoom", "claim"]

logger = logger_of(__name__)

#: After so many texts in a row with a lower number than the last one, the last one was wrong.
LOWER_MAX = 20

#: No clock is set back farther, in seconds: a price that is farther ahead of a heartbeat is wrong.
AHEAD_SECONDS = 86_400

_UNPROVED = "no price since the connection was lost"


class Claim(NamedTuple):
    """A room's state as it is sent to browsers."""

    state: State
    reason: str = ""
    """Why it is offline, or why it waits in vain; else empty."""
    until: int | None = None
    """When it opens, in unix seconds, if it is closed and this is known."""


class Heard(NamedTuple):
    """What the hub has to do after a heartbeat."""

    may_lack: bool
    """Whether texts may be missing, so that the stream is asked for all rooms again."""
    restarts: bool
    """Whether the numbers of texts start again from a lower one."""


@dataclass(eq=False)
class WatchedRoom:
    """A room in this process: its last values, and how it was joined."""

    room: Room
    update: Update | None = None
    proof_seq: int | None = None
    """The room is live again only after a text with this ``seq`` or a later one."""
    profile: str = ""
    lower: int = 0
    """How many texts in a row had a lower number than the last one."""
    is_left: bool = False
    """A newer price may have been missed: the room is not live until a text comes."""
    expected: Expectation | None = None
    """What the stream expects; ``None`` until it comes from the stream or the store."""
    trouble: str = ""
    """Why no price can come, as the stream reports; empty if one can."""
    claim: Claim | None = None
    """Its state as it was last sent to browsers; ``None`` until something is known of it."""
    is_recalled: bool = False
    """Whether the store has been asked for its price."""
    keys: dict[Key, int] = field(default_factory=dict)
    """How many browsers joined it under each key."""

    def is_newer(self, update: Update) -> bool:
        """Tell whether a text is newer than the last one; a repetition proves the last one."""
        if self.update is not None and self._is_refuted(self.update, update):
            self.forget()
        if self.proof_seq is not None and update.seq >= self.proof_seq:
            self.proof_seq = None
        if self.update is not None and update.seq >= self.update.seq:
            self.is_left = False
        return self.update is None or update.seq > self.update.seq

    def _is_refuted(self, last: Update, update: Update) -> bool:
        """Tell whether a text shows that the number of the last one is wrong.

        The stream of an epoch only counts up. A text with a lower number may be older than the
        last one, if that came from the store. It is not older if its time is later, or if it is
        one of many.
        """
        if update.epoch < last.epoch or update.seq >= last.seq:
            self.lower = 0
            return False
        self.lower += 1
        return update.at > last.at or self.lower >= LOWER_MAX

    def is_ahead_of(self, beat: Beat) -> bool:
        """Tell whether the last text is not from the stream that sent the heartbeat."""
        last = self.update
        return last is not None and (
            last.epoch > beat.epoch
            or last.seq >= end_of(beat.epoch)
            or last.at > beat.path.at + AHEAD_SECONDS
        )

    def note_trouble(self, trouble: str) -> None:
        """Note why no price can come; empty if one can.

        When a trouble ends, the last price may not be the newest.
        """
        self.is_left = self.is_left or (bool(self.trouble) and not trouble)
        self.trouble = trouble

    def doubt(self) -> None:
        """Require proof of the price: a repetition or a newer one."""
        if self.update is not None:
            self.proof_seq = self.update.seq

    def forget(self) -> None:
        """Forget the price, and accept a text of any number."""
        self.update, self.proof_seq, self.lower = None, None, 0

    def expect(self, expected: Expectation) -> bool:
        """Note what the stream expects; False if the price that caused it has yet to come.

        That price opened the market. Until it comes, the old one would seem stale.
        """
        opens = self.expected is not None and self.expected.closed and not expected.closed
        self.expected = expected
        return not opens

    def state_text(self, key: Key) -> str:
        """Return its state as a message to browsers; only if it has one."""
        assert self.claim is not None
        state, reason, until = self.claim
        return serialise(
            RoomState(
                symbol=self.room.symbol,
                timeframe=key.spelling,
                state=state.value,
                reason=reason,
                until=until,
            )
        )

    def profile_text(self, key: Key) -> str:
        """Return its profile as a message to browsers."""
        return respell(self.profile, self.room, key.spelling)


class Noticed(NamedTuple):
    """What follows from a notice, for all browsers of its room."""

    watched: WatchedRoom
    has_profile: bool
    changes_state: bool


class Limits(NamedTuple):
    """Limits of the site, in seconds; read once for all rooms, because settings are slow."""

    stale_after: float
    offline_after: float

    @classmethod
    def of_site(cls) -> Limits:
        """Return the current limits."""
        return cls(conf.FCS_STALE_AFTER_SECONDS, conf.FCS_OFFLINE_AFTER_SECONDS)


class Watched:
    """All rooms of a process, and the path by which their prices come.

    It applies messages of the stream and the passing of time, and returns the rooms whose
    changes have to be sent to browsers. It sends nothing itself.

    Args:
        clock: Unix seconds.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = since_boot,
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._rooms: dict[Room, WatchedRoom] = {}
        self.path = Path(beat_at=monotonic())

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[WatchedRoom]:
        return iter(self._rooms.values())

    def get(self, room: Room) -> WatchedRoom | None:
        """Return a room; None if no browser has joined it."""
        return self._rooms.get(room)

    def listen(self) -> None:
        """Start to listen. Earlier heartbeats say nothing about the present."""
        self.path = Path(beat_at=self._monotonic())

    def join(self, key: Key) -> WatchedRoom:
        """Note that one more browser joined a room."""
        watched = self._rooms.get(key.room)
        if watched is None:
            watched = self._rooms[key.room] = WatchedRoom(key.room)
            self._changes(watched, Limits.of_site())
        watched.keys[key] = watched.keys.get(key, 0) + 1
        return watched

    def leave(self, key: Key) -> bool:
        """Note that a browser left a room; return True if it was the last one."""
        watched = self._rooms[key.room]
        watched.keys[key] -= 1
        if not watched.keys[key]:
            del watched.keys[key]
        if watched.keys:
            return False
        del self._rooms[key.room]
        return True

    def newer(self, update: Update) -> WatchedRoom | None:
        """Return the room of a newer price; None if the price is old or not wanted."""
        if update.epoch < self.path.fence:
            count("hub_fenced")
            return None
        watched = self._rooms.get(update.room)
        return watched if watched is not None and watched.is_newer(update) else None

    def apply(self, update: Update, watched: WatchedRoom) -> bool:
        """Note a newer price; return True if it changes the room's state."""
        return self._show(watched, update, trouble="", is_left=False)

    def _show(self, watched: WatchedRoom, update: Update, *, trouble: str, is_left: bool) -> bool:
        watched.update, watched.trouble, watched.is_left = update, trouble, is_left
        is_live = watched.claim is not None and watched.claim.state is State.LIVE
        return not is_live and self._changes(watched, Limits.of_site())

    def apply_notice(self, notice: RoomNotice) -> Noticed | None:
        """Note what is known of a room; ``None`` if the room is not joined here."""
        watched = self._rooms.get(notice.room)
        if watched is None:
            return None
        is_complete = notice.expected is None or watched.expect(notice.expected)
        watched.note_trouble(notice.trouble)
        has_profile = bool(notice.profile) and notice.profile != watched.profile
        if has_profile:
            watched.profile = notice.profile
        changes_state = is_complete and self._changes(watched, Limits.of_site())
        return Noticed(watched, has_profile=has_profile, changes_state=changes_state)

    def apply_beat(self, beat: Beat) -> Heard | None:
        """Note a heartbeat; return None if its stream is no longer the leader."""
        path, now = self.path, self._monotonic()
        if beat.epoch < path.fence:
            if count("hub_fenced"):
                logger.warning(
                    "ignored a heartbeat from a stream that is no longer the leader epoch=%d",
                    beat.epoch,
                )
            return None
        is_new = beat.epoch != path.epoch
        # Redis lost its data and its clock went back. Without this, no text would be newer.
        restarts = beat.epoch < (path.epoch or 0)
        was_silent = path.is_silent(now, conf.FCS_OFFLINE_AFTER_SECONDS)
        may_lack = is_new or was_silent
        for watched in self:
            if is_new:
                watched.note_trouble("")
            if restarts or watched.is_ahead_of(beat):
                watched.forget()
                may_lack = True
            if was_silent:
                watched.doubt()
        self.path = Path.of(beat, now)
        return Heard(may_lack, restarts)

    def restore(
        self,
        rooms: Iterable[Room],
        values: Mapping[Room, LastValue],
        report: PathReport | None,
    ) -> Iterator[tuple[WatchedRoom, bool]]:
        """Note what the store has of rooms without a price.

        Yields those that still have none, and whether the store changed their state.
        """
        if report and self.path.epoch is None:
            self.path = Path(self._monotonic() - report.age(self._clock()), report)
        for room in rooms:
            watched = self._rooms.get(room)
            if watched is not None and not watched.update:
                watched.is_recalled = True
                yield watched, self._recall(watched, values.get(room))

    def _recall(self, watched: WatchedRoom, value: LastValue | None) -> bool:
        if value is not None:
            watched.expected = watched.expected or replace(value.expected, overdue=False)
            with suppress(ProtocolError):
                update = Update.from_text(watched.room, value.text, epoch=self.path.fence)
                is_left, trouble = value.expected.overdue, watched.trouble
                return self._show(watched, update, trouble=trouble, is_left=is_left)
        return self._changes(watched, Limits.of_site())

    def look(self) -> list[WatchedRoom]:
        """Update states as time passes; return the rooms whose state changed."""
        limits = Limits.of_site()
        if self.path.is_silent(self._monotonic(), limits.offline_after):
            self.path = self.path.unfenced()
        return [watched for watched in self if self._changes(watched, limits)]

    def without_price(self, rooms: Iterable[Room]) -> list[Room]:
        """Return those of the rooms that have no price yet."""
        found = (self._rooms.get(room) for room in rooms)
        return [watched.room for watched in found if watched and not watched.update]

    def is_online(self) -> bool | None:
        """Tell whether the vendor is heard; None until that is known."""
        return self.path.is_online(self._monotonic(), conf.FCS_OFFLINE_AFTER_SECONDS)

    def _changes(self, watched: WatchedRoom, limits: Limits) -> bool:
        now = self._monotonic()
        found = claim(watched, self.path, at=self._clock(), now=now, limits=limits)
        # A page shows the stored price. A state sent before the store has answered would hide it.
        is_early = watched.claim is None and not watched.is_recalled
        if found == watched.claim or (is_early and found == Claim(State.WAITING)):
            return False
        watched.claim = found
        return True


def claim(watched: WatchedRoom, path: Path, *, at: float, now: float, limits: Limits) -> Claim:
    """Return the state of a room; ``at`` is in unix, ``now`` in monotonic seconds."""
    expected, update = watched.expected or Expectation(), watched.update
    is_outdated = update is not None and (
        bool(watched.trouble)
        or watched.proof_seq is not None
        or path.report.outage.outdates(update.at, at, limits.offline_after)
    )
    state = decide(
        # A price from the future proves no more than an old one: a clock was set.
        age=abs(at - update.at) if update else None,
        expected=expected,
        now=at,
        broken=path.is_broken(now, limits.offline_after),
        stale_after=limits.stale_after,
        unproved=watched.is_left and not watched.trouble,
        outdated=is_outdated,
    )
    if state is State.CLOSED:
        return Claim(state, until=expected.opens_at)
    if state is State.OFFLINE:
        why = path.why_broken(now, limits.offline_after)
        return Claim(state, why or watched.trouble or _UNPROVED)
    return Claim(state, watched.trouble if state is State.WAITING else "")
