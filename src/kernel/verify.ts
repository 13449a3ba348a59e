// Checks a program of kernel IR. In: a program. Out: nothing, or an InternalError that names the broken rule, the kernel and the place.
// The rules:
//   buffer-names      buffers have names of their own; buffers of one role and number have one dtype
//   strides           as many strides as axes; feeds and outputs are row-major, and so are variables but for what may lie behind each row
//   dims              every size is a polynomial over the program's dims
//   declared          every buffer that a kernel binds is one of the program's, and every one that its code touches a parameter
//   bound             a kernel binds as many buffers as its code has parameters, each another one, of the parameter's dtype, sizes and role
//   feed-written      a feed is never stored
//   read-first        a temporary or output is stored before (in order of the text) it is loaded
//   slots             once the arena is planned, every temporary has a slot that exists, and nothing else has one
//   kernel-names      kernels have names of their own
//   loop-names        a loop's index has a name of its own in its kernel
//   shadowing         a `let` or accumulator does not hide a name in scope
//   scope             indices, names and accumulators are used where they are declared, with the dtype they were declared with
//   rank              as many indices as axes, each of dtype i64
//   dtype             stored, combined and assigned values have the dtype of their place; conditions are bool; extents are i64
//   constant          integer constants are integers; bools are 0 or 1
//   machine           machine ops have the dtypes that `machine.ts` says; with `expanded`, nothing else is applied
//   parallel          parallel loops are outermost statements, and change no accumulator from outside
//   vector            no vector loop inside of another; extents and conditions do not depend on a vector axis around them
//   unroll            the extent of an unrolled loop is constant
//   limit only on vector loops, at least 1 and not below a constant extent; an accumulator's index uses a vector axis only if that has one
//   blocks            a loop over a part of an axis is inside of the one over its blocks; a constant extent is not above its bound
//   lanes under a vector axis since its declaration, an accumulator is assigned only if its index uses that axis, and is not read while
//   lanes combine into it
//   width             only vector loops have lanes, a power of two of them, and all of them have, once `vectorized`; loops that index one
//                     accumulator have as many
//   partials          a loop keeps results of an accumulator from outside that no loop around keeps, and only combines into it over as many
//                     lanes by the same combiner; outside of vector loops; once `vectorized`, lanes combine into nothing else
//   interleave        only vector loops without a limit compute several vectors at once, or stand straight; what is jammed only computes
//   transpose         only an unrolled loop in a vector loop transposes, at most as many copies as that has lanes
//   nontemporal       only whole vectors of a vector loop without a limit pass the caches by, of buffers that the kernel does not load
//   rolled            only an unrolled loop that is in no vector loop is rolled, and it changes no accumulator from outside

import { Dim, dtypes, type DType, InternalError, isFloat, shapeEquals } from '../base/index.js';
import { dtypeOf, rowMajor } from './build.js';
import type { Accumulator, Buffer, Expr, For, Kernel, KernelCode, Program, Stmt } from './ir.js';
import { isMachineOp } from './machine.js';
import { printExpr } from './print.js';
import { spell } from './text.js';
import { applyProblem } from './verify-apply.js';
import { scheduleProblem } from './verify-schedule.js';
import { bodiesOf, expressionOrder, expressionsOf, forEachStatement } from './walk.js';

export interface VerifyOptions {
  /** Scalar functions were expanded: only machine ops may be left. */
  readonly expanded?: boolean;
  /** Loops were given their lanes. */
  readonly vectorized?: boolean;
  /** Who made the program, for the message. */
  readonly pass?: string;
}

export function verifyProgram(program: Program, options: VerifyOptions = {}): void {
  new Verifier(program, options).run();
}

type Local =
  | { readonly kind: 'index'; readonly loop: For }
  | { readonly kind: 'let'; readonly dtype: DType; readonly lanes: boolean }
  /** `vectors`: vector loops that were open where it was declared. */
  | { readonly kind: 'accumulator'; readonly accumulator: Accumulator; readonly vectors: readonly For[]; readonly parallel: boolean };

interface Scope {
  readonly locals: ReadonlyMap<string, Local>;
  readonly vectors: readonly For[];
  readonly parallel: boolean;
}

/** What code does to its parameters, by their positions. */
interface Uses {
  /** Temporaries and outputs that it loads before it stores them. */
  readonly loadedFirst: ReadonlySet<string>;
  readonly stored: ReadonlySet<string>;
}

