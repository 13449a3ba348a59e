// A function of TDSL that computes nodes of a graph. In: the nodes, what they are called, what they read. Out: its text in canonical form.
// Holds: the function is pure: feeds and variables are its arguments, by the names that the program has for them.

import type { Fact, FnDeclaration, Parameter, Program, SizeExpression, Statement, Texts, TypeExpression } from '../../grammar/index.js';
import { Dim, type DType, type Shape } from '../base/index.js';
import type { GraphBuilder, Node, Quotient, SizeFact, TensorNode } from '../graph/index.js';
import { literalOf, opOf, tdsl } from '../ops/index.js';
import { BlockWriter } from './block-writer.js';
import { printCommented } from './comments.js';
import { nameOf, Names } from './names.js';
import { instanceOf, placeOf, placeText } from './places.js';
import { Sizes } from './sizes.js';

export interface WrittenParameter {
  /** The feed or variable. */
  readonly node: TensorNode;
  readonly path: string;
  /** What it is called, unless something else is called so. */
  readonly name: string;
  /** As callers know it. */
  readonly shape: Shape;
  readonly initial?: number | bigint | boolean | undefined;
}

export interface FunctionToWrite {
  readonly name: string;
  /** What it is; a line for each argument whose name is not its path is added. */
  readonly doc: readonly string[];
  readonly build: GraphBuilder;
  readonly parameters: readonly WrittenParameter[];
  /** What callers fulfil, over their names for sizes. */
  readonly facts: readonly SizeFact[];
  /** What holds inside. */
  readonly known: readonly SizeFact[];
  readonly quotients: readonly Quotient[];
  /** One, or a record of several. */
  readonly results: readonly { readonly name: string; readonly node: TensorNode }[];
  /** Names that nodes have in the program, as paths. */
  readonly paths: ReadonlyMap<Node, string>;
  /** Where the nodes come from. */
  readonly entry: string;
  readonly file: string;
  readonly texts: Texts;
}

const span = tdsl.nowhere;

export interface WrittenFunction {
  readonly text: string;
  /** What the parameters are called, in their order. */
  readonly names: readonly string[];
}

export function writeFunction(what: FunctionToWrite): WrittenFunction {
  const { build, entry, file, texts } = what;
  const [names, sizes] = [new Names(), new Sizes(what.quotients)];
  const generics = genericsOf(what, sizes);
  for (const generic of generics) names.take(generic);
  const called = new Map<Node, string>(what.parameters.map(({ node, name }) => [node, names.fresh(name)]));
  const resultNames = what.results.map(({ name }) => names.fresh(name));
  const wanted = new Map<Node, string>();
  for (const [at, { node }] of what.results.entries()) if (!wanted.has(node)) wanted.set(node, resultNames[at] as string);
  const origins = new Map<Statement, Node>();
  const isBackward = (node: Node): boolean => {
    const all = build.originsOf(node);
    return all.length > 0 && all.every(({ backward }) => backward);
  };
  const writer = BlockWriter.outermost({
    build,
    names,
    sizes,
    facts: what.known,
    sourceName: (node) => called.get(node) ?? nameOf(opOf(node).name),
    nameOf: (node) => {
      const path = what.paths.get(node);
      return wanted.get(node) ?? (path === undefined ? undefined : names.ofPath(path));
    },
    stemOf: (node) => (isBackward(node) ? 'd' : (instanceOf(node, entry, build) ?? 't')),
    isBackward,
    origins,
  });
  const values = writer.write(what.results.map(({ node }) => node));
  const [only, ...others] = values;
  const result =
    only !== undefined && others.length === 0
      ? only
      : ({
          kind: 'record',
          fields: values.map((value, at) => {
            const name = resultNames[at] as string;
            return {
              kind: 'record-field',
              name: tdsl.identifier(name),
              value,
              shorthand: value.kind === 'name' && value.name === name,
              span,
            } as const;
          }),
          span,
        } as const);
  const statements = [...writer.statements, tdsl.returned(result)];
  const declaration: FnDeclaration = {
    kind: 'fn',
    exported: true,
    name: tdsl.identifier(names.fresh(what.name)),
    generics: generics.map((name) => ({
      kind: 'generic-parameter',
      name: tdsl.identifier(name),
      variadic: false,
      bound: null,
      initial: null,
      span,
    })),
    parameters: what.parameters.map((parameter) => parameterOf(parameter, called.get(parameter.node) as string, sizes)),
    result: resultType(what, resultNames, sizes),
    facts: what.facts.flatMap((fact) => factOf(fact, sizes)),
    body: tdsl.blockOf(statements),
    vjp: null,
    doc: docOf(what, called).join('\n'),
    span,
  };
  const program: Program = { kind: 'program', source: { path: '', text: '' }, declarations: [declaration], comments: [], span };
  const comments = commentsOf(statements, origins, (node) => {
    const place = placeOf(node, entry, build, texts);
    return place === undefined ? undefined : { text: placeText(place, file, texts), backward: place.backward };
  });
  return { text: printCommented(program, comments), names: what.parameters.map(({ node }) => called.get(node) as string) };
}

