// `npm run fuzz [-- --minutes N] [--only TARGET] [--seed N]`: attacks the product. In: arguments. Out: what was found, in
// `test/fuzz/found`; exit code 1 when there is something.

import { parseArgs } from 'node:util';
import { defaultWorkers, fuzz, replay, type Report } from './fuzz.js';
import { targetNames, type TargetName } from './target.js';

const usage = `usage: npm run fuzz -- [--minutes N] [--inputs N] [--only ${targetNames.join('|')}]… [--seed N]
  --minutes N    for so long, all targets together (default: 5)
  --inputs N     so many inputs of each target instead
  --only TARGET  only this target
  --seed N       another run (default: today's)`;

interface Options {
  readonly only: readonly TargetName[];
  readonly minutes: number;
  readonly inputs: number | undefined;
  readonly seed: number;
}

function optionsOf(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '5' },
      inputs: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const unknown = values.only.find((name) => !(targetNames as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--only takes ${targetNames.join(', ')}; got ${unknown}`);
  const minutes = Number(values.minutes);
  const inputs = values.inputs === undefined ? undefined : Number(values.inputs);
  const seed = values.seed === undefined ? Math.floor(Date.now() / 86_400_000) : Number(values.seed);
  if (!(minutes > 0)) throw new Error('--minutes takes a positive number');
  if (inputs !== undefined && !(Number.isSafeInteger(inputs) && inputs > 0)) throw new Error('--inputs takes a positive whole number');
  if (!Number.isSafeInteger(seed)) throw new Error('--seed takes a whole number');
  return { only: values.only.length === 0 ? targetNames : targetNames.filter((name) => values.only.includes(name)), minutes, inputs, seed };
}

const listed = (counts: Report['counts']): string =>
  Object.entries(counts)
    .sort((a, b) => b[1] - a[1])
    .map(([key, count]) => `${key} ${count}`)
    .join(', ');

async function main(args: readonly string[]): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  let options: Options | undefined;
  try {
    options = optionsOf(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`);
    return 2;
  }
  if (options === undefined) {
    say(usage);
    return 0;
  }
  const { only, minutes, inputs, seed } = options;
  let failures = 0;
  for (const { name, finding } of await replay(only)) {
    failures++;
    say(`found/${name} still fails: ${finding.fault}: ${finding.text.split('\n')[0]}`);
  }
  for (const target of only) {
    const amount = inputs === undefined ? { milliseconds: (minutes * 60_000) / only.length } : { inputs };
    const start = performance.now();
    const report = await fuzz({ target, seed, ...amount, workers: defaultWorkers(), say });
    say(
      `${target}: ${report.inputs} inputs in ${((performance.now() - start) / 1000).toFixed(0)} s (seed ${seed}): ${listed(report.counts)}`,
    );
    if (Object.keys(report.kinds).length > 1) say(`  of each kind: ${listed(report.kinds)}`);
    for (const { finding, file, count, at } of report.found) {
      failures++;
      say(`  ${finding.fault} ×${count}, first at input ${at}: ${finding.text.split('\n')[0]}\n    ${file}`);
    }
  }
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
