// The first graph: f(x, y) = x²y + y + 2 at x = 3, y = 4. Out: 42, and what it becomes for another x.

import { compile } from '@tdsl/tfc';
import { isMain, report } from '../command.js';
import { exampleFile } from '../place.js';

export async function run(): Promise<{ readonly before: number; readonly after: number }> {
  using model = await compile(exampleFile('first-graph/first-graph.tdsl'));
  using session = model.session();
  const before = session.run('f') as number;
  session.set('x', 5);
  return { before, after: session.run('f') as number };
}

if (isMain(import.meta.url)) {
  await report(async () => {
    const { before, after } = await run();
    return process.argv.includes('--json') ? JSON.stringify({ before, after }) : `f(3, 4) = ${before}\nf(5, 4) = ${after}`;
  });
}
