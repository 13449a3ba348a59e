"""PyTorch: modules and optimizers as its users write them, eager or (`compile` as the third argument) compiled. In: a workload file. Out: JSON lines."""

import sys

import numpy as np
import torch
import torch.nn.functional as F

import protocol

torch.set_num_threads(int(sys.argv[2]))
torch.set_flush_denormal(True)
spec, arrays = protocol.load(np)
compiled = len(sys.argv) > 3 and sys.argv[3] == "compile"
names = [array["name"] for array in spec["arrays"] if array["role"] == "initial"]
initial = {name: torch.from_numpy(arrays[name]) for name in names}
p = {name: value.clone().requires_grad_() for name, value in initial.items()}
x, y = torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"])
if spec["family"] == "perceptron":
    y = y.long()


def linear(x, y):
    return F.mse_loss(x @ p["w"], y)


def logistic(x, y):
    return F.binary_cross_entropy_with_logits(x @ p["w"] + p["b"], y)


def perceptron(x, y):
    h = torch.relu(torch.addmm(p["b1"], x, p["w1"]))
    h = torch.relu(torch.addmm(p["b2"], h, p["w2"]))
    return F.cross_entropy(torch.addmm(p["b3"], h, p["w3"]), y)


loss_of = {"linear": linear, "logistic": logistic, "perceptron": perceptron}[spec["family"]]
optimizer = None
one = None


def reset():
    global optimizer, one
    with torch.no_grad():
        for name in names:
            p[name].copy_(initial[name])
            p[name].grad = None
    if optimizer is not None:
        # Slots are emptied in place, so that what was compiled for them stays good.
        for state in optimizer.state.values():
            for value in state.values():
                if torch.is_tensor(value):
                    value.zero_()
        return
    rate, values = spec["rate"], list(p.values())
    optimizer = {
        "sgd": lambda: torch.optim.SGD(values, lr=rate),
        "momentum": lambda: torch.optim.SGD(values, lr=rate, momentum=0.9),
        "adam": lambda: torch.optim.Adam(values, lr=rate),
    }[spec["rule"]]()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def compiled_step():
        optimizer.zero_grad(set_to_none=True)
        loss = forward(x, y)
        loss.backward()
        advance()
        return loss.detach()

    if compiled:
        forward, advance = torch.compile(loss_of), torch.compile(optimizer.step)
    one = compiled_step if compiled else step


def steps(count, keep):
    if keep:
        return [one() for _ in range(count)]
    for _ in range(count):
        one()
    return []


protocol.serve(f"torch {torch.__version__}", reset, steps)
