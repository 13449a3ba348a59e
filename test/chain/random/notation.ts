// Random index notation. In: a shape, the names in force. Out: a tensor of it as a function of its indices, or a reduction over some.
// Holds: every subscript is proved to stay inside, stands before `??`, or comes from what is fed as a row number.

import { type Axis, axesOf, type Draw, type Name, type Place, type Shape } from './draw.js';

interface Index {
  readonly text: string;
  readonly size: Axis;
}

interface Body {
  readonly place: Place;
  readonly indices: readonly Index[];
  /** Indices that stand alone on an axis of their size: it gives them their range. */
  readonly alone: Set<string>;
}

const rangeOf = (d: Draw, { text, size }: Index, alone: ReadonlySet<string>): string =>
  alone.has(text) && d.chance(0.5) ? text : `${text} in 0..${size}`;

export function indexed(d: Draw, shape: Shape, place: Place): string {
  const indices = axesOf(shape).map((size): Index => ({ text: d.name('j'), size }));
  const body: Body = { place, indices, alone: new Set() };
  if (indices.length === 0) return reduction(d, body, 2);
  const text = element(d, body, 3);
  return `([${indices.map((index) => rangeOf(d, index, body.alone)).join(', ')}] => ${text})`;
}

function reduction(d: Draw, around: Body, deep: number): string {
  const inner = Array.from({ length: 1 + d.int(2) }, (): Index => ({ text: d.name('r'), size: d.pick<Axis>(['2', '3', '3', 'B']) }));
  const body: Body = { ...around, indices: [...around.indices, ...inner] };
  const text = element(d, body, deep - 1);
  const ranges = `[${inner.map((index) => rangeOf(d, index, body.alone)).join(', ')}]`;
  return d.weighted([
    [5, () => `sum${ranges}(${text} * ${element(d, body, 0)})`],
    [2, () => `sum${ranges}(${text})`],
    [2, () => `mean${ranges}(${text})`],
    [d.narrow ? 0 : 1, () => `${d.pick(['max', 'min'])}${ranges}(${text})`],
    [1, () => `product${ranges}(1 + 0.3 * tanh(${text}))`],
  ])();
}

function element(d: Draw, body: Body, deep: number): string {
  if (deep <= 0 || d.chance(0.2)) return read(d, body);
  const inner = (): string => element(d, body, deep - 1);
  const index = body.indices.length === 0 ? undefined : d.pick(body.indices);
  return d.weighted<() => string>([
    [3, () => `${d.pick(['sin', 'tanh', 'cos', 'sigmoid'])}(${inner()})`],
    [1, () => `${d.pick(['sqrt', 'rsqrt', 'log'])}(1.3 + square(${inner()}))`],
    [1, () => `cube(0.5 * ${inner()})`],
    [4, () => `(${inner()} ${d.pick(['+', '-', '*'])} ${inner()})`],
    [3, () => `(if ${condition(d, body)} then ${inner()} else ${inner()})`],
    [3, () => (body.indices.length > 3 ? inner() : reduction(d, body, deep))],
    [1, () => (index === undefined ? inner() : `(0.3 * ${d.float}(${index.text}) - ${inner()})`)],
    [1, () => (index === undefined ? inner() : `powered(1.2 + 0.5 * sin(${inner()}), ${index.text})`)],
    [1, () => before(d, body) ?? inner()],
    [0.7, () => repeated(d, inner())],
  ])();
}

/** A loop for every element. */
function repeated(d: Draw, start: string): string {
  const [z, t] = [d.name('z'), d.name('t')];
  return `(fold ${t} in 0..${d.pick(['1', '2', '3'])} with ${z} = ${start} { 0.8 * sin(${z}) + 0.1 * ${d.float}(${t}) })`;
}

/** The element before, where a condition says that there is one. */
function before(d: Draw, { indices, place }: Body): string | undefined {
  const index = indices.find(({ size }) => size === '3');
  const names = place.names.filter(({ shape }) => shape === '3');
  if (index === undefined || names.length === 0) return undefined;
  const name = d.pick(names).text;
  return `(if ${index.text} > 0 then ${name}[${index.text} - 1] else ${name}[2])`;
}

function condition(d: Draw, { indices }: Body): string {
  const index = indices.length === 0 ? undefined : d.pick(indices).text;
  const other = indices.length === 0 ? undefined : d.pick(indices).text;
  const three = indices.find(({ size }) => size === '3')?.text;
  return d.pick([
    ...(index === undefined ? [] : [`${index} > 0`, `${index} <= ${other}`, `${index} + ${other} < 3`, `${index} % 2 == 0`]),
    ...(three === undefined ? [] : [`x[${three}] > 0`, `k[${three}] > 1`]),
    'flag',
    's > 0',
    'any[u in 0..3](x[u] > 0.5)',
  ]);
}

/** One element of a tensor that has a name, or a scalar. */
function read(d: Draw, body: Body): string {
  const near = body.place.names.filter(({ named }) => named).slice(-8);
  const tensors = near.filter(({ shape }) => shape !== '');
  if (tensors.length === 0 || d.chance(0.1)) return near.find(({ shape }) => shape === '')?.text ?? `${d.float}(0.6)`;
  const name = d.pick(tensors);
  return d.chance(0.25) ? bordered(d, body, name) : inside(d, body, name);
}

function inside(d: Draw, { indices, alone }: Body, { text, shape }: Name): string {
  const subscripts = axesOf(shape).map((axis) => {
    const fitting = indices.filter(({ size }) => size === axis);
    if (fitting.length > 0 && d.chance(0.75)) {
      const index = d.pick(fitting).text;
      if (d.chance(0.8)) {
        alone.add(index);
        return index;
      }
      if (axis !== 'B') return `${Number(axis) - 1} - ${index}`;
    }
    const shorter = indices.filter(({ size }) => size === '2');
    if (axis === '3' && shorter.length > 0 && d.chance(0.5)) return d.pick([`${d.pick(shorter).text} + 1`, `2 * ${d.pick(shorter).text}`]);
    const three = indices.filter(({ size }) => size === '3');
    if (axis !== 'B' && three.length > 0 && d.chance(0.4)) {
      const index = d.pick(three).text;
      alone.add(index);
      return axis === '3' ? `k[${index}]` : `k[${index}] - 1`;
    }
    if (axis !== 'B' && d.chance(0.2)) return axis === '3' ? 'n' : 'n - 1';
    return d.pick(axis === 'B' ? ['0', '-1'] : axis === '2' ? ['0', '1', '-1'] : ['0', '1', '2', '-1', '-2']);
  });
  return `${text}[${subscripts.join(', ')}]`;
}

function bordered(d: Draw, { indices }: Body, { text, shape }: Name): string {
  const subscripts = axesOf(shape).map((axis) => {
    const index = indices.length === 0 ? undefined : d.pick(indices);
    if (index === undefined) return axis === 'B' ? '0' : '1';
    return d.pick([
      `${index.text} + ${d.pick(['1', '2', 'n'])}`,
      `${index.text} - ${d.pick(['1', '2'])}`,
      `2 * ${index.text} - 1`,
      `1 - ${index.text}`,
      ...(index.size === '3' ? [`k[${index.text}] - 1`, `k[${index.text}] + ${index.text}`] : []),
    ]);
  });
  return `(${text}[${subscripts.join(', ')}] ?? ${d.pick(['0', '0.4', '(0.5 * s)'])})`;
}
