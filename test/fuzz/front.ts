// Programs that want to break the front end. In: mutated programs, random trees, small programs that grow. Out: verdicts. Holds: a text is
// refused with diagnostics whose places are in it and whose print is plain, or goes through every pass, verified after each; the same text
// gives the same answer.

import fc from 'fast-check';
import { print } from '../../grammar/index.js';
import { checkModule, type CheckResult } from '../../src/check/index.js';
import { diagnosticCodes, DiagnosticsError, fnv1a } from '../../src/base/index.js';
import { render } from '../../src/driver/report/render.js';
import { toMachine } from '../../src/driver/build/pipeline.js';
import { printModule } from '../../src/graph/index.js';
import { checks, countNodes, differentiate, Pipeline, simplify, strip } from '../../src/passes/index.js';
import { loadStd } from '../../src/std/load.js';
import { programs as trees } from '../grammar/random-programs.js';
import { exploding } from './exploding.js';
import { lines, words } from './grains.js';
import { mutated } from './mutate-text.js';
import { type Random } from './random.js';
import { found, type Input, type Target, type Verdict } from './target.js';
import { avx2 } from '../targets.js';
import { texts, wordsOf } from './texts.js';
import { typedProgram } from './typed-programs.js';

const std = loadStd();

/** Any will do: nothing is compiled. */
const machine = avx2;

const path = 'main.tdsl';

const frontEnd = Pipeline.of(differentiate).then(strip).then(checks).then(simplify);
/** Down to kernels of machine operations. */
const wholeWay = toMachine(machine);

/**
 * Nodes of an accepted program, before its derivatives, for which it has its target's time: a few letters may say that a perceptron has 256
 * layers instead of 48, and are no attack then. Each entry that goes down to kernels has that time as well. What is refused has no more
 * time than any other text.
 */
const usualNodes = 8_000;

function draw(random: Random): Input {
  const kind = random.int(100);
  const text =
    kind < 4
      ? exploding(random)
      : kind < 6
        ? mutated(wordsOf(exploding(random)), random)
        : kind < 8
          ? (fc.sample(trees, { seed: random.bits() | 0, numRuns: 1 }).map(print)[0] ?? '')
          : kind < 10
            ? Array.from({ length: random.int(60) }, () => random.pick(texts().vocabulary)).join(random.pick([' ', '', '\n']))
            : kind < 14
              ? typedProgram(random)
              : kind < 30
                ? mutated(wordsOf(typedProgram(random)), random)
                : mutated(random.pick(texts().programs), random);
  const bytes = Buffer.from(text);
  // Bytes that are no text are refused before anything reads them; what becomes of them here is text.
  if (random.chance(0.01) && bytes.length > 0) bytes[random.int(bytes.length)] = random.int(256);
  return { extension: 'tdsl', bytes };
}

const checked = (text: string): CheckResult => checkModule({ path, text, read: () => undefined, std });

function check({ bytes }: Input, thorough: boolean): Verdict {
  const text = Buffer.from(bytes).toString();
  const share = fnv1a(bytes) % 64;
  const result = checked(text);
  if (result.module === undefined) {
    const wrong = misplaced(result, text, thorough || share % 8 === 0);
    if (wrong !== undefined) return wrong;
    if (thorough || (share === 1 && text.length < 2000)) {
      const again = checked(text);
      if (JSON.stringify(again.diagnostics) !== JSON.stringify(result.diagnostics))
        return found('unstable', 'other diagnostics for the same text');
    }
    return { kind: 'refused', code: result.diagnostics[0]?.code ?? '' };
  }
  const graph = thorough || share % 16 === 2 ? printModule(result.module) : undefined;
  if (graph !== undefined && graph !== printModule(checked(text).module ?? result.module))
    return found('unstable', 'another graph for the same text');
  const unclear = result.warnings.length > 0 ? misplaced({ diagnostics: result.warnings, files: result.files }, text, true) : undefined;
  if (unclear !== undefined) return unclear;
  // Kernels of programs with dozens of entries take their time.
  const way = text.length < 2000 && (thorough || share % 4 === 3) ? wholeWay : frontEnd;
  try {
    way.run(result.module, { build: result.build });
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    return (
      misplaced({ diagnostics: error.diagnostics, files: result.files }, text, true) ?? {
        kind: 'refused',
        code: error.diagnostics[0]?.code ?? '',
      }
    );
  }
  return { kind: 'fine', size: Math.max(countNodes(result.module) / usualNodes, way === frontEnd ? 1 : result.module.entries.length) };
}

/** Diagnostics that point outside of their texts, that have no known code, or whose print would do something to a terminal. */
function misplaced(
  { diagnostics, files }: Pick<CheckResult, 'diagnostics' | 'files'>,
  text: string,
  printed: boolean,
): Verdict | undefined {
  if (diagnostics.length === 0) return found('wrong', 'no module and no diagnostics');
  const known = new Map([...files.map((file) => [file.path, file.text] as const), [path, text] as const]);
  for (const one of diagnostics) {
    if (!Object.hasOwn(diagnosticCodes, one.code) || one.message.trim() === '')
      return found('wrong', `a diagnostic without a known code or a message: ${JSON.stringify(one)}`);
    for (const span of [...(one.span === undefined ? [] : [one.span]), ...(one.labels ?? []).map((label) => label.span)]) {
      const within = known.get(span.source);
      if (within === undefined || span.start < 0 || span.end < span.start || span.end > within.length)
        return found('wrong', `${one.code}: a place outside of its text: ${JSON.stringify(span)}`);
    }
    if (!printed) continue;
    const bad = unprintable.exec(render(one, known, false));
    if (bad !== null)
      return found(
        'wrong',
        `a print with a control character\n${one.code}: U+${(bad[0].codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
      );
  }
  return undefined;
}

/** All but the ends of lines and tabs. */
const unprintable =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

export const front: Target = { seconds: 1, batch: 400, draw, check, grains: [lines, words] };
