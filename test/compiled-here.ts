// Compiling in the process of the tests. In: a program. Out: its artifact in the compile cache, where `compile` finds it. Holds: nothing
// differs but the time: the compiling process would load the compiler, and learn its code, for every program anew.

import { buildCached } from '../src/driver/build/build.js';
import { Cache } from '../src/driver/build/cache.js';
import { cacheDirectory, cachePlace } from '../src/driver/build/cache-place.js';
import { compile, type Module } from '../src/driver/index.js';

/** What `compile` gives, for a program without mistakes. */
export function compileHere(path: string): Promise<Module> {
  const place = cachePlace(cacheDirectory());
  if ('directory' in place) buildCached({ path, set: {}, cpu: 'native', roots: [] }, new Cache(place.directory));
  return compile(path);
}
