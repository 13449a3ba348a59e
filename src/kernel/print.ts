// Kernel IR as text. In: a program, a kernel or an expression. Out: pseudo-code with indentation.
// Holds: code that several kernels share is written once; `parse.ts` reads it back, and what was read back prints the same. An expression
// object that a statement uses more than once is written once, as `$1 = …` before the statement, so text never grows beyond the graph that
// it shows.

import type { Dim } from '../base/index.js';
import type { Accumulator, Buffer, Expr, For, Kernel, KernelCode, KernelOrigin, PartialResult, Program, Stmt } from './ir.js';
import { boundBuffers } from './code.js';
import { isSwizzled } from './key.js';
import { combinerText, dimText, impliedDType, infix, spell } from './text.js';
import { expressionsOf, localNames, operandsOf } from './walk.js';

export interface PrintOptions {
  /** Also the source places of each kernel (default true). */
  readonly origins?: boolean;
}

export function printProgram(program: Program, options: PrintOptions = {}): string {
  const lines = [`program ${spell(program.entry)}`];
  if (program.dims.length > 0) lines.push(`dims ${program.dims.map(spell).join(', ')}`);
  lines.push('');
  for (const buffer of program.buffers) lines.push(bufferLine(buffer, program));
  program.arena.slots.forEach((slot, at) => lines.push(`slot ${at}: ${slot.bytes.map(dimText).join(', ')}`));
  if (program.check !== undefined) lines.push(`check ${program.check.output} behind ${program.check.behind}`);
  const printed = new Map<KernelCode, Kernel>();
  for (const kernel of program.kernels) {
    lines.push('', printKernel(kernel, options, printed.get(kernel.code)));
    if (!printed.has(kernel.code)) printed.set(kernel.code, kernel);
  }
  return `${lines.join('\n')}\n`;
}

/** `like`: an earlier kernel of the same code, which is then not repeated. */
export function printKernel(kernel: Kernel, options: PrintOptions = {}, like?: Kernel): string {
  const { bytesRead, bytesWritten, flops, recomputed } = kernel.cost;
  const lines = [
    `kernel ${spell(kernel.name)} ${JSON.stringify(kernel.title)}`,
    `  reads ${dimText(bytesRead)} writes ${dimText(bytesWritten)} flops ${dimText(flops)}${recomputed === undefined ? '' : ` again ${dimText(recomputed)}`}`,
    ...(options.origins === false ? [] : kernel.origins.map((origin) => `  ${originText(origin)}`)),
  ];
  if (like !== undefined) {
    const others = kernel.buffers.flatMap(({ name }, at) => {
      const its = (like.buffers[at] as Buffer).name;
      return its === name ? [] : [`${spell(name)} for ${spell(its)}`];
    });
    return [...lines, `  like ${spell(like.name)}${others.length === 0 ? '' : ` with ${others.join(', ')}`}`].join('\n');
  }
  const { body } = kernel.code;
  const printer = new StatementPrinter(localNames(body), boundBuffers(kernel));
  return [...lines, '{', ...printer.body(body, '  '), '}'].join('\n');
}

/** One expression on its own; shared parts are repeated. */
export const printExpr = (expr: Expr): string => new StatementPrinter(new Set()).expr(expr, 0);

/** Statements on their own, as they stand in a kernel. */
export const printStatements = (body: readonly Stmt[]): string => new StatementPrinter(localNames(body)).body(body, '').join('\n');

function bufferLine(buffer: Buffer, program: Program): string {
  const { role } = buffer;
  const place = 'index' in role ? `${role.kind} ${role.index}` : role.kind;
  const rowMajor = rowMajorText(buffer);
  const strides = rowMajor === listText(buffer.strides) ? '' : ` strides ${listText(buffer.strides)}`;
  const slot = program.arena.slotOf.get(buffer.name);
  return `${place} ${spell(buffer.name)}: ${buffer.dtype}${listText(buffer.shape)}${strides}${slot === undefined ? '' : ` in slot ${slot}`}`;
}

const listText = (dims: readonly Dim[]): string => `[${dims.map(dimText).join(', ')}]`;

function rowMajorText(buffer: Buffer): string {
  const strides: Dim[] = [];
  buffer.shape.reduceRight<Dim | undefined>((after, dim, at) => {
    strides[at] = after ?? dim.sub(dim).add(1);
    return (strides[at] as Dim).mul(dim);
  }, undefined);
  return listText(strides);
}

function originText({ span, scope, backward }: KernelOrigin): string {
  return `from ${JSON.stringify(span.source)} ${span.start}..${span.end} ${JSON.stringify(scope)}${backward ? ' backward' : ''}`;
}

class StatementPrinter {
  /** Expressions of the current statement that have a number. */
  readonly #shared = new Map<Expr, string>();
  readonly #locals: ReadonlySet<string>;
  readonly #bound: ReadonlyMap<string, Buffer>;

