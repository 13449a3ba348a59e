// Data files, read by pieces. In: a path. Out: what stands at places of the file, in memory of the reader's choice. Holds: only regular
// files are read; a reader learns how long the file is before it takes memory.

import { readExactly } from '../../../runtime/regular-file.js';
import { withRegular } from '../../input/files.js';
import { badData } from '../../input/json.js';

export interface DataFile {
  readonly bytes: number;
  /** `into`, filled with what stands from `position` on. Errors: bad-data when the file became shorter. */
  read<Memory extends ArrayBufferView>(into: Memory, position: number): Memory;
}

/** What `use` makes of a file. Errors: file-not-found for whatever keeps it from being opened or read; those of `use`. */
export const withDataFile = <Result>(path: string, use: (file: DataFile) => Result): Result =>
  withRegular(path, (descriptor, { size }) =>
    use({
      bytes: size,
      read: (into, position) => {
        try {
          readExactly(descriptor, into, position);
          return into;
        } catch (error) {
          if (error instanceof Error && 'syscall' in error) throw error;
          throw badData(`${path}: the file became shorter while it was read`);
        }
      },
    }),
  );
