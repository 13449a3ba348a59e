// `tfc graph FILE -o out.svg|.dot|.json`: the graph of a program as a picture or as data.

import { writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import type { Command } from 'commander';
import { DiagnosticsError } from '../../base/index.js';
import { check } from '../front.js';
import { toDot, viewOf } from '../graph-view.js';
import { reasonOf } from '../sources.js';
import { collect, parseSet, perform, print, UsageError } from './command.js';

interface Options {
  readonly out: string;
  readonly set: readonly string[];
  readonly json?: boolean;
}

export function addGraph(program: Command): void {
  program
    .command('graph')
    .description('draw the graph of a program')
    .argument('<file>', 'program (.tdsl)')
    .requiredOption('-o, --out <path>', 'where to write: .svg, .dot or .json')
    .option('--set <Name=N>', 'value for a dim; may be repeated', collect, [])
    .option('--json', 'print errors and the result as JSON')
    .action(async (file: string, options: Options) => {
      const texts = new Map<string, string>();
      process.exitCode = await perform({ json: options.json === true, texts }, async () => {
        const format = extname(options.out);
        if (format !== '.svg' && format !== '.dot' && format !== '.json') throw new UsageError(`-o takes a path that ends in .svg, .dot or .json; got ${JSON.stringify(options.out)}`);
        const { module, build } = check({ path: file, set: parseSet(options.set) }, texts);
        const views = viewOf(module, build);
        const text = format === '.json' ? `${JSON.stringify(views, null, 2)}\n` : format === '.dot' ? `${toDot(views)}\n` : (await Graphviz.load()).dot(toDot(views));
        try {
          writeFileSync(options.out, text);
        } catch (error) {
          throw new DiagnosticsError([{ code: 'file-not-written', message: `${options.out}: ${reasonOf(error)}` }]);
        }
        const counts = views.map((view) => ({ entry: view.entry, nodes: view.nodes.length }));
        print(options.json === true ? JSON.stringify({ path: options.out, entries: counts }) : `${options.out}: ${counts.map(({ entry, nodes }) => `${entry} (${nodes} nodes)`).join(', ')}`);
      });
    });
}
