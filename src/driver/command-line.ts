// The command line. In: arguments. Out: one command's exit code, in `process.exitCode`. Holds: what a command needs is loaded only when it
// runs.

import { Command, CommanderError } from 'commander';
import { addCheck } from './commands/check.js';
import { addCompile } from './commands/compile.js';
import { fail, guardProcess, printError } from './commands/command.js';
import { addEval } from './commands/eval.js';
import { addExplain } from './commands/explain.js';
import { addGraph } from './commands/graph.js';
import { UsageError } from './commands/options.js';
import { addPredict } from './commands/predict.js';
import { addRun } from './commands/run.js';
import { addTrain } from './commands/train.js';
import { version } from './package.js';

export async function runCommand(args: readonly string[]): Promise<void> {
  const json = args.includes('--json');
  guardProcess(json);
  const program = new Command('tfc').description('Compiles models, losses and training steps to native code.').version(version());
  for (const add of [addCheck, addCompile, addRun, addTrain, addEval, addPredict, addGraph, addExplain]) add(program);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().showHelpAfterError('(run with --help for usage)');
    // With --json the same sentence is printed as an object below.
    command.configureOutput({ writeErr: (text) => (json ? undefined : printError(text.trimEnd())) });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    process.exitCode = json ? await fail(new UsageError(error.message.replace(/^error: /, '')), { json, texts: new Map() }) : 2;
  }
}
