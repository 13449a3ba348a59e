// Random statements of functions. In: a place. Out: lines, and the place behind them.
// Holds: what a loop carries is squashed in every round; a loop that asks for its end comes to it.

import type { Draw, Name, Place, Shape } from './draw.js';
import { condition, squashed, value } from './value.js';

export interface Lines {
  readonly lines: readonly string[];
  readonly place: Place;
}

export function statements(d: Draw, count: number, place: Place, one: typeof statement = statement): Lines {
  const lines: string[] = [];
  for (let at = 0; at < count; at++) {
    const next = one(d, place);
    lines.push(...next.lines);
    place = next.place;
  }
  return { lines, place };
}

export const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
export const many = (list: readonly string[]): string => (list.length === 1 ? (list[0] as string) : `(${list.join(', ')})`);

const anyShape = ['', '2', '3', '3', '2, 3', '3, 3', 'B', 'B, 3'] as const satisfies readonly Shape[];

function statement(d: Draw, place: Place): Lines {
  const kind = d.random();
  if (kind < 0.4 && place.depth < 2) return d.weighted([[6, counted] as const, [2, asking] as const])(d, place);
  if (kind < 0.62) return derivative(d, place);
  if (kind < 0.7) return sides(d, place);
  const shape = d.pick<Shape>(anyShape);
  return bound(d, place, shape, squashed(d, value(d, shape, place, 2)));
}

/** A `let` of that text. */
export function bound(d: Draw, place: Place, shape: Shape, text: string, lines: readonly string[] = []): Lines {
  const name = d.name('v');
  return {
    lines: [...lines, `let ${name}: ${d.typeOf(shape)} = ${text}`],
    place: { ...place, names: [...place.names, { text: name, shape, named: true }] },
  };
}

/** A derivative that the derivatives outside go through. */
function derivative(d: Draw, place: Place): Lines {
  const by = d.pick(place.names.filter((name) => name.named).slice(-5));
  const energy = d.name('e');
  const near: Place = { ...place, names: [...place.names.filter((name) => name.shape !== by.shape), by, by] };
  const line = `let ${energy} = ${value(d, '', near, 3)} + sum(${d.pick(['sin', 'square', 'cube'])}(${by.text}))`;
  if (d.chance(0.3)) return bound(d, place, '', `tanh(jvp(${energy}, ${by.text}, ${value(d, by.shape, place, 1)}))`, [line]);
  return bound(d, place, by.shape, `${d.pick(['sin', 'tanh'])}(grad(${energy}, ${by.text}))`, [line]);
}

/** Two values by one choice. */
function sides(d: Draw, place: Place): Lines {
  const shapes = Array.from({ length: 2 }, () => d.pick<Shape>(anyShape));
  const side = (): string => `(${shapes.map((shape) => squashed(d, value(d, shape, place, 1))).join(', ')})`;
  const names = shapes.map((shape): Name => ({ text: d.name('v'), shape, named: true }));
  return {
    lines: [`let (${names.map(({ text }) => text).join(', ')}) = if ${condition(d, place)} then ${side()} else ${side()}`],
    place: { ...place, names: [...place.names, ...names] },
  };
}

const carried = (d: Draw): { readonly shapes: readonly Shape[]; readonly carries: readonly Name[] } => {
  const shapes = Array.from({ length: 1 + d.int(2) }, () => d.pick<Shape>(['', '3', '3', '2, 3', 'B', 'B, 3', '3, 3']));
  return { shapes, carries: shapes.map((shape): Name => ({ text: d.name('z'), shape, named: true })) };
};

