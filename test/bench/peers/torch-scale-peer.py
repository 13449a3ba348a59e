"""PyTorch on deep models: modules and optimizers as its users write them, compiled. In: a scale file. Out: JSON lines."""

import math
import os
import pathlib
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import protocol
import scale_models
import torch_steps

torch.set_num_threads(int(sys.argv[2]))
torch.set_flush_denormal(True)
spec, feeds = scale_models.load(np)
start = time.process_time()
depth, sizes = spec["depth"], spec["sizes"]


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        width = sizes["width"]
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.last = nn.Linear(width, sizes["classes"])

    def forward(self, x, y):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return F.cross_entropy(self.last(x), y)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.register_buffer("seen", torch.ones(sizes["context"], sizes["context"], dtype=torch.bool).tril())

    def forward(self, x):
        batch, context, width = x.shape
        heads = sizes["heads"]
        z = self.norm1(x)
        q, k, v = (layer(z).view(batch, context, heads, width // heads).transpose(1, 2) for layer in (self.query, self.key, self.value))
        scores = q @ k.transpose(2, 3) / math.sqrt(width // heads)
        weights = torch.softmax(scores.masked_fill(~self.seen, -1e30), -1)
        y = x + self.out((weights @ v).transpose(1, 2).reshape(batch, context, width))
        return y + self.down(F.gelu(self.up(self.norm2(y))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        width = sizes["width"]
        self.words = nn.Parameter(0.02 * torch.randn(sizes["words"], width))
        self.places = nn.Parameter(0.02 * torch.randn(sizes["context"], width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.last = nn.LayerNorm(width)

    def forward(self, x, y):
        h = self.words[x] + self.places
        for block in self.blocks:
            h = block(h)
        logits = self.last(h) @ self.words.T
        return F.cross_entropy(logits.view(-1, sizes["words"]), y.view(-1))


class Coupling(nn.Module):
    def __init__(self):
        super().__init__()
        width = sizes["width"]
        self.scale = nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1), nn.Tanh())
        self.shift = nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x):
        kept = x[:, :1]
        stretch = self.scale(kept)
        return torch.cat([x[:, 1:] * torch.exp(stretch) + self.shift(kept), kept], 1), stretch[:, 0]


class RealNvp(nn.Module):
    def __init__(self):
        super().__init__()
        self.couplings = nn.ModuleList(Coupling() for _ in range(depth))

    def forward(self, x):
        total = 0
        for coupling in self.couplings:
            x, stretch = coupling(x)
            total = total + stretch
        return -(total - 0.5 * x.square().sum(1) - math.log(2 * math.pi)).mean()


model = {"perceptron": Perceptron, "gpt": Gpt, "realnvp": RealNvp}[spec["family"]]()
given = [torch.from_numpy(value.astype(np.int64) if value.dtype == np.int32 else value) for value in feeds.values()]
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
steps = torch_steps.steps_of(optimizer, torch.compile(model), torch.compile(optimizer.step), given)


def about():
    """What the compiler left in the cache that it was given, as machine code."""
    libraries = pathlib.Path(os.environ["TORCHINDUCTOR_CACHE_DIR"]).rglob("*.so")
    return {
        "startSeconds": start,
        "parameters": sum(value.numel() for value in model.parameters()),
        "artifactBytes": sum(file.stat().st_size for file in libraries),
    }


protocol.serve(f"torch {torch.__version__}", lambda: None, steps, about)
