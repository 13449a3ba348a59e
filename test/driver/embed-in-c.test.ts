// An artifact without tfc. In: what `tfc compile -o DIR` writes, and a C compiler. Out: the numbers that the runtime gets, from a C program
// that knows DIR/module.h and DIR/module.so alone.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonLines, workplace } from './tfc.js';

const place = workplace();

const program = place.file(
  'line.tdsl',
  `import { sgd } from "std/optim"
param w: f32[2, 1] = zeros()
param b: f32 = 0.5
export step train<B>(x: f32[B, 2], y: f32[B, 1], lr: f32): { loss: f32, error: f32[B, 1] } {
  let error = x @ w + b - y
  let loss = mean(square(error))
  minimize loss with sgd(lr)
  return { loss, error }
}
`,
);

const host = `#include "module.h"
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const tfc_module *module = tfc_module_table();
  if (module->abi_version != TFC_ABI_VERSION) return 2;
  const tfc_entry *train = &module->entries[TFC_LINE_ENTRY_TRAIN];
  const float x[] = {1, 2, 3, 4, 5, 6}, y[] = {1, -1, 2}, lr = 0.01f;
  float loss, error[3];
  const void *feeds[TFC_LINE_TRAIN_FEEDS] = {x, y, &lr};
  void *outputs[TFC_LINE_TRAIN_OUTPUTS] = {&loss, error};
  const int64_t dims[TFC_LINE_TRAIN_DIMS] = {3};
  float *w = aligned_alloc(64, 64), *b = aligned_alloc(64, 64);
  w[0] = w[1] = 0, b[0] = 0.5f;
  void *variables[] = {w, b};
  int64_t bytes = train->arena_bytes(dims);
  void *arena = aligned_alloc(64, (size_t)((bytes + 64) / 64 * 64));
  const tfc_call call = {feeds, outputs, variables, dims, arena};
  for (int step = 0; step < 3; step++) {
    if (train->run(&call) != 0) return 3;
    printf("{\\"loss\\":%.9g,\\"error\\":[[%.9g],[%.9g],[%.9g]]}\\n", loss, error[0], error[1], error[2]);
  }
  return 0;
}
`;

