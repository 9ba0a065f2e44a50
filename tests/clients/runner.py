"""Runs in an SDK's environment, not in mockd's: every function of a file of scenarios, one after the other.

python runner.py FILE URL prints a JSON object: for each function what it returned as `saw`, or its `traceback`.
Functions whose names begin with `_` are helpers. What the SDK itself prints goes to stderr.
"""

import asyncio
import inspect
import json
import os
import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location


def load(path):
    spec = spec_from_file_location("scenarios", path)
    module = module_from_spec(spec)
    sys.modules["scenarios"] = module  # where a class finds what its annotations name
    spec.loader.exec_module(module)
    return module


def scenarios_in(module):
    for name, value in list(vars(module).items()):  # what is run may add to them
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
            yield name, value


def run(scenario, url):
    try:
        returned = scenario(url)
        saw = asyncio.run(returned) if inspect.iscoroutine(returned) else returned
        return {"saw": json.loads(json.dumps(saw, default=as_json))}
    except BaseException:
        return {"traceback": traceback.format_exc()}


def as_json(value):
    """Models of the SDKs are pydantic's."""
    return value.model_dump(mode="json")


def main(path, url):
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        json.dump({name: run(scenario, url) for name, scenario in scenarios_in(load(path))}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
