// Updates of like params. In: the updates of one statement, one after the other, and a way to evaluate each. Out: their nodes, names and
// assignments.
// Holds: when two of them were evaluated and did the same, node by node, with other params, gradients and slots in the places of the first
// ones and other paths in the places of theirs, the following ones do so without being evaluated; see the note at the end.

import { InternalError } from '../base/index.js';
import { attrsKey, isTensorNode, type Made, type Node, type Origin, regionsOf, type ScopeInfo, type TensorNode } from '../graph/index.js';
import { typeEquals, typeKey } from '../graph/index.js';
import * as ops from '../ops/index.js';
import type { Collected, Context } from './context.js';
import type { VariableRecord } from './variables.js';

/** One update: the param and the optimizer's states for it, none of which has been assigned, and the gradient. */
interface OneUpdate {
  readonly variables: readonly [param: VariableRecord, ...slots: VariableRecord[]];
  readonly gradient: TensorNode;
}

/** An update as it was evaluated. */
interface Evaluated {
  /** The scope in which it stands. */
  readonly path: string;
  readonly update: OneUpdate;
  /** What was asked for and depends on the param, its slots and the gradient, or has a name; all else is there already. */
  readonly made: readonly Made[];
  readonly scopes: readonly ScopeInfo[];
  readonly collected: Collected;
  /** How many facts were known. */
  readonly facts: number;
  /** Units of the meter. */
  readonly work: number;
}

/** `differs`: updates of the kind are evaluated each. */
type Kind = { readonly first: Evaluated; isCertain: boolean } | 'differs';

/** The updates of one statement. */
export class LikeUpdates {
  readonly #kinds = new Map<string, Kind>();
  /** Whether no update has done more than to assign its own variables. */
  #isOwn = true;

  run(context: Context, update: OneUpdate, evaluate: () => void): void {
    const { entry } = context;
    const isPlain = !entry.dry && !entry.isTentative && ops.isNodeOf(update.gradient, ops.element);
    if (!this.#isOwn || !isPlain || update.variables.some((variable) => entry.versions.has(variable))) {
      evaluate();
      return;
    }
    const key = [...update.variables, update.gradient].map(({ type }) => typeKey(type)).join(' ');
    const kind = this.#kinds.get(key);
    if (kind === 'differs') evaluate();
    else if (kind?.isCertain !== true || !repeated(kind.first, context, update)) this.#learn(key, kind, context, update, evaluate);
  }

  #learn(key: string, known: Exclude<Kind, 'differs'> | undefined, context: Context, update: OneUpdate, evaluate: () => void): void {
    const found = evaluated(context, update, evaluate);
    if (found === 'does more') this.#isOwn = false;
    else if (found === 'differs') this.#kinds.set(key, found);
    else if (known === undefined) this.#kinds.set(key, { first: found, isCertain: false });
    else if (doesTheSame(known.first, found)) known.isCertain = true;
    else this.#kinds.set(key, 'differs');
  }
}

/** What the evaluation did; `does more`: it does not end with the update's own variables, so others may see it. */
function evaluated(context: Context, update: OneUpdate, evaluate: () => void): Evaluated | 'differs' | 'does more' {
  const { entry, path } = context;
  const { build, reporter } = context.checker;
  const { said } = reporter;
  const before = build.meter.spent;
  let collected: Collected | undefined;
  const recording = build.recorded(() => {
    collected = entry.recorded(evaluate);
  });
  if (collected === undefined || reporter.said !== said) return 'does more';
  if (collected.assigned.some(([variable]) => !update.variables.includes(variable))) return 'does more';
  const { scopes } = recording;
  const isBelow = (one: string): boolean => one.startsWith(`${path}/`);
  if (!collected.taken.every(([key]) => isBelow(pathOf(key))) || !collected.names.every(([name]) => isBelow(name))) return 'differs';
  if (!scopes.every((scope) => isBelow(scope.path) && scope.of === undefined)) return 'differs';
  const varying = new Set<Node>(inputsOf(update));
  const made = recording.made.filter(({ node }) => {
    if (node.op !== ops.named && !node.args.some((arg) => varying.has(arg))) return false;
    varying.add(node);
    return true;
  });
  // A region is closed, and a variable has a path of its own.
  if (made.some(({ node }) => node.op === ops.variable || regionsOf(node).length > 0)) return 'differs';
  const outcomes = [...collected.names, ...collected.assigned].map(([, node]) => node);
  if (!outcomes.every((node) => varying.has(node))) return 'differs';
  return { path, update, made, scopes, collected, facts: entry.facts.length, work: build.meter.spent - before };
}

