// Random expressions. In: a shape, the names in force, how deep. Out: an expression of that shape, as text in parentheses.
// Holds: what would grow is squashed or cut down; arguments of roots, logarithms and powers stay away from 0; conditions look at indices,
// at flags and at signs of what is fed, which stays away from 0.

import { type Draw, type Place, type Shape } from './draw.js';
import { indexed } from './notation.js';

export function value(d: Draw, shape: Shape, place: Place, deep: number): string {
  const known = place.names.filter((name) => name.shape === shape);
  if (deep <= 0 || d.chance(0.15)) {
    if (known.length > 0 && d.chance(0.9)) return d.pick(known.slice(-4)).text;
    return constant(d, shape, place);
  }
  const inner: Inner = (other = shape) => value(d, other, place, deep - 1);
  return `(${d.weighted<() => string>([...everywhere(d, shape, place, inner), ...shapes[shape](d, inner, place).map((one) => [1, one] as const)])()})`;
}

type Inner = (shape?: Shape) => string;
type Choices = readonly (readonly [number, () => string])[];

export function constant(d: Draw, shape: Shape, place: Place): string {
  if (shape === '' && place.counters.length > 0 && d.chance(0.4)) return `0.3 * ${d.float}(${d.pick(place.counters)})`;
  const number = d.pick(['0.7', '-0.4', '1.2']);
  return shape === '' ? `${d.float}(${number})` : `broadcastTo(${d.float}(${number}), [${shape}])`;
}

/** Squashed, so that what follows from it does not grow. */
export const squashed = (d: Draw, text: string): string => d.pick([`sin(${text})`, `tanh(${text})`, `0.8 * sin(${text})`]);

const everywhere = (d: Draw, shape: Shape, place: Place, inner: Inner): Choices => [
  [1, () => `${d.pick(['sin', 'tanh', 'sigmoid', 'cos', 'atan', 'erf', 'asinh'])}(${inner()})`],
  [1, () => `${d.pick(['sqrt', 'rsqrt', 'log', 'root', 'log1p'])}(1.3 + square(${inner()}))`],
  [1, () => `exp(-square(${inner()}))`],
  [1, () => `(1.5 + tanh(${inner()})) ** ${d.pick(['2', '3', '0.5', '-1', `tanh(${inner()})`])}`],
  [1, () => `${inner()} ${d.pick(['+', '-', '*'])} ${inner()}`],
  [1, () => `${inner()} * ${inner()} - ${inner()}`],
  [1, () => `${inner()} / (2 + tanh(${inner()}))`],
  [1, () => `${d.pick(['cube', 'squash'])}(0.5 * ${inner()})`],
  [1, () => `if ${condition(d, place)} then ${inner()} else ${inner()}`],
  [0.5, () => branch(d, shape, place, inner)],
  [1, () => `${inner('')} * ${inner()}`],
  [0.5, () => `${d.pick(['gelu', 'silu', 'mish', 'softplus'])}(${inner()})`],
  [0.3, () => `atan2(${inner()}, 2 + tanh(${inner()}))`],
  ...(d.narrow ? [] : cornered(d, inner)),
  [0.4, () => `addN([${inner()} * ${d.float}(u + 1) for u in 0..${d.pick(['2', '3'])}])`],
  [1.5, () => indexed(d, shape, place)],
];

/** Functions with corners, which only luck meets. */
const cornered = (d: Draw, inner: Inner): Choices => [
  [0.5, () => `${d.pick(['max', 'min'])}(${inner()}, ${inner()})`],
  [0.5, () => `${d.pick(['relu', 'elu', 'softsign', 'leakyRelu', 'abs'])}(${inner()})`],
  [0.3, () => `clip(${inner()}, -0.9, 0.8)`],
  [0.3, () => `(3 + ${inner()}) % 2`],
];

/** Sides that are worth a branch, because loops are in them. */
function branch(d: Draw, shape: Shape, place: Place, inner: Inner): string {
  const [z, t] = [d.name('z'), d.name('t')];
  const loop = `(fold ${t} in 0..3 with ${z} = ${inner()} { ${squashed(d, `${z} + 0.1 * ${d.float}(${t}) * ${inner('')}`)} })`;
  return d.chance(0.5)
    ? `if ${condition(d, place)} then ${loop} else ${inner()}`
    : `if ${condition(d, place)} then ${inner()} else ${loop}`;
}

