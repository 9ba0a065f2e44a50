"""From samples to results: medians, ratios, verdicts; as JSON, as a table, and in the block of the page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measures import Sample
from benchmarks.paths import PAGE, RESULTS
from benchmarks.rows import Case, Figure, Goal

Results = dict[str, Any]
BEGIN = "<!-- results: filled by `benchmarks/run --docs` -->"
END = "<!-- end of results -->"
COLUMNS = ("mockd", "sse-starlette", "node", "go", "aimock", "llmock", "mockllm")
HEADINGS = ("mockd", "sse-starlette", "Node, by hand", "Go, by hand", "aimock", "LLMock", "mockllm")

# -- what is kept ------------------------------------------------------------------------------------------------------


MUCH_STOLEN = 0.05
"""Share of a virtual machine given to others above which a measurement says more about them."""


def steady(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples that count: those during which the host left us the machine; where there are none, all of them,
    with a remark."""
    kept = [sample for sample in samples if sample.stolen <= MUCH_STOLEN]
    if not kept:
        least = min(sample.stolen for sample in samples)
        for sample in samples:
            sample.remarks.append(f"the host took {least:.0%} of the machine or more")
    return kept or samples


def case_result(case: Case, samples: Mapping[str, Sequence[Sample]], titles: Mapping[str, str]) -> Results:
    """The result of a case from the samples of each server, ready for JSON: infinite figures are null."""
    samples = {server: steady(taken) for server, taken in samples.items()}
    medians = {
        server: {figure.name: median(sample.figures[figure.name] for sample in taken) for figure in case.figures}
        for server, taken in samples.items()
    }
    return {
        "row": case.row,
        "name": case.name,
        "title": case.title,
        "figures": [_figure_result(figure, medians, samples, titles) for figure in case.figures],
        "remarks": {
            server: sorted({remark for sample in taken for remark in sample.remarks})
            for server, taken in samples.items()
            if any(sample.remarks for sample in taken)
        },
        "lateness": {server: taken[-1].lateness for server, taken in samples.items() if taken[-1].lateness},
    }


def _figure_result(
    figure: Figure,
    medians: Mapping[str, Mapping[str, float]],
    samples: Mapping[str, Sequence[Sample]],
    titles: Mapping[str, str],
) -> Results:
    return {
        "label": figure.label,
        "unit": figure.unit,
        "less_is_better": figure.less_is_better,
        "values": {
            server: {
                "title": titles[server],
                "median": _finite(medians[server][figure.name]),
                "samples": [_finite(sample.figures[figure.name]) for sample in taken],
            }
            for server, taken in samples.items()
        },
        "goals": [_goal_result(goal, figure, medians) for goal in figure.goals],
    }


def _goal_result(goal: Goal, figure: Figure, medians: Mapping[str, Mapping[str, float]]) -> Results:
    value = goal_value(goal, {server: values[figure.name] for server, values in medians.items()})
    return {
        "server": goal.server,
        "against": goal.against,
        "must": goal.must,
        "after": goal.after,
        "value": None if value is None else _finite(value),
        "is_measured": value is not None,
        "must_reached": is_reached(value, goal.must, figure.less_is_better),
        "after_reached": is_reached(value, goal.after, figure.less_is_better),
    }


def goal_value(goal: Goal, values: Mapping[str, float]) -> float | None:
    """What a goal is about: a figure, or its ratio to another server's; None where one was not measured."""
    ours = values.get(goal.server)
    if ours is None or goal.against is None:
        return ours
    theirs = values.get(goal.against)
    if theirs is None:
        return None
    if math.isinf(theirs):
        return math.inf if math.isinf(ours) else 0.0
    return ours / theirs if theirs else math.inf


def is_reached(value: float | None, goal: float, less_is_better: bool) -> bool | None:
    """Whether a goal is reached; None where it was not measured."""
    if value is None:
        return None
    return value <= goal if less_is_better else value >= goal


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def merged(old: Results, new: Results) -> Results:
    """Results with cases measured again in the place of the old ones."""
    cases = {(case["row"], case["name"]): case for case in old.get("cases", [])}
    cases |= {(case["row"], case["name"]): case for case in new["cases"]}
    both = {key: {**old.get(key, {}), **new[key]} for key in ("versions", "skipped")}
    return {**new, **both, "cases": list(cases.values())}


def newest() -> Path | None:
    """The newest results that are kept."""
    return max(RESULTS.glob("*.json"), default=None)


