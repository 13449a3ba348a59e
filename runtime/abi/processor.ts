// Processors as artifacts and the runtime see them. In: words that the processor says of itself (runtime/native/processor-words.h). Out:
// names of what it can do, as LLVM has them.
// Holds: the table has every feature of which a code generator makes use of its own accord; what only intrinsics use, and hints that older
// processors pass over, are of no account.

/** Positions of the words. */
const [signature, basic, extendedB, extendedC, extendedD, furtherA, furtherD, amd, saved] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/** Registers that the system must save for these: bits of the word `saved`. */
const [vectors, masks] = [0x6, 0xe6];

/** Word, bit, and what the system must save (Intel's manual, volume 2, CPUID; AMD's, volume 3, appendix E). */
const table: Readonly<Record<string, readonly [word: number, bit: number, save?: number]>> = {
  sse3: [basic, 0],
  ssse3: [basic, 9],
  fma: [basic, 12, vectors],
  cx16: [basic, 13],
  'sse4.1': [basic, 19],
  'sse4.2': [basic, 20],
  movbe: [basic, 22],
  popcnt: [basic, 23],
  avx: [basic, 28, vectors],
  f16c: [basic, 29, vectors],
  bmi: [extendedB, 3],
  avx2: [extendedB, 5, vectors],
  bmi2: [extendedB, 8],
  avx512f: [extendedB, 16, masks],
  avx512dq: [extendedB, 17, masks],
  avx512ifma: [extendedB, 21, masks],
  avx512cd: [extendedB, 28, masks],
  avx512bw: [extendedB, 30, masks],
  avx512vl: [extendedB, 31, masks],
  avx512vbmi: [extendedC, 1, masks],
  avx512vbmi2: [extendedC, 6, masks],
  gfni: [extendedC, 8],
  avx512vnni: [extendedC, 11, masks],
  avx512bitalg: [extendedC, 12, masks],
  avx512vpopcntdq: [extendedC, 14, masks],
  avx512fp16: [extendedD, 23, masks],
  avxvnni: [furtherA, 4, vectors],
  avx512bf16: [furtherA, 5, masks],
  avxifma: [furtherA, 23, vectors],
  avxvnniint8: [furtherD, 4, vectors],
  avxneconvert: [furtherD, 5, vectors],
  avxvnniint16: [furtherD, 10, vectors],
  sahf: [amd, 0],
  lzcnt: [amd, 5],
  sse4a: [amd, 6],
  xop: [amd, 11, vectors],
  fma4: [amd, 16, vectors],
  tbm: [amd, 21],
};

/** Features of which generated code may make use. */
export const isFeature = (name: string): boolean => Object.hasOwn(table, name);

/** What the processor of these words can do, sorted; nothing where it says nothing of itself. */
export function featuresOf(words: Uint32Array): readonly string[] {
  const word = (at: number): number => words[at] ?? 0;
  return Object.entries(table)
    .filter(([, [at, bit, save = 0]]) => ((word(at) >>> bit) & 1) === 1 && (word(saved) & save) === save)
    .map(([name]) => name)
    .sort();
}

/** Features and family: two machines that say the same run, and get, the same code for `native`. */
export const processorKey = (words: Uint32Array): string =>
  `${((words[signature] ?? 0) >>> 4).toString(16)} ${featuresOf(words).join(' ')}`;
