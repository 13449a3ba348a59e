"""How a Python peer talks. In: a workload file, a step to serve. Out: JSON lines.

Holds: every request starts from the initial values; resetting is not timed."""

import json
import sys
import time


def load(numpy):
    """The workload of the command line: its description, and its arrays by name as NumPy arrays."""
    with open(sys.argv[1], encoding="utf8") as file:
        spec = json.load(file)
    raw = numpy.fromfile(spec["data"], dtype=numpy.uint8)
    arrays = {}
    for array in spec["arrays"]:
        dtype = numpy.float32 if array["dtype"] == "f32" else numpy.int32
        part = raw[array["offset"] : array["offset"] + 4 * array["count"]]
        arrays[array["name"]] = part.view(dtype).reshape(array["shape"]).copy()
    return spec, arrays


def serve(system, reset, steps):
    """reset() puts initial values back; steps(n, keep) runs n steps to their end and returns their losses when asked to keep them."""
    reset()
    steps(1, True)
    answer({"ready": True, "system": system})
    for line in sys.stdin:
        word, count = line.split()
        reset()
        if word == "losses":
            answer({"losses": [float(loss) for loss in steps(int(count), True)]})
            continue
        start = time.perf_counter_ns()
        steps(int(count), False)
        answer({"ns": time.perf_counter_ns() - start})


def answer(value):
    print(json.dumps(value), flush=True)
