// An artifact without tfc. In: what `tfc compile -o DIR` writes, and a C compiler. Out: the numbers that the runtime gets, from a C program that knows DIR/module.h and DIR/module.so alone.

import { spawnSync } from 'node:child_process';
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
    const expected = place.tfc('run', program, 'train', '--feed', 'x=[[1,2],[3,4],[5,6]]', '--feed', 'y=[[1],[-1],[2]]', '--feed', 'lr=0.01', '--steps', '3');
    const values = jsonLines(expected);
    expect(values).toHaveLength(3);

    place.file('host.c', host);
    const opened = host
      .replace('#include <stdio.h>', '#include <dlfcn.h>\n#include <stdio.h>')
      .replace('tfc_module_table()', '((tfc_module_table_fn)dlsym(dlopen("line/module.so", RTLD_NOW), "tfc_module_table"))()');
    place.file('opened.c', opened);
    const run = (command: string, ...args: readonly string[]) => spawnSync(command, args, { cwd: place.directory, encoding: 'utf8' });
    const flags = ['-std=c11', '-Wall', '-Wextra', '-Wno-pedantic', '-Werror', '-D_GNU_SOURCE', '-I', 'line'];
    expect(run('cc', ...flags, 'host.c', 'line/module.so', `-Wl,-rpath,${join(place.directory, 'line')}`, '-lm', '-o', 'host')).toMatchObject({ status: 0, stderr: '' });
    expect(run('cc', ...flags, 'opened.c', '-ldl', '-o', 'opened')).toMatchObject({ status: 0, stderr: '' });
    for (const executable of ['./host', './opened']) {
      const { status, stdout, stderr } = run(executable);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as { readonly loss: number; readonly error: readonly (readonly number[])[] });
      const exact = lines.map(({ loss, error }) => ({ loss: Math.fround(loss), error: error.map((row) => row.map(Math.fround)) }));
      expect(exact).toEqual(values);
    }
  });

  it('needs nothing but libc and libm', () => {
    const { stdout } = spawnSync('ldd', [join(place.directory, 'line', 'module.so')], { encoding: 'utf8' });
    for (const line of stdout.trim().split('\n')) expect(line).toMatch(/linux-vdso|libc\.so|libm\.so|ld-linux|statically linked/);
  });
});
