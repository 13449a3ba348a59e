// The compiling process. In: standard input. Out: standard output.

import { serveBuild } from './serve-build.js';

serveBuild();
