// Programs whose code may be wrong. In: random well-typed programs, fed what hurts: no rows, one row, NaN, infinities, negative zero. Out:
// verdicts. Holds: native code, with one thread and with three, computes what the graph interpreter does; whole numbers exactly.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fnv1a, isFloat, roundTo } from '../../src/base/index.js';
import { checkModule } from '../../src/check/index.js';
import { buildInto } from '../../src/driver/build/build.js';
import { evaluateEntry } from '../../src/eval/index.js';
import type { Entry } from '../../src/graph/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { differentiate, Pipeline, strip } from '../../src/passes/index.js';
import { loadStd } from '../../src/std/load.js';
import { openModule, type Session, Tensor } from '../../runtime/index.js';
import { fromRuntime, toRuntime } from '../chain/agree.js';
import { lines } from './grains.js';
import { Random } from './random.js';
import { fine, found, type Input, type Target, type Verdict } from './target.js';
import { typedProgram } from './typed-programs.js';

const std = loadStd();

const draw = (random: Random): Input => ({ extension: 'tdsl', bytes: Buffer.from(typedProgram(random, 4)) });

function check({ bytes }: Input): Verdict {
  const text = Buffer.from(bytes).toString();
  const { module, build, diagnostics } = checkModule({ path: 'program.tdsl', text, read: () => undefined, std });
  if (module === undefined) return { kind: 'refused', code: diagnostics[0]?.code ?? '' };
  const meaning = Pipeline.of(differentiate).then(strip).run(module, { build }).output;
  const folder = mkdtempSync(join(tmpdir(), 'tfc-program-'));
  try {
    const path = join(folder, 'program.tdsl');
    writeFileSync(path, text);
    buildInto({ path, set: {}, cpu: 'native' }, join(folder, 'out'), new Map());
    using compiled = openModule(join(folder, 'out'));
    using alone = compiled.session({ threads: 1 });
    using together = compiled.session({ threads: 3 });
    const random = new Random(fnv1a(bytes));
    for (const entry of meaning.entries) {
      for (let round = 0; round < 6; round++) {
        const wrong = compare(entry, [alone, together], random, round);
        if (wrong !== undefined) return found('wrong', `native code: ${wrong}`);
      }
    }
    return fine;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const hostile = [NaN, Infinity, -Infinity, -0, 0, 1, -1];

function compare(entry: Entry, sessions: readonly Session[], random: Random, round: number): string | undefined {
  const sizes = new Map(entry.dims.map((dim) => [dim, random.pick(round === 0 ? [0, 1] : [0, 1, 2, 3, 7, 16, 17, 33])]));
  const hurts = round % 2 === 1;
  const feeds = new Map(
    entry.feeds.map(({ name, type }): [string, TensorValue] => {
      const shape = type.shape.map((dim) => dim.evaluate(sizes) ?? 0);
      const count = shape.reduce((product, size) => product * size, 1);
      const element = (): number => (isFloat(type.dtype) && hurts && random.chance(0.1) ? random.pick(hostile) : random.int(17) - 8);
      return [name, tensorValue(type.dtype, shape, Array.from({ length: count }, element))];
    }),
  );
  const { outputs } = evaluateEntry(entry, { feeds, dims: sizes });
  const given = Object.fromEntries([...feeds].map(([name, value]) => [name, toRuntime(value)]));
  const [first, second] = sessions.map((session) => session.run(entry.name, given) as Readonly<Record<string, unknown>>);
  for (const [at, { path, node }] of entry.outputs.entries()) {
    const value = fromRuntime(first?.[path], node.type.dtype);
    const [a, b] = [first?.[path], second?.[path]];
    const where = `${entry.name}.${path} at ${JSON.stringify(Object.fromEntries(sizes))}`;
    if (a instanceof Tensor ? !(b instanceof Tensor) || Buffer.compare(raw(a), raw(b)) !== 0 : !Object.is(a, b))
      return `threads change bits: ${where}`;
    const text = difference(value, outputs[at] as TensorValue, path.startsWith('e'), hurts);
    if (text !== undefined) return `${text} (${where})`;
  }
  return undefined;
}

const raw = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/**
 * Errors of smooth functions are relative to the largest element, since what follows may be a sum. Behind them NaN and infinity may come
 * from what is added up in another order, so only their places count there.
 */
function difference(value: TensorValue, expected: TensorValue, exact: boolean, hurts: boolean): string | undefined {
  if (value.shape.join() !== expected.shape.join()) return `shape [${value.shape.join()}], expected [${expected.shape.join()}]`;
  const numbers = Array.from<number | bigint, number>(expected.data as Iterable<number | bigint>, (one) =>
    roundTo(expected.dtype, Number(one)),
  );
  const scale = numbers.reduce((most, one) => (Number.isFinite(one) ? Math.max(most, Math.abs(one)) : most), 1);
  const tolerance = exact ? 0 : scale * (expected.dtype === 'f64' ? 1e-9 : 1e-3);
  for (const [at, one] of numbers.entries()) {
    const other = Number(value.data[at]);
    if (other === one || (Number.isNaN(other) && Number.isNaN(one)) || Math.abs(other - one) <= tolerance) continue;
    if (hurts && !exact && (!Number.isFinite(one) || !Number.isFinite(other))) continue;
    return `${exact ? 'exact' : 'smooth'} element ${at} is ${other}, expected ${one}`;
  }
  return undefined;
}

export const programs: Target = { seconds: 20, batch: 8, draw, check, grains: [lines] };
