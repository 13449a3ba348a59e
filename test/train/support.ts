// What tests of data sets share. In: feeds, files. Out: entries, rows as they came, messages. Holds: rows are copied, because a batch is
// valid only until the next.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { TfcError } from '../../runtime/index.js';
import { DiagnosticsError } from '../../src/base/index.js';
import type { Dataset, Pass } from '../../src/train/data/dataset.js';

export interface Place {
  readonly directory: string;
  /** Writes a file, with the folders that it lies in, and returns its path. */
  file(name: string, content: string | Uint8Array): string;
}

export function place(): Place {
  const directory = mkdtempSync(join(tmpdir(), 'tfc-train-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return {
    directory,
    file: (name, content) => {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      return path;
    },
  };
}

export const inOrderPass: Pass = { epoch: 1, seed: 0, batch: 4, shuffle: false, rest: 'keep' };

type Shaped = { readonly data: ArrayLike<number | bigint>; readonly shape: readonly number[] };

/** Every batch: per feed its shape and elements. */
export async function batchesOf(
  dataset: Dataset,
  pass: Partial<Pass> = {},
): Promise<Record<string, { shape: number[]; data: (number | bigint)[] }>[]> {
  const all = [];
  for await (const { feeds } of dataset.batches({ ...inOrderPass, ...pass }))
    all.push(
      Object.fromEntries(
        Object.entries(feeds).map(([name, value]) => {
          const { data, shape } = value as Shaped;
          return [name, { shape: [...shape], data: Array.from(data) }];
        }),
      ),
    );
  return all;
}

/** All elements of a feed, one behind another. */
export const elementsOf = async (dataset: Dataset, feed: string, pass: Partial<Pass> = {}): Promise<(number | bigint)[]> =>
  (await batchesOf(dataset, pass)).flatMap((batch) => batch[feed]?.data ?? []);

/** Code and message of what fails, and its hint. */
export async function refusal(body: () => unknown): Promise<string> {
  try {
    await body();
  } catch (error) {
    if (error instanceof DiagnosticsError) return `${error.message}\n${error.diagnostics[0]?.hint ?? ''}`;
    if (error instanceof TfcError) return `${error.code}: ${error.message}\n${error.hint ?? ''}`;
    throw error;
  }
  throw new Error('nothing was thrown');
}