/** `fold` and `scan`, over numbers, numbers of the run, sizes, rows. */
function counted(d: Draw, place: Place): Lines {
  const { shapes, carries } = carried(d);
  const starts = shapes.map((shape) => (d.chance(0.2) && shape === '' ? `${d.float}(0.5)` : value(d, shape, place, 1)));
  const scans = d.chance(0.4);
  const overRows = d.chance(0.3);
  const item = d.name('r');
  const counter = d.name('i');
  // Over the batch, a round reads its row; the counter may be larger than 2.
  const batch = !overRows && d.chance(0.2);
  const inside: Place = {
    names: [
      ...place.names,
      ...carries,
      ...(overRows ? [{ text: item, shape: '3', named: true } as const] : []),
      ...(batch ? [{ text: `q[${counter}]`, shape: '3', named: false } as const] : []),
    ],
    counters: overRows || batch ? place.counters : [...place.counters, counter],
    depth: place.depth + 1,
  };
  const body = statements(d, d.int(3), inside);
  const next = shapes.map((shape) => squashed(d, value(d, shape, body.place, 2)));
  const over = overRows
    ? `${item} in ${d.pick(['w', 'c', 'q', 'w @ w'])}`
    : `${counter} in ${batch ? '0..B' : d.pick(['0..3', '0..3', '0..2', '0..1', ...(scans ? [] : ['0..n', '0..n', 'n..3', '0..k[0]'])])}`;
  const head = `${over} with ${many(carries.map(({ text }) => text))} = ${many(starts)}`;
  const results = shapes.map((shape): Name => ({ text: d.name('v'), shape, named: true }));
  const names = many(results.map(({ text }) => text));
  if (!scans)
    return {
      lines: [`let ${names} = fold ${head} {`, ...indented(body.lines), `  ${many(next)}`, '}'],
      place: { ...place, names: [...place.names, ...results] },
    };
  // A scan whose rows are summed, so that each one's cotangent is its own.
  const [rows, total] = [d.name('rows'), d.name('v')];
  const shape = d.pick<Shape>(['', '3', 'B']);
  const weights = shape === '' ? '' : ', axis: 0';
  return {
    lines: [
      `let (${names}, ${rows}) = scan ${head} {`,
      ...indented(body.lines),
      `  yield (${many(next)}, ${value(d, shape, body.place, 2)})`,
      '}',
      `let ${total}: ${d.typeOf(shape)} = sum(${rows} * ${rows}${weights}) - 0.5 * ${rows}[0]`,
    ],
    place: { ...place, names: [...place.names, ...results, { text: total, shape, named: true }] },
  };
}

/** `while`: so many rounds, or until what is carried is small. */
function asking(d: Draw, place: Place): Lines {
  const { shapes, carries } = carried(d);
  const counter = d.name('i');
  const counts = d.narrow || d.chance(0.6);
  const inside: Place = {
    names: [...place.names, ...carries],
    counters: counts ? [...place.counters, counter] : place.counters,
    depth: place.depth + 1,
  };
  const body = statements(d, d.int(2), inside);
  const [first] = carries as [Name, ...Name[]];
  const next = shapes.map((shape, at) =>
    counts || at > 0
      ? squashed(d, value(d, shape, body.place, 2))
      : `0.6 * ${first.text} * ${d.pick(['sin', 'tanh', 'cos'])}(${value(d, shape, body.place, 1)})`,
  );
  const starts = shapes.map((shape) => value(d, shape, place, 1));
  const goesOn = counts
    ? `${counter} < ${d.pick(['n', '2', 'n + 1'])}`
    : `${d.pick(['sum', 'max'])}(abs(${first.text})) > ${d.pick(['0.3', '0.05'])}`;
  const all = many([...carries.map(({ text }) => text), ...(counts ? [counter] : [])]);
  const results = shapes.map((shape): Name => ({ text: d.name('v'), shape, named: true }));
  const names = many([...results.map(({ text }) => text), ...(counts ? [d.name('rounds')] : [])]);
  return {
    lines: [
      `let ${names} = while ${goesOn} with ${all} = ${many([...starts, ...(counts ? ['0'] : [])])} limit 40 {`,
      ...indented(body.lines),
      `  ${many([...next, ...(counts ? [`${counter} + 1`] : [])])}`,
      '}',
    ],
    place: { ...place, names: [...place.names, ...results] },
  };
}
