"""What benchmarks, soak and fuzzing share: arithmetic, frames, pages, processes."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from lab.kit.markdown import table, write_section
from lab.kit.plots import Bar, Line, bars, lines
from lab.kit.processes import Failed, Process, Worker, wait_until
from lab.kit.site import SERVERS, server_command
from lab.kit.statistics import fit, median, percentile, percentiles, slope
from lab.kit.wire import client_frame, frames, server_frame, unmasked
from tests.support.memory import resident
from tests.support.network import free_port

SIZES = st.sampled_from([0, 1, 125, 126, 65535, 65536])


def test_a_percentile_is_a_value_that_occurred() -> None:
    ordered = [float(value) for value in range(1, 101)]

    assert [percentile(ordered, percent) for percent in (50, 99, 100)] == [50, 99, 100]
    assert percentile([7.0], 99) == 7


def test_ages_become_milliseconds() -> None:
    assert percentiles([0.002, 0.001, 0.003]) == {
        "p50_ms": 2,
        "p99_ms": 3,
        "max_ms": 3,
        "timed": 3,
    }
    assert percentiles([])["p99_ms"] is None


def test_a_median_of_two_lies_between_them() -> None:
    assert median([3, 1]) == 2
    assert median([9, 1, 2]) == 2


def test_the_slope_is_that_of_the_best_line() -> None:
    assert slope([(500, 10_000), (2000, 40_000)]) == 20


@given(st.lists(SIZES, max_size=4), st.integers(0, 9))
def test_frames_are_found_whole_and_a_rest_is_left(sizes: list[int], cut: int) -> None:
    payloads = [b"x" * size for size in sizes]
    data = b"".join(map(server_frame, payloads)) + server_frame(b"y" * 10)[:cut]

    assert [data[start:stop] for _, start, stop in frames(data)] == payloads


@given(SIZES)
def test_a_client_frame_is_unmasked_to_what_it_was(size: int) -> None:
    data = client_frame(b"z" * size)

    assert [unmasked(data[start:stop]) for _, start, stop in frames(data)] == [b"z" * size]


@pytest.mark.parametrize(
    "image",
    [
        bars("CPU <µs>", "less & better", [Bar("ours", 20, "20 µs", "ours"), Bar("a", 0, "0", "")]),
        bars("nothing", "", []),
        lines("growth", "", "rooms", [Line("ours", [(1, 0.1), (1000, 30)], "ours")]),
        lines("one point", "", "rooms", [Line("ours", [(5, 0)], "ours")]),
    ],
)
def test_a_plot_is_well_formed(image: str) -> None:
    assert ElementTree.fromstring(image).tag.endswith("svg")


def test_a_table_has_as_many_columns_in_each_line() -> None:
    drawn = table(["peer", "µs"], [["ours", "1"], ["floor", "2"]])

    assert {line.count("|") for line in drawn.splitlines()} == {3}


def test_a_section_of_a_page_is_replaced_and_the_rest_left(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Head\n\n<!-- a -->\nold\n<!-- /a -->\n\ntail\n")

    write_section(page, "a", "new \\1\n")
    write_section(page, "b", "more")

    assert page.read_text() == (
        "# Head\n\n<!-- a -->\nnew \\1\n<!-- /a -->\n\ntail\n\n<!-- b -->\nmore\n<!-- /b -->\n"
    )


def test_a_fit_to_one_part_has_the_slope_of_its_best_line() -> None:
    points = [(0.0, 5.0), (1.0, 9.0), (2.0, 9.0), (4.0, 21.0)]
    fitted = fit([points])

    assert fitted is not None and fitted.error > 0
    assert fitted.slope == pytest.approx(slope(points))
    assert fitted.points == 4


def test_of_too_few_points_there_is_no_fit() -> None:
    assert fit([]) is None
    assert fit([[(0, 1), (1, 2)]]) is None
    assert fit([[(3, 1), (3, 2), (3, 5)]]) is None


# -- processes


def test_a_process_is_waited_for_weighed_and_ended(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with Process("server", command, folder=tmp_path) as server:
        wait_until(port, server)
        weight = server.memory()
        seen = resident(server.popen.pid)
        assert server.cpu_ns() > 0

    assert server.popen.returncode
    assert 0 < weight.pss <= weight.rss
    assert seen == pytest.approx(weight.rss, rel=0.2)


def test_a_process_that_ends_is_not_waited_for_and_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no way')"]
    with Process("nobody", command, folder=tmp_path) as nobody:
        with pytest.raises(Failed, match=r"nobody does not listen: no way"):
            wait_until(free_port(), nobody)


def test_a_worker_answers_what_it_is_asked(tmp_path: Path) -> None:
    with Worker("lab.soak.crowd", folder=tmp_path) as crowd:
        assert crowd.ask(do="count")["here"] == 0
        with pytest.raises(Failed, match="gave no answer"):
            crowd.ask(do="what nobody can")


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_listens_on_this_machine_only(server: str) -> None:
    command = server_command(server, "a.site:application", 28000)

    assert command[:3] == [sys.executable, "-m", server]
    assert {"127.0.0.1", "28000"} < set(command) and command[-1] == "a.site:application"
