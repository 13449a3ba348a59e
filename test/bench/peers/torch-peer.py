"""PyTorch: modules and optimizers as its users write them, eager or (`compile` as the third argument) compiled, on the processor or (`cuda` as the fourth) a GPU. In: a workload file. Out: JSON lines."""

import sys

import numpy as np
import torch
import torch.nn.functional as F

import protocol
import torch_steps

torch.set_num_threads(int(sys.argv[2]))
torch.set_flush_denormal(True)
spec, arrays = protocol.load(np)
compiled = len(sys.argv) > 3 and sys.argv[3] == "compile"
device = sys.argv[4] if len(sys.argv) > 4 else "cpu"
# Of products; what is rounded to bf16 is so by autocast, as its users have it.
precision = spec.get("precision")
torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"


def rounding():
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bf16")


# What is compiled for a GPU is launched as one graph.
torch_compile = torch.compile if device == "cpu" else lambda function: torch.compile(function, mode="reduce-overhead")


def given(array):
    return torch.from_numpy(array).to(device)


def done():
    """Waits for what runs beside Python."""
    if device != "cpu":
        torch.cuda.synchronize()


names = [array["name"] for array in spec["arrays"] if array["role"] == "initial"]
initial = {name: given(arrays[name]) for name in names}
p = {name: value.clone().requires_grad_() for name, value in initial.items()}


def linear(x, y):
    return F.mse_loss(x @ p["w"], y)


def logistic(x, y):
    return F.binary_cross_entropy_with_logits(x @ p["w"] + p["b"], y)


def perceptron(x, y):
    h = torch.relu(torch.addmm(p["b1"], x, p["w1"]))
    h = torch.relu(torch.addmm(p["b2"], h, p["w2"]))
    return F.cross_entropy(torch.addmm(p["b3"], h, p["w3"]), y)


loss_of = {"linear": linear, "logistic": logistic, "perceptron": perceptron}.get(spec["family"])


def training():
    """Steps, and how to start anew."""
    x, y = given(arrays["x"]), given(arrays["y"])
    if spec["family"] == "perceptron":
        y = y.long()
    rate, values = spec["rate"], list(p.values())
    optimizer = {
        "sgd": lambda: torch.optim.SGD(values, lr=rate),
        "momentum": lambda: torch.optim.SGD(values, lr=rate, momentum=0.9),
        "adam": lambda: torch.optim.Adam(values, lr=rate),
    }[spec["rule"]]()
    forward, advance = (torch_compile(loss_of), torch_compile(optimizer.step)) if compiled else (loss_of, optimizer.step)

    def reset():
        with torch.no_grad():
            for name in names:
                p[name].copy_(initial[name])
                p[name].grad = None
        # Slots are emptied in place, so that what was compiled for them stays good.
        for state in optimizer.state.values():
            for value in state.values():
                if torch.is_tensor(value):
                    value.zero_()

    return reset, finished(torch_steps.steps_of(optimizer, forward, advance, (x, y)))


def finished(steps):
    """Steps that are done when they return."""

    def all_of(count, keep):
        answer = steps(count, keep)
        done()
        return answer

    return all_of


def function():
    """Results go into memory that is kept, where the library can be told so."""
    feeds = {name: given(value) for name, value in arrays.items()}
    by = [name for name in feeds if name != "w"]
    results = []

    def chain(x, r, b):
        return F.gelu(x * 1.25 + b, approximate="tanh") + r

    def norm(x, r, w, b, scale, shift):
        return (F.layer_norm(F.gelu(x + b, approximate="tanh") + r, (x.shape[1],), scale, shift, 1e-5) * w).sum()

    def derivatives(loss_of):
        loss_of = torch_compile(loss_of) if compiled else loss_of
        for name in by:
            feeds[name].requires_grad_()

        def one():
            for name in by:
                feeds[name].grad = None
            loss = loss_of(**feeds)
            loss.backward()
            results[:] = [loss.detach(), *(feeds[name].grad for name in by)]

        return one

    def forward():
        compute = torch_compile(chain) if compiled else chain

        def one():
            with torch.no_grad():
                results[:] = [compute(**feeds)]

        return one

    def product(a, b):
        c = torch.empty(a.shape[0], b.shape[1], device=device)
        kept = not compiled and precision != "bf16"
        multiply = (lambda a, b: torch.mm(a, b, out=c)) if kept else torch_compile(lambda a, b: a @ b) if compiled else lambda a, b: a @ b

        def one():
            with torch.no_grad(), rounding():
                results[:] = [multiply(a, b)]

        return one

    one = {
        "chain": forward,
        "chain-derivative": lambda: derivatives(lambda **feeds: chain(**feeds).square().mean()),
        "norm": lambda: derivatives(norm),
        "product": lambda: product(feeds["a"], feeds["b"]),
        "product-left": lambda: product(feeds["a"].T, feeds["b"]),
        "product-right": lambda: product(feeds["a"], feeds["b"].T),
    }[spec["family"]]()

    def steps(count, keep):
        for _ in range(count):
            one()
        return protocol.checks_of(np, [result.float().cpu() for result in results]) if keep else []

    return lambda: None, finished(steps)


protocol.serve(f"torch {torch.__version__}", *(function() if spec["rule"] == "none" else training()))
