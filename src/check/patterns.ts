// What `let`, loops and comprehensions bind. In: a pattern and a value. Out: names in a scope; for `let`, named nodes of the graph.
// Holds: a name bound by `let` is a node of its own, so that it can be fetched and differentiated against, whatever else computes the same.

import {
  walk,
  type Block,
  type FnDeclaration,
  type LambdaExpression,
  type Pattern,
  type Span,
  type StepDeclaration,
} from '../../grammar/index.js';
import { isFloat } from '../base/index.js';
import type { TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import { joinPath, type Context } from './context.js';
import { fail } from './report.js';
import type { BindingRole, Scope } from './scope.js';
import { bindingLabel, toTensor } from './tensors.js';
import { mapLeaves } from './trees.js';
import { describe, ERROR, tensorValue, type Value } from './values.js';

export interface BindOptions {
  readonly role: BindingRole;
  /** Make named nodes of tensors and of numbers with a fraction. */
  readonly named: boolean;
  /** What to do about a value without as many parts as there are names. */
  readonly otherwise?: string;
}

/** What stands for a part that nobody reads. */
export const nobody = '_';

/** False after a diagnostic. */
export function bindPattern(context: Context, pattern: Pattern, value: Value, scope: Scope, options: BindOptions): boolean {
  if (pattern.kind === 'name-pattern') {
    if (pattern.name === nobody) return true;
    const known = scope.own(pattern.name);
    if (known !== undefined) {
      fail(context, 'duplicate-name', pattern.span, `\`${pattern.name}\` is declared already in this block`, {
        labels: known.span === undefined ? [] : [{ span: known.span, text: 'declared here first' }],
        hint: `choose another name, e.g. \`${pattern.name}2\``,
      });
      return false;
    }
    scope.addValue(pattern.name, options.role, options.named ? nameValue(context, pattern.name, value, pattern.span) : value, pattern.span);
    return true;
  }
  const items = value.kind === 'tuple' || value.kind === 'list' ? value.items : undefined;
  if (value.kind !== 'error' && (items === undefined || items.length !== pattern.elements.length)) {
    fail(context, 'type-mismatch', pattern.span, `${pattern.elements.length} names stand for ${describe(value)}`, {
      labels: bindingLabel(value),
      hint:
        options.otherwise ??
        (items === undefined
          ? `bind it to one name, or give a tuple: \`(${pattern.elements.map(() => '…').join(', ')})\``
          : `bind each: \`(${items.map((_, at) => (pattern.elements[at]?.kind === 'name-pattern' ? pattern.elements[at].name : `_${at}`)).join(', ')})\``),
    });
  }
  const fits = items?.length === pattern.elements.length;
  let fine = fits;
  for (const [at, element] of pattern.elements.entries())
    if (!bindPattern(context, element, fits ? (items[at] ?? ERROR) : ERROR, scope, options)) fine = false;
  return fine;
}

function nameValue(context: Context, name: string, value: Value, span: Span): Value {
  const literal = value.kind === 'number' && (!value.integer || value.dtype !== undefined);
  if (value.kind !== 'tensor' && !literal) return value;
  const node = toTensor(context, value, span);
  if (node === undefined) return ERROR;
  const named = nameNode(context, name, node, span, true);
  if (named === undefined) return ERROR;
  // What has no dtype yet stays a literal: `let k = 0.5` serves f32 and f64 alike.
  if (value.kind === 'tensor') return { ...tensorValue(named), again: value.again, isWhole: value.isWhole };
  return value.dtype === undefined ? { ...value, node: named } : tensorValue(named);
}

/** A node of its own for a value; `listed`: it can be fetched by its path. */
export function nameNode(context: Context, name: string, node: TensorNode, span: Span, listed: boolean): TensorNode | undefined {
  const path = context.entry.unique('let', joinPath(context.path, name));
  const named = applyTensor(context, ops.named, [node], { path }, span);
  if (named === undefined || !listed) return named;
  if (context.body !== undefined) context.entry.hidden.set(path, 'in index notation, where it is a number for each index');
  else if (context.region) context.entry.hidden.set(path, 'in the body of a loop, or of a function with a derivative of its own');
  else context.entry.names.set(path, named);
  return named;
}

/**
 * The value with a node of its own for every tensor in it, and for every number that has become a float: a derivative with respect to it
 * must not reach what computes the same.
 */
export function nameParts(context: Context, name: string, value: Value, span: Span): Value {
  return mapLeaves(value, (leaf) => {
    const isFloatNumber = leaf.kind === 'number' && leaf.dtype !== undefined && isFloat(leaf.dtype);
    if (leaf.kind !== 'tensor' && !isFloatNumber) return leaf;
    const node = toTensor(context, leaf, span);
    const named = node === undefined ? undefined : nameNode(context, name, node, span, false);
    return named === undefined ? ERROR : tensorValue(named, leaf.kind === 'tensor' ? leaf.binding : undefined);
  });
}

const deriving = new WeakMap<FnDeclaration | StepDeclaration | LambdaExpression | Block, boolean>();

/** Does the function, lambda or block itself ask for a derivative? */
export function derives(body: FnDeclaration | StepDeclaration | LambdaExpression | Block): boolean {
  const known = deriving.get(body);
  if (known !== undefined) return known;
  let found = false;
  walk(body, (node) => {
    if (node.kind === 'call' && node.callee.kind === 'name' && (node.callee.name === 'grad' || node.callee.name === 'jvp')) found = true;
    return !found;
  });
  deriving.set(body, found);
  return found;
}
