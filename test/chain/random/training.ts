// Random training programs, as texts. In: a seed, how many statements, the dtype of floats. Out: a step that assigns variables whole and in
// part, by optimizers and by steps of models, on conditions of the run.
// Holds: what is assigned is squashed, and optimizers divide by nothing near 0, so that rounding does not grow from step to step; narrow
// floats meet no corner, where a rounding would choose the slope.

import { Draw, type Float, type Name, type Place, type Shape } from './draw.js';
import { library } from './library.js';
import { type Program, steering } from './slopes.js';
import { bound, indented, type Lines, statements } from './statements.js';
import { condition, squashed, value } from './value.js';

/** A variable of the program. */
interface Variable {
  readonly text: string;
  readonly shape: Shape;
}

const integers = ['i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64'] as const;

const rules = (T: Float): string => `
optimizer heavy(lr: f32) {
  state v = zeros()
  state rounds: i32 = 0

  update(p, g) {
    rounds <- rounds + 1
    v <- 0.5 * v + tanh(g)
    if rounds % 2 == 1 {
      p <- p - lr * v
    } else {
      p <- p * 0.9 - lr * p.dtype(rounds)
    }
  }
}

model Mover {
  state at: ${T}[3] = zeros()
  state moves: i32 = 0

  step move(to: ${T}[3]): ${T} {
    let before = sum(at)
    at <- 0.5 * at + 0.5 * tanh(to)
    moves <- moves + 1
    return sum(at) - before
  }
}
`;

/** What its floats are; `mixed` are f64, with products and values of fewer bits among them. */
export type Training = Float | 'mixed';

export function trainingProgram(name: string, seed: number, count: number, training: Training): Program {
  const float = training === 'mixed' ? 'f64' : training;
  const d = new Draw(seed, float, `net_${name}`);
  const writer = new Writer(d, name, training === 'mixed');
  const feeds = ['x: 3', 'w: 3, 3', 's: ', 'c: 2, 3', 'q: B, 3'].map((feed): Name => {
    const [text, shape] = feed.split(': ') as [string, Shape];
    return { text, shape, named: true };
  });
  const names = [...writer.variables.map(({ text, shape }): Name => ({ text, shape, named: true })), ...feeds];
  const { lines, place } = writer.block(count, { names, counters: [], depth: 0 });
  const results = place.names.slice(-3).map(({ text }) => text);
  return {
    text: [
      library(float),
      rules(float),
      ...writer.declarations,
      '',
      `export step ${name}<B>(${[...feeds.map(({ text, shape }) => `${text}: ${d.typeOf(shape)}`), ...steering].join(', ')}) where B > 0 {`,
      ...indented(lines),
      `  return (${[...results, writer.count, writer.seen, `${writer.mover}.at`].join(', ')})`,
      '}',
      '',
    ].join('\n'),
    tail: '',
  };
}

class Writer {
  readonly d: Draw;
  readonly variables: readonly Variable[];
  readonly declarations: readonly string[];
  readonly count: string;
  readonly seen: string;
  readonly mover: string;
  readonly #mixes: boolean;
  readonly #integer: string;
  readonly #norm: string;
  readonly #head: string;

  constructor(d: Draw, name: string, mixes: boolean) {
    this.d = d;
    this.#mixes = mixes;
    const own = (stem: string): string => `${stem}_${name}`;
    this.#integer = d.pick(integers);
    this.#norm = own('norm');
    this.#head = own('head');
    this.count = own('count');
    this.seen = own('seen');
    this.mover = own('mover');
    this.variables = [
      { text: own('a'), shape: '3, 3' },
      { text: own('b'), shape: '3' },
      { text: own('u'), shape: '2, 3' },
      { text: own('h'), shape: '3' },
      { text: own('m'), shape: '' },
    ];
    const kinds = ['param', 'param', 'state', 'state', 'state'];
    this.declarations = [
      ...this.variables.map(
        ({ text, shape }, at) => `${kinds[at]} ${text}: ${d.typeOf(shape)} = ${shape === '' ? '0.5' : 'uniform(-0.7, 0.7)'}`,
      ),
      `state ${this.count}: i32 = 0`,
      `state ${this.seen}: ${this.#integer}[3] = 1`,
      `${d.net} = Net()`,
      `${this.#norm} = BatchNorm<3, ${d.float}>()`,
      `${this.#head} = Dense<3, 2, ${d.float}>(act: tanh)`,
      `${this.mover} = Mover()`,
    ];
  }

