"""NumPy by hand: derivatives written out, every result into memory that is kept. In: a workload file. Out: JSON lines."""

import numpy as np

import numpy_functions

import protocol

f4 = np.float32
spec, arrays = protocol.load(np)
rows, rate = spec["sizes"][0], spec["rate"]
initial = {array["name"]: arrays[array["name"]] for array in spec["arrays"] if array["role"] == "initial"}
now = {name: value.copy() for name, value in initial.items()}
slots = []


def reset():
    for name, value in initial.items():
        now[name][...] = value
    for slot in slots:
        slot[...] = 0


def kept(shape):
    slots.append(np.zeros(shape, f4))
    return slots[-1]


def linear():
    x, y = arrays["x"], arrays["y"]
    w, target, error = now["w"][:, 0], y[:, 0], np.empty(rows, f4)

    def step():
        np.dot(x, w, out=error)
        np.subtract(error, target, out=error)
        loss = error @ error / rows
        np.subtract(w, f4(2 * rate / rows) * (error @ x), out=w)
        return loss

    return step


def logistic():
    x, y = arrays["x"], arrays["y"]
    w, b, target = now["w"][:, 0], now["b"], y[:, 0]
    columns = np.ascontiguousarray(x.T)
    vw, vb = kept(2), kept(())
    z, t, p = (np.empty(rows, f4) for _ in range(3))

    def step():
        np.dot(x, w, out=z)
        np.add(z, b, out=z)
        np.abs(z, out=t)
        np.negative(t, out=t)
        np.exp(t, out=t)
        # The loss max(z, 0) - z·y + log(1 + exp(-|z|)); then the error sigmoid(z) - y, by the stable form on either side of zero.
        loss = (np.maximum(z, 0).sum() - z @ target + np.log1p(t).sum()) / rows
        np.copyto(p, 1)
        np.copyto(p, t, where=z < 0)
        np.add(t, 1, out=t)
        np.divide(p, t, out=p)
        np.subtract(p, target, out=p)
        np.multiply(vw, f4(0.9), out=vw)
        np.add(vw, f4(1 / rows) * (columns @ p), out=vw)
        vb[...] = f4(0.9) * vb + p.sum() / f4(rows)
        np.subtract(w, f4(rate) * vw, out=w)
        b[...] = b - f4(rate) * vb
        return loss

    return step


def perceptron():
    x, y = arrays["x"], arrays["y"]
    w, b = [now[f"w{i}"] for i in (1, 2, 3)], [now[f"b{i}"] for i in (1, 2, 3)]
    h1, h2, logits = (np.empty((rows, n), f4) for n in (300, 100, 10))
    d1, d2 = np.empty_like(h1), np.empty_like(h2)
    gw, gb = [np.empty_like(v) for v in w], [np.empty_like(v) for v in b]
    every = np.arange(rows)
    values, gradients = w + b, gw + gb
    adam = spec["rule"] == "adam"
    m, v = ([kept(p.shape) for p in values] for _ in range(2)) if adam else ([], [])
    count = kept(())
    work = [np.empty_like(p) for p in values]

    def step():
        np.dot(x, w[0], out=h1)
        np.add(h1, b[0], out=h1)
        np.maximum(h1, 0, out=h1)
        np.dot(h1, w[1], out=h2)
        np.add(h2, b[1], out=h2)
        np.maximum(h2, 0, out=h2)
        np.dot(h2, w[2], out=logits)
        np.add(logits, b[2], out=logits)
        np.subtract(logits, logits.max(1, keepdims=True), out=logits)
        picked = logits[every, y]
        np.exp(logits, out=logits)
        total = logits.sum(1, keepdims=True)
        loss = (np.log(total[:, 0]) - picked).mean()
        np.divide(logits, total, out=logits)
        logits[every, y] -= 1
        np.multiply(logits, f4(1 / rows), out=logits)
        np.dot(h2.T, logits, out=gw[2])
        np.sum(logits, 0, out=gb[2])
        np.dot(logits, w[2].T, out=d2)
        np.multiply(d2, h2 > 0, out=d2)
        np.dot(h1.T, d2, out=gw[1])
        np.sum(d2, 0, out=gb[1])
        np.dot(d2, w[1].T, out=d1)
        np.multiply(d1, h1 > 0, out=d1)
        np.dot(x.T, d1, out=gw[0])
        np.sum(d1, 0, out=gb[0])
        update()
        return loss

    def update():
        if not adam:
            for p, g in zip(values, gradients):
                np.multiply(g, f4(rate), out=g)
                np.subtract(p, g, out=p)
            return
        count[...] += 1
        rate_now, root = f4(rate / (1 - 0.9 ** float(count))), f4(1 / np.sqrt(1 - 0.999 ** float(count)))
        for p, g, first, second, t in zip(values, gradients, m, v, work):
            np.multiply(first, f4(0.9), out=first)
            np.multiply(g, f4(0.1), out=t)
            np.add(first, t, out=first)
            np.multiply(second, f4(0.999), out=second)
            np.multiply(g, g, out=g)
            np.multiply(g, f4(0.001), out=g)
            np.add(second, g, out=second)
            np.sqrt(second, out=g)
            np.multiply(g, root, out=g)
            np.add(g, f4(1e-8), out=g)
            np.divide(first, g, out=g)
            np.multiply(g, rate_now, out=g)
            np.subtract(p, g, out=p)

    return step


training = {"linear": linear, "logistic": logistic, "perceptron": perceptron}
if spec["rule"] == "none":
    one, results = numpy_functions.make(spec["family"], arrays)
else:
    one, results = training[spec["family"]](), None


def steps(count, keep):
    losses = []
    for _ in range(count):
        loss = one()
        if keep:
            losses.append(loss)
    if not keep:
        return []
    return protocol.losses(losses) if results is None else protocol.checks_of(np, results())


protocol.settle()
protocol.serve(f"numpy {np.__version__}", reset, steps)
