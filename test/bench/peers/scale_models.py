"""What the deep peers share. In: a scale file on the command line. Out: its description, feeds.

Holds: numbers are drawn like the bench's own: normal ones, and integers that are as likely as each other."""

import json
import sys


def load(numpy):
    """The model of the command line, and its feeds by name as NumPy arrays."""
    with open(sys.argv[1], encoding="utf8") as file:
        spec = json.load(file)
    draw = numpy.random.default_rng(20)
    feeds = {
        feed["name"]: draw.integers(0, feed["below"], feed["shape"], dtype=numpy.int32)
        if feed["dtype"] == "i32"
        else draw.standard_normal(feed["shape"], dtype=numpy.float32)
        for feed in spec["feeds"]
    }
    return spec, feeds
