// Which part of a kernel a share of its phase runs. In: a kernel, a share of how many. Out: a range of blocks, or whether it runs at all.
// Holds: the shares of a phase together run every kernel of it once.

import { cutThreshold } from '../../../src/target/index.js';
import type { DimFrame } from './call-frame.js';
import { workOf } from '../../analysis/work.js';
import type { KernelFunction } from './kernel.js';
import type { Builder, LlvmValue } from '../builder/index.js';

/** The blocks of one share: a contiguous range; all of them in the first share when there is too little work to cut. */
export function rangeOf(
  frame: DimFrame,
  kernel: KernelFunction,
  count: LlvmValue,
  share: LlvmValue,
  shares: LlvmValue,
): readonly LlvmValue[] {
  const { build } = frame;
  const { module } = build;
  const next = build.add(share, module.i64(1), { nsw: true });
  const bounds = [share, next].map((part) => build.udiv(build.mul(count, part, { nsw: true }), shares));
  const work = frame.sizes.of(workOf(kernel.kernel));
  if (typeof work === 'number') return bounds;
  const whole = build.icmp('sle', work, module.i64(cutThreshold));
  const first = build.icmp('eq', share, module.i64(0));
  const [begin, end] = bounds as [LlvmValue, LlvmValue];
  return [build.select(whole, module.i64(0), begin), build.select(whole, build.select(first, count, module.i64(0)), end)];
}

/** Lanes are dealt from the first share upwards: it is the last that gets more blocks of what is cut. */
export function onlyIn(build: Builder, strand: number | LlvmValue, share: LlvmValue, shares: LlvmValue, body: () => void): void {
  const { module } = build;
  const [mine, after] = [build.newBlock('mine'), build.newBlock('after')];
  const dealt = strand === 0 ? module.i64(0) : build.urem(typeof strand === 'number' ? module.i64(strand) : strand, shares);
  build.condBr(build.icmp('eq', dealt, share), mine, after);
  build.at(mine);
  body();
  build.br(after);
  build.at(after);
}
