#!/usr/bin/env node
// The command line. In: arguments. Out: one command's exit code. Holds: a command's modules are loaded only when it runs.

import { Command, CommanderError } from 'commander';
import { version } from './version.js';

/** name → what adds it to the program; loaded on demand so that `tfc run` never loads what only `tfc compile` needs. */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  check: async () => (await import('./commands/check.js')).addCheck,
  compile: async () => (await import('./commands/compile.js')).addCompile,
  run: async () => (await import('./commands/run.js')).addRun,
  train: async () => (await import('./commands/train.js')).addTrain,
  graph: async () => (await import('./commands/graph.js')).addGraph,
  explain: async () => (await import('./commands/explain.js')).addExplain,
};

async function main(args: readonly string[]): Promise<void> {
  const program = new Command('tfc')
    .description('Compiles models, losses and training steps to native code.')
    .version(version())
    .exitOverride()
    .showHelpAfterError('(run with --help for usage)');
  const wanted = args.find((argument) => !argument.startsWith('-'));
  const known = wanted === undefined ? undefined : commands[wanted];
  // Help and typing errors need all of them.
  const needed = known === undefined ? Object.values(commands) : [known];
  for (const add of await Promise.all(needed.map((load) => load()))) add(program);
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe went away (`tfc … | head`): nothing is left to say.
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
});
await main(process.argv.slice(2));
