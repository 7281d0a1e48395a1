"""Recordings: what is written is read back, and damage is told from a kill."""

from __future__ import annotations

import errno
import os
import resource
import sys
from pathlib import Path
from typing import Any

import pytest

from django_fcs.exceptions import RecordingError
from django_fcs.protocol import bounds
from django_fcs.recording import LINE_MAX, TIME_MAX, Frame, Recorder, Recording, read
from tests.support.recordings import DATA

FRAMES = [
    Frame(1700000000.25, '{"type":"welcome"}'),
    Frame(1700000001.0, '{"type":"price","symbol":"FX:EURUSD"}'),
    Frame(1700000001.5, "not JSON\n\x00 at all: “é” \U0001f600"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "frames.jsonl"


def record(path: Path, frames: list[Frame]) -> None:
    with Recorder(path) as recorder:
        for frame in frames:
            recorder.write(frame.at, frame.text)


def test_frames_are_read_back_as_they_came(path: Path) -> None:
    record(path, FRAMES)

    recording = read(path)

    assert list(recording) == FRAMES
    assert list(recording) == FRAMES
    assert recording.truncated_line is None


def test_a_recorder_goes_on_with_what_was_begun(path: Path) -> None:
    record(path, FRAMES[:1])
    record(path, FRAMES[1:])

    assert list(read(path)) == FRAMES


def test_each_line_is_on_disk_before_the_next_frame(path: Path) -> None:
    with Recorder(path) as recorder:
        recorder.write(*FRAMES[0])
        assert list(read(path)) == FRAMES[:1]
        recorder.write(*FRAMES[1])
        assert list(read(path)) == FRAMES[:2]


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("crypto-btcusdt-2021-01-08.jsonl", 2455),
        ("fx-eurusd-2020-01-01.jsonl", 6003),
        ("fx-usdjpy-2013-01-01.jsonl", 1003),
        ("stock-goog-daily.jsonl", 1003),
    ],
)
def test_recordings_of_real_markets_are_read(name: str, frames: int) -> None:
    recording = read(DATA / name)

    assert sum(1 for _ in recording) == frames
    assert recording.truncated_line is None


def test_a_last_line_cut_off_anywhere_is_skipped_and_reported(path: Path) -> None:
    record(path, FRAMES)
    whole = path.read_bytes()
    last_line = whole.rindex(b"\n", 0, -1) + 1

    for end in range(last_line + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        recording = read(path)

        assert list(recording) == FRAMES[:2]
        assert recording.truncated_line == 3


def test_a_last_line_that_lacks_only_its_end_counts(path: Path) -> None:
    record(path, FRAMES)
    path.write_bytes(path.read_bytes()[:-1])

    recording = read(path)

    assert list(recording) == FRAMES
    assert recording.truncated_line is None


@pytest.mark.parametrize(
    "line",
    [
        '{"at": 1700000000.0, "te',
        '{"at": "soon", "text": "x"}',
        '{"at": 1.0}',
        '{"at": 1.0, "text": 5}',
        "[1.0]",
        "rubbish",
    ],
)
def test_a_damaged_line_in_the_middle_is_told_by_its_number(path: Path, line: str) -> None:
    record(path, FRAMES)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], line, *lines[1:]]) + "\n")

    with pytest.raises(RecordingError) as caught:
        list(read(path))

    assert str(caught.value).startswith(f"{path}:2: ")
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_damage(path: Path) -> None:
    record(path, FRAMES[:1])
    with path.open("ab") as file:
        file.write(b'{"at":1.0,"text":"\xff\xfe"}\n')

    with pytest.raises(RecordingError, match=":2: "):
        list(read(path))


@pytest.mark.parametrize("content", ["", "\n", "rubbish", "<html>\n", '{"at":1.0,"te'])
def test_a_file_without_any_frame_is_no_recording(path: Path, content: str) -> None:
    path.write_text(content)

    with pytest.raises(RecordingError, match="frames.jsonl"):
        read(path)


def test_a_missing_file_and_a_folder_are_told_in_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(RecordingError) as caught:
            read(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)


def test_an_endless_line_is_not_taken_into_memory() -> None:
    with pytest.raises(RecordingError, match="/dev/zero:1: "):
        read("/dev/zero")


def test_what_a_killed_recorder_left_is_gone_when_the_next_one_starts(path: Path) -> None:
    record(path, FRAMES)
    path.write_bytes(path.read_bytes()[:-20])

    record(path, FRAMES[2:])

    recording = Recording(path)
    assert list(recording) == FRAMES
    assert recording.truncated_line is None


def test_a_recorder_killed_in_its_first_line_can_begin_again(path: Path) -> None:
    for begun in ("{", '{"', '{"at', '{"at":', '{"at":17000'):
        path.write_text(begun)

        record(path, FRAMES)

        assert list(read(path)) == FRAMES


