// `npm run docs` runs it. In: nothing. Out: docs/library.md, from what stands beside the definitions of the library's names.

import { writeFileSync } from 'node:fs';
import { formatted } from '../bench/page.js';
import { at } from '../bench/place.js';
import { libraryPage } from './library.js';

const path = at('docs', 'library.md');
writeFileSync(path, await formatted(libraryPage(), path));
