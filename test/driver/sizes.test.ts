// Sizes that a machine cannot count, and artifacts that change while they are open: through the public API, as a program meets them.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { buildInto } from '../../src/driver/build/build.js';
import { compile, openModule, tensor, toJson } from '../../src/driver/index.js';

const folder = mkdtempSync(join(tmpdir(), 'tfc-sizes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const source = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const four = 'reshape(x, [N, 1, 1, 1]) * reshape(x, [1, N, 1, 1]) * reshape(x, [1, 1, N, 1]) * reshape(x, [1, 1, 1, N])';
const powers = source(
  'powers.tdsl',
  `export fn product<N>(x: f32[N]): f32[N, N, N, N] = ${four}
export fn total<N>(x: f32[N]): f32 = sum(${four})
export fn largest<N>(x: f32[N]): f32 = max(${four})
export fn shares<N>(x: f32[N]): f32 = sum(softmax(${four}, axis: 1) * reshape(x, [N, 1, 1, 1]))
export fn matrix<N>(x: f32[N]): f32 = sum((reshape(x, [N, 1]) @ reshape(x, [1, N])) @ reshape(${four}, [N, N * N * N]))
export fn count<N>(x: f32[N]): f64 = f64(N * N * N * N) + f64(sum(x))
export fn slope<N>(x: f32[N]): f32[N] = grad(sum(sin(${four})), x)
`,
);

test('sizes whose products wrap are refused with the sizes, also where nothing that large is stored', async () => {
  using model = await compile(powers);
  for (const threads of [1, 2]) {
    using session = model.session({ threads });
    for (const { name } of model.entries) {
      expect(() => session.run(name, { x: [1, 2] })).not.toThrow();
      // The fourth powers are 0, 2⁶⁴ and a little more: all of them wrap.
      for (const N of [2 ** 16, 2 ** 16 + 1, 2 ** 20])
        expect(() => session.run(name, { x: new Float32Array(N) })).toThrow(
          expect.objectContaining({
            code: name === 'count' ? 'unsatisfied-fact' : 'out-of-memory',
            message: expect.stringContaining(`N = ${N}`) as string,
          }),
        );
      expect(() => session.run(name, { x: [1, 2] })).not.toThrow();
    }
  }
});

test('a fact that a called function declares is asked of callers, and known inside', async () => {
  using model = await compile(
    source(
      'halves.tdsl',
      'fn half<D>(x: f32[D]): f32[D / 2] where D % 2 == 0 = x[: D / 2]\nexport fn f<B>(x: f32[B]): f32[B / 2] = half(x) * (1 / B)\n',
    ),
  );
  using session = model.session();
  expect(toJson(session.run('f', { x: [1, 2, 3, 4] }) as never)).toEqual([0.25, 0.5]);
  expect(() => session.run('f', { x: [1, 2, 3] })).toThrow(
    expect.objectContaining({
      code: 'unsatisfied-fact',
      message: expect.stringMatching(/^f needs B % 2 == 0 for `half\(x\)` at .*halves\.tdsl:2:41, and here B = 3\.$/) as string,
    }),
  );
});

test('huge axes beside an empty one', async () => {
  using model = await compile(
    source(
      'empty.tdsl',
      'import { cumsum } from "std/arrays"\nexport fn rows<N, M>(x: f32[N, M]): f32[N] = sum(x, axis: 1)\nexport fn columns<N, M>(x: f32[N, M]): f32[M] = sum(x, axis: 0)\nexport fn all<N, M>(x: f32[N, M]): f32 = sum(x)\nexport fn sums<N, M>(x: f32[N, M]): f32 = max(cumsum(sum(x, axis: 1), axis: 0))\n',
    ),
  );
  using session = model.session({ threads: 2 });
  const fed = (...shape: number[]): { x: never } => ({ x: tensor(new Float32Array(0), shape) as never });
  for (const shape of [
    [2 ** 50, 0],
    [2 ** 52, 0],
  ])
    expect(() => session.run('rows', fed(...shape))).toThrow(expect.objectContaining({ code: 'out-of-memory' }));
  // Counted without trouble, and not there.
  const rows = Math.ceil(totalmem() / 2);
  const refused = expect.objectContaining({ code: 'out-of-memory', message: expect.stringContaining(`N = ${rows}`) as string }) as Error;
  const before = process.cpuUsage();
  expect(() => session.run('rows', fed(rows, 0))).toThrow(refused);
  expect(() => session.entry('rows', { reuse: true }).run(fed(rows, 0))).toThrow(refused);
  expect(() => session.runSteps('rows', fed(rows, 0), { steps: 2 })).toThrow(refused);
  expect(() => session.run('sums', fed(rows, 0))).toThrow(refused);
  await expect(session.runAsync('rows', fed(rows, 0))).rejects.toEqual(refused);
  const { user, system } = process.cpuUsage(before);
  expect(user + system).toBeLessThan(1e6);
  expect(session.run('all', fed(0, 2 ** 31))).toBe(0);
  expect(toJson(session.run('rows', fed(0, 2 ** 31)))).toEqual([]);
  expect(() => session.run('columns', fed(0, 2 ** 50))).toThrow(expect.objectContaining({ code: 'out-of-memory' }));
});

test('C callers are told by a negative size of the arena', () => {
  const out = join(folder, 'c');
  buildInto({ path: powers, set: {}, cpu: 'native' } as Parameters<typeof buildInto>[0], out, new Map());
  const main = join(out, 'main.c');
  writeFileSync(
    main,
    `#include "module.h"
#include <stdio.h>
int main(void) {
  const tfc_module *module = tfc_module_table();
  for (int at = 0; at < module->entry_count; at += 1) {
    int64_t small = 3, large = 65536;
    printf("%d%d", module->entries[at].arena_bytes(&small) >= 0, module->entries[at].arena_bytes(&large) < 0);
  }
  return 0;
}
`,
  );
  const made = spawnSync('cc', ['-o', join(out, 'main'), main, join(out, 'module.so'), `-Wl,-rpath,${out}`], { encoding: 'utf8' });
  expect(made.stderr).toBe('');
  expect(spawnSync(join(out, 'main'), { encoding: 'utf8' }).stdout).toMatch(/^(11)+$/);
});

test('a directory that is compiled again while it is open gives the new code, and the old one goes on', () => {
  const path = source('changing.tdsl', 'export fn f(x: f32): f32 = x + 1\n');
  const out = join(folder, 'changing');
  const build = (): void => void buildInto({ path, set: {}, cpu: 'native' } as Parameters<typeof buildInto>[0], out, new Map());
  build();
  using first = openModule(out);
  using old = first.session();
  expect(old.run('f', { x: 1 })).toBe(2);
  writeFileSync(path, 'export fn f(x: f32): f32 = x + 10\n');
  build();
  using second = openModule(out);
  using session = second.session();
  expect([old.run('f', { x: 1 }), session.run('f', { x: 1 })]).toEqual([2, 11]);
  // Also when the file itself is written over.
  const kept = join(folder, 'kept.so');
  copyFileSync(join(out, 'module.so'), kept);
  writeFileSync(join(out, 'module.so'), 'no library');
  expect([old.run('f', { x: 2 }), session.run('f', { x: 2 })]).toEqual([3, 12]);
  expect(() => openModule(out)).toThrow(expect.objectContaining({ code: 'bad-artifact' }));
});

test('names that JavaScript treats specially are names', async () => {
  using model = await compile(
    source(
      'reserved.tdsl',
      'export fn then(x: f32): f32 = x\nexport fn toJSON(x: f32): f32 = x + 1\nexport fn constructor(x: f32): f32 = x + 2\nexport fn fields(x: f32): { __proto__: f32, constructor: f32, then: f32 } = { __proto__: x, constructor: x + 1, then: x + 2 }\n',
    ),
  );
  const session = model.session();
  expect(await Promise.resolve(session)).toBe(session);
  expect(() => JSON.stringify(session)).not.toThrow();
  expect([session.run('then', { x: 1 }), session.run('toJSON', { x: 1 }), session.run('constructor', { x: 1 })]).toEqual([1, 2, 3]);
  const fields = session.run('fields', { x: 1 }) as Record<string, number>;
  expect(Object.entries(fields)).toEqual([
    ['__proto__', 1],
    ['constructor', 2],
    ['then', 3],
  ]);
  expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
  expect(JSON.stringify(toJson(fields))).toBe('{"__proto__":1,"constructor":2,"then":3}');
  const { series } = session.runSteps('fields', { x: 1 }, { steps: 2 });
  expect(Object.keys(series)).toEqual(['__proto__', 'constructor', 'then']);
  session.close();
  using open = await compile(source('packs.tdsl', 'export fn open<...constructor>(x: f32[...constructor]): f32[...constructor] = x + 1\n'));
  using polymorphic = open.session();
  expect(toJson(polymorphic.run('open', { x: [[1]] }))).toEqual([[2]]);
});

test('code for a processor that this machine is not is refused before it runs', async () => {
  const path = source('foreign.tdsl', 'export fn f<N>(x: f32[N]): f32 = sum(x * 2)\n');
  const lacking = ['znver5', 'bdver2', 'sapphirerapids', 'haswell'].map((cpu) => compile(path, { cpu }));
  for (const [at, result] of (await Promise.allSettled(lacking)).entries()) {
    if (result.status === 'fulfilled') {
      using model = result.value;
      using session = model.session();
      expect([at, session.run('f', { x: [1, 2] })]).toEqual([at, 6]);
    } else
      expect(result.reason).toMatchObject({ code: 'unsupported-processor', message: expect.stringMatching(/lacks [a-z0-9]/) as string });
  }
  // No machine has the instructions of both makers.
  expect(
    (await Promise.allSettled(['bdver2', 'knl'].map((cpu) => compile(path, { cpu })))).some(({ status }) => status === 'rejected'),
  ).toBe(true);
});
