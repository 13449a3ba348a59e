// What the operating system says about a path. In: its errors. Out: people's words. Holds: whatever the system refuses a caller ends as a
// TfcError with the path in it.
import { TfcError } from './error.js';

/** What kept a path from being read or written. */
export function reasonOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return 'no such file or directory';
    case 'EISDIR':
      return 'is a directory';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of the path is no directory';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOSPC':
      return 'no space left';
    case 'EDQUOT':
      return 'the quota is used up';
    case 'EFBIG':
      return 'files of that size are not allowed here';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENAMETOOLONG':
      return 'the name is too long';
    case 'ELOOP':
      return 'its symbolic links lead in a circle';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open';
    default:
      return error instanceof Error ? error.message : 'unknown';
  }
}

/** `error` about `path` when the system refused to write; anything else as it is. */
export function notWritten(path: string, error: unknown): unknown {
  return error instanceof Error && 'syscall' in error
    ? new TfcError('file-not-written', `${path}: ${reasonOf(error)}`, { hint: hintOf(error), cause: error })
    : error;
}

function hintOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'What was there is as it was. Free some space, or name a place on another disk.';
    case 'EFBIG':
      return 'What was there is as it was. The limit is that of this process (ulimit -f) or of the file system.';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'Name a place that you may write.';
    default:
      return 'Check the path; it is taken relative to the current directory.';
  }
}

export const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
