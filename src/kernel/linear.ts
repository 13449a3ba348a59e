// Index analysis: sums of index expressions are taken apart into coefficient × atom, with sizes as coefficients (see the note at the end).
// In: i64 index expressions of one kernel. Out: such sums.
// Holds: the sum equals the expression for every value of its atoms and sizes; atoms are what is not linear (loop variables, lets, loads,
// quotients).

import { Dim } from '../base/index.js';
import type { Buffer, Expr } from './ir.js';
import { spelled } from './key.js';
import { visitExpr } from './walk.js';

export interface Term {
  readonly atom: Expr;
  /** Structural name of the atom: equal keys, equal values. */
  readonly key: string;
  readonly coefficient: Dim;
}

export interface Mentioned {
  readonly indices: readonly string[];
  readonly names: readonly string[];
  /** Whether it reads memory. */
  readonly loads: boolean;
}

export interface Linear {
  readonly terms: readonly Term[];
  readonly constant: Dim;
}

const constantForm = (constant: Dim): Linear => ({ terms: [], constant });

/** Lets to look through: index arithmetic, without memory, so that the value is the same wherever the name stands. */
export type Definitions = ReadonlyMap<string, Expr>;

/** Linear forms of the expressions of one kernel, kept by object so that unrolled copies ask once. */
export class LinearForms {
  readonly #keys = new Map<Expr, string>();
  /** Short names for spellings, whose parts are named themselves: shared parts do not make names longer. */
  readonly #interned = new Map<string, string>();
  readonly #forms = new Map<Expr, Linear>();
  readonly #mentions = new Map<Expr, Mentioned>();
  readonly #offsets = new Map<Expr | object, Linear>();

  readonly #definitions: Definitions;
  readonly #joins: boolean;

  /** `joins`: a quotient and its remainder that make up their dividend are one term. */
  constructor(definitions: Definitions, { joins }: { readonly joins: boolean }) {
    this.#definitions = definitions;
    this.#joins = joins;
  }

  /** Structural name: two expressions with the same key have the same value at the same point. */
  key(expr: Expr): string {
    let key = this.#keys.get(expr);
    if (key === undefined) {
      const spelling = spelled(expr, (part) => this.key(part));
      key = this.#interned.get(spelling);
      if (key === undefined) this.#interned.set(spelling, (key = `e${this.#interned.size}`));
      this.#keys.set(expr, key);
    }
    return key;
  }

  /** Loop variables and lets that the expression mentions. */
  mentioned(expr: Expr): Mentioned {
    let found = this.#mentions.get(expr);
    if (found === undefined) {
      const [indices, names] = [new Set<string>(), new Set<string>()];
      let loads = false;
      visitExpr(expr, (part) => {
        if (part.kind === 'load') loads = true;
        if (part.kind === 'index') indices.add(part.name);
        if (part.kind === 'name') names.add(part.name);
        if (part.kind === 'read') names.add(`%${part.accumulator.name}`);
      });
      found = { indices: [...indices], names: [...names], loads };
      this.#mentions.set(expr, found);
    }
    return found;
  }

  of(expr: Expr): Linear {
    let form = this.#forms.get(expr);
    if (form === undefined) {
      form = this.#joined(this.#build(expr));
      this.#forms.set(expr, form);
    }
    return form;
  }

  /** Elements from the start of `buffer` to the element at `index`; `owner` identifies the access. */
  offset(owner: object, buffer: Buffer, index: readonly Expr[]): Linear {
    let form = this.#offsets.get(owner);
    if (form === undefined) {
      form = constantForm(Dim.zero);
      index.forEach((at, axis) => {
        form = add(form as Linear, scale(this.of(at), buffer.strides[axis] ?? Dim.zero));
      });
      form = this.#joined(form);
      this.#offsets.set(owner, form);
    }
    return form;
  }

