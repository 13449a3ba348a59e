// The fuzzer. In: a target, a seed, how many inputs or how long. Out: what was found, minimised and kept. Holds: inputs are numbered, and
// the number and the seed give the input; findings that look alike are one finding; time and memory are believed when they happen again in
// a fresh process.

import { availableParallelism } from 'node:os';
import { foundFolder, keep, keptIn } from './corpus.js';
import { minimize } from './minimize.js';
import { type Death, type Surroundings, Worker } from './process.js';
import { Random, seedAt } from './random.js';
import { type Fault, type Finding, type Input, type Target, targetOf, type TargetName, type Verdict } from './target.js';
import type { Counts, Reply } from './worker.js';

export interface FuzzOptions extends Surroundings {
  readonly target: TargetName;
  readonly seed: number;
  /** How many inputs; without it, as many as fit the time. */
  readonly inputs?: number;
  readonly milliseconds?: number;
  readonly workers?: number;
  /** Where findings are kept. */
  readonly folder?: string;
  readonly say?: (line: string) => void;
}

export interface Found {
  readonly finding: Finding;
  readonly at: number;
  /** Inputs that looked the same. */
  count: number;
  file: string;
}

export interface Report {
  readonly inputs: number;
  /** How many ended how: `fine`, `found`, or a code. */
  readonly counts: Counts;
  /** How many there were of each kind of input. */
  readonly kinds: Counts;
  readonly found: readonly Found[];
}

export async function fuzz(options: FuzzOptions): Promise<Report> {
  const { target: name, seed, inputs = Infinity, milliseconds = Infinity, workers = 1, say = () => undefined } = options;
  const target = await targetOf(name);
  const counts: Record<string, number> = {};
  const kinds: Record<string, number> = {};
  const seen = new Map<string, Found>();
  const end = performance.now() + milliseconds;
  let next = 0;
  let done = 0;
  const take = (at: number, finding: Finding): void => {
    // Costs are believed one by one, since a busy machine makes any input costly.
    const key = isCostly(finding) && seen.size < mostCandidates ? `${finding.fault} ${at}` : signatureOf(finding);
    const known = seen.get(key);
    if (known === undefined) {
      seen.set(key, { finding, at, count: 1, file: '' });
      say(`${name}: input ${at}: ${finding.fault}: ${firstLine(finding)}`);
    } else known.count++;
  };
  const count = (more: number): void => {
    if (Math.floor(done / sayEvery) < Math.floor((done + more) / sayEvery)) say(`${name}: ${done + more} inputs, ${seen.size} candidates`);
    done += more;
  };
  const one = async (): Promise<void> => {
    let worker = new Worker(name, target.seconds, options);
    while (next < inputs && performance.now() < end) {
      let from = next;
      const to = Math.min(inputs, next + target.batch);
      next = to;
      while (from < to && performance.now() < end) {
        const reply = await worker.ask({ kind: 'run', seed, from, to }, ({ at, verdict }) => verdict.kind === 'found' && take(at, verdict));
        if (reply.kind === 'done') {
          count(reply.next - from);
          addTo(counts, reply.counts);
          addTo(kinds, reply.kinds);
          from = reply.next;
          if (!reply.tired) continue;
        } else {
          const { at, finding } = deathOf(reply);
          take(at, finding);
          counts['found'] = (counts['found'] ?? 0) + 1;
          count(Math.max(at, from) + 1 - from);
          from = Math.max(at, from) + 1;
        }
        await worker.close();
        worker = new Worker(name, target.seconds, options);
      }
    }
    await worker.close();
  };
  await Promise.all(Array.from({ length: workers }, one));
  const kept: Found[] = [];
  for (const item of seen.values()) {
    if (kept.filter(({ finding }) => isCostly(finding) && finding.fault === item.finding.fault).length >= mostCostly) continue;
    const file = await confirm(options, target, item);
    if (file !== undefined) kept.push({ ...item, file });
    else say(`${name}: input ${item.at}: ${item.finding.fault}: not again in a fresh process`);
  }
  return { inputs: done, counts, kinds, found: kept };
}

/** Replays what is kept. Gives what still fails. */
export async function replay(
  only: readonly TargetName[],
  options: Surroundings & { readonly folder?: string } = {},
): Promise<{ readonly name: string; readonly finding: Finding }[]> {
  const failed: { name: string; finding: Finding }[] = [];
  for (const name of only) {
    const kept = keptIn(options.folder ?? foundFolder(), [name]);
    if (kept.length === 0) continue;
    const { seconds } = await targetOf(name);
    await using asker = new Asker(name, seconds, options);
    for (const one of kept) {
      const verdict = await asker.check(one.input, !costly.includes(one.note.fault));
      if (verdict.kind === 'found') failed.push({ name: one.name, finding: verdict });
    }
  }
  return failed;
}

