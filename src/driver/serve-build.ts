// What the compiling process does. In: a BuildRequest as JSON on standard input. Out: a BuildReply as JSON on standard output.

import { readFileSync } from 'node:fs';
import { buildCached } from './build.js';
import type { BuildRequest } from './request.js';

export const serveBuild = (): void => void process.stdout.write(JSON.stringify(buildCached(JSON.parse(readFileSync(0, 'utf8')) as BuildRequest)));