/** Names of sizes that callers choose, in the order of their first use. */
function genericsOf({ parameters, facts }: FunctionToWrite, sizes: Sizes): readonly string[] {
  const dims = [...parameters.flatMap(({ shape }) => shape), ...facts.flatMap(({ left, right }) => [left, right])];
  return [...new Set(dims.flatMap((dim) => sizes.generics(dim)))];
}

function typeOf(dtype: DType, shape: Shape, sizes: Sizes): TypeExpression {
  return {
    kind: 'named-type',
    name: tdsl.identifier(dtype),
    generics: null,
    dims: shape.length === 0 ? null : shape.map((dim): SizeExpression => sizes.type(dim)),
    span,
  };
}

function parameterOf({ node, shape, initial }: WrittenParameter, name: string, sizes: Sizes): Parameter {
  const { dtype } = node.type;
  return {
    kind: 'parameter',
    name: tdsl.identifier(name),
    type: typeOf(dtype, shape, sizes),
    initial: initial === undefined ? null : literalOf(dtype, typeof initial === 'boolean' ? Number(initial) : initial),
    span,
  };
}

function resultType({ results }: FunctionToWrite, names: readonly string[], sizes: Sizes): TypeExpression {
  const types = results.map(({ node }) => typeOf(node.type.dtype, node.type.shape, sizes));
  const [only, ...others] = types;
  if (only !== undefined && others.length === 0) return only;
  return {
    kind: 'record-type',
    fields: types.map((type, at) => ({ kind: 'record-type-field', name: tdsl.identifier(names[at] as string), type, span })),
    span,
  };
}

function factOf({ left, relation, right }: SizeFact, sizes: Sizes): readonly Fact[] {
  const fact = (one: SizeExpression, operator: Fact['operator'], other: SizeExpression): readonly Fact[] => [
    { kind: 'fact', operator, left: one, right: other, span },
  ];
  if (relation !== 'divides') return fact(sizes.type(left), relation, sizes.type(right));
  return fact({ kind: 'size-binary', operator: '%', left: sizes.type(right), right: sizes.type(left), span }, '==', sizes.type(Dim.zero));
}

/** Columns of a line of the doc comment. */
const width = 96;

function docOf({ doc, parameters }: FunctionToWrite, called: ReadonlyMap<Node, string>): readonly string[] {
  const renamed = parameters.flatMap(({ node, path }) => {
    const name = called.get(node) as string;
    // A path whose parts are joined is told by its name.
    return name === nameOf(path) ? [] : [`\`${name}\` is \`${path}\``];
  });
  const lines: string[] = [];
  for (const [at, text] of renamed.entries()) {
    const part = `${text}${at + 1 === renamed.length ? '.' : ','}`;
    const last = lines.at(-1);
    if (last === undefined || last.length + part.length >= width) lines.push(part);
    else lines[lines.length - 1] = `${last} ${part}`;
  }
  return [...doc, ...lines];
}

/** A line before each statement that comes from another place than the one before it. */
function commentsOf(
  statements: readonly Statement[],
  origins: ReadonlyMap<Statement, Node>,
  placed: (node: Node) => { readonly text: string; readonly backward: boolean } | undefined,
): ReadonlyMap<Statement, readonly string[]> {
  const comments = new Map<Statement, readonly string[]>();
  let before: ReturnType<typeof placed>;
  for (const statement of statements) {
    const node = origins.get(statement);
    const place = node === undefined ? undefined : placed(node);
    if (place === undefined || place.text === before?.text) continue;
    // The way back begins behind an empty line.
    const isTurn = place.backward && before !== undefined && !before.backward;
    comments.set(statement, isTurn ? ['', place.text] : [place.text]);
    before = place;
  }
  return comments;
}
