// Rules of factors ±2ⁿ in products. In: products. Out: such factors joined with each other, with constants, and with what is computed less
// often. Holds: multiplying by ±2ⁿ is exact, but at the ends of the range; factors between 1/16 and 16 move, so what is not within 16 times
// of an end keeps its value. In products of f16, whose numbers often are, they stay where they are.

import { roundTo } from '../../base/index.js';
import type { GraphBuilder, TensorNode, TensorType } from '../../graph/index.js';
import { applyTensor, broadcast, constant, elementwise, spread } from '../../ops/index.js';
import { arg, broadcasted, floats, isNormal, isOp, isPowerOfTwo, isRoomy, make, splat } from './match.js';
import type { Rule, RuleContext } from './rule.js';

const { mul } = elementwise;

interface Scaled {
  readonly value: TensorNode;
  readonly factor: number;
}

const mayMove = (factor: number): boolean => isPowerOfTwo(factor) && Math.abs(factor) <= 16 && Math.abs(factor) >= 1 / 16;

/** A product with a number, taken apart. */
function withNumber(node: TensorNode): Scaled | undefined {
  if (!isOp(node, mul)) return undefined;
  const [left, right] = [splat(arg(node)), splat(arg(node, 1))];
  if (typeof right === 'number' && left === undefined) return { value: arg(node), factor: right };
  return typeof left === 'number' && right === undefined ? { value: arg(node, 1), factor: left } : undefined;
}

function scaled(node: TensorNode): Scaled | undefined {
  const found = withNumber(node);
  return found !== undefined && mayMove(found.factor) ? found : undefined;
}

const times = (build: GraphBuilder, { value, factor }: Scaled): TensorNode =>
  factor === 1 ? value : make(build, mul, value, number(build, value.type, factor));

/** A constant with all the digits that the program gives it; its dtype rounds it where it is used. */
const number = (build: GraphBuilder, { dtype, shape }: TensorType, value: number): TensorNode =>
  spread(build, applyTensor(build, constant, [], { value, dtype }), shape);

/** The product of both where one has a factor to give away. */
function givenAway(from: TensorNode, to: TensorNode, { build, uses }: RuleContext): TensorNode | undefined {
  const left = scaled(from);
  if (left === undefined) return undefined;
  const right = scaled(to);
  if (right !== undefined) {
    const factor = left.factor * right.factor;
    const alone = uses(from) <= 1 || uses(to) <= 1;
    return factor === 1 || alone ? times(build, { value: make(build, mul, left.value, right.value), factor }) : undefined;
  }
  if (uses(from) > 1) return undefined;
  if (isOp(to, broadcast))
    return make(
      build,
      mul,
      left.value,
      broadcasted(build, times(build, { value: arg(to), factor: left.factor }), to.attrs.shape, to.attrs.axes),
    );
  return times(build, { value: make(build, mul, left.value, to), factor: left.factor });
}

export const powerRules: readonly Rule[] = [
  {
    name: 'power-of-two-times-constant',
    doc: '(x · a) · b → x · (a · b) for constants of which one is ±2ⁿ and nothing else takes x · a',
    at: [mul],
    apply: (node, { build, uses }) => {
      const outer = floats(node) ? withNumber(node as TensorNode) : undefined;
      const inner = outer === undefined || uses(outer.value) > 1 ? undefined : withNumber(outer.value);
      if (outer === undefined || inner === undefined || !(mayMove(outer.factor) || mayMove(inner.factor))) return undefined;
      const { dtype } = inner.value.type;
      const factor = inner.factor * outer.factor;
      return isNormal(dtype, roundTo(dtype, factor)) ? times(build, { value: inner.value, factor }) : undefined;
    },
  },
  {
    name: 'power-of-two-in-product',
    doc: '(x · 2ⁿ) · y → (x · y) · 2ⁿ, if nothing else takes x · 2ⁿ, where the factor may meet others; it joins what is broadcast, and two factors become one',
    at: [mul],
    apply: (node, context) => {
      if (!floats(node) || !isRoomy((node as TensorNode).type.dtype) || splat(arg(node)) !== undefined || splat(arg(node, 1)) !== undefined)
        return undefined;
      return givenAway(arg(node), arg(node, 1), context) ?? givenAway(arg(node, 1), arg(node), context);
    },
  },
];
