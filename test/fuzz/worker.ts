// The process in which inputs are checked. In: the name of a target, a file for the bookmark, and requests from the process that started
// it. Out: findings, and how each request ended.
// Holds: the bookmark names the input at hand before it is checked, so whoever finds this process dead knows by what.

import { openSync, writeSync } from 'node:fs';
import { judge } from './judge.js';
import { Random, seedAt } from './random.js';
import { type Input, targetOf, type TargetName, type Verdict } from './target.js';

export type Request =
  /** Draws and checks the inputs `from` … `to` - 1 of a run. */
  | { readonly kind: 'run'; readonly seed: number; readonly from: number; readonly to: number }
  | { readonly kind: 'check'; readonly extension: string; readonly base64: string; readonly thorough: boolean };

/** How many ended how, and how many there were of each kind. */
export type Counts = Readonly<Record<string, number>>;

export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'found'; readonly at: number; readonly verdict: Verdict }
  /** Inputs up to `next` are done; when the process has grown it does no more, and wants to be replaced. */
  | { readonly kind: 'done'; readonly next: number; readonly tired: boolean; readonly counts: Counts; readonly kinds: Counts }
  | { readonly kind: 'checked'; readonly verdict: Verdict };

const [name, bookmark = ''] = process.argv.slice(2);
const target = await targetOf(name as TargetName);
const mark = openSync(bookmark, 'w');
/** Beyond this, what earlier inputs left behind would be blamed on later ones. */
const tiredAt = 3 * 2 ** 29;

const note = (at: number): void => void writeSync(mark, `${String(at).padStart(16)}\n`, 0);
const say = (reply: Reply): void => void process.send?.(reply);

async function run({ seed, from, to }: Extract<Request, { kind: 'run' }>): Promise<Reply> {
  const counts: Record<string, number> = {};
  const kinds: Record<string, number> = {};
  let next = from;
  let tired = false;
  while (next < to && !tired) {
    note(next);
    const input = target.draw(new Random(seedAt(seed, next)));
    const verdict = await judge(target, input, { thorough: false, timed: true });
    if (verdict.kind === 'found') say({ kind: 'found', at: next, verdict });
    const key = verdict.kind === 'refused' ? verdict.code : verdict.kind;
    counts[key] = (counts[key] ?? 0) + 1;
    kinds[input.extension] = (kinds[input.extension] ?? 0) + 1;
    next++;
    tired = next % 16 === 0 && process.memoryUsage.rss() > tiredAt;
  }
  return { kind: 'done', next, tired, counts, kinds };
}

const inputOf = (request: Extract<Request, { kind: 'check' }>): Input => ({
  extension: request.extension,
  bytes: Buffer.from(request.base64, 'base64'),
});

process.on('message', (request: Request) => {
  const answer =
    request.kind === 'run'
      ? run(request)
      : (note(0),
        judge(target, inputOf(request), { thorough: request.thorough, timed: true }).then((verdict): Reply => ({
          kind: 'checked',
          verdict,
        })));
  void answer.then((reply) => {
    note(-1);
    say(reply);
  });
});

// What is thrown outside of a check is a finding as well: the process ends, and its last words are kept.
note(-1);
say({ kind: 'ready' });