# -- as text -----------------------------------------------------------------------------------------------------------


def number(value: float | None, unit: str) -> str:
    """A figure for people, with its unit. None is one that never came."""
    if value is None:
        return "never"
    if unit == "%":
        return f"{_digits(100 * value)} %"
    if not unit and value >= 1e6:
        return f"{_digits(value / 1e6)} M"
    if not unit and value >= 1e4:
        return f"{_digits(value / 1e3)} k"
    return f"{_digits(value)} {unit}".strip()


def _digits(value: float) -> str:
    """Three digits that count."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def goal_text(goal: Mapping[str, Any], unit: str) -> str:
    """A goal and whether it is reached: `58.2× sse-starlette (must 30× ✓, after 60× ✗)`."""

    def shown(value: float | None) -> str:
        if goal["against"] is None:
            return number(value, unit)
        return "never" if value is None else f"{_digits(value)}×"

    what = f" {goal['against']}" if goal["against"] else ""
    if goal["server"] != "mockd":
        what += f" ({goal['server']})"
    if not goal["is_measured"]:
        return f"{what.strip() or 'goal'}: not measured"
    marks = {True: "✓", False: "✗"}
    must, after = shown(goal["must"]), shown(goal["after"])
    verdict = f"must {must} {marks[goal['must_reached']]}, after {after} {marks[goal['after_reached']]}"
    return f"**{shown(goal['value'])}**{what} ({verdict})"


def table(results: Results) -> str:
    """The cases as a Markdown table, one line a figure."""
    lines = [_row(["", "what", "figure", *HEADINGS, "mockd, and what it is to reach"]), _row(["---"] * 11)]
    for case in results["cases"]:
        for index, figure in enumerate(case["figures"]):
            start = [case["row"], case["title"]] if index == 0 else ["", ""]
            goals = "; ".join(goal_text(goal, figure["unit"]) for goal in figure["goals"])
            lines.append(_row([*start, figure["label"], *_cells(figure, case["remarks"]), goals]))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(figure: Mapping[str, Any], remarks: Mapping[str, Sequence[str]]) -> list[str]:
    """The figures by column; servers without a column of their own are named in the first."""
    values = figure["values"]

    def cell(server: str) -> str:
        return number(values[server]["median"], figure["unit"]) + (" *" if server in remarks else "")

    cells = [cell(server) if server in values else "" for server in COLUMNS]
    others = [f"{values[server]['title']}: {cell(server)}" for server in values if server not in COLUMNS]
    cells[0] = "; ".join([cells[0], *others]) if cells[0] else "; ".join(others)
    return cells


def markdown(results: Results, plot: str | None = None) -> str:
    """Everything about a run, as a section of Markdown."""
    machine = results["machine"]
    versions = {**machine["versions"], **results["versions"]}
    parts = [
        f"Measured on {results['date']}: {machine['processor']}, {machine['cores']} cores ({machine['pinned']}), "
        f"{machine['system']}; load before: {machine['load_before']}. "
        + ", ".join(f"{name} {version}" for name, version in versions.items() if version)
        + ".",
        table(results),
    ]
    remarks = [
        f"- {case['title']}, {server}: {'; '.join(said)}"
        for case in results["cases"]
        for server, said in case["remarks"].items()
    ]
    if remarks:
        parts.append("\\* Remarks:\n\n" + "\n".join(remarks))
    if results["skipped"]:
        left_out = "; ".join(f"{name}: {why}" for name, why in results["skipped"].items())
        parts.append(f"Left out, as they could not be had: {left_out}.")
    if plot:
        parts.append(f"![How far behind schedule streams are, by their age]({plot})")
    return "\n\n".join(parts) + "\n"


# -- the page ----------------------------------------------------------------------------------------------------------


def block() -> str:
    """What belongs in the marked block of the page: the newest results, nothing where there are none."""
    path = newest()
    if path is None:
        return "\n"
    plot = path.with_suffix(".svg")
    link = f"../benchmarks/results/{plot.name}" if plot.exists() else None
    return "\n" + markdown(json.loads(path.read_text(encoding="utf-8")), link)


def fill_page() -> None:
    """Write the newest results into the marked block of the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + "\n" + block() + END + after, encoding="utf-8")


def page_block() -> str:
    """What stands in the marked block of the page now."""
    text = PAGE.read_text(encoding="utf-8")
    return text.partition(BEGIN + "\n")[2].partition(END)[0]
