// What a test file changes of the environment, such as the place of the cache, ends with it. In: the environment before a file. Out: the
// same behind it. Holds: files that share a process find it as they would alone. Certificates are not looked for: every Node that a test
// starts would read them first, for half of its time, and none asks anybody over the net.

import { afterAll } from 'vitest';

Reflect.deleteProperty(process.env, 'NODE_EXTRA_CA_CERTS');
const before = { ...process.env };

afterAll(() => {
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(before, name)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
});
