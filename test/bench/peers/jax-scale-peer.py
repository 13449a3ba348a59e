"""JAX on deep models: one jitted step with donated state, compiled ahead. In: a scale file. Out: JSON lines."""

import math
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import serialize_executable

import jax_steps
import protocol
import scale_models

spec, feeds = scale_models.load(np)
start = time.process_time()
depth, sizes = spec["depth"], spec["sizes"]
draw = np.random.default_rng(1)


def dense(before, after):
    limit = math.sqrt(6 / (before + after))
    return {"w": draw.uniform(-limit, limit, (before, after)).astype(np.float32), "b": np.zeros(after, np.float32)}


def layer_norm(width):
    return {"scale": np.ones(width, np.float32), "shift": np.zeros(width, np.float32)}


def apply(p, x):
    return x @ p["w"] + p["b"]


def norm(p, x):
    centred = x - jnp.mean(x, -1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.mean(jnp.square(centred), -1, keepdims=True) + 1e-5) * p["scale"] + p["shift"]


def cross_entropy(logits, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1))


def perceptron():
    width, classes = sizes["width"], sizes["classes"]
    p = {"layers": [dense(width, width) for _ in range(depth)], "last": dense(width, classes)}

    def loss(p, x, y):
        for layer in p["layers"]:
            x = jax.nn.relu(apply(layer, x))
        return cross_entropy(apply(p["last"], x), y)

    return p, loss


def gpt():
    context, width, heads, words = (sizes[name] for name in ("context", "width", "heads", "words"))
    each = width // heads

    def block():
        return {
            "norm1": layer_norm(width),
            "norm2": layer_norm(width),
            **{name: dense(width, width) for name in ("query", "key", "value", "out")},
            "up": dense(width, 4 * width),
            "down": dense(4 * width, width),
        }

    p = {
        "words": draw.normal(0, 0.02, (words, width)).astype(np.float32),
        "places": draw.normal(0, 0.02, (context, width)).astype(np.float32),
        "blocks": [block() for _ in range(depth)],
        "last": layer_norm(width),
    }

    def attend(p, x):
        z = norm(p["norm1"], x)
        q, k, v = (apply(p[name], z).reshape(-1, context, heads, each).transpose(0, 2, 1, 3) for name in ("query", "key", "value"))
        seen = jnp.tril(jnp.ones((context, context), bool))
        weights = jax.nn.softmax(jnp.where(seen, q @ k.swapaxes(2, 3) / math.sqrt(each), -1e30))
        y = x + apply(p["out"], (weights @ v).transpose(0, 2, 1, 3).reshape(-1, context, width))
        return y + apply(p["down"], jax.nn.gelu(apply(p["up"], norm(p["norm2"], y)), approximate=False))

    def loss(p, x, y):
        h = p["words"][x] + p["places"]
        for block in p["blocks"]:
            h = attend(block, h)
        logits = norm(p["last"], h) @ p["words"].T
        return cross_entropy(logits.reshape(-1, words), y.reshape(-1))

    return p, loss


def realnvp():
    width = sizes["width"]

    def coupling():
        return {"scale1": dense(1, width), "scale2": dense(width, 1), "shift1": dense(1, width), "shift2": dense(width, 1)}

    def loss(p, x):
        total = 0
        for coupling in p:
            kept = x[:, :1]
            stretch = jnp.tanh(apply(coupling["scale2"], jax.nn.relu(apply(coupling["scale1"], kept))))
            shift = apply(coupling["shift2"], jax.nn.relu(apply(coupling["shift1"], kept)))
            x = jnp.concatenate([x[:, 1:] * jnp.exp(stretch) + shift, kept], 1)
            total = total + stretch[:, 0]
        return -jnp.mean(total - 0.5 * jnp.sum(jnp.square(x), 1) - math.log(2 * math.pi))

    return [coupling() for _ in range(depth)], loss


p, loss_of = {"perceptron": perceptron, "gpt": gpt, "realnvp": realnvp}[spec["family"]]()


def step(state, *feeds):
    p, slots = state
    loss, g = jax.value_and_grad(loss_of)(p, *feeds)
    return jax_steps.adam(p, slots, g, 1e-3), loss


def zeros():
    return jax.tree.map(np.zeros_like, p)


parameters = sum(value.size for value in jax.tree.leaves(p))
state = jax.device_put((p, (zeros(), zeros(), np.float32(0))))
given = [jax.device_put(value) for value in feeds.values()]
compiled = jax.jit(step, donate_argnums=0).lower(state, *given).compile()


def steps(count, keep):
    global state
    state, losses = jax_steps.run(compiled, state, given, count, keep)
    return losses


def about():
    return {"startSeconds": start, "parameters": parameters, "artifactBytes": len(serialize_executable.serialize(compiled)[0])}


protocol.serve(f"jax {jax.__version__}", lambda: None, steps, about)