describe('an artifact in C', () => {
  it('trains to the same bits as tfc run, linked or opened at run time', () => {
    expect(place.tfc('compile', program, '-o', 'line').status).toBe(0);
    const expected = place.tfc(
      'run',
      program,
      'train',
      '--feed',
      'x=[[1,2],[3,4],[5,6]]',
      '--feed',
      'y=[[1],[-1],[2]]',
      '--feed',
      'lr=0.01',
      '--steps',
      '3',
    );
    const values = jsonLines(expected);
    expect(values).toHaveLength(3);

    place.file('host.c', host);
    const opened = host
      .replace('#include <stdio.h>', '#include <dlfcn.h>\n#include <stdio.h>')
      .replace('tfc_module_table()', '((tfc_module_table_fn)dlsym(dlopen("line/module.so", RTLD_NOW), "tfc_module_table"))()');
    place.file('opened.c', opened);
    const run = (command: string, ...args: readonly string[]) => spawnSync(command, args, { cwd: place.directory, encoding: 'utf8' });
    const flags = ['-std=c11', '-Wall', '-Wextra', '-Wno-pedantic', '-Werror', '-D_GNU_SOURCE', '-I', 'line'];
    expect(
      run('cc', ...flags, 'host.c', 'line/module.so', `-Wl,-rpath,${join(place.directory, 'line')}`, '-lm', '-o', 'host'),
    ).toMatchObject({ status: 0, stderr: '' });
    expect(run('cc', ...flags, 'opened.c', '-ldl', '-o', 'opened')).toMatchObject({ status: 0, stderr: '' });
    for (const executable of ['./host', './opened']) {
      const { status, stdout, stderr } = run(executable);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { readonly loss: number; readonly error: readonly (readonly number[])[] });
      const exact = lines.map(({ loss, error }) => ({ loss: Math.fround(loss), error: error.map((row) => row.map(Math.fround)) }));
      expect(exact).toEqual(values);
    }
  });

  it('keeps rows of variables where its header says, and does not care what lies behind them', () => {
    const wide = place.file(
      'wide.tdsl',
      `import { sgd } from "std/optim"
param w: f32[7, 30] = zeros()
export step train<B>(x: f32[B, 7], y: f32[B, 30]): { loss: f32, sums: f32[7], all: f32 } {
  let loss = mean(square(x @ w - y))
  minimize loss with sgd(lr: 0.5)
  return { loss, sums: sum(w, axis: 1), all: sum(w) }
}
`,
    );
    expect(place.tfc('compile', wide, '-o', 'wide').status).toBe(0);
    expect(readFileSync(join(place.directory, 'wide', 'module.h'), 'utf8')).toContain('[0] param w: f32[7, 30] in rows of 32');
    place.file(
      'wide.c',
      `#include "module.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const tfc_entry *train = &tfc_module_table()->entries[TFC_WIDE_ENTRY_TRAIN];
  float x[3 * 7], y[3 * 30], loss, sums[7], all, *w = aligned_alloc(64, 7 * 32 * 4);
  for (int at = 0; at < 3 * 7; at++) x[at] = 0.125f * (float)(at % 5);
  for (int at = 0; at < 3 * 30; at++) y[at] = 0.25f * (float)(at % 7);
  for (int at = 0; at < 7 * 32; at++) w[at] = at % 32 < 30 ? 0 : NAN;
  const void *feeds[] = {x, y};
  void *outputs[] = {&loss, sums, &all}, *variables[] = {w};
  const int64_t dims[] = {3};
  void *arena = aligned_alloc(64, (size_t)((train->arena_bytes(dims) + 64) / 64 * 64));
  const tfc_call call = {feeds, outputs, variables, dims, arena};
  for (int step = 0; step < 3; step++) {
    if (train->run(&call) != 0) return 3;
    printf("{\\"loss\\":%.9g,\\"sums\\":[", loss);
    for (int row = 0; row < 7; row++) printf("%s%.9g", row == 0 ? "" : ",", sums[row]);
    printf("],\\"all\\":%.9g}\\n", all);
  }
  return 0;
}
`,
    );
    const run = (command: string, ...args: readonly string[]) => spawnSync(command, args, { cwd: place.directory, encoding: 'utf8' });
    expect(
      run(
        'cc',
        '-std=c11',
        '-D_GNU_SOURCE',
        '-I',
        'wide',
        'wide.c',
        'wide/module.so',
        `-Wl,-rpath,${join(place.directory, 'wide')}`,
        '-lm',
        '-o',
        'wide-host',
      ),
    ).toMatchObject({ status: 0, stderr: '' });
    const rows = (count: number, width: number, value: (at: number) => number): string =>
      JSON.stringify(Array.from({ length: count }, (_, row) => Array.from({ length: width }, (__, column) => value(row * width + column))));
    const values = jsonLines(
      place.tfc(
        'run',
        wide,
        'train',
        '--feed',
        `x=${rows(3, 7, (at) => 0.125 * (at % 5))}`,
        '--feed',
        `y=${rows(3, 30, (at) => 0.25 * (at % 7))}`,
        '--steps',
        '3',
      ),
    );
    const lines = run('./wide-host').stdout.trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(
      lines.map((line) => JSON.parse(line, (_, value: unknown) => (typeof value === 'number' ? Math.fround(value) : value)) as unknown),
    ).toEqual(values);
  });

  it('needs nothing but libc and libm', () => {
    const { stdout } = spawnSync('ldd', [join(place.directory, 'line', 'module.so')], { encoding: 'utf8' });
    for (const line of stdout.trim().split('\n')) expect(line).toMatch(/linux-vdso|libc\.so|libm\.so|ld-linux|statically linked/);
  });
});
