// What was found before. In: a folder. Out: inputs with what they did; new ones as files. Holds: an input is a file of its own kind, with a
// JSON file beside it; the same input has the same name.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fnv1a } from '../../src/base/index.js';
import { packageRoot } from '../../src/driver/package.js';
import { type Fault, type Input, targetNames, type TargetName } from './target.js';

/** How an input came about. */
export interface Note {
  readonly target: TargetName;
  readonly fault: Fault;
  readonly text: string;
  readonly seed: number;
  readonly at: number;
}

export interface Kept {
  readonly name: string;
  readonly note: Note;
  readonly input: Input;
}

export const foundFolder = (): string => join(packageRoot(), 'test', 'fuzz', 'found');

export function keep(folder: string, input: Input, note: Note): string {
  mkdirSync(folder, { recursive: true });
  const name = `${note.target}-${note.fault}-${fnv1a(input.bytes).toString(16).padStart(8, '0')}.${input.extension}`;
  writeFileSync(join(folder, name), input.bytes);
  writeFileSync(join(folder, `${name}.note.json`), `${JSON.stringify(note, null, 2)}\n`);
  return join(folder, name);
}

export function keptIn(folder: string, only: readonly TargetName[] = targetNames): Kept[] {
  if (!existsSync(folder)) return [];
  const notes = readdirSync(folder)
    .filter((name) => name.endsWith('.note.json'))
    .sort();
  return notes
    .map((file): Kept => {
      const name = file.slice(0, -'.note.json'.length);
      const note = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Note;
      return { name, note, input: { extension: name.slice(name.indexOf('.') + 1), bytes: readFileSync(join(folder, name)) } };
    })
    .filter(({ note }) => only.includes(note.target));
}