  /** `bound`: what stands for buffers of the statements, by their names. */
  constructor(locals: ReadonlySet<string>, bound: ReadonlyMap<string, Buffer> = new Map()) {
    this.#locals = locals;
    this.#bound = bound;
  }

  body(statements: readonly Stmt[], indent: string): string[] {
    return statements.flatMap((stmt) => this.#statement(stmt, indent));
  }

  #statement(stmt: Stmt, indent: string): string[] {
    const lines = this.#share(expressionsOf(stmt), indent);
    const inner = `${indent}  `;
    switch (stmt.kind) {
      case 'for': {
        lines.push(
          `${indent}${axisText(stmt)}for ${spell(stmt.index)} in 0..${this.expr(stmt.extent, 2)}${this.#whenText(stmt)}${clausesText(stmt)}${this.#aheadText(stmt)} {`,
        );
        lines.push(...this.body(stmt.body, inner), `${indent}}`);
        return lines;
      }
      case 'let':
        lines.push(`${indent}let ${spell(stmt.name)} = ${this.expr(stmt.value, 0)}`);
        return lines;
      case 'declare': {
        const { name, dtype, shape } = stmt.accumulator;
        lines.push(
          `${indent}acc ${spell(name)}: ${dtype}${shape.length === 0 ? '' : `[${shape.join(', ')}]`} = ${this.expr(stmt.initial, 0)}`,
        );
        return lines;
      }
      case 'accumulate':
        lines.push(`${indent}${this.#place(stmt.accumulator, stmt.index)} ${combinerText[stmt.combine]} ${this.expr(stmt.value, 0)}`);
        return lines;
      case 'assign':
        lines.push(`${indent}${this.#place(stmt.accumulator, stmt.index)} = ${this.expr(stmt.value, 0)}`);
        return lines;
      case 'store':
        lines.push(
          `${indent}${stmt.nontemporal === true ? 'nontemporal ' : ''}${this.#bufferName(stmt.buffer)}${this.#indices(stmt.index)} = ${this.expr(stmt.value, 0)}`,
        );
        return lines;
      case 'fetch':
        lines.push(
          `${indent}fetch ${{ read: '', later: 'later ', write: 'own ' }[stmt.to]}${this.#bufferName(stmt.buffer)}${this.#indices(stmt.index)}`,
        );
        return lines;
      case 'if': {
        const lanes = stmt.lanes === true ? 'lanes ' : '';
        lines.push(`${indent}if ${lanes}${this.expr(stmt.condition, 0)} {`, ...this.body(stmt.then, inner));
        if (stmt.otherwise !== undefined) lines.push(`${indent}} else {`, ...this.body(stmt.otherwise, inner));
        lines.push(`${indent}}`);
        return lines;
      }
      case 'share':
        lines.push(
          `${indent}share ${spell(stmt.buffer.name)}: ${stmt.buffer.dtype}${listText(stmt.buffer.shape)}${isSwizzled(stmt.buffer) ? ' swizzled' : ''}`,
        );
        return lines;
      case 'copy':
        lines.push(
          `${indent}copy ${stmt.count} ${spell(stmt.to.name)}${this.#indices(stmt.at)} from ${this.#bufferName(stmt.from)}${this.#indices(stmt.index)} if ${this.expr(stmt.when, 0)}`,
        );
        return lines;
      case 'multiply': {
        const [left, right] = [stmt.left, stmt.right].map((side) =>
          'sums' in side
            ? `sums ${spell(side.sums.name)}${this.#indices(side.index)}`
            : `${side.along} ${spell(side.buffer.name)}${this.#indices(side.index)}`,
        );
        lines.push(
          `${indent}multiply ${stmt.warps === 1 ? '' : `${stmt.warps} `}${spell(stmt.warp)}: ${spell(stmt.sums.name)} += ${left} * ${right}`,
        );
        return lines;
      }
      case 'combine':
        lines.push(`${indent}combine ${stmt.lanes} ${spell(stmt.accumulator.name)} ${combinerText[stmt.combine]}`);
        return lines;
      case 'barrier':
      case 'commit':
        lines.push(`${indent}${stmt.kind}`);
        return lines;
      case 'wait':
      case 'settle':
        lines.push(`${indent}${stmt.kind} ${stmt.open}`);
        return lines;
    }
  }

