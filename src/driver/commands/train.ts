// `tfc train FILE [ENTRY] --data PATH --batch N --epochs N`: runs a step over a data set, epoch by epoch, with checkpoints and validation.

import type { Command } from 'commander';
import { perform } from './command.js';
import { addDataOptions } from './data-options.js';
import { addProgramOptions, cpuOption, deviceOption, feedOption, threadsOption } from './options.js';
import { restOf, takesFlags } from './rest.js';
import { parseTraining, type TrainingOptions } from './train-options.js';

export function addTrain(program: Command): void {
  const command = program.command('train').description('train a program on a data set');
  takesFlags(addDataOptions(addProgramOptions(command)))
    .argument('<file>', 'program (.tdsl)')
    .argument('[entry]', 'exported step; may be left out when there is one')
    .requiredOption('--batch <n>', 'rows per step')
    .requiredOption('--epochs <n>', 'how often to go through the data')
    .addOption(feedOption('step'))
    .option('--normalize [kind]', 'scale features by the training rows: standard (mean 0, deviation 1) or range (0 to 1)')
    .option('--shuffle', 'an order of its own for every epoch', true)
    .option('--no-shuffle', 'rows in the order in which they lie')
    .option('--drop-rest', 'leave out the rows that fill no batch')
    .option(
      '--validate <part|path>',
      'after every epoch, compute the metrics of a part of the data (0.1), which is not trained on, or of other data',
    )
    .option('--validate-with <name>', 'exported function that computes them; may be left out when one fits')
    .option('--checkpoint <dir>', 'directory for checkpoints: step-000123.safetensors')
    .option('--every <n[steps|epochs]>', 'how often one is written (default: 1epochs)')
    .option('--keep <n>', 'how many of the newest are kept (default: 5)')
    .option('--best <metric>', 'keep the best as well: validation/loss, max:score')
    .option('--resume', 'go on with the newest checkpoint, if there is one, as if nothing had happened')
    .option('--restore <path>', 'start with these variables: a .safetensors file, or DIR[/latest|/best]')
    .option('--early-stop <metric[:patience]>', 'stop when so many epochs (default: 5) in a row are no better than the best')
    .option('--stop-on-nan', 'a loss that is NaN or infinite ends the run', true)
    .option('--no-stop-on-nan', 'go on regardless')
    .option(
      '--trap-nan',
      'name the line, forward or backward, that first makes a NaN or an infinity, and leave variables as they were; slower',
    )
    .option('--logdir <dir>', 'record the run in a new directory in this one, for TensorBoard and tfc report; at the end its report.html')
    .option('--name <name>', "what the recorded run is called (default: as the program's file)")
    .option('--seed <n>', 'seed of the initial values and of the order of the data', '0')
    .addOption(threadsOption())
    .addOption(deviceOption())
    .addOption(cpuOption())
    .option('--save <path>', 'write the variables there at the end (.safetensors)')
    .option('--json', 'print one JSON object per epoch, and errors as JSON')
    .action((_file: string, _entry: string | undefined, options: TrainingOptions) =>
      perform(options.json, async () => {
        const [rest, settings] = [restOf(command), parseTraining(options)];
        const { trainFile } = await import('./train-file.js');
        await trainFile(rest, options, settings, command);
      }),
    );
}
