"""Frames to and from JSON Lines files: ``{"at": unix_seconds, "text": "<frame>"}``.

A recording holds what a socket received, word for word, and when. A frame holds prices
and never the API key. Addresses, which may hold the key, are not recorded.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Annotated, NamedTuple

import msgspec

from .exceptions import RecordingError

__all__ = ["Frame", "Recorder", "Recording", "read"]

#: In bytes. Longer lines are not frames; the limit keeps a wrong file from filling the memory.
LINE_MAX = 4 * 1024 * 1024

#: In unix seconds. ``protocol.bounds`` has the same limit.
TIME_MAX = 32_503_680_000

_SHAPE = '{"at": seconds, "text": "frame"}'

# The parts of a line, as the recorder writes it.
_AT = re.compile(rb'\{"at":[-+.\deE]*')
_START = b'{"at":'
_TEXT = b',"text":"'

#: What a kill can leave of an escape such as ``\u001b``, or of a character, at the end.
_SPLIT = re.compile(rb"(?:\\(?:u[\da-f]{0,3})?|[\xc2-\xf4][\x80-\xbf]{0,2})\Z")


class Frame(NamedTuple):
    """One frame as it came from the socket."""

    at: float
    """When it arrived, in unix seconds."""

    text: str


class _Line(msgspec.Struct):
    at: Annotated[float, msgspec.Meta(ge=-TIME_MAX, le=TIME_MAX)]
    text: str


_decode = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode


def read(path: str | os.PathLike[str]) -> Recording:
    """Open a recording.

    Raises ``RecordingError`` if the file cannot be read or is not a recording.
    """
    recording = Recording(path)
    for _ in recording:
        return recording
    raise RecordingError(f"{recording.path}: this recording has no frames")


class Recording:
    """The frames of a file; each iteration reads it from the start.

    Raises ``RecordingError``, with the path and the number of the line, if a line is
    damaged. An unfinished last line is skipped: a recorder leaves one if it is killed
    while it writes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.truncated_line: int | None = None
        """Number of an unfinished last line that was skipped; set when the iteration gets there."""

    def __iter__(self) -> Iterator[Frame]:
        self.truncated_line = None
        try:
            yield from self._frames()
        except OSError as error:
            raise RecordingError(f"{self.path}: {error.strerror or error}") from None

    def _frames(self) -> Iterator[Frame]:
        with self.path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_MAX):
                number += 1
                frame = _frame(line)
                if frame is not None:
                    yield frame
                elif _is_cut_off(line):
                    self.truncated_line = number
                elif line.strip():
                    raise RecordingError(
                        f"{self.path}:{number}: not a line of a recording: {_SHAPE}"
                    )


class Recorder:
    """Append frames to a new or existing recording.

    Each line reaches the operating system as a whole, so a kill loses at most the line
    that is being written. The next recorder that opens the file removes what is left of
    that line. Raises ``RecordingError`` if the file cannot be written, or is not a
    recording. A file that is not a recording stays as it was.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __enter__(self) -> Recorder:
        try:
            with ExitStack() as undo:
                # Unbuffered: the line has left this process when write() returns.
                self._file = undo.enter_context(self.path.open("a+b", buffering=0))
                self._end = self._mend()
                undo.pop_all()
        except (OSError, ValueError) as error:
            raise self._failed(error) from None
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, at: float, text: str) -> None:
        """Append one frame, or raise ``RecordingError`` and leave the file as it was."""
        line = _encode(_Line(at, text)) + b"\n"
        try:
            self._write(line)
        except OSError as error:
            self._take_back()
            raise self._failed(error) from None

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._end += len(line)

    def _take_back(self) -> None:
        try:
            self._file.truncate(self._end)
        except OSError:
            # The first error is the one to report; a reader reports the unfinished line.
            return

    def _mend(self) -> int:
        """Make the file end where a line may begin; return that position."""
        kind = stat.S_IFMT(os.fstat(self._file.fileno()).st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFCHR):
            raise RecordingError(f"{self.path}: cannot record: not a file")
        size = self._file.seek(0, os.SEEK_END)
        if size == 0:
            return 0
        self._file.seek(0)
        first = self._file.read(LINE_MAX)
        self._file.seek(max(0, size - LINE_MAX))
        *lines, rest = self._file.read(LINE_MAX).split(b"\n")
        if not _begins_a_recording(first) or not _ends_a_recording(lines, rest):
            raise RecordingError(f"{self.path}: not a recording, so it is left as it is")
        if not rest:
            return size
        if _frame(rest) is None:
            return self._file.truncate(size - len(rest))
        self._file.write(b"\n")
        return size + 1

    def _failed(self, error: OSError | ValueError) -> RecordingError:
        reason = getattr(error, "strerror", None) or error
        return RecordingError(f"{self.path}: cannot record: {reason}")


def _frame(line: bytes) -> Frame | None:
    try:
        fields = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return Frame(fields.at, fields.text)


def _is_cut_off(line: bytes) -> bool:
    """Return whether a killed recorder left this line: unlike other damage, it has no end."""
    return line.startswith(b"{") and not line.endswith(b"\n") and len(line) < LINE_MAX


def _is_begun(line: bytes) -> bool:
    """Return whether a recorder may have written this, and was killed before the rest.

    Only such a line may be removed. A line of another program that also begins with a
    time has other fields, or does not end within the text.
    """
    if _START.startswith(line):
        return True
    time = _AT.match(line)
    if time is None or len(line) >= LINE_MAX:
        return False
    rest = line[time.end() :]
    if _TEXT.startswith(rest):
        return True
    if not rest.startswith(_TEXT):
        return False
    ended = (line + b"}", line + b'"}', _SPLIT.sub(b"", line) + b'"}')
    return any(_is_ours(one) for one in ended)


def _is_ours(line: bytes) -> bool:
    frame = _frame(line)
    return frame is not None and _encode(_Line(*frame)) == line


def _begins_a_recording(text: bytes) -> bool:
    line = text.split(b"\n", 1)[0]
    # The second condition: the file has only a first line, which is cut off.
    return _frame(line) is not None or (line == text and _is_begun(line))


def _ends_a_recording(lines: list[bytes], rest: bytes) -> bool:
    """Return whether the last line is a frame, or what a killed recorder left of one."""
    if rest:
        return _frame(rest) is not None or _is_begun(rest)
    return not lines or not lines[-1].strip() or _frame(lines[-1]) is not None
