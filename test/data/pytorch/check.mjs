// What tfc saves, read by PyTorch. In: a Python with PyTorch and safetensors. Out: how far its predictions are from those here; exit code 1
// when they differ by more than rounding. No part of `npm test`: node test/data/pytorch/check.mjs PYTHON

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, SafetensorsFile, writeSafetensors } from '../../../dist/src/driver/index.js';
import { nameInPyTorch } from '../../../dist/test/data/pytorch/names.js';

const folder = mkdtempSync(join(tmpdir(), 'tfc-pytorch-'));
const place = (name) => join(folder, `${name}.safetensors`);
const module = await compile(join(import.meta.dirname, 'classifier.tdsl'));
const only = module.manifest.variables.map(({ path }) => path).filter((path) => !path.startsWith('train/'));
const session = module.session({ seed: 3 });
const rows = new SafetensorsFile(join(import.meta.dirname, 'rows.safetensors'));
const [x, y] = ['x', 'y'].map((name) => rows.read(name));
for (let step = 0; step < 20; step++) session.run('train', { x, y });
session.save(place('net'), { only, rename: nameInPyTorch });
const written = Object.entries({ x, logits: session.run('logits', { x }) });
writeSafetensors(
  place('rows'),
  written.map(([name, { dtype, shape, data }]) => ({ name, dtype, shape, read: () => data })),
);
rows.close();
session.close();
const compare = `import sys, torch
from safetensors.torch import load_file
net = torch.nn.Sequential(
    torch.nn.Linear(4, 8, bias=False), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
found = net.load_state_dict(load_file(sys.argv[1]), strict=False)
assert found.unexpected_keys == [] and set(found.missing_keys) <= {"1.num_batches_tracked"}, found
rows = load_file(sys.argv[2])
distance = (net.eval()(rows["x"]) - rows["logits"]).abs().max().item()
print("PyTorch predicts the same but for", distance)
sys.exit(distance > 1e-5)`;
const { status } = spawnSync(process.argv[2] ?? 'python3', ['-c', compare, place('net'), place('rows')], { stdio: 'inherit' });
rmSync(folder, { recursive: true });
process.exitCode = status === 0 ? 0 : 1;
