// Writes derivatives out. In: a graph with `grad` and `jvp` nodes, also inside regions. Out: the same without them.
// Holds: inner derivatives are expanded before outer ones, so derivatives of derivatives and both modes mixed are plain cases; `call` and
// `checkpoint` nodes, whose own rules are used, stay until every derivative is expanded: `strip` makes their bodies of them.

import { type Diagnostic, DiagnosticsError, isFloat, TooLarge } from '../base/index.js';
import { type ModuleGraph, type Node, type Origin, type TensorNode, type TensorType, topological } from '../graph/index.js';
import {
  apply,
  call,
  calledName,
  elementwise,
  fill,
  grad,
  type GradAttrs,
  isNodeOf,
  jvp,
  type JvpAttrs,
  stopsBefore,
  stopHint,
  stopReason,
  tensorOf,
} from '../ops/index.js';
import { differentiatedGraph } from './graph-form.js';
import { type ModesContext, modesOver } from './modes.js';
import type { Pass, PassContext } from './pass.js';
import { type Image, Rewriter } from './rewrite.js';

export const differentiate: Pass<ModuleGraph, ModuleGraph> = {
  name: 'differentiate',
  doc: 'Expands grad and jvp by the derivative rules of the ops.',
  to: differentiatedGraph,
  run: (module, context) => {
    let expanded = 0;
    const before = context.build.size;
    const derived = new Set<Node>();
    const expand = (node: Node): Image => {
      const origin = context.build.originsOf(node)[0];
      const write: (() => Image) | undefined = isNodeOf(node, grad)
        ? () => expandGrad(node, origin, context, derived)
        : isNodeOf(node, jvp)
          ? () => expandJvp(node, origin, context)
          : undefined;
      if (write === undefined) return node;
      expanded += 1;
      const image = context.build.at(origin === undefined ? undefined : { ...origin, backward: true }, () => withinLimits(origin, write));
      for (const one of 'op' in image ? [image] : image) derived.add(one);
      return image;
    };
    const written = new Rewriter(context.build, expand).module(module);
    if (expanded > 0) context.note(`${expanded} derivatives, ${context.build.size - before} new nodes`);
    return written;
  },
};

/** Derivatives of derivatives grow with every level, and some ops need much for theirs: the one that is too much is named. */
function withinLimits<T>(origin: Origin | undefined, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    const levels = 'written out, with those inside of it, it takes more nodes than a program may have';
    const hint =
      'every further derivative multiplies what is computed; derivatives with respect to one scalar, and by `jvp`, share most of it';
    throw new DiagnosticsError([
      {
        code: 'too-large',
        message: `this derivative becomes too large: ${error.of === 'work' ? levels : error.message}`,
        span: origin?.span,
        ...(error.of === 'work' ? { hint } : {}),
      },
    ]);
  }
}

function expandGrad(node: Node<GradAttrs>, origin: Origin | undefined, context: PassContext, derived: ReadonlySet<Node>): TensorNode[] {
  const { outputs } = node.attrs;
  const ys = node.args.slice(0, outputs).map(tensorOf);
  const xs = node.args.slice(outputs).map(tensorOf);
  const [x] = xs;
  if (x !== undefined && xs.length === 1 && sharesForward(x, ys, derived)) return [alongScalar(x, ys, origin, context)];
  const ones = ys.map((y) => (isFloat(y.type.dtype) ? fill(context.build, y.type, 1) : undefined));
  const modes = refusing(origin, context);
  const found = modesOver(modes).vjp(ys, ones, xs);
  const stop = stopsBefore(ys, context.build);
  return xs.map((x, at) => found[at] ?? nothing(stop(x), x.type, modes));
}

/**
 * Backwards, each derivative of a derivative has cotangents of its own: the graph grows by a factor with every level. Forwards, a node has
 * the same tangent in every level, so the levels share what they compute. For one scalar both cost the same. An author's rule is about
 * cotangents, and is used as it stands.
 */
function sharesForward(x: TensorNode, ys: readonly TensorNode[], derived: ReadonlySet<Node>): boolean {
  if ([x, ...ys].some((one) => one.type.shape.length > 0)) return false;
  const order = topological(ys, (node) => node.id >= x.id);
  return order.some((node) => derived.has(node)) && !order.some((node) => node.op === call);
}

function alongScalar(x: TensorNode, ys: readonly TensorNode[], origin: Origin | undefined, context: PassContext): TensorNode {
  const { build } = context;
  const modes = refusing(origin, context);
  const found = modesOver(modes).jvp(ys, [x], [fill(build, x.type, 1)]);
  const [first, ...others] = found.filter((one) => one !== undefined);
  return others.reduce(
    (sum, one) => tensorOf(apply(build, elementwise.add, [sum, one], {})),
    first ?? nothing(stopsBefore(ys, build)(x), x.type, modes),
  );
}

function expandJvp(node: Node<JvpAttrs>, origin: Origin | undefined, context: PassContext): TensorNode {
  const { inputs } = node.attrs;
  const [y, ...rest] = node.args.map(tensorOf) as [TensorNode, ...TensorNode[]];
  const modes = refusing(origin, context);
  const xs = rest.slice(0, inputs);
  const [found] = modesOver(modes).jvp([y], xs, rest.slice(inputs));
  if (found !== undefined) return found;
  const stop = stopsBefore([y], context.build);
  return nothing(
    xs.map(stop).find((one) => one !== undefined),
    y.type,
    modes,
  );
}

/** A derivative of 0, which is right where nothing depends on the input, and a mistake where all that does is stopped on its way. */
function nothing(stop: Node | undefined, type: TensorType, { build, refuse }: ModesContext): TensorNode {
  if (stop !== undefined) refuse(stop, stopReason, stopHint);
  return fill(build, type, 0);
}

/** A mistake per op and derivative, not one per way through the graph. */
function refusing(asked: Origin | undefined, context: PassContext): ModesContext {
  const seen = new Set<Node>();
  return {
    build: context.build,
    refuse: (node, reason, hint = 'put `stopGradient(…)` around it if it is a constant to the derivative') => {
      if (seen.has(node)) return;
      seen.add(node);
      const origins = context.build.originsOf(node);
      const place = (origins.find((one) => !one.backward) ?? origins[0])?.span ?? asked?.span;
      const diagnostic: Diagnostic = {
        code: 'not-differentiable',
        message: `\`${calledName(context.build, node)}\` has no derivative: ${reason}`,
        span: place,
        labels: asked === undefined ? [] : [{ span: asked.span, text: 'the derivative is asked for here' }],
        hint,
      };
      context.report(diagnostic);
    },
  };
}