export const defaultWorkers = (): number => Math.min(availableParallelism(), 8);

function addTo(sums: Record<string, number>, more: Counts): void {
  for (const [key, count] of Object.entries(more)) sums[key] = (sums[key] ?? 0) + count;
}

const mostCandidates = 100;
/** A line of progress for so many inputs. */
const sayEvery = 50_000;
/** Of hangs, or of inputs that take memory, so many are kept: which of them have one cause is for people to say. */
const mostCostly = 3;

const firstLine = ({ text }: Finding): string => text.split('\n')[0] ?? '';
const costly: readonly Fault[] = ['hang', 'memory'];
const isCostly = (verdict: Verdict): boolean => verdict.kind === 'found' && costly.includes(verdict.fault);

/** What two findings share that have one cause: numbers, names and quoted texts differ. Of costs, nothing is known but that they are. */
function signatureOf(finding: Finding): string {
  if (isCostly(finding)) return finding.fault;
  const [first = '', place = ''] = finding.text.split('\n');
  // Where it was thrown says more than the names and numbers in what was said.
  return `${finding.fault} ${first
    .replace(/`[^`]*`|"[^"]*"|'[^']*'/g, '_')
    .replace(/-?\d[\d.e+-]*/g, '0')
    .slice(0, place.startsWith('at ') ? 30 : 80)} ${place.startsWith('at ') ? place : ''}`;
}

function deathOf(reply: Reply | Death): Death {
  if (reply.kind !== 'dead') throw new Error(`unexpected reply ${reply.kind}`);
  return reply;
}

/** Checks inputs one by one, in a process that is replaced when it dies. */
class Asker {
  readonly #name: TargetName;
  readonly #seconds: number;
  readonly #surroundings: Surroundings;
  #worker: Worker;

  constructor(name: TargetName, seconds: number, surroundings: Surroundings) {
    this.#name = name;
    this.#seconds = seconds;
    this.#surroundings = surroundings;
    this.#worker = new Worker(name, seconds, surroundings);
  }

  /** What costs is asked for three times: a machine may be busy, a process cold. */
  async check(input: Input, thorough: boolean): Promise<Verdict> {
    let verdict = await this.#once(input, thorough);
    for (let more = 0; more < 2 && isCostly(verdict); more++) verdict = await this.#once(input, thorough);
    return verdict;
  }

  async #once({ extension, bytes }: Input, thorough: boolean): Promise<Verdict> {
    const reply = await this.#worker.ask({ kind: 'check', extension, base64: Buffer.from(bytes).toString('base64'), thorough });
    if (reply.kind === 'checked') return reply.verdict;
    await this.#worker.close();
    this.#worker = new Worker(this.#name, this.#seconds, this.#surroundings);
    return deathOf(reply).finding;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.close();
  }
}

/** Most of a finding's minimisation, in milliseconds. */
const longest = 60_000;

/**
 * The file of a finding that happens again with its input alone, made small; with a note of the run where only the inputs before it make it
 * fail. Undefined when costs were not the input's.
 */
async function confirm(options: FuzzOptions, target: Target, { finding, at }: Found): Promise<string | undefined> {
  const { target: name, seed, folder = foundFolder() } = options;
  const input = target.draw(new Random(seedAt(seed, at)));
  await using asker = new Asker(name, target.seconds, options);
  // Asking twice takes twice as long.
  const thorough = !isCostly(finding);
  const same = async (candidate: Input): Promise<boolean> => {
    const verdict = await asker.check(candidate, thorough);
    return (
      verdict.kind === 'found' &&
      verdict.fault === finding.fault &&
      (verdict.fault === 'crash' || signatureOf(verdict) === signatureOf(finding))
    );
  };
  // Loads and compiles the code that every input runs.
  for (let more = 1; more <= 20; more++) await asker.check(target.draw(new Random(seedAt(seed, at + more))), false);
  const again = await same(input);
  if (!again && isCostly(finding)) return undefined;
  if (!again)
    return keep(folder, input, {
      target: name,
      fault: finding.fault,
      text: `${finding.text}\n(not with this input alone; seed and number give those before it)`,
      seed,
      at,
    });
  const until = performance.now() + longest;
  const small = await minimize(
    input,
    target.grains,
    async (candidate) => performance.now() < until && same(candidate),
    isCostly(finding) ? 60 : 300,
  );
  const verdict = await asker.check(small, thorough);
  return keep(folder, small, {
    target: name,
    fault: finding.fault,
    text: verdict.kind === 'found' ? verdict.text : finding.text,
    seed,
    at,
  });
}
