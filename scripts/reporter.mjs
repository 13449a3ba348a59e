// A vitest reporter that only counts. In: the finished run. Out: `{ passed, failed }` in the file named by TFC_TALLY.
// Holds: a file that could not be loaded and an error outside all tests count as failures.

import { writeFileSync } from 'node:fs';

export default class Tally {
  onTestRunEnd(modules, unhandled) {
    let passed = 0;
    let failed = unhandled.length;
    for (const module of modules) {
      let inside = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        if (state === 'failed') inside++;
      }
      // A module can fail with all its tests passed: an import or a hook went wrong.
      failed += inside > 0 ? inside : module.state() === 'failed' ? 1 : 0;
    }
    writeFileSync(process.env.TFC_TALLY, JSON.stringify({ passed, failed }));
  }
}
