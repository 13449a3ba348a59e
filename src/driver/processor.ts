// This machine's processor, where only the compiler knows LLVM. In: nothing. Out: text that is the same for processors that run the same code.

import { arch } from 'node:os';
import { closeSync, openSync, readSync } from 'node:fs';

/** The kernel's names of the features of the first processor: all are alike as far as programs are concerned. */
export function processor(): string {
  const start = Buffer.alloc(8192);
  let file: number | undefined;
  try {
    // Its first entry alone: a file of all entries takes long to make on a machine with many.
    file = openSync('/proc/cpuinfo', 'r');
    const [, features = ''] = /^(?:flags|Features)\s*:(.*)$/m.exec(start.toString('latin1', 0, readSync(file, start))) ?? [];
    return `${arch()} ${features.trim()}`;
  } catch {
    return arch();
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
