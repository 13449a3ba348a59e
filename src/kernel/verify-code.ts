// Checks code by itself, statement after statement. In: code of kernels. Out: what it does to its parameters, or a failure. Holds: rules of
// `verify.ts` for statements and expressions; how loops run is in `verify-schedule.ts`, what blocks of threads do in `verify-block.ts`.

import { type Dim, dtypes, type DType, isFloat } from '../base/index.js';
import { dtypeOf, int } from './build.js';
import {
  type Accumulator,
  type BlockStmt,
  type Buffer,
  type CombineStmt,
  type Combiner,
  type CopyStmt,
  type Expr,
  type For,
  type KernelCode,
  type MultiplyStmt,
  type Stmt,
} from './ir.js';
import { isAlike } from './key.js';
import { isMachineOp } from './machine.js';
import { printExpr } from './print.js';
import { applyProblem } from './verify-apply.js';
import { type BlockProblem, combineProblem, copyProblem, multiplyProblem, shareProblem, sideProblem } from './verify-block.js';
import { scheduleProblem } from './verify-schedule.js';
import { settleProblem } from './verify-settle.js';
import { bodiesOf, changedBy, expressionOrder, expressionsOf, forEachStatement } from './walk.js';

/** What code does to its parameters, by their positions. */
export interface Uses {
  /** Temporaries and outputs that it loads before it stores them. */
  readonly loadedFirst: ReadonlySet<string>;
  readonly stored: ReadonlySet<string>;
}

/** What is asked of all code of a program. */
export interface CodeContext {
  /** Only machine ops may be left. */
  readonly expanded: boolean;
  /** Loops have their lanes. */
  readonly vectorized: boolean;
  /** Fails where sizes are not polynomials over the program's. */
  checkDims(dims: readonly Dim[], what: string): void;
  fail(rule: string, message: string): never;
}

export const verifyCode = (code: KernelCode, context: CodeContext): Uses => new CodeVerifier(code, context).run();

type Local =
  | { readonly kind: 'index'; readonly loop: For }
  | { readonly kind: 'let'; readonly dtype: DType; readonly lanes: boolean }
  /** `vectors`: vector loops that were open where it was declared. */
  | { readonly kind: 'accumulator'; readonly accumulator: Accumulator; readonly vectors: readonly For[]; readonly parallel: boolean }
  | { readonly kind: 'shared'; readonly buffer: Buffer }
  /** The number of a warp. */
  | { readonly kind: 'warp' };

interface Scope {
  readonly locals: Map<string, Local>;
  readonly vectors: readonly For[];
  readonly parallel: boolean;
  /** The loop around that says what all of it computes. */
  readonly counted: string | undefined;
}

class CodeVerifier {
  readonly #code: KernelCode;
  readonly #context: CodeContext;
  readonly #params: ReadonlyMap<string, Buffer>;
  readonly #loadedFirst = new Set<string>();
  readonly #stored = new Set<string>();
  readonly #loops = new Set<string>();
  /** Accumulators that the lanes of an open vector loop combine into, by name. */
  readonly #combining = new Map<string, number>();

  constructor(code: KernelCode, context: CodeContext) {
    this.#code = code;
    this.#context = context;
    this.#params = new Map(code.params.map((param) => [param.name, param]));
  }

