// What tfc writes, read by NumPy. In: a Python with NumPy. Out: what differs, bit by bit, from the arrays of stored.npz; exit code 1 when
// something does. No part of `npm test`: node test/data/numpy/check.mjs PYTHON

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataFile } from '../../../dist/src/train/data/data-file.js';
import { placeOf, readArray } from '../../../dist/src/train/data/npy.js';
import { memberFile, readDirectory } from '../../../dist/src/train/data/zip.js';
import { formatOf } from '../../../dist/src/train/prediction-files.js';

const stored = join(import.meta.dirname, 'stored.npz');
const archive = openDataFile(stored);
const columns = readDirectory(stored, archive).map((member) => {
  const file = memberFile(stored, archive, member);
  return { name: member.name.replace(/\.npy$/, ''), ...readArray(member.name, file, placeOf(member.name, file)) };
});
const folder = mkdtempSync(join(tmpdir(), 'tfc-numpy-'));
const written = join(folder, 'written.npz');
writeFileSync(written, Buffer.concat(formatOf(written)(columns)));
const compare = `import sys, numpy as np
ours, theirs = np.load(sys.argv[1]), np.load(sys.argv[2])
assert set(ours.files) == set(theirs.files), (ours.files, theirs.files)
for name in theirs.files:
    assert ours[name].dtype == theirs[name].dtype and ours[name].shape == theirs[name].shape, name
    assert ours[name].tobytes() == theirs[name].tobytes(), name
print(len(theirs.files), 'arrays are the same')`;
const { status } = spawnSync(process.argv[2] ?? 'python3', ['-c', compare, written, stored], { stdio: 'inherit' });
rmSync(folder, { recursive: true });
process.exitCode = status === 0 ? 0 : 1;
