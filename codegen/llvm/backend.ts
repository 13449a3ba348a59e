// LLVM as a back end of the driver. In: programs of machine ops. Out: artifacts, and text on the way. Holds: LLVM itself is loaded when a
// target is asked for.

import { addonFile, platform } from '../../runtime/addon-file.js';
import { InternalError } from '../../src/base/index.js';
import type { Backend, CpuTarget, Target } from '../../src/target/index.js';
import { buildArtifact, compilePrograms } from './artifact.js';
import { header } from './header.js';
import { hostTarget, requireCpu } from './target.js';

/** Its own IR before its passes; assembly. */
const levels = ['llvm', 'asm'] as const;

function cpuOf(target: Target): CpuTarget {
  if (target.kind !== 'cpu') throw new InternalError('codegen', `${target.kind} is no CPU`);
  return target;
}

export const llvm: Backend = {
  name: 'llvm',
  toolchain: { name: `@tdsl/compiler-${platform}`, find: () => addonFile('llvm') },
  levels,
  passes: [],
  requireCpu,
  targetOf: hostTarget,
  build: (input) => {
    const { library, timings } = buildArtifact({ ...input, target: cpuOf(input.target) });
    return {
      library,
      header: header(input.manifest),
      stages: [
        { name: 'llvm: build', milliseconds: timings.buildMs },
        { name: 'llvm: optimize', milliseconds: timings.optimizeMs },
        { name: 'llvm: codegen', milliseconds: timings.codegenMs },
        { name: 'link', milliseconds: timings.linkMs },
      ],
    };
  },
  print: (input, level) => {
    const emit = levels.find((one) => one === level);
    const output = compilePrograms({ ...input, target: cpuOf(input.target), emit });
    if (output.kind !== 'text') throw new InternalError('codegen', `${level} is no text`);
    return output.text;
  },
};