  run(): Uses {
    const { body } = this.#code;
    this.#body(body, { locals: new Map(), vectors: [], parallel: false, counted: undefined }, true);
    const problem = scheduleProblem(body, this.#context.vectorized) ?? settleProblem(body);
    if (problem !== undefined) this.#fail(problem.rule, problem.message);
    return { loadedFirst: this.#loadedFirst, stored: this.#stored };
  }

  // ---- Statements ------------------------------------------------------------------------------------------------------------------

  #body(body: readonly Stmt[], outer: Scope, top = false): void {
    const locals = new Map(outer.locals);
    const scope: Scope = { ...outer, locals };
    for (const stmt of body) {
      const here: Scope = stmt.kind === 'multiply' ? { ...scope, locals: new Map(locals).set(stmt.warp, { kind: 'warp' }) } : scope;
      for (const expr of expressionOrder(expressionsOf(stmt))) this.#expression(expr, here);
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
          this.#place(stmt.buffer, stmt.index, scope);
          if (stmt.buffer.role.kind === 'feed') this.#fail('feed-written', `${stmt.buffer.name} is stored`);
          this.#sameDType(dtypeOf(stmt.value), stmt.buffer.dtype, `what ${stmt.buffer.name} stores`);
          this.#stored.add(stmt.buffer.name);
          break;
        case 'fetch':
          this.#place(stmt.buffer, stmt.index, scope);
          break;
        case 'if':
          this.#sameDType(dtypeOf(stmt.condition), 'bool', 'a condition');
          if (stmt.lanes === true && scope.vectors.length === 0) this.#fail('vector', `no lanes ask for ${printExpr(stmt.condition)}`);
          if (stmt.lanes !== true && this.#varies(stmt.condition, scope))
            this.#fail('vector', `the condition ${printExpr(stmt.condition)} depends on a vector axis`);
          for (const inner of bodiesOf(stmt)) this.#body(inner, scope);
          break;
        case 'copy':
          this.#copy(stmt, scope);
          break;
        case 'multiply':
          this.#multiply(stmt, scope);
          break;
        case 'combine':
          this.#combine(stmt, scope);
          break;
        default:
          this.#ofBlock(stmt, scope);
      }
    }
  }

  #ofBlock(stmt: Exclude<BlockStmt, CopyStmt | MultiplyStmt | CombineStmt>, scope: Scope): void {
    if (scope.vectors.length > 0) this.#fail('block', `${stmt.kind} in the vector loop ${scope.vectors[0]?.index}`);
    if ('open' in stmt && (!Number.isInteger(stmt.open) || stmt.open < 0)) this.#fail('block', `waits for all but ${stmt.open}`);
    if (stmt.kind !== 'share') return;
    this.#declareName(stmt.buffer.name, scope);
    this.#refuse(shareProblem(stmt.buffer));
    scope.locals.set(stmt.buffer.name, { kind: 'shared', buffer: stmt.buffer });
  }

