"""How a Python peer talks. In: a workload file, a step to serve. Out: JSON lines.

Holds: every request starts from the initial values; resetting is not timed."""

import json
import os
import sys
import time


def load(numpy):
    """The workload of the command line: its description, and its arrays by name as NumPy arrays."""
    with open(sys.argv[1], encoding="utf8") as file:
        spec = json.load(file)
    arrays = {}
    for array in spec["arrays"]:
        dtype = numpy.float32 if array["dtype"] == "f32" else numpy.int32
        # Where fewer elements are stored than there are, they are repeated.
        stored = numpy.fromfile(spec["data"], dtype=dtype, count=array.get("stored", array["count"]), offset=array["offset"])
        arrays[array["name"]] = numpy.resize(stored, array["shape"])
    return spec, arrays


def serve(system, reset, steps, about=lambda: {}):
    """reset() puts initial values back; steps(n, keep) runs n steps to their end and returns the numbers to check when asked to keep them: see checks_of, or losses; about() says what else there is to know."""
    reset()
    steps(1, False)
    answer({"ready": True, "system": system})
    for line in sys.stdin:
        word, count = line.split()
        if word == "about":
            answer(about())
            continue
        reset()
        if word == "check":
            answer({"checks": steps(int(count), True)})
            continue
        start = time.perf_counter_ns()
        steps(int(count), False)
        answer({"ns": time.perf_counter_ns() - start})


def settle():
    """A processor for each thread there is, where there are enough: a library's thread that wakes where its caller computes would wait for it."""
    processors = sorted(os.sched_getaffinity(0))
    threads = sorted(int(thread) for thread in os.listdir("/proc/self/task"))
    if len(threads) > len(processors):
        return
    for thread, processor in zip(threads, processors):
        os.sched_setaffinity(thread, {processor})


def losses(values):
    """Losses of steps, as numbers to check."""
    return [[float(value) for value in values]]


def checks_of(numpy, results):
    """What a function's results are compared by: each one's root of the mean square, and a mean that knows the order of its elements. In pieces, so that memory does not grow by it."""
    return [checks_of_one(numpy, numpy.asarray(result).reshape(-1)) for result in results]


def checks_of_one(numpy, values):
    piece = 7 * 65536
    slope = numpy.arange(piece, dtype=numpy.float64) % 7
    squares = slanted = 0.0
    for start in range(0, values.size, piece):
        part = values[start : start + piece].astype(numpy.float64)
        squares += float(part @ part)
        slanted += float(part @ slope[: part.size])
    return [(squares / values.size) ** 0.5, slanted / values.size]


def answer(value):
    print(json.dumps(value), flush=True)