  block(count: number, place: Place): Lines {
    return statements(this.d, count, place, (_, at) => this.#statement(at));
  }

  #statement(place: Place): Lines {
    const { d } = this;
    const kept = (...lines: readonly string[]): Lines => ({ lines, place });
    return d.weighted<() => Lines>([
      [3, () => bound(d, place, ...this.#value(place))],
      [3, () => statements(d, 1, place)],
      [2, () => kept(this.#assigned(place))],
      [3, () => kept(this.#part(place))],
      [2, () => (place.depth < 2 ? kept(...this.#choice(place)) : kept(this.#assigned(place)))],
      [2, () => kept(...this.#minimized(place))],
      [1.5, () => kept(...this.#updated(place))],
      [1, () => bound(d, place, 'B, 3', `${this.#norm}.train(${value(d, 'B, 3', place, 1)})`)],
      [1, () => bound(d, place, '', `${this.mover}.move(${value(d, '3', place, 1)})`)],
      [this.#mixes ? 4 : 0, () => this.#precise(place)],
      [1, () => kept(this.#counted(place))],
      [this.#mixes || d.float !== 'f64' ? 1 : 0, () => this.#converted(place)],
    ])();
  }

  #value(place: Place): [Shape, string] {
    const shape = this.d.pick<Shape>(['', '2', '3', '2, 3', '3, 3', 'B, 3']);
    return [shape, squashed(this.d, value(this.d, shape, place, 2))];
  }

  #assigned(place: Place): string {
    const { text, shape } = this.d.pick(this.variables);
    return `${text} <- ${squashed(this.d, value(this.d, shape, place, 2))}`;
  }

  /** One row, a column, a slice, a window that starts where the run says. */
  #part(place: Place): string {
    const { d } = this;
    const [a, b, u, h] = this.variables.map(({ text }) => text) as [string, string, string, string];
    const [target, shape] = d.pick<readonly [string, Shape]>([
      [`${a}[n]`, '3'],
      [`${a}[-1]`, '3'],
      [`${a}[:, n]`, '3'],
      [`${a}[1:]`, '2, 3'],
      [`${a}[n - 1 : n + 1]`, '2, 3'],
      [`${a}[n, k[0]]`, ''],
      [`${u}[n - 1]`, '3'],
      [`${u}[:, ${d.int(3)}]`, '2'],
      [`${u}[0, 1:]`, '2'],
      [`${u}[k[1] - 1, 2]`, ''],
      [`${h}[k[2]]`, ''],
      [`${h}[:2]`, '2'],
      [`${b}[n - 1 : n + 1]`, '2'],
      [`${d.net}.cells[2].m[${d.int(3)}]`, '3'],
    ]);
    return `${target} <- ${squashed(d, value(d, shape, place, 1))}`;
  }

  #choice(place: Place): string[] {
    const { d } = this;
    const inside: Place = { ...place, depth: place.depth + 1 };
    const side = (): string[] => indented(this.block(1 + d.int(2), inside).lines);
    const goesOn = d.chance(0.4) ? `${this.count} % 2 == 0` : condition(d, place);
    return [`if ${goesOn} {`, ...side(), ...(d.chance(0.6) ? ['} else {', ...side()] : []), '}'];
  }

  /** A scalar that depends on params. */
  #loss(place: Place): string {
    const { d } = this;
    const [a, b] = this.variables.map(({ text }) => text) as [string, string];
    return `mean(square(${this.#head}(${d.net}.rows(q @ ${a} + ${b})))) + 0.1 * ${squashed(d, value(d, '', place, 2))}`;
  }

  #optimizer(): string {
    const { d } = this;
    const epsilon = 'epsilon: 0.1';
    return d.pick([
      'sgd(lr: 0.1)',
      'momentum(lr: 0.1)',
      'nesterov(lr: 0.05)',
      `adam(lr: 0.01, ${epsilon})`,
      `adamW(lr: 0.01, ${epsilon})`,
      `rmsprop(lr: 0.01, ${epsilon})`,
      `adadelta(lr: 0.5, ${epsilon})`,
      'heavy(lr: 0.05)',
      ...(d.float === 'f32' ? [`sgd(lr: warmUp(0.1, f32(${this.count}), 5))`] : []),
    ]);
  }

  #minimized(place: Place): string[] {
    const { d } = this;
    const over = d.pick(['', ` over ${d.net}`, ` over [${this.variables[0]?.text}, ${this.#head}]`, ` over ${this.variables[1]?.text}`]);
    const loss = d.name('l');
    return [`let ${loss}: ${d.float} = ${this.#loss(place)}`, `minimize ${loss} with ${this.#optimizer()}${over}`];
  }

  #updated(place: Place): string[] {
    const { d } = this;
    const [a, b] = this.variables.map(({ text }) => text) as [string, string];
    const loss = d.name('l');
    const line = `let ${loss}: ${d.float} = ${this.#loss(place)}`;
    return d.pick([
      () => [line, `update ${d.net} with ${this.#optimizer()} by grad(${loss}, ${d.net})`],
      () => [line, `update [${a}, ${b}] with ${this.#optimizer()} by clipByGlobalNorm(grad(${loss}, [${a}, ${b}]), 0.7)`],
      () => [`update ${a} with ${this.#optimizer()} by ${squashed(d, value(d, '3, 3', place, 2))}`],
    ])();
  }

  /** Products of rounded operands. */
  #precise(place: Place): Lines {
    const { d } = this;
    const shape = d.pick<Shape>(['3', '3, 3', 'B, 3', '2, 3']);
    const name = d.name('v');
    const left = value(d, shape === '3' ? '3, 3' : shape, place, 1);
    const right = value(d, shape === '3' ? '3' : '3, 3', place, 1);
    return {
      lines: [
        `precision ${d.pick(['bf16', 'bf16', 'f16'])} {`,
        `  let ${name}: ${d.typeOf(shape)} = ${squashed(d, `${left} @ ${right}`)}`,
        ...(d.chance(0.3) ? [`  minimize mean(square(${this.#head}(q @ ${this.variables[0]?.text}))) with sgd(lr: 0.1)`] : []),
        '}',
      ],
      place: { ...place, names: [...place.names, { text: name, shape, named: true }] },
    };
  }

  /** Whole numbers, which wrap. */
  #counted(place: Place): string {
    const { d } = this;
    const T = this.#integer;
    return d.pick([
      `${this.count} <- ${this.count} + ${d.pick(['1', 'i32(flag)', 'n', 'sum(k)'])}`,
      `${this.seen} <- ${this.seen} * 3 + ${T}(k)`,
      `${this.seen}[n] <- ${d.pick([`${T}(n)`, `${this.seen}[0] + 7`, `sum(${this.seen})`])}`,
      `${this.seen} <- ${d.pick(['max', 'min'])}(${this.seen}, ${T}(${this.count})) * 5`,
      `${this.seen} <- where(${d.pick(['k > 1', `${this.seen} > 3`])}, ${this.seen} + 1, floorDiv(${this.seen}, 2))`,
      `${this.seen} <- if ${condition(d, place)} then ${this.seen} % 7 else fold i in 0..n with z = ${this.seen} { z * 2 + ${T}(i) }`,
    ]);
  }

  /** There and back. */
  #converted(place: Place): Lines {
    const { d } = this;
    const shape = d.pick<Shape>(['3', '2, 3', 'B, 3']);
    const to = d.pick(this.#mixes ? ['f16', 'bf16'] : d.float === 'f32' ? ['f64'] : ['f64', 'f32']);
    return bound(d, place, shape, `${d.float}(${to}(${squashed(d, value(d, shape, place, 1))}))`);
  }
}
