// What a check ends in. In: a target, an input. Out: a verdict. Holds: nothing is thrown; only diagnostics and coded errors count as
// refusals, and only with a code that is known.

import { diagnosticCodes, InternalError } from '../../src/base/index.js';
import { mistakesOf } from '../../src/driver/mistakes.js';
import { found, type Input, type Target, type Verdict } from './target.js';

const codes = new Set<string>(Object.keys(diagnosticCodes));

/** How much more memory a process may take for one input. */
const largest = 2 ** 29;

/** Bytes of an input for which it has its target's time; longer ones have more. */
const usual = 2 ** 16;

/** With `timed`, processor time and memory count as well. */
export async function judge(
  target: Target,
  input: Input,
  { thorough, timed }: { readonly thorough: boolean; readonly timed: boolean },
): Promise<Verdict> {
  const memory = process.resourceUsage().maxRSS;
  const start = process.cpuUsage();
  let verdict: Verdict;
  try {
    verdict = await target.check(input, thorough);
  } catch (error) {
    verdict = verdictOf(error);
  }
  if (!timed || verdict.kind === 'found') return verdict;
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  const size = (verdict.kind === 'fine' ? verdict.size : undefined) ?? 1;
  if (seconds > target.seconds * Math.max(1, input.bytes.length / usual, size))
    return found('hang', `took ${seconds.toFixed(1)} s of processor time`);
  const grown = (process.resourceUsage().maxRSS - memory) * 1024;
  if (grown > largest) return found('memory', `took ${Math.round(grown / 2 ** 20)} MB`);
  return verdict;
}

export function verdictOf(error: unknown): Verdict {
  // Before all others: what a net under the stack makes of it is no answer.
  if (endsStack(error)) return found('stack', `the stack overflows\n${placeOf(error)}`);
  if (error instanceof InternalError) return found('internal-error', `${error.message}\n${placeOf(error)}`);
  const mistakes = mistakesOf(error);
  const [first] = mistakes ?? [];
  if (first !== undefined) {
    const strange = mistakes?.find(({ code, message }) => !codes.has(code) || message.trim() === '');
    if ((first.code as string) === 'internal-error')
      return found('internal-error', `${first.message}\n${error instanceof Error ? placeOf(error) : ''}`);
    return strange === undefined
      ? { kind: 'refused', code: first.code }
      : found('exception', `a mistake without a known code or a message: ${JSON.stringify(strange)}`);
  }
  if (!(error instanceof Error)) return found('exception', `${typeof error} thrown: ${String(error)}`);
  return found('exception', `${error.name}: ${error.message}\n${placeOf(error)}`);
}

function endsStack(error: unknown): error is Error {
  for (let one = error; one instanceof Error; one = one.cause) if (one instanceof RangeError && /call stack/.test(one.message)) return true;
  return false;
}

/** The top of the stack, without what depends on where the checkout lies. */
const placeOf = (error: Error): string =>
  (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 4)
    .map((line) => line.replace(/\(?(?:file:\/\/)?\/\S*?\/(dist|src|runtime|grammar|codegen|test)\//, '($1/').trim())
    .join('\n');
