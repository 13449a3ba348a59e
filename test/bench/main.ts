// `npm run bench [-- --scale] [--quick] [--only NAME] [--threads N] [--json FILE] [--cpu NAME] [--write] [--setup-peers] [--gpu DIR]`: tfc
// and every installed peer, side by side. In: arguments. Out: tables; `last.json`, or `last-scale.json`, beside the sources; on
// demand the documents that show them.
// Holds: it also is the process in which tfc runs as a peer (`--serve`, `--compile`), which loads nothing else, so that its start and
// memory are those of a user's program.

const usage = `usage: npm run bench -- [--scale] [--quick] [--only NAME]… [--threads N]… [--json FILE] [--cpu NAME] [--write] [--setup-peers] [--gpu DIR]
  --scale        how compiling grows with depth, instead of how fast steps are; one thread
  --quick        fewer and shorter rounds; of --scale the smaller models
  --only NAME    only workloads, or models, whose names hold NAME
  --threads N    only with so many threads (default: 1, and 2 where there are two processors)
  --json FILE    write the figures to FILE as well
  --cpu NAME     for another CPU, such as x86-64-v3: tfc and the mark are compiled for it, the limits are measured with its instructions, and
                 peers keep to them
  --write        write docs/performance.json, its page and the README's table: of a whole run, with every peer
  --setup-peers  install peers into build/peers, then stop
  --gpu DIR      make a folder that measures on a machine with an NVIDIA GPU (\`sh DIR/gpu.sh\`), then stop`;

async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === '--serve' || first === '--compile') {
    const { serveTfc, timeCompile } = await import('./tfc-peer.js');
    if (first === '--compile') timeCompile(rest[0] ?? '');
    else await serveTfc(rest[0] === 'call' ? 'call' : 'loop', rest[1] ?? '', Number(rest[2]));
    return 0;
  }
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  let options: Awaited<ReturnType<typeof parse>>;
  try {
    options = await parse(args);
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (options.setUpPeers) {
    (await import('./set-up-peers.js')).setUpPeers(say);
    return 0;
  }
  if (options.gpu !== undefined) {
    (await import('./gpu/pack.js')).pack(options.gpu, say);
    return 0;
  }
  if (options.scale) return (await import('./scale/scale.js')).benchScale(options, say);
  const { bench } = await import('./bench.js');
  return bench(options, say);
}

async function parse(args: readonly string[]) {
  const { parseArgs } = await import('node:util');
  const { values } = parseArgs({
    args: [...args],
    options: {
      scale: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      threads: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      cpu: { type: 'string', default: 'native' },
      write: { type: 'boolean', default: false },
      'setup-peers': { type: 'boolean', default: false },
      gpu: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const threads = values.threads.map(Number);
  if (threads.some((count) => !Number.isSafeInteger(count) || count < 1)) throw new Error('--threads takes a whole number of at least 1');
  if (values.write && (values.quick || values.only.length > 0 || threads.length > 0 || values.cpu !== 'native'))
    throw new Error('--write takes a whole run: without --quick, --only, --threads and --cpu');
  if (values.scale && (threads.length > 0 || values.write)) throw new Error('--scale takes no --threads and no --write');
  return {
    scale: values.scale,
    quick: values.quick,
    only: values.only,
    threads,
    json: values.json,
    cpu: values.cpu,
    write: values.write,
    setUpPeers: values['setup-peers'],
    gpu: values.gpu,
    help: values.help,
  };
}

process.exitCode = await main(process.argv.slice(2));
