// A file of raw numbers. In: arrays. Out: where each of them begins. Holds: every array begins at a multiple of 64 bytes.

import { closeSync, openSync, writeSync } from 'node:fs';

export class Numbers {
  readonly #file: number;
  #size = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  append(data: NodeJS.ArrayBufferView): number {
    const offset = Math.ceil(this.#size / 64) * 64;
    writeSync(this.#file, data, 0, data.byteLength, offset);
    this.#size = offset + data.byteLength;
    return offset;
  }

  close(): void {
    closeSync(this.#file);
  }
}
