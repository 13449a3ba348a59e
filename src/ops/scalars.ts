// Elementwise ops as functions. In: a builder and nodes of one shape. Out: a node. Holds: one function per row of the scalar table, by the
// same name.

import type { GraphBuilder, TensorNode } from '../graph/index.js';
import { applyTensor } from './apply.js';
import { elementwise } from './elementwise.js';
import type { ScalarName } from './scalar/table.js';

const one =
  (name: ScalarName) =>
  (build: GraphBuilder, x: TensorNode): TensorNode =>
    applyTensor(build, elementwise[name], [x], {});
const two =
  (name: ScalarName) =>
  (build: GraphBuilder, x: TensorNode, y: TensorNode): TensorNode =>
    applyTensor(build, elementwise[name], [x, y], {});

export const scalars = {
  neg: one('neg'),
  abs: one('abs'),
  sign: one('sign'),
  square: one('square'),
  reciprocal: one('reciprocal'),
  sqrt: one('sqrt'),
  rsqrt: one('rsqrt'),
  exp: one('exp'),
  expm1: one('expm1'),
  log: one('log'),
  log1p: one('log1p'),
  sin: one('sin'),
  cos: one('cos'),
  tan: one('tan'),
  asin: one('asin'),
  acos: one('acos'),
  atan: one('atan'),
  sinh: one('sinh'),
  cosh: one('cosh'),
  tanh: one('tanh'),
  asinh: one('asinh'),
  acosh: one('acosh'),
  atanh: one('atanh'),
  erf: one('erf'),
  sigmoid: one('sigmoid'),
  softplusRest: one('softplusRest'),
  floor: one('floor'),
  ceil: one('ceil'),
  round: one('round'),
  trunc: one('trunc'),
  not: one('not'),
  isnan: one('isnan'),
  add: two('add'),
  sub: two('sub'),
  mul: two('mul'),
  div: two('div'),
  floorDiv: two('floorDiv'),
  rem: two('rem'),
  pow: two('pow'),
  min: two('min'),
  max: two('max'),
  atan2: two('atan2'),
  lt: two('lt'),
  le: two('le'),
  gt: two('gt'),
  ge: two('ge'),
  eq: two('eq'),
  ne: two('ne'),
  and: two('and'),
  or: two('or'),
  select: (build: GraphBuilder, condition: TensorNode, x: TensorNode, y: TensorNode): TensorNode =>
    applyTensor(build, elementwise.select, [condition, x, y], {}),
} as const;