function doesTheSame(one: Evaluated, other: Evaluated): boolean {
  const moved = movedFrom(one.path, other.path);
  const inputs = inputsOf(other.update);
  const images = new Map(inputsOf(one.update).map((node, at) => [node, inputs[at] as Node]));
  const isImage = (node: Node, image: Node | undefined): boolean => (images.get(node) ?? node) === image;
  const variableOf = (variable: VariableRecord): VariableRecord => variableIn(other.update, one.update, variable);
  const [first, second] = [one.collected, other.collected];
  return (
    one.facts === other.facts &&
    isEach(one.scopes, other.scopes, (a, b) => moved(a.path) === b.path && moved(a.parent) === b.parent && a.span === b.span) &&
    isEach(one.made, other.made, (a, b) => {
      const isSame =
        a.node.op === b.node.op &&
        typeEquals(a.node.type, b.node.type) &&
        attrsKey(attrsMoved(a.node, moved)) === attrsKey(b.node.attrs) &&
        isEach(a.node.args, b.node.args, isImage) &&
        isSameOrigin(a.origin, b.origin, moved);
      images.set(a.node, b.node);
      return isSame;
    }) &&
    isEach(
      first.taken,
      second.taken,
      ([key, count], [otherKey, otherCount]) => keyMoved(key, moved) === otherKey && count === otherCount,
    ) &&
    isEach(first.names, second.names, ([name, node], [otherName, image]) => moved(name) === otherName && isImage(node, image)) &&
    isEach(first.assigned, second.assigned, ([variable, node], [to, image]) => variableOf(variable) === to && isImage(node, image))
  );
}

const isEach = <T>(some: readonly T[], others: readonly T[], isSame: (one: T, other: T) => boolean): boolean =>
  some.length === others.length && some.every((one, at) => isSame(one, others[at] as T));

const isSameOrigin = (one: Origin | undefined, other: Origin | undefined, moved: (path: string) => string): boolean =>
  one === undefined || other === undefined
    ? one === other
    : moved(one.scope) === other.scope && one.span === other.span && one.backward === other.backward && one.entry === other.entry;

/** Does for `update` what another one did; false where it has to be evaluated, and nothing has changed. */
function repeated(like: Evaluated, context: Context, update: OneUpdate): boolean {
  const { entry } = context;
  const { build } = context.checker;
  const moved = movedFrom(like.path, context.path);
  const { taken, names, assigned } = like.collected;
  if (entry.facts.length !== like.facts || !entry.take(taken.map(([key, count]) => [keyMoved(key, moved), count]))) return false;
  const before = build.meter.spent;
  for (const scope of like.scopes) build.addScope({ ...scope, path: moved(scope.path), parent: moved(scope.parent) });
  const inputs = inputsOf(update);
  const images = new Map(inputsOf(like.update).map((node, at) => [node, inputs[at] as Node]));
  const imageOf = (node: Node): Node => images.get(node) ?? node;
  const tensorFor = (node: Node): TensorNode => {
    const image = imageOf(node);
    if (isTensorNode(image)) return image;
    throw new InternalError('check', `${node.op.name} of an update is a tensor, and was repeated as a tuple`);
  };
  for (const { node, origin } of like.made) {
    const place = origin === undefined ? undefined : { ...origin, scope: moved(origin.scope) };
    const image = build.at(place, () => build.make(node.op, node.args.map(imageOf), attrsMoved(node, moved), node.type));
    images.set(node, image);
  }
  for (const [name, node] of names) entry.names.set(moved(name), tensorFor(node));
  for (const [variable, version] of assigned) entry.assign(variableIn(update, like.update, variable), tensorFor(version));
  // It counts as much as if it had been evaluated.
  build.meter.spend(Math.max(0, like.work - (build.meter.spent - before)));
  return true;
}

const inputsOf = ({ variables, gradient }: OneUpdate): readonly Node[] => [gradient, ...variables.map(({ node }) => node)];

/** What stands in `update` for a variable of `other`. */
const variableIn = (update: OneUpdate, other: OneUpdate, variable: VariableRecord): VariableRecord =>
  update.variables[other.variables.indexOf(variable)] as VariableRecord;

/** Paths in the scope of one update as they are in that of another. */
const movedFrom =
  (from: string, to: string) =>
  (path: string): string =>
    to + path.slice(from.length);

const attrsMoved = (node: Node, moved: (path: string) => string): Node['attrs'] =>
  ops.isNodeOf(node, ops.named) ? { path: moved(node.attrs.path) } : node.attrs;

const pathOf = (key: string): string => key.slice(key.indexOf(' ') + 1);
const keyMoved = (key: string, moved: (path: string) => string): string => `${key.slice(0, key.indexOf(' '))} ${moved(pathOf(key))}`;

/* Note: why an update can be repeated.
   All updates of a statement have one optimizer with the same arguments. What an evaluation asks for follows from the types of the param,
   of its slots and of the gradient, which are the same here; from what is known of sizes; and from the values of other variables, which no
   update has assigned. The values themselves decide nothing, because nobody can look into them: a param and its slots are variables, the
   gradient is an element of a tuple. What an update asks for may be among the arguments of the optimizer as well (the norm of the first
   param), and the first update alone does not say which of the two it means. Two do: where they differ in nothing but their own inputs,
   whatever stays the same is not the update's own. */
