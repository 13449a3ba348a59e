// tfc's version. In: its package.json. Out: the text.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './sources.js';

export const version = (): string => (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
