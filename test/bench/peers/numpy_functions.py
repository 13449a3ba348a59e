"""Functions for NumPy by hand. In: a family, its feeds. Out: a function that computes once, and one that gives the results. Holds: results and everything in between go into memory that is kept; chains
run over blocks of rows whose intermediates stay in the second-level cache."""

import numpy as np

f4 = np.float32
BLOCK = 32
C, K = f4(0.7978845608), f4(0.044715)


def gelu(v, u, th, z):
    """z = GELU of v by its tanh, which stays in th."""
    np.multiply(v, v, out=u)
    np.multiply(u, K * C, out=u)
    np.add(u, C, out=u)
    np.multiply(u, v, out=u)
    np.tanh(u, out=th)
    np.add(th, f4(1), out=z)
    np.multiply(z, v, out=z)
    np.multiply(z, f4(0.5), out=z)


def gelu_slope(v, u, th, t):
    """u = the derivative at v, of which th is the tanh: (1 + th)/2 + v (1 - th²) c (1 + 3k v²)/2; th is overwritten."""
    np.multiply(v, v, out=u)
    np.multiply(u, f4(1.5) * K * C, out=u)
    np.add(u, f4(0.5) * C, out=u)
    np.multiply(u, v, out=u)
    np.multiply(th, th, out=t)
    np.subtract(f4(1), t, out=t)
    np.multiply(u, t, out=u)
    np.multiply(th, f4(0.5), out=th)
    np.add(th, f4(0.5), out=th)
    np.add(u, th, out=u)


def chain(x, r, b):
    z = np.empty_like(x)
    v, u, th = (np.empty((BLOCK, x.shape[1]), f4) for _ in range(3))

    def one():
        for at in range(0, len(x), BLOCK):
            rows = slice(at, at + BLOCK)
            np.multiply(x[rows], f4(1.25), out=v)
            np.add(v, b, out=v)
            gelu(v, u, th, z[rows])
            np.add(z[rows], r[rows], out=z[rows])

    return one, lambda: [z]


def chain_derivative(x, r, b):
    dx, dr = np.empty_like(x), np.empty_like(x)
    db = np.empty_like(b)
    loss = np.zeros(())
    v, u, th, z = (np.empty((BLOCK, x.shape[1]), f4) for _ in range(4))

    def one():
        total = 0.0
        db.fill(0)
        for at in range(0, len(x), BLOCK):
            rows = slice(at, at + BLOCK)
            np.multiply(x[rows], f4(1.25), out=v)
            np.add(v, b, out=v)
            gelu(v, u, th, z)
            np.add(z, r[rows], out=z)
            total += float(np.dot(z.ravel(), z.ravel()))
            np.multiply(z, f4(2 / x.size), out=dr[rows])
            gelu_slope(v, u, th, z)
            np.multiply(u, dr[rows], out=u)
            np.add(db, u.sum(0), out=db)
            np.multiply(u, f4(1.25), out=dx[rows])
        loss[...] = total / x.size

    return one, lambda: [loss, dx, dr, db]


def norm(x, r, w, b, scale, shift):
    dx, dr = np.empty_like(x), np.empty_like(x)
    db, dscale, dshift = (np.empty_like(b) for _ in range(3))
    loss = np.zeros(())
    width = x.shape[1]
    v, u, th, z, t = (np.empty((BLOCK, width), f4) for _ in range(5))

    def one():
        total = 0.0
        for sum_of in (db, dscale, dshift):
            sum_of.fill(0)
        for at in range(0, len(x), BLOCK):
            rows = slice(at, at + BLOCK)
            np.add(x[rows], b, out=v)
            gelu(v, u, th, z)
            np.add(z, r[rows], out=z)
            np.subtract(z, z.mean(1, keepdims=True), out=z)
            spread = np.einsum("ij,ij->i", z, z)[:, None] / f4(width)
            inverse = f4(1) / np.sqrt(spread + f4(1e-5))
            np.multiply(z, inverse, out=z)
            weights = w[rows]
            np.multiply(weights, z, out=t)
            column = t.sum(0)
            np.add(dscale, column, out=dscale)
            plain = weights.sum(0)
            np.add(dshift, plain, out=dshift)
            total += float(column @ scale) + float(plain @ shift)
            # dz = inverse · (w·scale - mean(w·scale) - z · mean(w·scale·z))
            np.multiply(weights, scale, out=t)
            first = t.mean(1, keepdims=True)
            second = np.einsum("ij,ij->i", t, z)[:, None] / f4(width)
            np.multiply(z, second, out=z)
            np.subtract(t, z, out=t)
            np.subtract(t, first, out=t)
            np.multiply(t, inverse, out=dr[rows])
            gelu_slope(v, u, th, t)
            np.multiply(u, dr[rows], out=dx[rows])
            np.add(db, dx[rows].sum(0), out=db)
        loss[...] = total

    return one, lambda: [loss, dx, dr, db, dscale, dshift]


def product(a, b):
    c = np.empty((a.shape[0], b.shape[1]), f4)

    def one():
        np.dot(a, b, out=c)

    return one, lambda: [c]


functions = {
    "chain": chain,
    "chain-derivative": chain_derivative,
    "norm": norm,
    "product": product,
    "product-left": lambda a, b: product(a.T, b),
    "product-right": lambda a, b: product(a, b.T),
}


def make(family, arrays):
    return functions[family](**arrays)
