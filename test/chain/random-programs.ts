// Random programs for derivatives, as texts. In: a seed, how many statements. Out: an entry that gives a scalar, its derivatives with
// respect to all arguments, and the slope along a direction by either mode.
// Holds: every function in them is smooth near what is fed, so that finite differences see its slope: conditions look at indices and at
// signs of what is fed, which stays away from 0; what would grow is squashed.

import { generator } from '../passes/make.js';

type Shape = '' | '2' | '3' | '2, 3' | '3, 3';

interface Name {
  readonly text: string;
  readonly shape: Shape;
  /** Bound by `let`, by a loop or as an argument: one may differentiate with respect to it. */
  readonly named: boolean;
}

interface Place {
  readonly names: readonly Name[];
  /** Counters of the loops around, each from 0 to 2. */
  readonly counters: readonly string[];
  readonly depth: number;
}

/** What is differentiated with respect to, and fed. */
export const fed: readonly Name[] = [
  { text: 'x', shape: '3', named: true },
  { text: 'w', shape: '3, 3', named: true },
  { text: 's', shape: '', named: true },
  { text: 'c', shape: '2, 3', named: true },
];

const typeOf = (shape: Shape): string => (shape === '' ? 'f64' : `f64[${shape}]`);

/** Functions with blocks, with rules, with derivatives inside, which programs call. */
export const functions = `
fn cube<...S>(x: f64[...S]): f64[...S] {
  let y = x * x
  return y * x
} vjp (g) => {
  let s = x * x
  return 3 * g * s
}

fn both(x: f64[3], y: f64): (f64, f64[3]) {
  let s = sum(x * x)
  return (y * s, tanh(x) * y)
} vjp (a, b) => {
  let t = tanh(x)
  return (2 * a * y * x + b * y * (1 - t * t), a * sum(x * x) + sum(b * t))
}

fn powered(x: f64, n: i32): f64 = x ** f64(n) vjp (g) => g * f64(n) * x ** f64(n - 1)

fn squash<...S>(x: f64[...S]): f64[...S] {
  let e = exp(-x)
  return x / (1 + e)
}

fn descend(x: f64[3]): f64[3] {
  let e = sum(sqrt(1 + x * x))
  return x - 0.3 * grad(e, x)
}
`;

class Writer {
  readonly #random: () => number;
  #names = 0;

  constructor(seed: number) {
    this.#random = generator(seed);
    for (let warm = 0; warm < 3; warm++) this.#random();
  }

