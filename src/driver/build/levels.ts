// The levels of `--emit`, in the order of the way: as checked; simplified; groups of fused ops; kernel IR without and with places in the
// arena; and what a back end makes of it.

import type { Backend, DeviceBackend } from '../../target/index.js';

/** Those that need no back end but to know the target. */
export const stageLevels = ['graph', 'simplified', 'fused', 'scheduled', 'kernels'] as const;
export type StageLevel = (typeof stageLevels)[number];

/** `device`: what code is made for instead. */
export const levelsOf = (backend: Backend, device?: DeviceBackend): readonly string[] => [
  ...stageLevels,
  ...(device === undefined ? backend.levels : [device.level]),
];
