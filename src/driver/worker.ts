// The compiling process. In: standard input. Out: standard output.

import { serveBuild } from './build/serve-build.js';

await serveBuild();
