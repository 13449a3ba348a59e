"""A classifier as PyTorch trains and saves it. In: PyTorch (2.15) and safetensors (0.8). Out: the files beside this script.

    python test/data/pytorch/make.py

`before` and `after` are what `state_dict` has before and after five steps of Adam with ten rows each, `half` is `after` in bfloat16, and
`rows` has the rows, their labels, the losses of the steps, and the logits of the trained net, in evaluation mode.
"""

import pathlib

import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
torch.manual_seed(7)
net = torch.nn.Sequential(
    torch.nn.Linear(4, 8, bias=False),
    torch.nn.BatchNorm1d(8),
    torch.nn.ReLU(),
    torch.nn.Linear(8, 3),
)


def save(name, change=lambda tensor: tensor):
    tensors = {key: change(value).contiguous() for key, value in net.state_dict().items()}
    save_file(tensors, here / f"{name}.safetensors", metadata={"format": "pt"})


x = torch.randn(50, 4)
y = torch.randint(0, 3, (50,))
save("before")
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
losses = []
for step in range(5):
    rows = slice(10 * step, 10 * step + 10)
    loss = torch.nn.functional.cross_entropy(net(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
save("after")
save("half", lambda tensor: tensor.bfloat16() if tensor.is_floating_point() else tensor)
net.eval()
save_file(
    {"x": x, "y": y.int(), "losses": torch.tensor(losses), "logits": net(x).detach()},
    here / "rows.safetensors",
)
