"""Files as NumPy itself writes them. In: NumPy (2.4.6 made those that are kept here). Out: the files beside this script.

    python test/data/numpy/make.py
"""

import pathlib

import numpy as np

here = pathlib.Path(__file__).parent
rows = np.arange(12)
arrays = {
    "half": (rows.reshape(6, 2) / 8).astype(np.float16),
    "single": (rows.reshape(6, 2) / 7).astype(np.float32),
    "double": (rows.reshape(6, 2) / 7).astype(np.float64),
    "short": rows[:6].astype(np.int32) - 3,
    "long": rows[:6].astype(np.int64) + 2**60,
    "byte": (rows[:6] * 40).astype(np.uint8),
    "flag": rows[:6] % 2 == 0,
    "fortran": np.asfortranarray(rows.reshape(6, 2).astype(np.float32)),
}
np.savez(here / "stored.npz", **arrays)
np.savez_compressed(here / "deflated.npz", **arrays)
np.save(here / "single.npy", arrays["single"])
