// Options and their values. In: what stands on the command line. Out: numbers and names. Holds: what makes no sense is wrong usage, not a
// mistake in a program.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { deviceKinds, type Target } from '../../target/index.js';
import type { BuildRequest } from '../build/request.js';

/** Wrong usage that the argument parser cannot see. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** What every command that reads a program takes. */
export interface ProgramOptions {
  readonly set: readonly string[];
  readonly root: readonly string[];
}

export const addProgramOptions = (command: Command): Command =>
  command
    .option('--set <Name=N>', 'value for a dim; may be repeated', collect, [])
    .option('--root <dir>', 'directory beside that of the program from which it may import; may be repeated', collect, []);

/** How many threads compute. */
export const threadsOption = (): Option => new Option('--threads <n>', 'threads to use').default('1');

export const targetOption = (says = 'cpu, or cuda: for NVIDIA GPUs as well'): Option =>
  new Option('--target <kind>', says).choices(['cpu', ...deviceKinds]).default('cpu');

/** Where a command runs a program: `cpu`, or a GPU by its number, for which the program is then compiled as well. */
export type DeviceName = 'cpu' | `cuda:${number}`;

export const deviceOption = (): Option =>
  new Option('--device <name>', 'cpu, or cuda:0: the first NVIDIA GPU')
    .argParser((name): DeviceName => {
      if (name !== 'cpu' && !/^cuda:\d{1,4}$/.test(name)) throw new InvalidArgumentError('It is cpu, or cuda:0, which is the first GPU.');
      return name as DeviceName;
    })
    .default('cpu');

/** What a request says of it. */
export const deviceOf = ({ target }: { readonly target: Target['kind'] }): Pick<BuildRequest, 'device'> =>
  target === 'cpu' ? {} : { device: target };

export const cpuOption = (): Option => new Option('--cpu <name>', "LLVM's name of the CPU to compile for").default('native');

/** Arguments that no data gives. `of`: how often the entry is called. */
export const feedOption = (of: 'call' | 'step'): Option =>
  new Option('--feed <name=value>', `argument that is the same in every ${of}: JSON, or @file.npy; may be repeated`)
    .argParser(collect)
    .default([]);

/** What they mean for a request. */
export const parseProgram = ({
  set,
  root,
}: ProgramOptions): { readonly set: Record<string, number>; readonly roots: readonly string[] } => {
  if (root.includes('')) throw new UsageError('--root takes a directory; got ""');
  return { set: parseSizes(set, '--set'), roots: root };
};

/** `Name=4` pairs. */
export function parseSizes(pairs: readonly string[], option: string): Record<string, number> {
  const set = new Map<string, number>();
  for (const pair of pairs) {
    const match = /^([\p{L}_][\p{L}\p{M}\p{N}_]*)=(\d+)$/u.exec(pair);
    const value = Number(match?.[2]);
    if (match === null || !Number.isSafeInteger(value))
      throw new UsageError(`${option} takes Name=N with a whole number, e.g. ${option} Hidden=512; got ${JSON.stringify(pair)}`);
    set.set((match[1] as string).normalize(), value);
  }
  return Object.fromEntries(set);
}

/** A whole number of at least `least`. */
export function parseCount(text: string, option: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new UsageError(`${option} takes a whole number of at least ${least}; got ${JSON.stringify(text)}`);
  return value;
}

/** `100steps`, `100` (steps), `2epochs`. */
export function parseEvery(text: string): { readonly count: number; readonly unit: 'steps' | 'epochs' } {
  const [, count = '', unit] = /^(\d+) *(steps?|epochs?)?$/.exec(text) ?? [];
  if (!Number.isSafeInteger(Number(count)) || Number(count) < 1)
    throw new UsageError(`--every takes a number of steps or epochs, e.g. 500steps or 1epochs; got ${JSON.stringify(text)}`);
  return { count: Number(count), unit: unit?.startsWith('epoch') === true ? 'epochs' : 'steps' };
}

/** Where variables are saved. */
export function requireSafetensors(path: string, option: string): void {
  // Without an ending it is nobody else's format.
  if (/\.safetensors$/i.test(path) || !/[^/]\.[^./]+$/.test(path)) return;
  throw new UsageError(
    `${option} takes a path that ends in .safetensors; got ${JSON.stringify(path)}`,
    'PyTorch reads such a file by safetensors.torch.load_file, NumPy by safetensors.numpy.load_file.',
  );
}

/** What variables are read from: files of other kinds hold code, or no variables by name. */
export function requireRestorable(path: string): void {
  if (path === '') throw new UsageError('--restore takes a path; got ""');
  if (!/\.(?:pt|pth|bin|ckpt|pkl|pickle|h5|hdf5|keras|onnx|npz|npy)$/i.test(path)) return;
  throw new UsageError(
    `--restore reads .safetensors files and directories of checkpoints; got ${JSON.stringify(path)}`,
    'Convert it where it was made: safetensors.torch.save_file(model.state_dict(), "model.safetensors"), or safetensors.numpy.save_file.',
  );
}

/** Collects the values of an option that may be given several times. */
export const collect = (value: string, before: readonly string[]): string[] => [...before, value];
