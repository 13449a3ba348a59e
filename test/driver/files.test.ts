// Files that commands read by name. In: regular files and what else has a name. Out: bytes, or a refusal at once.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DiagnosticsError } from '../../src/base/index.js';
import { readRegular } from '../../src/input/files.js';
import { workplace } from './tfc.js';

const place = workplace();
const path = (name: string): string => join(place.directory, name);

/** `code: message` of what reading says. */
function refusal(file: string, maximumBytes = 1000): string {
  try {
    readRegular(file, maximumBytes);
  } catch (error) {
    if (error instanceof DiagnosticsError) return error.message;
    throw error;
  }
  return 'it was read';
}

describe('reading a file', () => {
  it('gives its bytes, up to the limit and no further', () => {
    for (const length of [0, 1, 999, 1000]) {
      writeFileSync(path('data'), Buffer.alloc(length, 7));
      expect(readRegular(path('data'), 1000)).toEqual(Buffer.alloc(length, 7));
    }
    writeFileSync(path('data'), Buffer.alloc(1001));
    expect(refusal(path('data'))).toContain('bad-data');
  });

  it('bounds files that say that they are empty', () => {
    expect(readRegular('/proc/self/status', 2 ** 20).toString()).toContain('Name:');
    expect(refusal('/proc/self/status', 10)).toContain('too long');
  });

  it('refuses what is no regular file, at once', async () => {
    execFileSync('mkfifo', [path('fifo')]);
    const server = createServer().listen(path('socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    expect(refusal(path('fifo'))).toContain('file-not-found');
    expect(refusal(path('fifo'))).toContain('is a pipe');
    expect(refusal(path('socket'))).toContain('is a socket');
    server.close();
    expect(refusal(place.directory)).toContain('is a directory');
    for (const device of ['/dev/zero', '/dev/full', '/dev/tty']) expect(refusal(device)).toContain('is a device');
    expect(refusal(path('nowhere'))).toContain('no such file');
    expect(refusal(path('data/below'))).toContain('no directory');
  });
});