  int(below: number): number {
    return Math.floor(this.#random() * below);
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T;
  }

  name(stem: string): string {
    return `${stem}${this.#names++}`;
  }

  // ---- Expressions --------------------------------------------------------------------------------------------------------------------

  /** An expression of that shape, over the names in force. */
  value(shape: Shape, place: Place, deep: number): string {
    const known = place.names.filter((name) => name.shape === shape);
    if (deep <= 0 || this.chance(0.15)) {
      if (known.length > 0 && this.chance(0.9)) return this.pick(known.slice(-4)).text;
      return this.#constant(shape, place);
    }
    const inner = (other: Shape = shape): string => this.value(other, place, deep - 1);
    const common: (() => string)[] = [
      () => `${this.pick(['sin', 'tanh', 'sigmoid', 'cos', 'atan'])}(${inner()})`,
      () => `${this.pick(['sqrt', 'rsqrt', 'log'])}(1.3 + square(${inner()}))`,
      () => `exp(-square(${inner()}))`,
      () => `(1.5 + tanh(${inner()})) ** ${this.pick(['2', '3', '0.5', `tanh(${inner()})`])}`,
      () => `${inner()} ${this.pick(['+', '-', '*'])} ${inner()}`,
      () => `(${inner()} * ${inner()} - ${inner()})`,
      () => `${inner()} / (2 + tanh(${inner()}))`,
      () => `${this.pick(['cube', 'squash'])}(0.5 * ${inner()})`,
      () => `(if ${this.#condition(place)} then ${inner()} else ${inner()})`,
      () => `${inner('')} * ${inner()}`,
    ];
    return this.pick([...common, ...this.#ofShape(shape, place, inner)])().replace(/^(.*)$/, '($1)');
  }

  #constant(shape: Shape, place: Place): string {
    if (shape === '' && place.counters.length > 0 && this.chance(0.4)) return `0.3 * f64(${this.pick(place.counters)})`;
    const number = this.pick(['0.7', '-0.4', '1.2']);
    return shape === '' ? `f64(${number})` : `broadcastTo(f64(${number}), [${shape}])`;
  }

  #ofShape(shape: Shape, place: Place, inner: (shape?: Shape) => string): (() => string)[] {
    const row = (): string => (place.counters.length > 0 && this.chance(0.7) ? this.pick(place.counters) : `${this.int(3)}`);
    switch (shape) {
      case '':
        return [
          () => `sum(${inner('3')})`,
          () => `mean(${inner('2, 3')})`,
          () => `norm(1.5 + tanh(${inner('3')}))`,
          () => `product(1 + 0.5 * tanh(${inner(this.pick(['3', '2, 3']))}))`,
          () => `dot(${inner('3')}, ${inner('3')})`,
          () => `${inner('3')}[${row()}]`,
          () => `max(${inner('3')})`,
          () => `logSumExp(${inner('3')})`,
          () => `both(${inner('3')}, ${inner()})[0]`,
          () => `powered(1.2 + 0.5 * sin(${inner()}), ${place.counters.length > 0 ? this.pick(place.counters) : '3'})`,
          () => `trace(${inner('3, 3')})`,
        ];
      case '2':
        return [
          () => `${inner('3')}[${this.pick(['1:', ':2', '::2'])}]`,
          () => `sum(${inner('2, 3')}, axis: 1)`,
          () => `${inner('2, 3')}[:, ${this.int(3)}]`,
        ];
      case '3':
        return [
          () => `${inner('3, 3')} @ ${inner('3')}`,
          () => `${inner('3')} @ ${inner('3, 3')}`,
          () => `${inner('3, 3')}[${row()}]`,
          () => `sum(${inner('2, 3')}, axis: 0)`,
          () => `${inner('3')}[${this.pick(['[2, 0, 1]', '[1, 1, 0]', '::-1'])}]`,
          () => `concat([${inner('2')}, expandDims(${inner('')}, axis: 0)], axis: 0)`,
          () => `softmax(${inner('3')})`,
          () => `both(${inner('3')}, ${inner('')})[1]`,
          () => `descend(${inner('3')})`,
          () => `where(x > 0, ${inner('3')}, ${inner('3')})`,
          () => `product(1 + 0.3 * tanh(${inner('2, 3')}), axis: 0)`,
          () => `stack([${inner('')}, ${inner('')}, ${inner('')}], axis: 0)`,
        ];
      case '2, 3':
        return [
          () => `${inner('2, 3')} @ ${inner('3, 3')}`,
          () => `stack([${inner('3')}, ${inner('3')}], axis: 0)`,
          () => `${inner('3, 3')}[${this.pick(['1:', '[2, 0]', '::2'])}]`,
          () => `${inner('2, 3')} * ${inner('3')}`,
          () => `where(c > 0, ${inner('2, 3')}, ${inner('2, 3')})`,
          () => `reshape(transpose(${inner('2, 3')}), [2, 3])`,
          () => `softmax(${inner('2, 3')}, axis: ${this.int(2)})`,
        ];
      case '3, 3':
        return [
          () => `${inner('3, 3')} @ ${inner('3, 3')}`,
          () => `transpose(${inner('2, 3')}) @ ${inner('2, 3')}`,
          () => `outer(${inner('3')}, ${inner('3')})`,
          () => `take(${inner('2, 3')}, ${this.pick(['[0, 1, 1]', '[1, 0, 1]'])})`,
          () => `transpose(${inner('3, 3')})`,
        ];
    }
  }

  #condition(place: Place): string {
    const counter = place.counters.at(-1);
    return counter !== undefined && this.chance(0.6) ? `${counter} % 2 == 0` : this.pick(['x[0] > 0', 's > 0', 'c[1, 2] < 0']);
  }

  // ---- Statements ---------------------------------------------------------------------------------------------------------------------

  /** Lines, and the names in force behind them. */
  statements(count: number, place: Place): { readonly lines: readonly string[]; readonly place: Place } {
    const lines: string[] = [];
    for (let at = 0; at < count; at++) {
      const next = this.#statement(place);
      lines.push(...next.lines);
      place = next.place;
    }
    return { lines, place };
  }

  #statement(place: Place): { readonly lines: readonly string[]; readonly place: Place } {
    const bound = (shape: Shape, text: string, lines: readonly string[] = []): ReturnType<Writer['statements']> => {
      const name = this.name('v');
      return {
        lines: [...lines, `let ${name}: ${typeOf(shape)} = ${text}`],
        place: { ...place, names: [...place.names, { text: name, shape, named: true }] },
      };
    };
    const kind = this.#random();
    if (kind < 0.35 && place.depth < 2) return this.#loop(place);
    if (kind < 0.6) return this.#derivative(place, bound);
    const shape = this.pick<Shape>(['', '2', '3', '3', '2, 3', '3, 3']);
    return bound(shape, this.#squashed(this.value(shape, place, 2)));
  }