  #multiply({ warps, warp, sums, left, right }: MultiplyStmt, scope: Scope): void {
    if (scope.vectors.length > 0) this.#fail('block', `multiply in the vector loop ${scope.vectors[0]?.index}`);
    if (scope.locals.has(warp)) this.#fail('shadowing', `${warp} is declared again`);
    this.#wholeAccumulator(sums, scope);
    if ('sums' in left) this.#wholeAccumulator(left.sums, scope);
    this.#refuse(multiplyProblem({ warps, sums, left }));
    for (const side of [left, right]) {
      if ('sums' in side) {
        this.#indices(side.sums.name, 1, side.index);
        continue;
      }
      const { buffer, index } = side;
      const local = scope.locals.get(buffer.name);
      if (local?.kind !== 'shared' || !isAlike(local.buffer, buffer)) this.#fail('scope', `no shared memory ${buffer.name} in scope`);
      this.#indices(buffer.name, buffer.shape.length, index);
      this.#refuse(sideProblem(side, right.buffer, warps));
    }
  }

  #combine({ accumulator, combine, lanes }: CombineStmt, scope: Scope): void {
    if (scope.vectors.length > 0) this.#fail('block', `combine in the vector loop ${scope.vectors[0]?.index}`);
    this.#wholeAccumulator(accumulator, scope);
    this.#refuse(combineProblem({ accumulator, lanes }));
    this.#combines(accumulator.name, accumulator.dtype, combine);
  }

  /** Of which no element is named. */
  #wholeAccumulator(accumulator: Accumulator, scope: Scope): void {
    const index = accumulator.shape.map(() => int(0));
    this.#accumulator(accumulator, index, scope);
  }

  #combines(name: string, dtype: DType, combine: Combiner): void {
    const boolean = combine === 'any' || combine === 'all';
    if (boolean !== (dtype === 'bool')) this.#fail('dtype', `${name} combines ${dtype} by ${combine}`);
  }

  #copy(stmt: CopyStmt, scope: Scope): void {
    const { to, from } = stmt;
    this.#place(to, stmt.at, scope);
    this.#place(from, stmt.index, scope);
    this.#sameDType(dtypeOf(stmt.when), 'bool', 'the condition of a copy');
    this.#sameDType(from.dtype, to.dtype, `what is copied to ${to.name}`);
    this.#refuse(copyProblem(stmt, scope.vectors.length > 0));
    const { role, name } = from;
    if ((role.kind === 'temporary' || role.kind === 'output') && !this.#stored.has(name)) this.#loadedFirst.add(name);
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
    const { least, limit = 0 } = loop;
    if (least !== undefined && (!Number.isInteger(least) || least < 1 || least > Math.min(limit, extent ?? limit)))
      this.#fail('least', `${loop.index} runs at least ${least} times`);
    if (loop.warps === true) {
      const isNested = [...scope.locals.values()].some((local) => local.kind === 'index' && local.loop.warps === true);
      if (loop.axis !== 'serial' || !scope.parallel || scope.vectors.length > 0 || isNested)
        this.#fail('warps', `${loop.index} is ${loop.axis} and no loop of warps`);
      forEachStatement(loop.body, (stmt) => {
        const changed = changedBy(stmt)?.name;
        if (changed !== undefined && scope.locals.has(changed)) this.#fail('warps', `warps of ${loop.index} change ${changed}`);
        if (['share', 'barrier', 'copy', 'commit', 'wait', 'multiply', 'settle', 'combine'].includes(stmt.kind))
          this.#fail('warps', `${stmt.kind} by the warps of ${loop.index}`);
      });
    }
    if (loop.while !== undefined) {
      const { name, dtype, shape } = this.#accumulator(loop.while, [], scope).accumulator;
      if (loop.axis !== 'serial' || dtype !== 'bool' || shape.length > 0)
        this.#fail('while', `${loop.index} asks ${name}: ${dtype}, and is ${loop.axis}`);
      if (scope.parallel && !this.#accumulator(loop.while, [], scope).parallel)
        this.#fail('parallel', `${name} is from outside of the parallel loop`);
    }
    if (loop.blocks !== undefined) this.#context.checkDims([loop.blocks], `what ${loop.index} cuts`);
    if (loop.when !== undefined) {
      this.#sameDType(dtypeOf(loop.when), 'bool', `the condition of ${loop.index}`);
      const isOfSizes = expressionOrder([loop.when]).every(({ kind }) => kind === 'const' || kind === 'size' || kind === 'apply');
      if ((loop.axis !== 'serial' && loop.axis !== 'parallel') || !isOfSizes)
        this.#fail('when', `${loop.index} is ${loop.axis} and runs when ${printExpr(loop.when)}`);
    }
    if (loop.flops !== undefined) {
      this.#context.checkDims([loop.flops], `what ${loop.index} computes`);
      if (scope.counted !== undefined) this.#fail('flops', `${loop.index} says what it computes, and so does ${scope.counted} around it`);
    }
    const around = loop.part === undefined ? undefined : scope.locals.get(loop.part);
    if (loop.part !== undefined && (around?.kind !== 'index' || around.loop.blocks === undefined))
      this.#fail('blocks', `${loop.index} is a part of ${loop.part}, which is no loop over blocks around it`);
    if (loop.most !== undefined && (extent ?? 0) > loop.most)
      this.#fail('blocks', `${loop.index} runs ${extent} times, at most ${loop.most}`);
    const inner: Scope = {
      locals: new Map(scope.locals).set(loop.index, { kind: 'index', loop }),
      vectors: loop.axis === 'vector' ? [...scope.vectors, loop] : scope.vectors,
      parallel: scope.parallel || loop.axis === 'parallel',
      counted: loop.flops === undefined ? scope.counted : loop.index,
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
    if (stmt.kind === 'accumulate') this.#combines(accumulator.name, accumulator.dtype, stmt.combine);
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
        return this.#context.checkDims([expr.dim], 'a size');
      case 'index':
        if (!['index', 'warp'].includes(scope.locals.get(expr.name)?.kind ?? ''))
          this.#fail('scope', `no loop ${expr.name} around its index`);
        return;
      case 'name': {
        const local = scope.locals.get(expr.name);
        if (local?.kind !== 'let') return this.#fail('scope', `no let ${expr.name} in scope`);
        if (local.dtype !== expr.dtype) this.#fail('scope', `${expr.name} is ${local.dtype} and is used as ${expr.dtype}`);
        return;
      }
      case 'load': {
        const { name, role } = expr.buffer;
        this.#place(expr.buffer, expr.index, scope);
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
        if (this.#context.expanded && !isMachineOp(expr.fn)) this.#fail('machine', `${expr.fn} is no machine op`);
        if (this.#context.expanded && expr.fn === 'rem' && isFloat(expr.dtype)) this.#fail('machine', `rem of ${expr.dtype}`);
        return;
      }
    }
  }

  #place(buffer: Buffer, index: readonly Expr[], scope: Scope): void {
    if (buffer.role.kind === 'shared') {
      const local = scope.locals.get(buffer.name);
      if (local?.kind !== 'shared' || !isAlike(local.buffer, buffer)) this.#fail('scope', `no shared memory ${buffer.name} in scope`);
      if (scope.vectors.length === 0) this.#fail('block', `${buffer.name} is touched outside of vector loops`);
    } else if (!isAlike(this.#params.get(buffer.name), buffer))
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

  #refuse(problem: BlockProblem | undefined): void {
    if (problem !== undefined) this.#fail(problem.rule, problem.message);
  }

  #fail(rule: string, message: string): never {
    return this.#context.fail(rule, message);
  }
}

const uses = (index: readonly Expr[], loop: string): boolean =>
  expressionOrder(index).some((expr) => expr.kind === 'index' && expr.name === loop);
