// Processors that can be named. In: a name. Out: nothing, or a diagnostic. Holds: LLVM ends the process over a name that it does not know,
// so it never gets one.

import { arch } from 'node:os';
import { DiagnosticsError } from '../base/index.js';

/** LLVM 19's names of x86-64 processors (`llc -march=x86-64 -mcpu=help`), without its spellings with underscores. */
const x64 = [
  'x86-64 x86-64-v2 x86-64-v3 x86-64-v4',
  'nocona core2 penryn nehalem corei7 westmere sandybridge corei7-avx ivybridge core-avx-i haswell core-avx2 broadwell skylake skylake-avx512 skx cascadelake cooperlake cannonlake',
  'icelake-client icelake-server rocketlake tigerlake alderlake raptorlake meteorlake arrowlake arrowlake-s lunarlake pantherlake',
  'sapphirerapids emeraldrapids graniterapids graniterapids-d sierraforest grandridge clearwaterforest',
  'bonnell atom silvermont slm goldmont goldmont-plus tremont gracemont knl knm',
  'k8 opteron athlon64 athlon-fx k8-sse3 opteron-sse3 athlon64-sse3 amdfam10 barcelona btver1 btver2 bdver1 bdver2 bdver3 bdver4 znver1 znver2 znver3 znver4 znver5',
]
  .join(' ')
  .split(' ');

/** Errors: invalid-value for a name that LLVM does not know on this machine. */
export function requireCpu(name: string): void {
  const known = arch() === 'x64' ? ['native', ...x64] : ['native'];
  if (known.includes(name)) return;
  throw new DiagnosticsError([
    {
      code: 'invalid-value',
      message: `there is no processor called ${JSON.stringify(name)}`,
      hint: 'Take native (this machine), x86-64, x86-64-v3, x86-64-v4, or the name that LLVM has for one.',
    },
  ]);
}