  #squashed(text: string): string {
    return this.pick([`sin(${text})`, `tanh(${text})`, `0.8 * sin(${text})`]);
  }

  /** A derivative that the derivatives outside go through. */
  #derivative(place: Place, bound: (shape: Shape, text: string, lines?: readonly string[]) => ReturnType<Writer['statements']>) {
    const by = this.pick(place.names.filter((name) => name.named).slice(-5));
    const energy = this.name('e');
    const near: Place = { ...place, names: [...place.names.filter((name) => name.shape !== by.shape), by, by] };
    const line = `let ${energy} = ${this.value('', near, 3)} + sum(${this.pick(['sin', 'square', 'cube'])}(${by.text}))`;
    if (this.chance(0.3)) return bound('', `tanh(jvp(${energy}, ${by.text}, ${this.value(by.shape, place, 1)}))`, [line]);
    return bound(by.shape, `${this.pick(['sin', 'tanh'])}(grad(${energy}, ${by.text}))`, [line]);
  }

  #loop(place: Place): ReturnType<Writer['statements']> {
    const shapes = Array.from({ length: 1 + this.int(2) }, () => this.pick<Shape>(['', '3', '3', '2, 3']));
    const carries = shapes.map((shape): Name => ({ text: this.name('z'), shape, named: true }));
    const starts = shapes.map((shape) => (this.chance(0.2) && shape === '' ? 'f64(0.5)' : this.value(shape, place, 1)));
    const overRows = this.chance(0.25);
    const item = this.name('r');
    const counter = this.name('i');
    const inside: Place = {
      names: [...place.names, ...carries, ...(overRows ? [{ text: item, shape: '3', named: true } as const] : [])],
      counters: overRows ? place.counters : [...place.counters, counter],
      depth: place.depth + 1,
    };
    const body = this.statements(this.int(3), inside);
    const next = shapes.map((shape) => this.#squashed(this.value(shape, body.place, 2)));
    const many = (list: readonly string[]): string => (list.length === 1 ? (list[0] as string) : `(${list.join(', ')})`);
    const head = `${overRows ? `${item} in ${this.pick(['w', 'c'])}` : `${counter} in 0..${this.pick(['3', '3', '2', '1'])}`} with ${many(carries.map(({ text }) => text))} = ${many(starts)}`;
    const results = shapes.map((shape): Name => ({ text: this.name('v'), shape, named: true }));
    const names = many(results.map(({ text }) => text));
    const indented = body.lines.map((line) => `  ${line}`);
    if (this.chance(0.4)) {
      // A scan whose rows are summed, so that each one's cotangent is its own.
      const [rows, total] = [this.name('rows'), this.name('v')];
      const shape = this.pick<Shape>(['', '3']);
      const weights = shape === '' ? '' : ', axis: 0';
      return {
        lines: [
          `let (${names}, ${rows}) = scan ${head} {`,
          ...indented,
          `  yield (${many(next)}, ${this.value(shape, body.place, 2)})`,
          '}',
          `let ${total}: ${typeOf(shape)} = sum(${rows} * ${rows}${weights}) - 0.5 * ${rows}[0]`,
        ],
        place: { ...place, names: [...place.names, ...results, { text: total, shape, named: true }] },
      };
    }
    return {
      lines: [`let ${names} = fold ${head} {`, ...indented, `  ${many(next)}`, '}'],
      place: { ...place, names: [...place.names, ...results] },
    };
  }
}

/** An entry of about so many statements; the same seed with fewer gives another program. */
export function randomProgram(name: string, seed: number, count: number): string {
  const writer = new Writer(seed);
  const { lines, place } = writer.statements(count, { names: fed, counters: [], depth: 0 });
  const directions = fed.map(({ text, shape }) => `d${text}: ${typeOf(shape)}`);
  const names = fed.map(({ text }) => text);
  // Of what only conditions look at there would be no derivative to ask for.
  const newest = [...place.names.slice(-3), ...fed].map(({ text }) => `sum(${text} * ${text})`);
  return [
    `export fn ${name}(${[...fed.map(({ text, shape }) => `${text}: ${typeOf(shape)}`), ...directions].join(', ')}) {`,
    ...lines.map((line) => `  ${line}`),
    `  let total = ${writer.value('', place, 2)} + ${newest.join(' + ')}`,
    `  let (${names.map((one) => `g${one}`).join(', ')}) = grad(total, [${names.join(', ')}])`,
    `  let back = ${names.map((one) => `sum(g${one} * d${one})`).join(' + ')}`,
    `  return (total, ${names.map((one) => `g${one}`).join(', ')}, back, jvp(total, [${names.join(', ')}], [${names.map((one) => `d${one}`).join(', ')}]))`,
    '}',
    '',
  ].join('\n');
}