export function condition(d: Draw, place: Place): string {
  const counter = place.counters.at(-1);
  if (counter !== undefined && d.chance(0.5)) return `${counter} % 2 == 0`;
  return d.pick(['x[0] > 0', 's > 0', 'c[1, 2] < 0', 'flag', '!flag', 'n > 1', 'flag && k[0] == 1']);
}

const row = (d: Draw, place: Place): string =>
  place.counters.length > 0 && d.chance(0.5) ? d.pick(place.counters) : d.pick(['0', '1', '2', '-1', 'n', 'k[1]']);

const shapes: Readonly<Record<Shape, (d: Draw, inner: (shape?: Shape) => string, place: Place) => readonly (() => string)[]>> = {
  '': (d, inner, place) => [
    () => `sum(${inner('3')})`,
    () => `mean(${inner('2, 3')})`,
    () => `norm(1.5 + tanh(${inner('3')}))`,
    () => `product(1 + 0.5 * tanh(${inner(d.pick(['3', '2, 3']))}))`,
    () => `dot(${inner('3')}, ${inner('3')})`,
    () => `${inner('3')}[${row(d, place)}]`,
    () => `${d.pick(['logSumExp', ...(d.narrow ? [] : ['max', 'min'])])}(${inner('3')})`,
    () => `${d.pick(['logSumExp', 'variance', 'std'])}(${inner(d.pick(['3', '2, 3']))} + x[0])`,
    () => `both(${inner('3')}, ${inner()})[0]`,
    () => `powered(1.2 + 0.5 * sin(${inner()}), ${place.counters.length > 0 ? d.pick(place.counters) : d.pick(['3', 'n'])})`,
    () => `trace(${inner('3, 3')})`,
    () => `mean(${inner('B')})`,
    () => `0.3 * sum(${inner('B, 3')})`,
    () => `newton(1.2 + square(${inner()}))`,
    () => `parts(${inner('3')}).first`,
    () => `${inner('B')}[${d.pick(['0', '-1'])}]`,
    () => `sum(where(x > 0, ${inner('3')}, -1.5))`,
  ],
  '2': (d, inner) => [
    () => `${inner('3')}[${d.pick(['1:', ':2', '::2', 'n - 1 : n + 1', '[2, 1]'])}]`,
    () => `sum(${inner('2, 3')}, axis: 1)`,
    () => `${inner('2, 3')}[:, ${d.int(3)}]`,
    () => `parts(${inner('3')}).rest`,
    () => `${inner('3, 3')}[[0, 2], ${d.pick(['[1, 1]', '[2, 0]', 'k[1:]'])}]`,
    () => `${d.pick(['mean', 'product', 'norm', ...(d.narrow ? [] : ['max', 'min'])])}(1.4 + tanh(${inner('2, 3')}), axis: 1)`,
    () => `split(reshape(concat([${inner('2')}, ${inner('2')}], axis: 0), [2, 2]), 2, axis: 1)[${d.int(2)}][:, 0]`,
  ],
  '3': (d, inner, place) => [
    () => `${inner('3, 3')} @ ${inner('3')}`,
    () => `${inner('3')} @ ${inner('3, 3')}`,
    () => `${inner('3, 3')}[${row(d, place)}]`,
    () => `sum(${inner('2, 3')}, axis: 0)`,
    () => `${inner('3')}[${d.pick(['[2, 0, 1]', '[1, 1, 0]', '::-1', 'k'])}]`,
    () => `concat([${inner('2')}, expandDims(${inner('')}, axis: 0)], axis: 0)`,
    () => `${d.pick(['softmax', 'logSoftmax'])}(${inner('3')})`,
    () => `both(${inner('3')}, ${inner('')})[1]`,
    () => `descend(${inner('3')})`,
    () => `wave(${inner('3')}, ${inner('')})`,
    () => `where(${d.pick(['x > 0', 'k > 1', 'w[1] < 0'])}, ${inner('3')}, ${inner('3')})`,
    () => `product(1 + 0.3 * tanh(${inner('2, 3')}), axis: 0)`,
    () => `stack([${inner('')}, ${inner('')}, ${inner('')}], axis: 0)`,
    () => `${d.pick([d.net, `${d.net}.cells[${d.int(3)}]`])}(${inner('3')})`,
    () => `mean(${inner('B, 3')}, axis: 0)`,
    () => `${inner('B, 3')}[${d.pick(['0', '-1'])}]`,
    () => `${inner('B')} @ ${inner('B, 3')}`,
    () => `twice(v => ${squashed(d, 'v * 1.1')} + ${inner('3')}, ${inner('3')})`,
    () => `${inner('3, 3')}[${d.pick(['k', '[1, 0, 2]'])}, ${d.pick(['k', 'k[::-1]', '[0, 1, 1]'])}]`,
    () => `pad(${inner('2')}, [1], [0])`,
    () => `${inner('3, 3')}[:, ${d.pick(['0', 'n', '-1'])}]`,
    () => `flatten(split(${inner('3, 3')}, 3, axis: 1)[${d.int(3)}])`,
    () => `fold item in [${inner('3')}, ${inner('3')}] with h = ${inner('3')} { ${squashed(d, 'h * item + h')} }`,
  ],
  '2, 3': (d, inner) => [
    () => `${inner('2, 3')} @ ${inner('3, 3')}`,
    () => `stack([${inner('3')}, ${inner('3')}], axis: 0)`,
    () => `${inner('3, 3')}[${d.pick(['1:', '[2, 0]', '::2', 'n - 1 : n + 1', 'k[:2]'])}]`,
    () => `${inner('2, 3')} * ${inner('3')}`,
    () => `where(c > 0, ${inner('2, 3')}, ${inner('2, 3')})`,
    () => `reshape(transpose(${inner('2, 3')}), [2, 3])`,
    () => `${d.pick(['softmax', 'logSoftmax'])}(${inner('2, 3')}, axis: ${d.int(2)})`,
    () => `${d.net}.rows(${inner('2, 3')})`,
    () => `outer(${inner('2')}, ${inner('3')})`,
    () => `scatterAdd(k - 1, ${inner('3, 3')}, 2)`,
    () => `pad(${inner('2, 3')}[1:, 1:], [1, 0], [0, 1])`,
  ],
  '3, 3': (d, inner) => [
    () => `${inner('3, 3')} @ ${inner('3, 3')}`,
    () => `transpose(${inner('2, 3')}) @ ${inner('2, 3')}`,
    () => `outer(${inner('3')}, ${inner('3')})`,
    () => `take(${inner('2, 3')}, ${d.pick(['[0, 1, 1]', '[1, 0, 1]', 'k - 1'])})`,
    () => `transpose(${inner('3, 3')})`,
    () => `0.2 * transpose(${inner('B, 3')}) @ ${inner('B, 3')}`,
    () => `solid(tanh(${inner('3, 3')}))`,
    () => `scatterAdd(${d.pick(['k', '[2, 0, 2]'])}, ${inner('3, 3')}, 3)`,
    () => `${inner('3, 3')}[${d.pick(['k', '::-1', ':, [2, 1, 0]'])}]`,
    () => `concat([${inner('2, 3')}, expandDims(${inner('3')}, axis: 0)], axis: 0)`,
  ],
  B: (d, inner) => [
    () => `sum(${inner('B, 3')}, axis: 1)`,
    () => `${inner('B, 3')} @ ${inner('3')}`,
    () => `${inner('B, 3')}[:, ${d.pick(['0', '2', 'n'])}]`,
    () => `${d.pick(['norm', 'logSumExp', 'mean', 'product', ...(d.narrow ? [] : ['max'])])}(1.4 + tanh(${inner('B, 3')}), axis: 1)`,
    () => `${inner('B')}[::-1]`,
    () => `where(q[:, 1] > 0, ${inner('B')}, ${inner('B')})`,
  ],
  'B, 3': (d, inner) => [
    () => `${inner('B, 3')} @ ${inner('3, 3')}`,
    () => `${inner('B, 3')} ${d.pick(['*', '+'])} ${inner('3')}`,
    () => `outer(${inner('B')}, ${inner('3')})`,
    () => `softmax(${inner('B, 3')}, axis: ${d.int(2)})`,
    () => `${d.net}.rows(${inner('B, 3')})`,
    () => `where(q > 0, ${inner('B, 3')}, ${inner('B, 3')})`,
    () => `${inner('B, 3')}[${d.pick(['::-1', ':, ::-1', ':, k'])}]`,
    () => `${inner('B, 3')} * expandDims(${inner('B')}, axis: 1)`,
  ],
};
