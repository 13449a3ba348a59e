"""JAX: one jitted step with donated state, or (`loop` as the third argument) many steps within one jitted loop. In: a workload file. Out: JSON lines."""

import sys

import jax
import jax.numpy as jnp
import numpy as np

import jax_steps
import protocol

spec, arrays = protocol.load(np)
rate = spec["rate"]
names = [array["name"] for array in spec["arrays"] if array["role"] == "initial"]


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


loss_of = {"linear": linear, "logistic": logistic, "perceptron": perceptron}.get(spec["family"])


def slots(p):
    zeros = lambda: jax.tree.map(jnp.zeros_like, p)
    return {"sgd": lambda: (), "momentum": zeros, "adam": lambda: (zeros(), zeros(), jnp.zeros(()))}[spec["rule"]]()


def update(p, s, g):
    if spec["rule"] == "sgd":
        return jax.tree.map(lambda p, g: p - rate * g, p, g), s
    if spec["rule"] == "momentum":
        v = jax.tree.map(lambda v, g: 0.9 * v + g, s, g)
        return jax.tree.map(lambda p, v: p - rate * v, p, v), v
    return jax_steps.adam(p, s, g, rate)


def step(state, x, y):
    p, s = state
    loss, g = jax.value_and_grad(loss_of)(p, x, y)
    return update(p, s, g), loss


looped = len(sys.argv) > 3 and sys.argv[3] == "loop"


def training():
    """Steps, and how to start anew."""
    x, y = jnp.asarray(arrays["x"]), jnp.asarray(arrays["y"])
    one = jax.jit(step, donate_argnums=0)
    many = lambda state, count, x, y: jax.lax.fori_loop(0, count, lambda _, now: step(now[0], x, y), (state, jnp.zeros(())))
    loop = jax.jit(many, donate_argnums=0)
    state = None

    def reset():
        nonlocal state
        p = {name: jnp.array(arrays[name]) for name in names}
        state = (p, slots(p))
        jax.block_until_ready(state)

    def steps(count, keep):
        nonlocal state
        if looped and not keep:
            state, loss = loop(state, count, x, y)
            jax.block_until_ready(state)
            return []
        state, losses = jax_steps.run(loop, state, (1, x, y), count, keep) if looped else jax_steps.run(one, state, (x, y), count, keep)
        return losses

    return reset, steps


def gelu(v):
    return 0.5 * v * (1 + jnp.tanh(0.7978845608 * (v + 0.044715 * v * v * v)))


def chain(x, r, b):
    return gelu(x * 1.25 + b) + r


def norm(x, r, b, scale, shift, w):
    z = gelu(x + b) + r
    centred = z - jnp.mean(z, -1, keepdims=True)
    spread = jnp.mean(jnp.square(centred), -1, keepdims=True)
    return jnp.sum((centred * jax.lax.rsqrt(spread + 1e-5) * scale + shift) * w)


def flat(value_and_gradients):
    value, gradients = value_and_gradients
    return [value, *gradients]


def product(a, b):
    """In f32, or as JAX_DEFAULT_MATMUL_PRECISION says; what is rounded to bf16 is added in f32."""
    if spec.get("precision") != "bf16":
        return [a @ b]
    return [jnp.matmul(a.astype(jnp.bfloat16), b.astype(jnp.bfloat16), preferred_element_type=jnp.float32)]


function_of = {
    "chain": lambda x, r, b: [chain(x, r, b)],
    "chain-derivative": lambda x, r, b: flat(jax.value_and_grad(lambda *by: jnp.mean(jnp.square(chain(*by))), (0, 1, 2))(x, r, b)),
    "norm": lambda x, r, w, b, scale, shift: flat(jax.value_and_grad(norm, (0, 1, 2, 3, 4))(x, r, b, scale, shift, w)),
    "product": product,
    "product-left": lambda a, b: product(a.T, b),
    "product-right": lambda a, b: product(a, b.T),
}


def function():
    """Results go into the memory of those before, which are donated: others keep theirs as well."""
    compute = function_of[spec["family"]]
    feeds = [jnp.asarray(value) for value in arrays.values()]
    arrays.clear()
    again = jax.jit(lambda before, *feeds: compute(*feeds), donate_argnums=0, keep_unused=True)
    results = [jnp.zeros(each.shape, each.dtype) for each in jax.eval_shape(compute, *feeds)]

    def steps(count, keep):
        nonlocal results
        for _ in range(count):
            results = again(results, *feeds)
        jax.block_until_ready(results)
        return protocol.checks_of(np, results) if keep else []

    return lambda: None, steps


protocol.serve(f"jax {jax.__version__}", *(function() if spec["rule"] == "none" else training()))
