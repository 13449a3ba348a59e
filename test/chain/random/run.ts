// Random programs through the chain. In: what to draw. Out: what broke, with the smallest program that breaks in the same way.
// Holds: a program that does not compile is a fault, too.

import { runGraphs, type Break, type GraphCase } from '../graphs.js';
import { slopeCase, slopeDifference, type SlopeCase, slopeProgramOf, trainingCase, trainingProgramOf } from '../program-cases.js';
import { shrink } from './shrink.js';
import type { Program } from './slopes.js';
import type { Training } from './training.js';

export interface Drawn {
  readonly seed: number;
  /** How many statements. */
  readonly count: number;
  /** Of a training program; derivatives of functions are compared in f64. */
  readonly training?: Training;
}

/** What to do with a program. */
export interface Links {
  /** Compiles it and runs it as well; kernels are interpreted in any case. */
  readonly native: boolean;
  /** Stops at the meaning and its derivatives. */
  readonly onlySlopes?: boolean;
  /** Code as users get it, and every link for every program. */
  readonly thorough?: boolean;
}

export interface Failure {
  readonly drawn: Drawn;
  readonly what: string;
  readonly smallest: string;
}

const programOf = ({ seed, count, training }: Drawn): Program =>
  training === undefined ? slopeProgramOf(seed, count) : trainingProgramOf(seed, count, training);

const caseOf = ({ seed, count, training }: Drawn, text?: string): GraphCase | SlopeCase =>
  training === undefined ? slopeCase(seed, count, text) : trainingCase(seed, count, training, text);

const slopeOf = (one: GraphCase | SlopeCase): string | undefined => ('back' in one ? slopeDifference(one) : undefined);

/** What is wrong with one program; undefined when nothing is. */
function faultOf(drawn: Drawn, text: string, { native, onlySlopes = false, thorough = false }: Links): string | undefined {
  try {
    const one = caseOf(drawn, text);
    return slopeOf(one) ?? (onlySlopes ? undefined : runGraphs([one], { native, quick: !thorough, ends: !thorough })[0]?.text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Which fault it is, whatever the numbers and names in it. */
const kindOf = (fault: string): string =>
  fault
    .replace(/[\w./]*\d[\w./]*/g, '')
    .replace(/[\n:{][^]*$/, '')
    .trim();

/** Runs them as one artifact. With `shrinks`, failures are made small, which takes minutes. */
export function failuresOf(all: readonly Drawn[], links: Links, shrinks: boolean): Failure[] {
  const { native, onlySlopes = false, thorough = false } = links;
  const faults = new Map<Drawn, string>();
  const sound = new Map<string, { readonly drawn: Drawn; readonly one: GraphCase }>();
  for (const drawn of all) {
    try {
      const one = caseOf(drawn);
      const fault = slopeOf(one);
      if (fault === undefined) sound.set(one.name, { drawn, one });
      else faults.set(drawn, fault);
    } catch (error) {
      faults.set(drawn, error instanceof Error ? error.message : String(error));
    }
  }
  const cases = [...sound.values()].map(({ one }) => one);
  const breaks: readonly Break[] = onlySlopes ? [] : runGraphs(cases, { native, quick: !thorough, ends: !thorough });
  for (const { name, text } of breaks) faults.set((sound.get(name) as { readonly drawn: Drawn }).drawn, text);
  return [...faults].map(([drawn, what]): Failure => {
    const { text, tail } = programOf(drawn);
    const kind = kindOf(what);
    const needs = { ...links, native: kind.startsWith('native') || kind.startsWith('several') };
    const fails = (smaller: string): boolean => {
      const fault = faultOf(drawn, smaller, needs);
      return fault !== undefined && kindOf(fault) === kind;
    };
    return { drawn, what, smallest: (shrinks && fails(text + tail) ? shrink(text, tail, fails) : text) + tail };
  });
}
