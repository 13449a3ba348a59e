// What the compiling process does. In: a BuildJob as JSON on standard input. Out: a BuildReply as JSON on standard output; which stage
// runs, on the terminal that it may have.

import { readFileSync } from 'node:fs';
import { buildCached, factsOf, graphOf } from './build.js';
import { Cache } from './cache.js';
import type { BuildJob } from './request.js';
import { watchStages } from './watch-stages.js';

/** Its descriptor, where there is one. */
const terminal = 3;

export async function serveBuild(): Promise<void> {
  const { request, cache, watched, want } = JSON.parse(readFileSync(0, 'utf8')) as BuildJob;
  const stages = watched ? watchStages(terminal) : undefined;
  const reply =
    typeof want === 'object'
      ? await factsOf(request, want.recorded)
      : want === 'graph'
        ? graphOf(request)
        : buildCached(request, new Cache(cache), stages?.begin);
  stages?.stop();
  process.stdout.write(JSON.stringify(reply));
}
