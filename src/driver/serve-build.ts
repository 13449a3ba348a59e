// What the compiling process does. In: a BuildJob as JSON on standard input. Out: a BuildReply as JSON on standard output.

import { readFileSync } from 'node:fs';
import { buildCached } from './build.js';
import { Cache } from './cache.js';
import type { BuildJob } from './request.js';

export function serveBuild(): void {
  const { request, cache } = JSON.parse(readFileSync(0, 'utf8')) as BuildJob;
  process.stdout.write(JSON.stringify(buildCached(request, new Cache(cache))));
}
