// The commands behind `npm run …`. In: `setup | demo | test | test:long | fuzz | bench | pack | docs` and their arguments. Out: set-up
// first, then the command; its exit code. Holds: plain Node, because it runs before anything is installed.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { at } from './files.mjs';
import { say, Stop } from './report.mjs';
import { setUp } from './setup.mjs';

function program(path, args) {
  const file = at('dist', path);
  if (!existsSync(file)) throw new Stop(`${path} was not built.`);
  return spawnSync(process.execPath, [file, ...args], { stdio: 'inherit', cwd: process.cwd() }).status ?? 1;
}

async function main([command, ...args]) {
  const known = ['setup', 'demo', 'test', 'test:long', 'fuzz', 'bench', 'pack', 'docs'];
  if (!known.includes(command)) throw new Stop(`usage: node scripts/run.mjs ${known.join('|')} [arguments]`);
  const start = performance.now();
  await setUp(command === 'demo' ? 'examples' : '.');
  if (command === 'setup') say(`everything is in place (${((performance.now() - start) / 1000).toFixed(1)} s).`);
  switch (command) {
    case 'demo':
      return program('examples/mnist/main.js', args);
    case 'bench':
      return program('test/bench/main.js', args);
    case 'fuzz':
      return program('test/fuzz/main.js', args);
    case 'test':
    case 'test:long': {
      const { test } = await import('./tests.mjs');
      return test(args, { long: command === 'test:long' });
    }
    case 'pack': {
      const { pack } = await import('./pack.mjs');
      await pack(args.length === 0 ? undefined : args);
      return 0;
    }
    case 'docs': {
      // The library's page first, then that of the API.
      const status = program('test/documents/main.js', []);
      const typedoc = at('node_modules', 'typedoc', 'bin', 'typedoc');
      return status === 0 ? (spawnSync(process.execPath, [typedoc], { stdio: 'inherit', cwd: at() }).status ?? 1) : status;
    }
    default:
      return 0;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  process.stderr.write(`set-up: ${error.message}\n`);
  process.exitCode = 1;
}
