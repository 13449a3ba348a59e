// The first graph: f(x, y) = x²y + y + 2 at x = 3, y = 4. Out: 42, and what it becomes for another x.

import { compile } from 'tfc';
import { exampleFile } from '../place.js';

export async function run(): Promise<{ before: number; after: number }> {
  const model = await compile(exampleFile('first-graph/first-graph.tdsl'));
  using session = model.session();
  const before = session.run('f', {}) as number;
  session.set('x', 5);
  return { before, after: session.run('f', {}) as number };
}

if (process.argv[1] !== undefined && /examples[\\/]first-graph[\\/]main\.js$/.test(process.argv[1])) {
  const { before, after } = await run();
  process.stdout.write(`f(3, 4) = ${before}\nf(5, 4) = ${after}\n`);
}
