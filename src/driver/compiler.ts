// What the command and the compiling process run, for the bundle: both load the same code, which is compiled once.

export { runCommand } from './command-line.js';
export { serveBuild } from './build/serve-build.js';
