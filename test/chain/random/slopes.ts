// Random programs for derivatives, as texts. In: a seed, how many statements. Out: an entry that gives a scalar, its derivatives with
// respect to all arguments and some params, and the slope along a direction by either mode.
// Holds: every function in them is smooth near what is fed, so that finite differences see its slope.

import { axesOf, Draw, type Name, type Place, type Shape } from './draw.js';
import { library } from './library.js';
import { statements } from './statements.js';
import { value } from './value.js';

/** What is differentiated by. */
export interface Moved extends Name {
  /** The feed that says in which direction it is moved. */
  readonly direction: string;
  /** The path of a variable, behind the name of the net; else it is a feed. */
  readonly path?: string;
}

/** Feeds and params of an instance that is called `net`. */
export const moved = (net: string): readonly Moved[] => [
  { text: 'x', shape: '3', named: true, direction: 'dx' },
  { text: 'w', shape: '3, 3', named: true, direction: 'dw' },
  { text: 's', shape: '', named: true, direction: 'ds' },
  { text: 'c', shape: '2, 3', named: true, direction: 'dc' },
  { text: 'q', shape: 'B, 3', named: true, direction: 'dq' },
  { text: `${net}.cells[0].m`, shape: '3, 3', named: true, direction: 'dm', path: `${net}/cells/0/m` },
  { text: `${net}.cells[1].v`, shape: '3', named: true, direction: 'dv', path: `${net}/cells/1/v` },
  { text: `${net}.norm.scale`, shape: '3', named: true, direction: 'dn', path: `${net}/norm/scale` },
];

/** What conditions and positions look at. */
export const steering = ['n: i32', 'k: i32[3]', 'flag: bool'] as const;

export interface Program {
  /** What a smaller program may leave out of. */
  readonly text: string;
  /** Behind it: what asks for the derivatives. */
  readonly tail: string;
}

/** An entry of about so many statements; the same seed with fewer gives another program. */
export function slopeProgram(name: string, seed: number, count: number): Program {
  const net = `net_${name}`;
  const d = new Draw(seed, 'f64', net);
  const by = moved(net);
  const typed = (text: string, shape: Shape): string => `${text}: ${d.typeOf(shape)}`;
  const start: Place = { names: by, counters: [], depth: 0 };
  const { lines, place } = statements(d, count, start);
  // Of what only conditions look at there would be no derivative to ask for.
  const newest = [...place.names.slice(-3), ...by].map(({ text, shape }) =>
    axesOf(shape).length === 0 ? `${text} * ${text}` : `sum(square(${text}))`,
  );
  const feeds = [
    ...by.filter(({ path }) => path === undefined).map(({ text, shape }) => typed(text, shape)),
    ...steering,
    ...by.map(({ direction, shape }) => typed(direction, shape)),
  ];
  const list = (of: (one: Moved) => string): string => by.map(of).join(', ');
  const slope = (one: Moved): string => `g${one.direction}`;
  return {
    text: [
      library('f64'),
      `${net} = Net()`,
      '',
      `export fn ${name}<B>(${feeds.join(', ')}) where B > 0 {`,
      ...lines.map((line) => `  ${line}`),
      `  let total: f64 = ${value(d, '', place, 2)} + ${newest.join(' + ')}`,
      '',
    ].join('\n'),
    tail: [
      `  let (${list(slope)}) = grad(total, [${list(({ text }) => text)}])`,
      `  let back = ${by.map((one) => `sum(${slope(one)} * ${one.direction})`).join(' + ')}`,
      `  return (total, ${list(slope)}, back, jvp(total, [${list(({ text }) => text)}], [${list(({ direction }) => direction)}]))`,
      '}',
      '',
    ].join('\n'),
  };
}
