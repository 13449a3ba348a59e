"""JAX: one jitted step with donated state, or (`loop` as the third argument) many steps within one jitted loop. In: a workload file. Out: JSON lines."""

import sys

import jax
import jax.numpy as jnp
import numpy as np

import protocol

spec, arrays = protocol.load(np)
rate = spec["rate"]
names = [array["name"] for array in spec["arrays"] if array["role"] == "initial"]
x, y = jnp.asarray(arrays["x"]), jnp.asarray(arrays["y"])


def linear(p, x, y):
    return jnp.mean(jnp.square(x @ p["w"] - y))


def logistic(p, x, y):
    z = x @ p["w"] + p["b"]
    return jnp.mean(jax.nn.softplus(z) - z * y)


def perceptron(p, x, y):
    h = jax.nn.relu(x @ p["w1"] + p["b1"])
    h = jax.nn.relu(h @ p["w2"] + p["b2"])
    scores = jax.nn.log_softmax(h @ p["w3"] + p["b3"])
    return -jnp.mean(jnp.take_along_axis(scores, y[:, None], axis=1))


loss_of = {"linear": linear, "logistic": logistic, "perceptron": perceptron}[spec["family"]]


def slots(p):
    zeros = lambda: jax.tree.map(jnp.zeros_like, p)
    return {"sgd": lambda: (), "momentum": zeros, "adam": lambda: (zeros(), zeros(), jnp.zeros(()))}[spec["rule"]]()


def update(p, s, g):
    if spec["rule"] == "sgd":
        return jax.tree.map(lambda p, g: p - rate * g, p, g), s
    if spec["rule"] == "momentum":
        v = jax.tree.map(lambda v, g: 0.9 * v + g, s, g)
        return jax.tree.map(lambda p, v: p - rate * v, p, v), v
    m, v, t = s
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    first, second = 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)
    p = jax.tree.map(lambda p, m, v: p - rate * (m * first) / (jnp.sqrt(v * second) + 1e-8), p, m, v)
    return p, (m, v, t)


def step(state, x, y):
    p, s = state
    loss, g = jax.value_and_grad(loss_of)(p, x, y)
    return update(p, s, g), loss


one = jax.jit(step, donate_argnums=0)


def many(state, count, x, y):
    return jax.lax.fori_loop(0, count, lambda _, now: step(now[0], x, y), (state, jnp.zeros(())))


loop = jax.jit(many, donate_argnums=0)
looped = len(sys.argv) > 3 and sys.argv[3] == "loop"
state = None


def reset():
    global state
    p = {name: jnp.array(arrays[name]) for name in names}
    state = (p, slots(p))
    jax.block_until_ready(state)


def steps(count, keep):
    global state
    if looped and not keep:
        state, loss = loop(state, count, x, y)
        jax.block_until_ready(state)
        return []
    losses = []
    for _ in range(count):
        if looped:
            state, loss = loop(state, 1, x, y)
        else:
            state, loss = one(state, x, y)
        if keep:
            losses.append(loss)
    jax.block_until_ready(state)
    return losses


protocol.serve(f"jax {jax.__version__}", reset, steps)
