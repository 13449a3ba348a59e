// What set-up says. In: lines. Out: lines on standard error, so that `--json` output of a command stays clean; errors that end it.

/** A reason to stop that the reader can act on; printed without a stack. */
export class Stop extends Error {}

export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

export function stop(...lines) {
  throw new Stop(lines.join('\n'));
}
