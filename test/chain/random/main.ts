// `node dist/test/chain/random/main.js [--from N] [--count N] [--statements N] [--training f32] [--slopes] [--interpreted] [--shrink]`:
// random programs, as many as one likes. In: arguments. Out: what broke, with its program; exit code 1 when something did.

import { parseArgs } from 'node:util';
import { type Drawn, failuresOf } from './run.js';
import type { Training } from './training.js';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '100' },
    statements: { type: 'string' },
    training: { type: 'string' },
    slopes: { type: 'boolean', default: false },
    interpreted: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    batch: { type: 'string', default: '25' },
  },
});
const [from, count, batch] = [Number(values.from), Number(values.count), Number(values.batch)];
const start = performance.now();
let failures = 0;
for (let at = 0; at < count; at += batch) {
  const all = Array.from({ length: Math.min(batch, count - at) }, (_, index): Drawn => {
    const seed = from + at + index;
    return {
      seed,
      count: Number(values.statements ?? 1 + (seed % 5)),
      ...(values.training === undefined ? {} : { training: values.training as Training }),
    };
  });
  for (const { drawn, what, smallest } of failuresOf(all, { native: !values.interpreted, onlySlopes: values.slopes }, values.shrink)) {
    failures++;
    process.stdout.write(`==== ${JSON.stringify(drawn)}: ${what}\n${values.shrink ? `${smallest}\n` : ''}`);
  }
  process.stdout.write(`-- ${at + all.length} programs, ${failures} broke, ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
}
process.exitCode = failures > 0 ? 1 : 0;
