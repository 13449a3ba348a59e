// What a manifest must be so that nothing the runtime does with it can go wrong. In: JSON. Out: undefined, or what is wrong with it. Holds:
// written after `runtime/abi/manifest.ts`, not after its reader.

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const whole: Check = (value) => Number.isSafeInteger(value);
const listOf =
  (item: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(item);
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const record =
  (fields: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const given = value as Readonly<Record<string, unknown>>;
    return (
      Object.entries(fields).every(([name, check]) => Object.hasOwn(given, name) && check(given[name])) &&
      Object.entries(optional).every(([name, check]) => !Object.hasOwn(given, name) || check(given[name]))
    );
  };

const dtype = oneOf('f32', 'f64', 'f16', 'bf16', 'f8e4m3', 'f8e5m2', 'i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64', 'bool');

function entryCheck(variables: number): Check {
  return (value) => {
    const { dims, outputs } = value as { readonly dims?: readonly string[]; readonly outputs?: readonly unknown[] };
    if (!listOf(text)(dims)) return false;
    const size = either(
      whole,
      listOf(
        (term) =>
          Array.isArray(term) &&
          term.length === 2 &&
          whole(term[0]) &&
          listOf((name) => (dims as readonly unknown[]).includes(name))(term[1]),
      ),
    );
    const tensor = record({ name: text, dtype, shape: listOf(size) });
    const result: Check = (tree) =>
      either(
        record({ kind: oneOf('output'), index: (index) => count(index) && (index as number) < (outputs?.length ?? 0) }),
        record({ kind: oneOf('record'), fields: listOf((field) => Array.isArray(field) && text(field[0]) && result(field[1])) }),
        record({ kind: oneOf('tuple'), items: listOf(result) }),
      )(tree);
    const positions = listOf((at) => count(at) && (at as number) < variables);
    return record({
      name: text,
      kind: oneOf('fn', 'step', 'init'),
      ranks: (ranks) => typeof ranks === 'object' && ranks !== null && Object.values(ranks).every(count),
      facts: listOf(record({ left: size, relation: oneOf('==', '!=', '<', '<=', '>', '>=', 'divides'), right: size })),
      feeds: listOf(tensor),
      outputs: listOf(tensor),
      result,
      reads: positions,
      writes: positions,
    })(value);
  };
}

/** An initializer takes a seed and streams, and writes one variable, which is laid out as those that it serves. */
const initializerCheck =
  (entries: readonly unknown[], variables: readonly unknown[], own: unknown): Check =>
  (initial) => {
    const { entry, streams } = initial as { readonly entry: number; readonly streams: readonly number[] };
    const { kind, feeds, writes } = entries[entry] as {
      readonly kind: string;
      readonly feeds: { readonly dtype: string; readonly shape: readonly unknown[] }[];
      readonly writes: readonly number[];
    };
    const layout = (variable: unknown): string => {
      const { dtype: type, shape, pitch } = variable as { readonly dtype: string; readonly shape: unknown; readonly pitch?: unknown };
      return JSON.stringify([type, shape, pitch]);
    };
    return (
      kind === 'init' &&
      writes.length === 1 &&
      layout(variables[writes[0] as number]) === layout(own) &&
      feeds.map((feed) => `${feed.dtype}${feed.shape.length}`).join() === ['i64' + 0, ...streams.map(() => 'i320')].join()
    );
  };

const variableCheck =
  (entries: readonly unknown[], variables: readonly unknown[]): Check =>
  (variable) =>
    record({
      path: text,
      dtype,
      shape: listOf(count),
      kind: oneOf('param', 'state', 'slot'),
      initial: either(
        record({ kind: oneOf('none') }),
        record({ kind: oneOf('constant'), value: either((value) => typeof value === 'number', oneOf('NaN', 'Infinity', '-Infinity')) }),
        (initial) =>
          record({
            kind: oneOf('entry'),
            entry: (at) => count(at) && (at as number) < entries.length,
            streams: listOf((stream) => Number.isInteger(stream) && Math.abs(stream as number) <= 2 ** 31 && (stream as number) < 2 ** 31),
          })(initial) && initializerCheck(entries, variables, variable)(initial),
      ),
    })(variable);

const openCheck: Check = (value) => {
  const { packs } = value as { readonly packs?: readonly unknown[] };
  return record({
    name: text,
    packs: listOf(text),
    feeds: listOf(record({ name: text, dtype, before: count, after: count }, { pack: (pack) => packs?.includes(pack) ?? false })),
  })(value);
};

/** The first part that is not as it must be. */
export function faultOfManifest(json: unknown): string | undefined {
  if (
    !record({ version: text, module: text, target: record({}), entries: Array.isArray, variables: Array.isArray, open: Array.isArray })(
      json,
    )
  )
    return 'its parts';
  const { entries, variables, open } = json as {
    readonly entries: readonly unknown[];
    readonly variables: readonly unknown[];
    readonly open: readonly unknown[];
  };
  if (!entries.every((one) => one !== null && entryCheck(variables.length)(one))) return 'an entry';
  if (!variables.every(variableCheck(entries, variables))) return 'a variable';
  return open.every((one) => one !== null && openCheck(one)) ? undefined : 'an entry with open ranks';
}
