"""Measures tfc on a GPU beside PyTorch and JAX. In: the folder that pack.ts made, which is the current one. Out: tables on standard output, `result.json`; exit code 1 where anything is wrong.

Holds: nothing is timed whose numbers are wrong; peers take turns; a peer that is not installed, or fails, is said to be missing and why."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time

ROUNDS = 7
SECONDS_OF_A_ROUND = 0.15
COMPARED_STEPS = 20
LONGEST = 570.0

began = time.monotonic()
failures = []


def fail(text):
    failures.append(text)
    print(f"WRONG: {text}", flush=True)


class Peer:
    """A process that answers requests; None where it does not start."""

    def __init__(self, name, command, env=None):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        self.answer()

    def answer(self):
        while True:
            line = self.process.stdout.readline()
            if line == "":
                words = self.process.stderr.read().strip().splitlines()
                raise RuntimeError(words[-1] if words else "it said nothing")
            # Some libraries greet on standard output.
            if line.startswith("{"):
                return json.loads(line)

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.kill()
        self.process.communicate()


def peers_of(workload):
    name, python = workload["name"], [sys.executable]
    products = "tensorfloat32" if workload["precision"] == "tf32" else "float32"
    jax = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "JAX_DEFAULT_MATMUL_PRECISION": products}
    return {
        "tfc": (["./peer", f"{name}.plan"], None),
        "torch": ([*python, "peers/torch-peer.py", f"{name}.json", "1", "eager", "cuda"], None),
        "torch.compile": ([*python, "peers/torch-peer.py", f"{name}.json", "1", "compile", "cuda"], None),
        "jax": ([*python, "peers/jax-peer.py", f"{name}.json", "1", "step"], jax),
    }


def far(checks, expected):
    """The largest distance, relative to the largest of a group."""
    worst = 0.0
    for ours, right in zip(checks, expected):
        scale = max(abs(value) for value in right) or 1.0
        for one, other in zip(ours, right):
            distance = abs(one - other) / scale if one is not None else float("inf")
            worst = max(worst, distance)
    return worst if len(checks) == len(expected) else float("inf")


def is_right(peer, workload):
    distance = far(peer.ask(f"check {COMPARED_STEPS}")["checks"], workload["checks"])
    if distance > workload["tolerance"]:
        fail(f"{workload['name']}: {peer.name} lies {distance:.2g} from f64, and {workload['tolerance']:.2g} is allowed")
        return False
    return True


def correctness(workloads):
    """tfc's numbers against f64, and its bits against themselves and those of the emulated driver."""
    for workload in workloads:
        name = workload["name"]
        peer = Peer("tfc", *peers_of(workload)["tfc"])
        is_right(peer, workload)
        for distance in peer.ask("worst")["worst"]:
            if distance is None or distance > workload["elementTolerance"]:
                fail(f"{name}: an element lies {distance} from f64")
        bits = [peer.ask("bits 3")["bits"] for _ in range(3)]
        if len(set(bits)) != 1:
            fail(f"{name}: bits differ from run to run: {bits}")
        if "bits" in workload and bits[0] != workload["bits"]:
            fail(f"{name}: the GPU's bits are not the emulated driver's")
        peer.close()
    print(f"correctness: {len(workloads)} workloads, {len(failures)} wrong", flush=True)


def sanitizers(workloads):
    tool = shutil.which("compute-sanitizer")
    if tool is None:
        print("compute-sanitizer: not installed", flush=True)
        return
    for check in ("memcheck", "racecheck", "synccheck"):
        wrong = 0
        for workload in workloads:
            command = [tool, "--tool", check, "--error-exitcode", "9", "./peer", f"{workload['name']}.plan"]
            done = subprocess.run(command, input="bits 3\n", text=True, capture_output=True)
            if done.returncode != 0:
                wrong += 1
                fail(f"{workload['name']}: {check}: {(done.stdout + done.stderr)[-2000:]}")
        print(f"compute-sanitizer {check}: {len(workloads)} workloads, {wrong} wrong", flush=True)


def timings(workload):
    """Nanoseconds of a step by peer: the median of rounds in which peers take turns. Missing ones say why."""
    running, missing, times = {}, {}, {}
    for name, how in peers_of(workload).items():
        try:
            peer = Peer(name, *how)
            if not is_right(peer, workload):
                peer.close()
                continue
            running[name] = peer
        except RuntimeError as error:
            missing[name] = str(error)
            if name == "tfc":
                fail(f"{workload['name']}: tfc: {error}")
    counts = {}
    for name, peer in running.items():
        count = 1
        while (ns := peer.ask(f"steps {count}")["ns"]) < SECONDS_OF_A_ROUND * 2.5e8 and count < 1 << 20:
            count *= 2
        counts[name] = max(1, round(count * SECONDS_OF_A_ROUND * 1e9 / ns))
        times[name] = []
    for _ in range(ROUNDS):
        for name, peer in running.items():
            times[name].append(peer.ask(f"steps {counts[name]}")["ns"] / counts[name])
    for peer in running.values():
        peer.close()
    return {name: statistics.median(values) for name, values in times.items()}, missing


def table(rows):
    peers = ["tfc", "torch", "torch.compile", "jax"]
    print("| workload | tfc, µs | TFLOP/s | GB/s | " + " | ".join(f"{name} / tfc" for name in peers[1:]) + " |")
    print("| --- | ---: | ---: | ---: |" + " ---: |" * (len(peers) - 1))
    for workload, times in rows:
        ours = times.get("tfc")
        if ours is None:
            continue
        ratios = " | ".join(f"{times[name] / ours:.2f}" if name in times else "" for name in peers[1:])
        print(f"| {workload['name']} | {ours / 1e3:.1f} | {workload['flops'] / ours / 1e3:.2f} | {workload['bytes'] / ours:.0f} | {ratios} |")


def main():
    with open("workloads.json", encoding="utf8") as file:
        workloads = json.load(file)
    small = [workload for workload in workloads if not workload["timed"]]
    correctness(workloads)
    sanitizers(small)
    rows, reasons = [], {}
    for workload in workloads:
        if not workload["timed"]:
            continue
        if time.monotonic() - began > LONGEST:
            print(f"{workload['name']}: no time is left", flush=True)
            continue
        times, missing = timings(workload)
        reasons.update(missing)
        rows.append((workload, times))
    for name, reason in reasons.items():
        print(f"{name} is missing: {reason}")
    table(rows)
    with open("result.json", "w", encoding="utf8") as file:
        json.dump({"failures": failures, "times": {workload["name"]: times for workload, times in rows}, "missing": reasons}, file, indent=1)
    print(f"{len(failures)} wrong, {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


sys.exit(main())
