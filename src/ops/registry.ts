// Every op by its name. In: the definitions. Out: the registry, which printers' parsers and tests ask. Holds: names are unique; a new op is
// one definition and one line here.

import type { Attrs } from '../graph/index.js';
import { bitcast } from './bitcast.js';
import { branch } from './branch.js';
import { broadcast } from './broadcast.js';
import { call } from './call.js';
import { cast } from './cast.js';
import { checkpoint, recompute } from './checkpoint.js';
import { ensure, inRange } from './checks.js';
import { concat } from './concat.js';
import { contract } from './contract.js';
import type { Op } from './define.js';
import { grad, jvp } from './derivative.js';
import { elementwise } from './elementwise.js';
import { gather, scatterAdd } from './gather.js';
import { element, named, stopGradient } from './identity.js';
import { inverse } from './inverse.js';
import { loop } from './loop.js';
import { matmul } from './matmul.js';
import { narrow, widen } from './narrow.js';
import { pad } from './pad.js';
import { randomBits } from './random.js';
import { recurrence } from './recurrence.js';
import { reduceAll, reduceAny, reduceMax, reduceMin, reduceProduct, reduceSum } from './reduce.js';
import { reshape } from './reshape.js';
import { slice } from './slice.js';
import { argument, constant, dimension, feed, iota, placeholderOp, variable } from './sources.js';
import { transpose } from './transpose.js';
import { unwind } from './unwind.js';
import { view } from './view.js';
import { whileLoop } from './while.js';

/** Forgets which attributes an op takes: the registry is asked with attributes that belong to the op that it gives. */
const erase = <A extends Attrs>(op: Op<A>): Op => op as unknown as Op;

const all: readonly Op[] = [
  erase(feed),
  erase(variable),
  erase(argument),
  erase(placeholderOp),
  erase(constant),
  erase(iota),
  erase(dimension),
  erase(named),
  erase(stopGradient),
  erase(element),
  erase(cast),
  erase(narrow),
  erase(widen),
  erase(bitcast),
  ...Object.values(elementwise).map((op) => erase(op)),
  erase(broadcast),
  erase(reshape),
  erase(transpose),
  erase(slice),
  erase(pad),
  erase(view),
  erase(concat),
  erase(gather),
  erase(scatterAdd),
  erase(inRange),
  erase(ensure),
  erase(reduceSum),
  erase(reduceProduct),
  erase(reduceMax),
  erase(reduceMin),
  erase(reduceAny),
  erase(reduceAll),
  erase(matmul),
  erase(contract),
  erase(inverse),
  erase(recurrence),
  erase(randomBits),
  erase(loop),
  erase(whileLoop),
  erase(unwind),
  erase(branch),
  erase(call),
  erase(checkpoint),
  erase(recompute),
  erase(grad),
  erase(jvp),
];

export const registry: ReadonlyMap<string, Op> = new Map(all.map((op) => [op.name, op]));