class Verifier {
  readonly #program: Program;
  readonly #options: VerifyOptions;
  readonly #buffers = new Map<string, Buffer>();
  readonly #written = new Set<string>();
  readonly #codes = new Map<KernelCode, Uses>();
  /** Of the code at hand. */
  #params: ReadonlyMap<string, Buffer> = new Map();
  #loadedFirst = new Set<string>();
  #stored = new Set<string>();
  readonly #dims: ReadonlySet<string>;
  #loops = new Set<string>();
  #kernel: Kernel | undefined;
  /** Accumulators that the lanes of an open vector loop combine into, by name. */
  readonly #combining = new Map<string, number>();

  constructor(program: Program, options: VerifyOptions) {
    this.#program = program;
    this.#options = options;
    this.#dims = new Set(program.dims);
  }

  run(): void {
    const program = this.#program;
    const roles = new Map<string, Buffer>();
    for (const buffer of program.buffers) {
      const { role, name } = buffer;
      if (this.#buffers.has(name)) this.#fail('buffer-names', `two buffers named ${name}`);
      this.#buffers.set(name, buffer);
      this.#checkDims([...buffer.shape, ...buffer.strides], name);
      if (buffer.strides.length !== buffer.shape.length)
        this.#fail('strides', `${name} has ${buffer.shape.length} axes and ${buffer.strides.length} strides`);
      if (role.kind === 'temporary') continue;
      if (!isRowMajor(buffer)) this.#fail('strides', `${name} is a ${role.kind} and not row-major`);
      const place = `${role.kind} ${role.index}`;
      const twin = roles.get(place);
      if (twin !== undefined && twin.dtype !== buffer.dtype)
        this.#fail('buffer-names', `${name} and ${twin.name} are both ${place} with different dtypes`);
      roles.set(place, buffer);
    }
    this.#checkArena();
    const names = new Set<string>();
    for (const kernel of program.kernels) {
      this.#kernel = kernel;
      if (names.has(kernel.name)) this.#fail('kernel-names', `two kernels named ${kernel.name}`);
      names.add(kernel.name);
      this.#checkDims(Object.values(kernel.cost) as Dim[], 'its cost');
      this.#bind(kernel);
    }
  }

  /** Code is looked at once; what it does, it does to the buffers of every kernel that has it. */
  #bind({ code, buffers }: Kernel): void {
    let uses = this.#codes.get(code);
    if (uses === undefined) this.#codes.set(code, (uses = this.#code(code)));
    if (new Set(buffers.map(({ name }) => name)).size !== code.params.length || buffers.length !== code.params.length) {
      this.#fail('bound', `${buffers.length} buffers for ${code.params.length} parameters`);
    }
    for (const [at, param] of code.params.entries()) {
      const buffer = buffers[at] as Buffer;
      if (!isAlike(this.#buffers.get(buffer.name), buffer)) {
        this.#fail('declared', `${buffer.name} is not among the program’s buffers as it is used`);
      }
      if (!isAlike(param, buffer)) this.#fail('bound', `${buffer.name} stands for ${param.name} and is not like it`);
      if (uses.loadedFirst.has(param.name) && !this.#written.has(buffer.name)) {
        this.#fail('read-first', `${buffer.name} is loaded before anything stores it`);
      }
    }
    for (const [at, param] of code.params.entries()) if (uses.stored.has(param.name)) this.#written.add((buffers[at] as Buffer).name);
  }

  #code({ params, body }: KernelCode): Uses {
    this.#params = new Map(params.map((param) => [param.name, param]));
    this.#loadedFirst = new Set();
    this.#stored = new Set();
    this.#loops = new Set();
    this.#body(body, { locals: new Map(), vectors: [], parallel: false }, true);
    const problem = scheduleProblem(body, this.#options.vectorized === true);
    if (problem !== undefined) this.#fail(problem.rule, problem.message);
    return { loadedFirst: this.#loadedFirst, stored: this.#stored };
  }

  #checkArena(): void {
    const { arena, buffers } = this.#program;
    for (const slot of arena.slots) this.#checkDims(slot.bytes, 'a slot');
    for (const [name, slot] of arena.slotOf) {
      if (this.#buffers.get(name)?.role.kind !== 'temporary') this.#fail('slots', `${name} has a slot and is no temporary`);
      if (arena.slots[slot] === undefined) this.#fail('slots', `${name} is in slot ${slot}, which does not exist`);
    }
    if (arena.slotOf.size === 0 && arena.slots.length === 0) return;
    for (const { name, role } of buffers)
      if (role.kind === 'temporary' && !arena.slotOf.has(name)) this.#fail('slots', `${name} has no slot`);
  }

  // ---- Statements ------------------------------------------------------------------------------------------------------------------

  #body(body: readonly Stmt[], outer: Scope, top = false): void {
    const locals = new Map(outer.locals);
    const scope: Scope = { ...outer, locals };
    for (const stmt of body) {
      for (const expr of expressionOrder(expressionsOf(stmt))) this.#expression(expr, scope);
      switch (stmt.kind) {
        case 'for':
          this.#for(stmt, scope, top);
          break;
        case 'let':
          this.#declareName(stmt.name, scope);
          locals.set(stmt.name, { kind: 'let', dtype: dtypeOf(stmt.value), lanes: this.#varies(stmt.value, scope) });
          break;
        case 'declare': {
          const { name, dtype, shape } = stmt.accumulator;
          this.#declareName(name, scope);
          this.#sameDType(dtypeOf(stmt.initial), dtype, `the start of ${name}`);
          if (shape.some((size) => !Number.isInteger(size) || size < 0))
            this.#fail('rank', `accumulator ${name} has the shape [${shape.join(', ')}]`);
          locals.set(name, { kind: 'accumulator', accumulator: stmt.accumulator, vectors: scope.vectors, parallel: scope.parallel });
          break;
        }
        case 'accumulate':
        case 'assign':
          this.#write(stmt, scope);
          break;
        case 'store':
          this.#place(stmt.buffer, stmt.index);
          if (stmt.buffer.role.kind === 'feed') this.#fail('feed-written', `${stmt.buffer.name} is stored`);
          this.#sameDType(dtypeOf(stmt.value), stmt.buffer.dtype, `what ${stmt.buffer.name} stores`);
          this.#stored.add(stmt.buffer.name);
          break;
        case 'fetch':
          this.#place(stmt.buffer, stmt.index);
          break;
        case 'if':
          this.#sameDType(dtypeOf(stmt.condition), 'bool', 'a condition');
          if (this.#varies(stmt.condition, scope))
            this.#fail('vector', `the condition ${printExpr(stmt.condition)} depends on a vector axis`);
          for (const inner of bodiesOf(stmt)) this.#body(inner, scope);
          break;
      }
    }
  }

  #for(loop: For, scope: Scope, top: boolean): void {
    const extent = loop.extent.kind === 'const' ? Number(loop.extent.value) : undefined;
    if (this.#loops.has(loop.index) || scope.locals.has(loop.index))
      this.#fail('loop-names', `${loop.index} is not the only one of its name`);
    this.#loops.add(loop.index);
    this.#sameDType(dtypeOf(loop.extent), 'i64', `the extent of ${loop.index}`);
    if (this.#varies(loop.extent, scope)) this.#fail('vector', `the extent of ${loop.index} depends on a vector axis`);
    if (loop.axis === 'parallel' && !top) this.#fail('parallel', `${loop.index} is parallel inside of another statement`);
    if (loop.axis === 'vector' && scope.vectors.length > 0)
      this.#fail('vector', `${loop.index} is inside of the vector loop ${scope.vectors[0]?.index}`);
    if (loop.axis === 'unroll' && extent === undefined) this.#fail('unroll', `${loop.index} has the extent ${printExpr(loop.extent)}`);
    if (
      loop.limit !== undefined &&
      (loop.axis !== 'vector' || !Number.isInteger(loop.limit) || loop.limit < 1 || (extent ?? 0) > loop.limit)
    )
      this.#fail('limit', `${loop.index} has the limit ${loop.limit}`);
    if (loop.blocks !== undefined) this.#checkDims([loop.blocks], `what ${loop.index} cuts`);
    const around = loop.part === undefined ? undefined : scope.locals.get(loop.part);
    if (loop.part !== undefined && (around?.kind !== 'index' || around.loop.blocks === undefined))
      this.#fail('blocks', `${loop.index} is a part of ${loop.part}, which is no loop over blocks around it`);
    if (loop.most !== undefined && (extent ?? 0) > loop.most)
      this.#fail('blocks', `${loop.index} runs ${extent} times, at most ${loop.most}`);
    const inner: Scope = {
      locals: new Map(scope.locals).set(loop.index, { kind: 'index', loop }),
      vectors: loop.axis === 'vector' ? [...scope.vectors, loop] : scope.vectors,
      parallel: scope.parallel || loop.axis === 'parallel',
    };
    const combined = loop.axis === 'vector' ? this.#combinedAcross(loop, scope) : [];
    for (const name of combined) this.#combining.set(name, (this.#combining.get(name) ?? 0) + 1);
    this.#body(loop.body, inner);
    for (const name of combined) this.#combining.set(name, (this.#combining.get(name) ?? 1) - 1);
  }

  /** Accumulators from outside of a vector loop that its lanes share and combine into. */
  #combinedAcross(loop: For, scope: Scope): string[] {
    const names = new Set<string>();
    forEachStatement(loop.body, (stmt) => {
      if (stmt.kind === 'accumulate' && scope.locals.has(stmt.accumulator.name) && !uses(stmt.index, loop.index))
        names.add(stmt.accumulator.name);
    });
    return [...names];
  }

  #write(stmt: Extract<Stmt, { kind: 'accumulate' | 'assign' }>, scope: Scope): void {
    const { accumulator, index, value } = stmt;
    const local = this.#accumulator(accumulator, index, scope);
    this.#sameDType(dtypeOf(value), accumulator.dtype, `what ${accumulator.name} takes`);
    const boolean = stmt.kind === 'accumulate' && (stmt.combine === 'any' || stmt.combine === 'all');
    if (boolean && accumulator.dtype !== 'bool')
      this.#fail('dtype', `${accumulator.name} combines ${accumulator.dtype} by ${stmt.combine}`);
    if (stmt.kind === 'accumulate' && !boolean && accumulator.dtype === 'bool')
      this.#fail('dtype', `${accumulator.name} combines bool by ${stmt.combine}`);
    if (scope.parallel && !local.parallel) this.#fail('parallel', `${accumulator.name} is from outside of the parallel loop`);
    if (stmt.kind === 'accumulate') return;
    for (const loop of scope.vectors) {
      if (!local.vectors.includes(loop) && !uses(index, loop.index))
        this.#fail('lanes', `${accumulator.name} is assigned by every lane of ${loop.index}`);
    }
  }

  // ---- Expressions -----------------------------------------------------------------------------------------------------------------

  #expression(expr: Expr, scope: Scope): void {
    switch (expr.kind) {
      case 'const':
        if (dtypes[expr.dtype] === undefined) this.#fail('constant', `no dtype ${String(expr.dtype)}`);
        if (!isFloat(expr.dtype) && typeof expr.value === 'number' && !Number.isInteger(expr.value))
          this.#fail('constant', `${expr.value} as ${expr.dtype}`);
        if (expr.dtype === 'bool' && expr.value !== 0 && expr.value !== 1) this.#fail('constant', `${expr.value} as bool`);
        return;
      case 'size':
        return this.#checkDims([expr.dim], 'a size');
      case 'index':
        if (scope.locals.get(expr.name)?.kind !== 'index') this.#fail('scope', `no loop ${expr.name} around its index`);
        return;
      case 'name': {
        const local = scope.locals.get(expr.name);
        if (local?.kind !== 'let') return this.#fail('scope', `no let ${expr.name} in scope`);
        if (local.dtype !== expr.dtype) this.#fail('scope', `${expr.name} is ${local.dtype} and is used as ${expr.dtype}`);
        return;
      }
      case 'load': {
        const { name, role } = expr.buffer;
        this.#place(expr.buffer, expr.index);
        if ((role.kind === 'temporary' || role.kind === 'output') && !this.#stored.has(name)) this.#loadedFirst.add(name);
        return;
      }
      case 'read':
        this.#accumulator(expr.accumulator, expr.index, scope);
        if ((this.#combining.get(expr.accumulator.name) ?? 0) > 0)
          this.#fail('lanes', `${expr.accumulator.name} is read while lanes combine into it`);
        return;
      case 'apply': {
        const problem = applyProblem(expr);
        if (problem !== undefined) this.#fail('machine', problem);
        if (this.#options.expanded === true && !isMachineOp(expr.fn)) this.#fail('machine', `${expr.fn} is no machine op`);
        if (this.#options.expanded === true && expr.fn === 'rem' && isFloat(expr.dtype)) this.#fail('machine', `rem of ${expr.dtype}`);
        return;
      }
    }
  }

  #place(buffer: Buffer, index: readonly Expr[]): void {
    if (!isAlike(this.#params.get(buffer.name), buffer))
      this.#fail('declared', `${buffer.name} is not among the code’s parameters as it is used`);
    this.#indices(buffer.name, buffer.shape.length, index);
  }

  #accumulator(accumulator: Accumulator, index: readonly Expr[], scope: Scope): Extract<Local, { kind: 'accumulator' }> {
    const local = scope.locals.get(accumulator.name);
    if (local?.kind !== 'accumulator') return this.#fail('scope', `no accumulator ${accumulator.name} in scope`);
    const { dtype, shape } = local.accumulator;
    if (dtype !== accumulator.dtype || shape.join() !== accumulator.shape.join())
      this.#fail('scope', `accumulator ${accumulator.name} is declared otherwise`);
    this.#indices(accumulator.name, shape.length, index);
    for (const expr of expressionOrder(index)) {
      const axis = expr.kind === 'index' ? scope.locals.get(expr.name) : undefined;
      if (axis?.kind === 'index' && axis.loop.axis === 'vector' && axis.loop.limit === undefined)
        this.#fail('limit', `${accumulator.name} is indexed by ${axis.loop.index}, which has no limit`);
    }
    return local;
  }

  #indices(what: string, rank: number, index: readonly Expr[]): void {
    if (index.length !== rank) this.#fail('rank', `${what} has ${rank} axes and is used with ${index.length} indices`);
    for (const at of index) if (dtypeOf(at) !== 'i64') this.#fail('rank', `${what} is indexed by ${printExpr(at)} of dtype ${dtypeOf(at)}`);
  }

  /** Whether lanes of a vector loop around may see different values. */
  #varies(root: Expr, scope: Scope): boolean {
    if (scope.vectors.length === 0) return false;
    return expressionOrder([root]).some((expr) => {
      if (expr.kind === 'index') return scope.vectors.some((loop) => loop.index === expr.name);
      const local =
        expr.kind === 'name' ? scope.locals.get(expr.name) : expr.kind === 'read' ? scope.locals.get(expr.accumulator.name) : undefined;
      if (local?.kind === 'let') return local.lanes;
      return local?.kind === 'accumulator' && local.vectors.length > 0;
    });
  }

  #declareName(name: string, scope: Scope): void {
    if (scope.locals.has(name)) this.#fail('shadowing', `${name} is declared again`);
  }

  #sameDType(found: DType, wanted: DType, what: string): void {
    if (found !== wanted) this.#fail('dtype', `${what} must be ${wanted} and is ${found}`);
  }

  #checkDims(dims: readonly Dim[], what: string): void {
    for (const dim of dims)
      for (const name of dim.names) if (!this.#dims.has(name)) this.#fail('dims', `${what} uses ${name}, which the program does not have`);
  }

  #fail(rule: string, message: string): never {
    const kernel = this.#kernel === undefined ? '' : ` in kernel ${spell(this.#kernel.name)}`;
    throw new InternalError(
      this.#options.pass ?? 'kernel verifier',
      `rule ${rule} broken in ${spell(this.#program.entry)}${kernel}: ${message}`,
    );
  }
}

/** Whether two buffers may stand for each other: all but their names and numbers. */
const isAlike = (known: Buffer | undefined, buffer: Buffer): boolean =>
  known === buffer ||
  (known !== undefined &&
    known.dtype === buffer.dtype &&
    known.role.kind === buffer.role.kind &&
    shapeEquals(known.shape, buffer.shape) &&
    shapeEquals(known.strides, buffer.strides));

/** Row-major; where rows of a variable do not follow each other, the strides are those of longer rows. */
function isRowMajor({ role, shape, strides }: Buffer): boolean {
  const last = shape.at(-1)?.constant;
  const pitch = role.kind === 'variable' ? strides.at(-2)?.constant : undefined;
  const isPadded = last !== undefined && pitch !== undefined && pitch > last;
  return shapeEquals(strides, rowMajor(isPadded ? [...shape.slice(0, -1), Dim.of(pitch)] : shape));
}

const uses = (index: readonly Expr[], loop: string): boolean =>
  expressionOrder(index).some((expr) => expr.kind === 'index' && expr.name === loop);
