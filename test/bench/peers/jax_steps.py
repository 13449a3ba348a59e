"""How JAX is trained here, small or deep. In: a compiled step, values and slots of Adam. Out: steps of it, and its update.

Holds: a step takes a state and what it is called with, and gives the next state and a loss; nothing waits for a step before the last."""

import jax
import jax.numpy as jnp

import protocol


def run(one, state, given, count, keep):
    """The state behind so many steps, and their losses where they are kept."""
    losses = []
    for _ in range(count):
        state, loss = one(state, *given)
        if keep:
            losses.append(loss)
    jax.block_until_ready(state)
    return state, protocol.losses(losses)


def adam(p, slots, g, rate):
    m, v, t = slots
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    first, second = 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)
    p = jax.tree.map(lambda p, m, v: p - rate * (m * first) / (jnp.sqrt(v * second) + 1e-8), p, m, v)
    return p, (m, v, t)
