// The command line. In: arguments. Out: one command's exit code, in `process.exitCode`. Holds: what a command needs is loaded only when it
// runs.

import { Command, CommanderError } from 'commander';
import { TfcError } from '../../runtime/index.js';
import { addCheck } from './commands/check.js';
import { addCompile } from './commands/compile.js';
import { fail, guardProcess, printError } from './commands/command.js';
import { addDerive } from './commands/derive.js';
import { addEval } from './commands/eval.js';
import { addExplain } from './commands/explain.js';
import { addFmt } from './commands/fmt.js';
import { addGradcheck } from './commands/gradcheck.js';
import { addGraph } from './commands/graph.js';
import { addSummary } from './commands/summary.js';
import { UsageError } from './commands/options.js';
import { applyConfig } from './apply-config.js';
import { configFile, readConfig } from './config.js';
import { addInit } from './commands/init.js';
import { addPredict } from './commands/predict.js';
import { addReport } from './commands/report.js';
import { addRun } from './commands/run.js';
import { addSweep } from './commands/sweep.js';
import { addTrain } from './commands/train.js';
import { addTypes } from './commands/types.js';
import { version } from './package.js';

/** Words behind `complete` are those that a shell wants completed; help lists it. */
const asksForCompletion = ([first]: readonly string[]): boolean => [undefined, 'complete', 'help', '-h', '--help'].includes(first);

export async function runCommand(args: readonly string[]): Promise<void> {
  const json = args.includes('--json');
  guardProcess(json);
  const program = new Command('tfc').description('Compiles models, losses and training steps to native code.').version(version());
  const commands = [
    addCheck,
    addFmt,
    addCompile,
    addRun,
    addTrain,
    addSweep,
    addEval,
    addPredict,
    addTypes,
    addGraph,
    addExplain,
    addSummary,
    addGradcheck,
    addDerive,
    addReport,
    addInit,
  ];
  for (const add of commands) add(program);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().showHelpAfterError('(run with --help for usage)');
    // With --json the same sentence is printed as an object below.
    command.configureOutput({ writeErr: (text) => (json ? undefined : printError(text.trimEnd())) });
  }
  if (asksForCompletion(args)) (await import('@bomb.sh/tab/commander')).default(program);
  program.hook('preSubcommand', async () => {
    const file = configFile(process.cwd());
    if (file !== undefined) applyConfig(program, await readConfig(file), file);
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof TfcError) return void (process.exitCode = await fail(error, { json, texts: new Map() }));
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    process.exitCode = json ? await fail(new UsageError(error.message.replace(/^error: /, '')), { json, texts: new Map() }) : 2;
  }
}
