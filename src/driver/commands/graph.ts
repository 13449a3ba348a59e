// `tfc graph FILE -o out.html|.svg|.dot|.json`: the graph of a program as a page, a picture or data.

import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Command } from 'commander';
import { writeFiles, writeFully } from '../../../runtime/atomic-file.js';
import { printableLines } from '../../base/index.js';
import type { EntryView } from '../report/graph-view.js';
import type { Texts } from '../../../grammar/places.js';
import { jsonWarnings } from '../mistakes.js';
import { builtFile } from '../package.js';
import { perform, print, printDiagnostics } from './command.js';
import { addProgramOptions, parseCount, parseProgram, type ProgramOptions, UsageError } from './options.js';

interface Options extends ProgramOptions {
  readonly out: string;
  readonly depth?: string;
  readonly json?: boolean;
}

export function addGraph(program: Command): void {
  addProgramOptions(program.command('graph').description('draw the graph of a program, with instances, functions and optimizers as boxes'))
    .argument('<file>', 'program (.tdsl)')
    .requiredOption('-o, --out <path>', 'where to write: .html (a page: boxes open by a click), .svg, .dot or .json (all nodes and scopes)')
    .option('--depth <levels>', 'levels of boxes that are open; 0: none (default: instances in instances are seen, all else is closed)')
    .option('--json', 'print the result and errors as JSON')
    .action((file: string, options: Options) =>
      perform(options.json, async (texts) => {
        const depth = options.depth === undefined ? undefined : parseCount(options.depth, '--depth', 0);
        const format = extname(options.out);
        if (!isFormat(format))
          throw new UsageError(`-o takes a path that ends in .html, .svg, .dot or .json; got ${JSON.stringify(options.out)}`);
        const { check } = await import('../build/front.js');
        const { viewOf } = await import('../report/graph-view.js');
        const { module, build, warnings } = check({ path: file, ...parseProgram(options) }, texts);
        const views = viewOf(module, build, texts);
        const text = Buffer.from(format === '.html' ? await pageOf(views, file, texts, depth) : await textOf(views, format, depth));
        writeFiles([{ path: options.out, write: (file) => writeFully(file, text) }]);
        const counts = views.map((view) => ({ entry: view.entry, nodes: view.nodes.length }));
        if (options.json !== true) await printDiagnostics(warnings, texts);
        print(
          options.json === true
            ? JSON.stringify({ path: options.out, entries: counts, ...jsonWarnings(warnings, texts) })
            : `${options.out}: ${counts.map(({ entry, nodes }) => `${entry} (${nodes} nodes)`).join(', ')}`,
        );
      }),
    );
}

type Format = '.html' | '.svg' | '.dot' | '.json';

const isFormat = (text: string): text is Format => text === '.html' || text === '.svg' || text === '.dot' || text === '.json';

async function pageOf(views: readonly EntryView[], file: string, texts: Texts, depth: number | undefined): Promise<string> {
  const { toHtml } = await import('../report/graph-page.js');
  return toHtml(views, file, texts, depth, readFileSync(builtFile('dist', 'bundle', 'graph-page.js'), 'utf8'));
}

async function textOf(views: readonly EntryView[], format: Exclude<Format, '.html'>, depth: number | undefined): Promise<string> {
  if (format === '.json') return `${printableLines(JSON.stringify(views, null, 2))}\n`;
  const { dotOf, svgOf } = await import('../report/graph-drawing.js');
  return format === '.dot' ? `${dotOf(views, depth)}\n` : svgOf(views, depth);
}
