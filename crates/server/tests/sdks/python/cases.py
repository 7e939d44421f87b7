"""Runs the cases of an SDK one after the other, and says on a line of JSON what came of each."""

import json
import os
import sys
import time
import traceback

KEYS = json.loads(os.environ["KEYWARD_KEYS"])
"""Virtual keys by what they are for: a limit that refuses, or the fixture of a provider's error."""

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A single pixel."""

_cases = []


def case(function):
    """A case, in the order in which they are written."""
    _cases.append(function)
    return function


def equal(found, expected):
    """Fails unless both are the same."""
    assert found == expected, f"expected {expected!r}, got {found!r}"


def raises(kind, call):
    """Calls, and returns the exception, which must be of this very class."""
    try:
        result = call()
    except kind as error:
        equal(type(error), kind)
        return error
    raise AssertionError(f"expected {kind.__name__}, got {result!r}")


def run():
    """Runs all cases."""
    failed = 0
    for function in _cases:
        start, result = time.monotonic(), {"case": function.__name__, "ok": True}
        try:
            function()
        except BaseException:  # one that fails says so, and the next has its turn
            failed += 1
            result |= {"ok": False, "error": traceback.format_exc()}
        result["seconds"] = round(time.monotonic() - start, 3)
        print(json.dumps(result), flush=True)
    sys.exit(1 if failed else 0)
