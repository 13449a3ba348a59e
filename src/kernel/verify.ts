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
//   check             where the program may end early there is a kernel, up to which the output that decides (i32, a scalar) is stored and
//                     no variable is
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
//                     unless each lane asks for itself
//   warps             loops of warps are serial, in a parallel loop and in no other one of warps or of lanes; they change no accumulator
//                     from outside, and no statement of a whole block is in them
//   block             shared memory has constant sizes and is touched in vector loops alone, but by `multiply`; outside of them it is
//                     declared, threads wait for each other or for copies, and warps multiply
//   copy              copies go to shared memory, in vector loops, 4, 8 or 16 bytes at a time whose elements follow each other
//   multiply          sums are f32 over rows in pairs, columns in fours and whole warps; both sides are of one dtype of 16 or 32 bits, and
//                     their lines are multiples of 16 bytes apart; sums on the left have as many rows and threads; four warps multiply
//                     what is swizzled and has 16 bits, at most 256 columns, and no sums, and one warp what is not
//   settle            sums of four warps are touched by nothing else, and their scope does not end, before all products are settled
//   combine           outside of vector loops; 2 to 32 lanes, a power of two, of an accumulator over whole warps
//   unroll            the extent of an unrolled loop is constant
//   limit only on vector loops, at least 1 and not below a constant extent; an accumulator's index uses a vector axis only if that has one
//   least             only with a limit, from 1 to that, and not above a constant extent
//   blocks            a loop over a part of an axis is inside of the one over its blocks; a constant extent is not above its bound
//   when              only serial and parallel loops ask whether they run at all, and they ask sizes
//   flops             a loop that says what all of it computes is in no other one that does
//   while             only a serial loop asks a bool without axes, from around it, before each iteration
//   lanes under a vector axis since its declaration, an accumulator is assigned only if its index uses that axis, and is not read while
//   lanes combine into it
//   width             only vector loops have lanes, a power of two of them, and all of them have, once `vectorized`; loops that index one
//                     accumulator have as many
//   partials          a loop keeps results of an accumulator from outside that no loop around keeps, and only combines into it over as many
//                     lanes by the same combiner; outside of vector loops; once `vectorized`, lanes combine into nothing else
//   interleave        only vector loops without a limit compute several vectors at once, or stand straight; what is jammed only computes
//   transpose         only an unrolled loop in a vector loop transposes, at most as many copies as that has lanes
//   nontemporal       only whole vectors of a vector loop without a limit pass the caches by, of buffers that the kernel does not load;
//                     only such loops ask ahead, for what the kernel loads
//   rolled            only an unrolled loop that is in no vector loop is rolled, and it changes no accumulator from outside

import { Dim, InternalError, shapeEquals } from '../base/index.js';
import { rowMajor } from './build.js';
import type { Buffer, Kernel, KernelCode, KernelCost, Program } from './ir.js';
import { isAlike } from './key.js';
import { spell } from './text.js';
import { type CodeContext, type Uses, verifyCode } from './verify-code.js';

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

class Verifier {
  readonly #program: Program;
  readonly #options: VerifyOptions;
  readonly #context: CodeContext;
  readonly #buffers = new Map<string, Buffer>();
  readonly #written = new Set<string>();
  readonly #stage: string;
  /** Kernels that have one code have one cost. */
  readonly #costs = new Set<KernelCost>();
  readonly #dims: ReadonlySet<string>;
  #kernel: Kernel | undefined;

  constructor(program: Program, options: VerifyOptions) {
    this.#program = program;
    this.#options = options;
    this.#dims = new Set(program.dims);
    this.#stage = `${options.expanded === true} ${options.vectorized === true} ${program.dims.join()}`;
    this.#context = {
      expanded: options.expanded === true,
      vectorized: options.vectorized === true,
      checkDims: (dims, what) => this.#checkDims(dims, what),
      fail: (rule, message) => this.#fail(rule, message),
    };
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
      if (role.kind === 'shared') this.#fail('declared', `${name} is shared memory and one of the program’s buffers`);
      if (!('index' in role)) continue;
      if (!isRowMajor(buffer)) this.#fail('strides', `${name} is a ${role.kind} and not row-major`);
      const place = `${role.kind} ${role.index}`;
      const twin = roles.get(place);
      if (twin !== undefined && twin.dtype !== buffer.dtype)
        this.#fail('buffer-names', `${name} and ${twin.name} are both ${place} with different dtypes`);
      roles.set(place, buffer);
    }
    this.#checkArena();
    const names = new Set<string>();
    if (program.check !== undefined && program.kernels[program.check.behind] === undefined) this.#fail('check', 'there is no such kernel');
    for (const [at, kernel] of program.kernels.entries()) {
      this.#kernel = kernel;
      if (names.has(kernel.name)) this.#fail('kernel-names', `two kernels named ${kernel.name}`);
      names.add(kernel.name);
      if (!this.#costs.has(kernel.cost)) this.#checkDims(Object.values(kernel.cost) as Dim[], 'its cost');
      this.#costs.add(kernel.cost);
      this.#bind(kernel);
      this.#checkEnd(at);
    }
  }

  /** Code is looked at once; what it does, it does to the buffers of every kernel that has it. */
  #bind({ code, buffers }: Kernel): void {
    const uses = this.#usesOf(code);
    if (buffers.length !== code.params.length || new Set(buffers.map(({ name }) => name)).size !== buffers.length) {
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

  #usesOf(code: KernelCode): Uses {
    let known = sound.get(code);
    if (known === undefined) sound.set(code, (known = new Map()));
    let uses = known.get(this.#stage);
    if (uses === undefined) known.set(this.#stage, (uses = verifyCode(code, this.#context)));
    return uses;
  }

  /** `check`: what kernels up to there have stored. */
  #checkEnd(at: number): void {
    const { check, kernels, buffers } = this.#program;
    if (check === undefined || at !== check.behind) return;
    const decides = buffers.find(({ role }) => role.kind === 'output' && role.index === check.output);
    if (decides?.dtype !== 'i32' || decides.shape.length > 0) this.#fail('check', `output ${check.output} is no i32`);
    else if (!this.#written.has(decides.name)) this.#fail('check', `${decides.name} is not stored before it is looked at`);
    const bound = kernels.slice(0, at + 1).flatMap((kernel) => kernel.buffers);
    const early = bound.find(({ name, role }) => role.kind === 'variable' && this.#written.has(name));
    if (early !== undefined) this.#fail('check', `${early.name} is stored before it is known whether checks hold`);
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

/**
 * What code does that was found to be sound: it does not change, so what a pass keeps is looked at once. By the sizes of the program, and
 * by how far it has come: what must hold depends on both.
 */
const sound = new WeakMap<KernelCode, Map<string, Uses>>();

/** Row-major; where rows of a variable do not follow each other, the strides are those of longer rows. */
function isRowMajor({ role, shape, strides }: Buffer): boolean {
  const last = shape.at(-1)?.constant;
  const pitch = role.kind === 'variable' ? strides.at(-2)?.constant : undefined;
  const isPadded = last !== undefined && pitch !== undefined && pitch > last;
  return shapeEquals(strides, rowMajor(isPadded ? [...shape.slice(0, -1), Dim.of(pitch)] : shape));
}