  /** Numbers what the statement uses more than once, and says what it is. */
  #share(roots: readonly Expr[], indent: string): string[] {
    this.#shared.clear();
    const uses = new Map<Expr, number>();
    const order: Expr[] = [];
    const visit = (expr: Expr): void => {
      const known = uses.get(expr);
      uses.set(expr, (known ?? 0) + 1);
      if (known !== undefined) return;
      operandsOf(expr).forEach(visit);
      order.push(expr);
    };
    roots.forEach(visit);
    const lines: string[] = [];
    for (const expr of order) {
      if ((uses.get(expr) ?? 0) < 2 || operandsOf(expr).length === 0) continue;
      const text = this.expr(expr, 0);
      const number = `$${this.#shared.size + 1}`;
      this.#shared.set(expr, number);
      lines.push(`${indent}${number} = ${text}`);
    }
    return lines;
  }

  /** `level`: the weakest operator that may stand here without parentheses. */
  expr(expr: Expr, level: number): string {
    const number = this.#shared.get(expr);
    if (number !== undefined) return number;
    switch (expr.kind) {
      case 'const':
        return expr.dtype === 'i64' ? constantText(expr.value) : `${expr.dtype}(${constantText(expr.value)})`;
      case 'index':
        return spell(expr.name);
      case 'name':
        return spell(expr.name);
      case 'size': {
        const only = expr.dim.terms.length === 1 ? expr.dim.terms[0] : undefined;
        const name = only !== undefined && only.coefficient === 1 && only.names.length === 1 ? only.names[0] : undefined;
        return name !== undefined && !this.#locals.has(name) ? spell(name) : `#(${dimText(expr.dim)})`;
      }
      case 'load':
        return `${this.#bufferName(expr.buffer)}${this.#indices(expr.index)}`;
      case 'read':
        return this.#place(expr.accumulator, expr.index);
      case 'apply': {
        const [a, b] = expr.args;
        const implied = impliedDType(expr.fn, expr.args) === expr.dtype;
        const operator = Object.hasOwn(infix, expr.fn) ? infix[expr.fn] : undefined;
        if (implied && operator !== undefined && a !== undefined && b !== undefined && expr.args.length === 2) {
          const left = operator.level === 1 ? 2 : operator.level;
          const text = `${this.expr(a, left)} ${operator.symbol} ${this.expr(b, operator.level + 1)}`;
          return operator.level < level ? `(${text})` : text;
        }
        return `${spell(expr.fn)}${implied ? '' : `<${expr.dtype}>`}(${expr.args.map((arg) => this.expr(arg, 0)).join(', ')})`;
      }
    }
  }

  #indices(index: readonly Expr[]): string {
    return `[${index.map((at) => this.expr(at, 0)).join(', ')}]`;
  }

  #place(accumulator: Accumulator, index: readonly Expr[]): string {
    return `${spell(accumulator.name)}${index.length === 0 ? '' : this.#indices(index)}`;
  }

  #whenText({ when }: For): string {
    return when === undefined ? '' : ` when ${this.expr(when, 0)}`;
  }

  #aheadText({ ahead }: For): string {
    return ahead === undefined ? '' : ` ahead ${ahead.bytes} of ${ahead.buffers.map((buffer) => this.#bufferName(buffer)).join(', ')}`;
  }

  /** A buffer whose name a loop, let or accumulator also has is marked. */
  #bufferName(buffer: Buffer): string {
    if (buffer.role.kind === 'shared') return spell(buffer.name);
    const { name } = this.#bound.get(buffer.name) ?? buffer;
    return `${this.#locals.has(name) ? '@' : ''}${spell(name)}`;
  }
}

/** How the loop runs, before its head. */
function axisText({ axis, lanes, interleave, jam, straight, rolled, transpose }: For): string {
  const words = [
    ...(axis === 'serial' ? [] : [axis]),
    ...(lanes === undefined ? [] : [lanes]),
    ...(interleave === undefined ? [] : ['interleave', interleave]),
    ...(jam === true ? ['jam'] : []),
    ...(straight === true ? ['straight'] : []),
    ...(rolled === true ? ['rolled'] : []),
    ...(transpose === true ? ['transpose'] : []),
  ];
  return words.map((word) => `${word} `).join('');
}

/** What holds for the whole loop, behind its extent. */
function clausesText({ limit, least, blocks, most, part, flops, warps, while: asked, partials }: For): string {
  const clauses = [
    ...(limit === undefined ? [] : [`limit ${limit}`]),
    ...(least === undefined ? [] : [`least ${least}`]),
    ...(blocks === undefined ? [] : [`blocks ${dimText(blocks)}`]),
    ...(most === undefined ? [] : [`most ${most}`]),
    ...(part === undefined ? [] : [`part ${spell(part)}`]),
    ...(flops === undefined ? [] : [`flops ${dimText(flops)}`]),
    ...(warps === true ? ['warps'] : []),
    ...(asked === undefined ? [] : [`while ${spell(asked.name)}`]),
    ...(partials === undefined ? [] : [`partial ${partials.map(partialText).join(', ')}`]),
  ];
  return clauses.map((clause) => ` ${clause}`).join('');
}

const partialText = ({ accumulator, combine, lanes, chains }: PartialResult): string =>
  `${spell(accumulator.name)} ${combinerText[combine]} ${chains} of ${lanes}`;

function constantText(value: number | bigint): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
