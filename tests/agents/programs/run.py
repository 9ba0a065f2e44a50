"""Runs in a framework's environment, not in mockd's: python run.py PROGRAM URL TASK prints what the model answered.

A program has `work(url, task, tools)`, which may be a coroutine: it gives the framework the functions `tools`, asks,
and returns the answer. What comes back after an error is the framework; only if `JOB_ATTEMPTS` says so, the program
asks once more, as a user would.
"""

import asyncio
import inspect
import os
import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def load(path):
    spec = spec_from_file_location(f"program_{path.stem}", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where decorators look for what annotations name
    spec.loader.exec_module(module)
    return module


def main(program, url, task):
    tools = load(Path(__file__).with_name("tools.py"))
    work = load(Path(program)).work
    for left in reversed(range(int(os.environ["JOB_ATTEMPTS"]))):
        try:
            answer = work(url, task, [tools.find_station, tools.read_rain])
            print(asyncio.run(answer) if inspect.iscoroutine(answer) else answer)
            return
        except Exception:
            if not left:
                raise
            traceback.print_exc()


if __name__ == "__main__":
    main(*sys.argv[1:])