  #build(expr: Expr): Linear {
    switch (expr.kind) {
      case 'const':
        return constantForm(Dim.of(Number(expr.value)));
      case 'size':
        return constantForm(expr.dim);
      case 'name': {
        const value = this.#definitions.get(expr.name);
        return value === undefined ? this.#atom(expr) : this.of(value);
      }
      case 'apply': {
        const [a, b] = expr.args;
        if (expr.dtype !== 'i64' || a === undefined) return this.#atom(expr);
        if (expr.fn === 'neg') return scale(this.of(a), Dim.of(-1));
        if (b === undefined) return this.#atom(expr);
        if (expr.fn === 'add') return add(this.of(a), this.of(b));
        if (expr.fn === 'sub') return add(this.of(a), scale(this.of(b), Dim.of(-1)));
        if (expr.fn === 'mul') {
          const [x, y] = [this.of(a), this.of(b)];
          if (y.terms.length === 0) return scale(x, y.constant);
          if (x.terms.length === 0) return scale(y, x.constant);
        }
        return this.#atom(expr);
      }
      case 'index':
      case 'load':
      case 'read':
        return this.#atom(expr);
    }
  }

  #joined(form: Linear): Linear {
    return this.#joins ? joinQuotients(form, this) : form;
  }

  #atom(expr: Expr): Linear {
    return { terms: [{ atom: expr, key: this.key(expr), coefficient: Dim.one }], constant: Dim.zero };
  }
}

function add(a: Linear, b: Linear): Linear {
  const sums = new Map<string, Term>();
  for (const term of [...a.terms, ...b.terms]) {
    const known = sums.get(term.key);
    sums.set(term.key, known === undefined ? term : { ...known, coefficient: known.coefficient.add(term.coefficient) });
  }
  return { terms: [...sums.values()].filter((term) => term.coefficient.constant !== 0), constant: a.constant.add(b.constant) };
}

function scale(form: Linear, by: Dim): Linear {
  if (by.constant === 0) return constantForm(Dim.zero);
  if (by.constant === 1) return form;
  return { terms: form.terms.map((term) => ({ ...term, coefficient: term.coefficient.mul(by) })), constant: form.constant.mul(by) };
}

/** c·b·(a / b) + c·(a % b) = c·a, whatever the signs: what remains when a flattened loop walks a row-major buffer. */
function joinQuotients(form: Linear, forms: LinearForms): Linear {
  for (const rest of form.terms) {
    if (rest.atom.kind !== 'apply' || rest.atom.fn !== 'rem') continue;
    const [a, b] = rest.atom.args as readonly [Expr, Expr];
    const by = forms.of(b);
    if (by.terms.length > 0) continue;
    const quotientKey = forms.key({ kind: 'apply', fn: 'div', dtype: 'i64', args: [a, b] });
    const quotient = form.terms.find((term) => term.key === quotientKey);
    if (quotient === undefined || !quotient.coefficient.equals(rest.coefficient.mul(by.constant))) continue;
    const others = { terms: form.terms.filter((term) => term !== rest && term !== quotient), constant: form.constant };
    return joinQuotients(add(others, scale(forms.of(a), rest.coefficient)), forms);
  }
  return form;
}

/* Note: what the sums are for.
   Three accesses of a kernel, their offsets from the start of the buffer, and how far apart the lanes of i are:

     in_x[p0 * 4096 + i]                  4096 × p0 + 1 × i              one element: a load of whole vectors
     in_w[i, 3]           [N, 9]          9 × i + 3                      nine: whole vectors, sorted by shuffles
     x[i / N, i % N]      [M, N]          N × (i / N) + 1 × (i % N)      which is 1 × i

   Code generators choose loads by the coefficient of the lanes' variable, and compute what unrolled copies and neighbours have in common
   once. Schedules ask whether an operand moves evenly along a loop at all, before there are lanes. They do not join quotients: it makes
   squares of more transposes, and the copy of f32[64, 64, 32] that is stored as [64, 4, 16, 32] took 0.6 of their time point by point.
   Shown by "reads with stride %i" and "recognises a flattened walk over rows as contiguous" in test/codegen/vector-loops.test.ts, and by
   "a transpose is copied in squares as wide as a vector, whose last ones may be narrower" in test/lower/facts.test.ts. */
