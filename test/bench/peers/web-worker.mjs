// Web workers for libraries that expect a browser. In: nothing. Out: global `Worker` and `Blob` URLs that work in Node. Holds: only what
// jax-js asks of them.

import { Worker as Thread } from 'node:worker_threads';

const prelude = `const { parentPort } = require('node:worker_threads');
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on('message', (data) => self.onmessage({ data }));
`;

/** `threads`: how many processors the library is told of. */
export function installWorker(threads) {
  Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: threads, userAgent: 'Node' }, configurable: true });
  const texts = new Map();
  const NodeBlob = globalThis.Blob;
  globalThis.Blob = class extends NodeBlob {
    constructor(parts, options) {
      super(parts, options);
      this.source = parts.join('');
    }
  };
  URL.createObjectURL = (blob) => {
    const url = `blob:bench-${texts.size}`;
    texts.set(url, blob.source);
    return url;
  };
  URL.revokeObjectURL = () => {};
  globalThis.Worker = class {
    #thread;

    constructor(url) {
      this.#thread = new Thread(prelude + texts.get(url), { eval: true });
      this.#thread.on('message', (data) => this.onmessage?.({ data }));
      this.#thread.on('error', (error) => this.onerror?.(error));
    }

    postMessage(message, transfer) {
      this.#thread.postMessage(message, transfer);
    }

    terminate() {
      this.#thread.terminate();
    }
  };
}
