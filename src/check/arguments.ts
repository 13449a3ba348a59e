// Which argument goes to which parameter. In: what is passed, what the callee declares. Out: one passed argument per parameter that has
// one.
// Holds: positional arguments fill parameters in order, named ones by name; every mistake names the callee.

import type { Span } from '../../grammar/index.js';
import type { Passed } from './calls.js';
import type { Context } from './context.js';
import { argumentHint } from './known-names.js';
import { fail } from './report.js';
import { suggestion } from './spelling.js';

export interface ParameterSlot {
  readonly name: string;
  readonly optional: boolean;
}

/**
 * The arguments by parameter; undefined after a diagnostic. `declared`: where the callee stands; `tooMany`: a hint for surplus arguments.
 */
export function assignArguments(
  context: Context,
  passed: readonly Passed[],
  slots: readonly ParameterSlot[],
  callee: string,
  site: Span,
  declared: Span | undefined,
  tooMany?: string | (() => string | undefined),
): Map<string, Passed> | undefined {
  const assigned = new Map<string, Passed>();
  const labels = declared === undefined ? [] : [{ span: declared, text: `\`${callee}\` is declared here` }];
  let position = 0;
  let failed = false;
  for (const argument of passed) {
    if (argument.name === null) {
      const slot = slots[position];
      position += 1;
      if (slot === undefined) {
        if (!failed)
          fail(
            context,
            'too-many-arguments',
            argument.span,
            `\`${callee}\` takes ${count(slots.length)}, and ${passed.length} ${passed.length === 1 ? 'is' : 'are'} passed`,
            { labels, hint: tooMany },
          );
        failed = true;
        continue;
      }
      if (assigned.has(slot.name)) {
        fail(context, 'duplicate-name', argument.span, `the argument \`${slot.name}\` of \`${callee}\` is passed twice`, { labels });
        failed = true;
        continue;
      }
      assigned.set(slot.name, argument);
      continue;
    }
    const name = argument.name.text;
    if (!slots.some((slot) => slot.name === name)) {
      const names = slots.map((slot) => slot.name);
      fail(context, 'unknown-argument', argument.name.span, `\`${callee}\` has no argument \`${name}\``, {
        labels,
        hint: () =>
          argumentHint(name, names) ??
          // Single letters are all near one another.
          (name.length > 1 ? suggestion(name, names) : undefined) ??
          (names.length === 0 ? 'it takes no arguments' : listed(names)),
      });
      failed = true;
    } else if (assigned.has(name)) {
      fail(context, 'duplicate-name', argument.name.span, `the argument \`${name}\` of \`${callee}\` is passed twice`, { labels });
      failed = true;
    } else assigned.set(name, argument);
  }
  if (!failed) {
    const missing = slots.filter((slot) => !slot.optional && !assigned.has(slot.name)).map((slot) => `\`${slot.name}\``);
    if (missing.length > 0) {
      fail(context, 'missing-argument', site, `\`${callee}\` needs the argument${missing.length > 1 ? 's' : ''} ${missing.join(', ')}`, {
        labels,
        hint: missing.length < slots.length ? listed(slots.map((slot) => slot.name)) : undefined,
      });
      failed = true;
    }
  }
  if (!failed) return assigned;
  // What was passed may have mistakes of its own.
  for (const argument of passed) argument.value();
  return undefined;
}

const listed = (names: readonly string[]): string =>
  `its argument${names.length > 1 ? 's are' : ' is'} ${names.map((one) => `\`${one}\``).join(', ')}`;

const count = (n: number): string => (n === 0 ? 'no arguments' : n === 1 ? 'one argument' : `${n} arguments`);
