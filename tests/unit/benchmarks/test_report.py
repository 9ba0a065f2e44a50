"""Results are judged rightly, and the page has those of the newest run."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from benchmarks import report
from benchmarks.measures import Sample
from benchmarks.plot import lateness_svg
from benchmarks.rows import CASES, Case, Figure, Goal
from benchmarks.servers import SERVERS

VALUES = {"mockd": 600.0, "node": 200.0, "never": math.inf}


@pytest.mark.parametrize(
    ("goal", "less_is_better", "value", "reached"),
    [
        (Goal(500, 700), False, 600.0, (True, False)),
        (Goal(3, 4, "node"), False, 3.0, (True, False)),
        (Goal(2, 0.5, "node"), True, 3.0, (False, False)),
        (Goal(0.5, 0.3, "never"), True, 0.0, (True, True)),
        (Goal(2, 3, "absent"), False, None, (None, None)),
        (Goal(20, 5, server="never"), True, math.inf, (False, False)),
    ],
)
def test_a_goal_is_a_figure_or_a_ratio(goal: Goal, less_is_better: bool, value: float | None, reached: Any) -> None:
    assert report.goal_value(goal, VALUES) == value
    assert tuple(report.is_reached(value, mark, less_is_better) for mark in (goal.must, goal.after)) == reached


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2_244_000.0, "", "2.24 M"),
        (27_900.0, "", "27.9 k"),
        (628.0, "", "628"),
        (1.1, "ms", "1.10 ms"),
        (0.071, "%", "7.10 %"),
        (42.2, "KiB", "42.2 KiB"),
        (None, "ms", "never"),
    ],
)
def test_numbers_have_three_digits(value: float | None, unit: str, text: str) -> None:
    assert report.number(value, unit) == text


@pytest.mark.parametrize(
    "figure", [figure for case in CASES for figure in case.figures], ids=lambda figure: figure.name
)
def test_a_figure_has_the_unit_that_its_name_says(figure: Figure) -> None:
    units = {"mib": "MiB", "kib": "KiB", "ms": "ms", "us": "µs"}
    named = [unit for word, unit in units.items() if word in figure.name.split("_")]
    assert named == ([figure.unit] if figure.unit in units.values() else [])


def case(*goals: Goal) -> Case:
    figure = Figure("rate", "events/s", goals)
    return Case("1", "static", "a list", ("mockd", "node"), lambda server, scale: Sample({}), (figure,), 1)


def test_samples_while_the_host_was_busy_with_others_do_not_count_beside_steady_ones() -> None:
    disturbed, calm = Sample({"rate": 10.0}, stolen=0.3), Sample({"rate": 300.0}, stolen=0.01)
    assert report.steady([disturbed, calm]) == [calm]
    assert report.steady([disturbed]) == [disturbed]
    assert disturbed.remarks == ["the host took 30% of the machine or more"]


def test_a_result_is_the_median_and_a_line_of_the_table() -> None:
    samples = {
        "mockd": [Sample({"rate": value}) for value in (90.0, 300.0, 110.0)],
        "node": [Sample({"rate": 100.0}, remarks=["the client was the limit"])],
    }
    result = report.case_result(case(Goal(1, 2, "node")), samples, {"mockd": "mockd", "node": "Node"})
    figure = result["figures"][0]
    assert figure["values"]["mockd"] == {"title": "mockd", "median": 110.0, "samples": [90.0, 300.0, 110.0]}
    line = report.table({"cases": [result]}).splitlines()[-1]
    assert line == ("| 1 | a list | events/s | 110 |  | 100 * |  |  |  |  | **1.10×** node (must 1× ✓, after 2× ✗) |")


def test_cases_measured_again_replace_the_old_ones() -> None:
    def run(*cases: tuple[str, int]) -> report.Results:
        listed = [{"row": "1", "name": name, "value": value} for name, value in cases]
        return {"versions": {}, "skipped": {}, "cases": listed}

    merged = report.merged(run(("a", 1), ("b", 1)), run(("b", 2)))
    assert [(case["name"], case["value"]) for case in merged["cases"]] == [("a", 1), ("b", 2)]


def test_the_page_has_the_newest_results() -> None:
    assert report.page_block() == report.block()


def test_every_case_is_about_known_servers_and_works() -> None:
    for case in CASES:
        assert set(case.servers) <= set(SERVERS)
        for figure in case.figures:
            assert {goal.server for goal in figure.goals} <= set(case.servers)
            assert {goal.against for goal in figure.goals} - {None} <= set(case.servers)


def test_the_plot_is_a_picture_with_every_server() -> None:
    series = {"mockd": [[0, 0.4, 1.0], [1, 0.0, 2.0]], "node": [[0, 1.0, 2.0], [30, 300.0, 400.0]]}
    root = ET.fromstring(lateness_svg(series, {"mockd": "mockd", "node": "Node"}))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"mockd", "Node", "30 s", "0.1 ms"} <= set(texts)
