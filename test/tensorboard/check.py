"""Event files as TensorBoard reads them. In: run directories that tfc wrote, with their run.jsonl. Out: exit code 0, or what differs.
Holds: every scalar, histogram, text, hyperparameter and node of the log and of the event files is the same for TensorBoard's own readers.

Not a part of `npm test`. Where a Python with `tensorboard` is there: `python test/tensorboard/check.py RUNDIR…`
"""

import json
import math
import os
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto import graph_pb2
from tensorboard.plugins.hparams import metadata, plugin_data_pb2
from tensorboard.util import tensor_util
import numpy


def logged(directory):
    """Scalars and histograms of run.jsonl by tag, without what was cut by going on with the run."""
    scalars, histograms, texts, hparams = {}, {}, {}, {}
    with open(os.path.join(directory, "run.jsonl"), encoding="utf8") as file:
        for line in file:
            if not line.endswith("\n"):
                break
            record = json.loads(line)
            if record["kind"] == "resumed":
                for table in (scalars, histograms):
                    for tag in list(table):
                        table[tag] = [one for one in table[tag] if one[0] <= record["step"]]
                        if not table[tag]:
                            del table[tag]
            elif record["kind"] == "scalars":
                for tag, value in record["values"].items():
                    scalars.setdefault(tag, []).append((record["step"], float(value)))
            elif record["kind"] == "histogram":
                histograms.setdefault(record["tag"], []).append((record["step"], record["summary"]))
            elif record["kind"] == "text":
                texts[record["tag"]] = record["text"]
            elif record["kind"] == "hparams":
                hparams = record["values"]
    return scalars, histograms, texts, hparams


def same(a, b):
    with numpy.errstate(over="ignore"):
        a, b = numpy.float32(a), numpy.float32(b)
    return a == b or (math.isnan(a) and math.isnan(b))


def check(directory):
    mistakes = []
    scalars, histograms, texts, hparams = logged(directory)
    accumulator = EventAccumulator(directory, size_guidance={kind: 0 for kind in ("scalars", "histograms", "tensors")})
    accumulator.Reload()
    tags = accumulator.Tags()
    for tag, points in scalars.items():
        found = accumulator.Scalars(tag) if tag in tags["scalars"] else []
        if [one.step for one in found] != [step for step, _ in points]:
            mistakes.append(f"{tag}: {len(found)} steps in the place of {len(points)}")
        elif not all(same(one.value, value) for one, (_, value) in zip(found, points)):
            mistakes.append(f"{tag}: other values")
    extra = [tag for tag in tags["scalars"] if tag not in scalars and not tag.endswith(" (not finite)")]
    if extra:
        mistakes.append(f"scalars that are not in the log: {extra}")
    for tag, points in histograms.items():
        found = accumulator.Histograms(tag) if tag in tags["histograms"] else []
        for one, (step, summary) in zip(found, points, strict=True):
            value = one.histogram_value
            if (one.step, value.num, value.bucket_limit, value.bucket) != (step, summary["count"], summary["limits"], summary["counts"]):
                mistakes.append(f"{tag}: another histogram at step {step}")
    for tag, text in texts.items():
        found = [tensor_util.make_ndarray(one.tensor_proto).item().decode() for one in accumulator.Tensors(tag)]
        if found[-1:] != [text]:
            mistakes.append(f"text {tag}: {found}")
    if tags["graph"]:
        graph = graph_pb2.GraphDef.FromString(accumulator.Graph().SerializeToString())
        names = {node.name for node in graph.node}
        if len(names) != len(graph.node):
            mistakes.append("two nodes have one name")
        for node in graph.node:
            for name in node.input:
                if name not in names:
                    mistakes.append(f"{node.name} reads {name}, which is no node")
            if any(other.startswith(f"{node.name}/") for other in names):
                mistakes.append(f"{node.name} is a node and a scope")
    started = read_hparams(directory)
    for name, value in hparams.items():
        if name not in started or value_of(started[name]) != value:
            mistakes.append(f"hyperparameter {name}: {started.get(name)}")
    print(f"{directory}: {len(scalars)} scalars, {len(histograms)} histograms, {len(hparams)} hyperparameters: {len(mistakes)} mistakes")
    return mistakes


def value_of(value):
    return getattr(value, value.WhichOneof("kind"))


def read_hparams(directory):
    """Through the loader that today's TensorBoard goes through, which checks every checksum."""
    for name in sorted(os.listdir(directory)):
        if "tfevents" not in name:
            continue
        for event in EventFileLoader(os.path.join(directory, name)).Load():
            for value in event.summary.value:
                if value.tag == metadata.SESSION_START_INFO_TAG:
                    data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
                    return dict(data.session_start_info.hparams)
    return {}


if __name__ == "__main__":
    found = [mistake for directory in sys.argv[1:] for mistake in check(directory)]
    print("\n".join(found))
    sys.exit(1 if found or len(sys.argv) == 1 else 0)
