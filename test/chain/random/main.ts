// `node --max-semi-space-size=64 dist/test/chain/random/main.js [--from N] [--count N] [--statements N] [--training f32] [--slopes]
// [--interpreted] [--thorough] [--turns] [--shrink]`: random programs, as many as one likes. In: arguments. Out: what broke, with its
// program; exit code 1 when something did.
// Holds: a seed is the same program whatever else is asked for.

import { parseArgs } from 'node:util';
import { type Drawn, failuresOf, type Links } from './run.js';
import type { Training } from './training.js';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '100' },
    statements: { type: 'string' },
    training: { type: 'string' },
    slopes: { type: 'boolean', default: false },
    interpreted: { type: 'boolean', default: false },
    thorough: { type: 'boolean', default: false },
    turns: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    batch: { type: 'string', default: '25' },
  },
});

interface Turn {
  readonly training?: Training | undefined;
  readonly links: Links;
}

const interpreted = (training?: Training): Turn => ({ training, links: { native: false } });
const native = (training?: Training): Turn => ({ training, links: { native: true } });

/** What batches do in turns with `--turns`: compiling takes most of the time, so most are interpreted, and few are compiled with care. */
const turns: readonly Turn[] = [
  ...[interpreted(), interpreted('f32'), interpreted(), native(), interpreted('mixed'), interpreted(), native('f32'), interpreted('f64')],
  ...[interpreted(), interpreted('f16'), { links: { native: true, thorough: true } }, interpreted(), native('mixed'), interpreted('bf16')],
  ...[interpreted(), { training: 'f32', links: { native: true, thorough: true } } as const],
];

const asked: Turn = {
  training: values.training as Training | undefined,
  links: { native: !values.interpreted, onlySlopes: values.slopes, thorough: values.thorough },
};

const [from, count, batch] = [Number(values.from), Number(values.count), Number(values.batch)];
const start = performance.now();
let failures = 0;
for (let at = 0; at < count; at += batch) {
  const { training, links } = values.turns ? (turns[(at / batch) % turns.length] as Turn) : asked;
  const all = Array.from({ length: Math.min(batch, count - at) }, (_, index): Drawn => {
    const seed = from + at + index;
    return { seed, count: Number(values.statements ?? 1 + (seed % 5)), ...(training === undefined ? {} : { training }) };
  });
  for (const { drawn, what, smallest } of failuresOf(all, links, values.shrink)) {
    failures++;
    process.stdout.write(`==== ${JSON.stringify(drawn)}: ${what}\n${values.shrink ? `${smallest}\n` : ''}`);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  process.stdout.write(
    `-- ${at + all.length} programs, ${failures} broke, ${seconds} s, ${process.cpuUsage().user / 1e6} s of the processor\n`,
  );
}
process.exitCode = failures > 0 ? 1 : 0;
