// What random programs are drawn with. In: a seed. Out: choices, new names, shapes as programs write them. Holds: the same seed draws the
// same program.

import { generator } from '../../passes/make.js';

export type Axis = '2' | '3' | 'B';
export type Shape = '' | '2' | '3' | '2, 3' | '3, 3' | 'B' | 'B, 3';
export type Float = 'f64' | 'f32' | 'f16' | 'bf16';

export const axesOf = (shape: Shape): Axis[] => (shape === '' ? [] : (shape.split(', ') as Axis[]));

export interface Name {
  readonly text: string;
  readonly shape: Shape;
  /** Bound by `let`, by a loop or as an argument: one may differentiate with respect to it. */
  readonly named: boolean;
}

/** Where something is written: what may stand there. */
export interface Place {
  readonly names: readonly Name[];
  /** Counters of the loops around, each from 0 to 2. */
  readonly counters: readonly string[];
  readonly depth: number;
}

export class Draw {
  /** The dtype of all floats that have none of their own. */
  readonly float: Float;
  /** What the program calls its instance of `Net`. */
  readonly net: string;
  readonly #random: () => number;
  #names = 0;

  constructor(seed: number, float: Float, net: string) {
    this.#random = generator(seed);
    for (let warm = 0; warm < 3; warm++) this.#random();
    this.float = float;
    this.net = net;
  }

  /** Whether a rounding is so large that it would choose the side of a corner. */
  get narrow(): boolean {
    return this.float === 'f16' || this.float === 'bf16';
  }

  random(): number {
    return this.#random();
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

  /** One of the choices, each as often as its weight says. */
  weighted<T>(list: readonly (readonly [number, T])[]): T {
    let at = this.#random() * list.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, one] of list) {
      at -= weight;
      if (at < 0) return one;
    }
    return (list.at(-1) as readonly [number, T])[1];
  }

  name(stem: string): string {
    return `${stem}${this.#names++}`;
  }

  typeOf(shape: Shape): string {
    return shape === '' ? this.float : `${this.float}[${shape}]`;
  }
}