def test_a_whole_last_line_without_its_end_is_kept(path: Path) -> None:
    record(path, FRAMES[:1])
    path.write_bytes(path.read_bytes()[:-1])

    record(path, FRAMES[1:])

    assert list(read(path)) == FRAMES


FRAME = b'{"at":1700000000.25,"text":"x"}\n'


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"SECRET_KEY = 'x'\n",
            b'{"name": "x"}',
            b"{\n}\n",
            b"{ ",
            b"{}",
            b'{"a"',
            b"\n",
            b"\x00\xff\x1f\x8b",
        ),
        *(b'{"at":1700000000.25,"name":"x"}', b'{"at":1700000000.25,"name":"x"', b'{"at":"noon"'),
        *(b'{"at":1,"text":5', b'{"at":1.0,"text":"x","by":"me"', b'{"at":1,"text":"x"y'),
        *(b'{"at":1,"text":"\\q', b'{"at":1.0,"text":"x" ', b'{"at":1, "text":"x'),
        *(b'{"at":1,"text":"\x80', b'{"at":1,"text":"\xff', b'{"at":17:00,"text":"x'),
        *(FRAME + b"# my notes", FRAME + b'{"name":"x"', FRAME + b"my notes\n"),
        *(
            FRAME + b"\x00" * 9,
            b"x" * LINE_MAX,
            FRAME + b'{"at":1,"text":"' + b"x" * LINE_MAX,
        ),
    ],
    ids=lambda content: repr(content[:50]),
)
def test_a_file_that_is_no_recording_is_not_touched(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(RecordingError, match="not a recording, so it is left as it is$"):
        Recorder(path).__enter__()

    assert path.read_bytes() == content


def test_whatever_a_kill_leaves_of_a_line_is_removed(path: Path) -> None:
    record(path, FRAMES)
    whole = path.read_bytes()
    ends = [number for number, byte in enumerate(whole) if byte == 10]

    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with Recorder(path):
            pass
        kept = whole[: max((one + 1 for one in ends if one <= end), default=0)]
        assert path.read_bytes() == kept, whole[:end]


def test_a_link_leads_to_the_file_that_it_names(tmp_path: Path) -> None:
    notes, link, loop = tmp_path / "notes.txt", tmp_path / "link", tmp_path / "loop"
    notes.write_text("my notes")
    link.symlink_to(notes)
    loop.symlink_to(loop)

    for path in (link, loop):
        with pytest.raises(RecordingError, match=f"{path}: "):
            Recorder(path).__enter__()
    assert notes.read_text() == "my notes"

    notes.unlink()
    record(link, FRAMES)
    assert list(read(notes)) == FRAMES


def test_what_is_no_file_cannot_take_a_recording(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    for path in (tmp_path, fifo, Path("")):
        with pytest.raises(RecordingError, match="cannot record: (not a file|Is a directory)"):
            Recorder(path).__enter__()
    with pytest.raises(RecordingError, match="cannot record: embedded null byte"):
        Recorder("a\0b").__enter__()


def test_a_file_that_may_not_be_read_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # The tests may run as root, who reads everything.

    with pytest.raises(RecordingError, match="cannot record: Permission denied"):
        Recorder(path).__enter__()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/null")
def test_a_recording_may_go_nowhere() -> None:
    record(Path("/dev/null"), FRAMES)


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot record"), Recorder(tmp_path / "no" / "file"):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_is_an_error() -> None:
    with Recorder("/dev/full") as recorder, pytest.raises(RecordingError, match="No space left"):
        recorder.write(*FRAMES[0])


def test_a_frame_that_did_not_fit_leaves_nothing_behind(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Recorder(path) as recorder:
        recorder.write(*FRAMES[0])
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, hard))
        try:
            with pytest.raises(RecordingError, match="cannot record"):
                recorder.write(*FRAMES[1])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        recorder.write(*FRAMES[2])

    assert list(read(path)) == [FRAMES[0], FRAMES[2]]


@pytest.mark.parametrize("at", ["1e300", "-1e300", "9e12", "1e999", "9" * 400, '"1"', "null"])
def test_a_line_whose_time_is_out_of_bounds_is_no_line(path: Path, at: str) -> None:
    path.write_text(f'{{"at":1766411426.5,"text":"{{}}"}}\n{{"at":{at},"text":"{{}}"}}\n')

    with pytest.raises(RecordingError, match=":2: not a line of a recording"):
        list(Recording(path))


def test_times_of_a_recording_have_the_bounds_of_the_protocol() -> None:
    assert TIME_MAX == bounds.TIME_MAX
