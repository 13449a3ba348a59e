// The programs of the language page, and others beside them. In: their texts. Out: types of entries, variables, names; values by the graph
// interpreter against `expected.json`.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { check, distance, entryTexts, moduleOf, programs, programText, render, runEntry, variableTexts, type Json } from './support.js';

const names = readdirSync(programs).filter((name) => name.endsWith('.tdsl'));

const expectedTypes: Readonly<Record<string, readonly string[]>> = {
  'accumulate.tdsl': ['step train(x: f64[B, 2], y: f64[B]): { loss: f64, w: f64[2] }'],
  'batch-norm.tdsl': [
    'step train(x: f64[B, 3]): { y: f64[B, 3], mean: f64[3], variance: f64[3], inferred: f64[B, 3] }',
    'step slopes(x: f64[B, 3], g: f64[B, 3], scale: f64[3]): { x: f64[B, 3], scale: f64[3], shift: f64[3] }',
  ],
  'checkpoint.tdsl': [
    'fn kept(x: f32[B, 24], key: i64): (f32[24, 24], f32[24, 24], f32[24, 24], f32[B, 24])',
    'fn again(x: f32[B, 24], key: i64): (f32[24, 24], f32[24, 24], f32[24, 24], f32[B, 24])',
    'fn nested(x: f64[B, 5], w: f64[5, 5], v: f64[B, 5], key: i64): { back: f64[B, 5], along: f64[B, 5], second: f64[B, 5] }',
    'fn looped(x: f64[B, 5], ws: f64[3, 5, 5], key: i64): { h: f64[B, 5], slopes: (f64[B, 5], f64[3, 5, 5]) }',
    'fn parts(x: f64, y: f64): (f64, f64)',
    'step train(x: f32[B, 24], key: i64): f32',
  ],
  'papers-nets.tdsl': [
    'fn attend(q: f64[H, T, 2*D÷2], k: f64[H, T, 2*D÷2], v: f64[H, T, 2*D÷2]): f64[H, T, 2*D÷2]',
    'fn linear(q: f64[T, D], k: f64[T, D], v: f64[T, E]): f64[T, E]',
    'fn ssm(x: f64[T, D], dt: f64[T, D], A: f64[D, N], B: f64[T, N], C: f64[T, N]): { y: f64[T, D], slope: f64[D, N] }',
    'fn wkv(k: f64[T, C], v: f64[T, C], w: f64[C], u: f64[C]): f64[T, C]',
    'fn moe(x: f64[B, D], gate: f64[D, 3], experts: f64[3, D, O]): f64[B, O]',
    'fn route(u: f64[I, J, D]): f64[J, D]',
    'fn gcn(x: f64[N, F], w: f64[F, O], src: i32[E], dst: i32[E]): f64[N, O]',
  ],
  'papers-estimation.tdsl': [
    'fn loss(emit: f64[T, K], move: f64[K, K], y: i32[T]): { loss: f64, emit: f64[T, K], move: f64[K, K] }',
    'fn fit(x: f64[N, D], y: f64[N], at: f64[M, D], theta: f64[3]): { mean: f64[M], variance: f64[M], evidence: f64, slope: f64[3] }',
    'fn smooth(z: f64[T], F: f64[N, N], H: f64[N], q: f64, r: f64): f64[T, N]',
    'fn als(ratings: f64[M, N], seen: f64[M, N], u: f64[M, K], v: f64[N, K]): f64[M, N]',
    'fn direction(S: f64[M, D], Y: f64[M, D], g: f64[D]): f64[D]',
    'fn transition(q: f64[D], p: f64[D], A: f64[D, D], u: f64, eps: f64): { q: f64[D], accept: f64 }',
    'fn td(features: f64[T + 1, D], rewards: f64[T], w: f64[D], gamma: f64, lambda: f64, lr: f64): f64[D]',
  ],
  'papers-grids.tdsl': [
    'fn levenshtein(a: i32[M], b: i32[N]): i32',
    'fn softDtw(D: f64[M, N], gamma: f64): { value: f64, slope: f64[M, N] }',
    'fn sinkhorn(C: f64[M, N], p: f64[M], q: f64[N], eps: f64): { cost: f64, plan: f64[M, N] }',
    'fn sobel(image: f64[H, W]): f64[H, W]',
    'fn median(image: f64[H, W]): f64[H, W]',
    'fn resize(image: f64[H, W]): f64[4, 10]',
    'fn predict(x: f64[B, F], feature: i32[Trees, 3], threshold: f64[Trees, 3], leaf: f64[Trees, 4]): f64[B]',
    'fn path(y: f64[2], h: f64): f64[2]',
    'fn adaptive(y: f64[2], until: f64, tol: f64): { y: f64[2], tries: i32 }',
  ],
  'textbook.tdsl': [
    'fn gaussSeidel(A: f64[N, N], b: f64[N], sweeps: i32): f64[N]',
    'fn ising(s: f64[H, W], J: f64, h: f64): { energy: f64, flips: f64[H, W] }',
    'fn pageRank(links: f64[N, N], damping: f64): f64[N]',
    'fn kMeans(x: f64[N, D], start: f64[K, D], rounds: i32): { centers: f64[K, D], labels: i32[N] }',
    'fn pendulum(theta: f64, omega: f64, steps: i32, dt: f64): { theta: f64, omega: f64, slope: f64 }',
    'fn ctc(logits: f64[T, V], labels: i32[L]): { loss: f64, slope: f64[T, V] }',
    'fn hmm(start: f64[S], move: f64[S, S], emit: f64[S, O], seen: i32[T]): { logLikelihood: f64, slope: f64[S, S] }',
    'fn kalman(z: f64[T, M], F: f64[N, N], H: f64[M, N], Q: f64[N, N], R: f64[M, M]): { x: f64[T, N], P: f64[N, N] }',
  ],
  'textbook-nets.tdsl': [
    'fn spectral(W: f64[M, N], u: f64[M]): { sigma: f64, slope: f64[M, N] }',
    'fn rotate(q: f64[B, 4], v: f64[B, 3]): f64[B, 3]',
    'fn dilated(x: f64[B, C, 2*H, 2*W], w: f64[O, C, 2, 2]): f64[B, O, H, W]',
    'fn maml(w: f64[3], x: f64[B], y: f64[B], xq: f64[B], yq: f64[B]): { loss: f64, slope: f64[3] }',
    'fn penalty(a: f64[2, 3], b: f64[3], real: f64[B, 2], fake: f64[B, 2], mix: f64[B, 1]): { loss: f64, slope: f64[2, 3] }',
    'fn flow(start: f64[2], times: f64[T], w: f64[2, 2]): { path: f64[T, 2], slope: f64[2, 2] }',
    'fn gru(xs: f64[T, 2], update: f64[5, 3], reset: f64[5, 3], candidate: f64[5, 3]): { hs: f64[T, 3], slope: f64[5, 3] }',
    'fn beam(start: f64[V], move: f64[V, V], steps: i32): { scores: f64[3], ends: i32[3] }',
    'fn react(u: f64[H, W], v: f64[H, W], steps: i32): { u: f64[H, W], v: f64[H, W] }',
    'fn attend(q: f64[H, T, D], k: f64[H, T, D], v: f64[H, T, D], bias: f64[H, T]): f64[H, T, D]',
  ],
  'statistics.tdsl': [
    'fn fit(X: f64[N, D], y: f64[N]): f64[D]',
    'fn em(x: f64[N], mu0: f64[K]): { mu: f64[K], variance: f64[K], weight: f64[K], logLikelihood: f64 }',
    'fn median(x: f64[2*N_minus_1÷2 + 1]): f64',
    'fn mad(x: f64[2*N_minus_1÷2 + 1]): f64',
    'fn pinball(y: f64[N], q: f64[N], tau: f64): f64',
    'fn trimmed(x: f64[N]): f64',
    'fn density(x: f64[N], at: f64[Q], h: f64): f64[Q]',
    'fn scott(x: f64[N]): f64',
  ],
  'sequences.tdsl': [
    'fn filter(z: f64[T], q: f64, r: f64): { positions: f64[T], logLikelihood: f64 }',
    'fn evidence(start: f64[S], move: f64[S, S], emit: f64[S, O], obs: i32[T]): f64',
    'fn viterbi(start: f64[S], move: f64[S, S], emit: f64[S, O], obs: i32[T]): i32[T]',
    'fn dtw(a: f64[M], b: f64[N]): f64',
    'fn spectrum(x: f64[N]): f64[N]',
    'fn frames(x: f64[2*N÷2]): f64[N÷2 - 1, 4]',
  ],
  'solvers.tdsl': [
    'fn cg(A: f64[N, N], b: f64[N]): { x: f64[N], rounds: i32 }',
    'fn qr(a: f64[M, N]): { q: f64[M, N], r: f64[N, N] }',
    'fn bisect(low: f64, high: f64): f64',
    'fn secant(x0: f64, x1: f64): f64',
    'fn collatz(n: i64): i32',
    'fn gcd(a: i64, b: i64): i64',
    'fn fit(x: f64[N], y: f64[N]): f64[4]',
    'fn evaluate(c: f64[4], x: f64[N]): f64[N]',
  ],
  'physics.tdsl': [
    'fn leapfrog(q: f64[D], p: f64[D], A: f64[D, D], eps: f64): { q: f64[D], p: f64[D], accept: f64 }',
    'fn displacement(k: f64[N]): f64[N]',
    'fn wave(u: f64[H, W], c2: f64, steps: i32): f64[H, W]',
    'fn epidemic(beta: f64, gamma: f64): { peak: f64, days: i32, slope: f64 }',
  ],
  'networks.tdsl': [
    'fn attend(x: f64[B, T, 2*D÷2], Wq: f64[2*D÷2, 2*D÷2], Wk: f64[2*D÷2, 2*D÷2], Wv: f64[2*D÷2, 2*D÷2], Wo: f64[2*D÷2, 2*D÷2]): f64[B, T, 2*D÷2]',
    'fn moe(x: f64[B, D], gate: f64[B, E], experts: f64[E, D, O]): f64[B, O]',
    'fn clip(images: f64[B, D], texts: f64[B, D]): { loss: f64, slope: f64 }',
    'step descend(): f64[3]',
  ],
  'grids.tdsl': [
    'fn generations(g: i32[H, W], rounds: i32): i32[H, W]',
    'fn project(points: f64[N, 3], q: f64[4], t: f64[3], focal: f64): f64[N, 2]',
    'fn histogram(x: f64[N]): f64[5]',
    'fn counts(labels: i32[N]): i32[3]',
    'fn gini(labels: i32[N]): f64',
    'fn sieve(): i32[20]',
    'fn lcg(seed: u32): u32[4]',
    'fn popcount(x: i32[N]): i32[N]',
    'fn binomial(): i64[5]',
  ],
  'exact.tdsl': [
    'fn doubles(x: f64): (f64, f64, f64, f64, f64, f64)',
    'fn once(x: f32): (f32, f32, f32)',
    'fn named(x: f64, y: f32): (f64, f32)',
    'fn counts(n: i64): (i64, i64, bool, bool, bool)',
    'fn beside(x: f64[N]): (f64[N], f64, f64, f64)',
    'fn rounded(x: f64): (f64, f64, f64, f64)',
  ],
  'together.tdsl': [
    'fn sums(xs: f64[N, D], ys: f64[N, D]): { total: f64, slopes: (f64[N, D], f64[N, D]) }',
    'fn gated(xs: f64[T, B], gates: f64[T, B], weights: f64[T]): { h: f64[B], squares: f64[T, B], slope: f64[T] }',
    'fn numbered(xs: f64[N]): f64',
    'fn numberedBeside(xs: f64[N], ys: i32[N]): i32',
    'fn alike(xs: f64[N], ys: f64[N]): f64',
  ],
  'clip-norm.tdsl': [
    'step train(x: f64[B, 2], y: f64[B]): { loss: f64, w: f64[2], b: f64 }',
    'step same(x: f64[B, 2], y: f64[B]): { w: f64[2], b: f64 }',
  ],
  'ema.tdsl': ['step train(x: f64[B, 2], y: f64[B]): { loss: f64, smooth: f64, w: f64[2], b: f64 }'],
  'gan.tdsl': ['step train(x: f64[B, 2], z: f64[B, 2]): { critic: f64, generator: f64, sample: f64[B, 2] }'],
  'lists.tdsl': ['step start(x: f64[B, 2]): { y: f64[B, 1], weighted: f64, nested: f64[6] }'],
  'implicit.tdsl': ['fn fixedPoint(w: f64[D, D], x: f64[D]): { z: f64[D], w: f64[D, D], x: f64[D] }'],
  'linear-algebra.tdsl': [
    'fn factor(x: f64[3, 2]): { lower: f64[3, 3], slope: f64[3, 2] }',
    'fn logDensity(x: f64[3, 2], y: f64[3]): { value: f64, x: f64[3, 2], y: f64[3] }',
    'fn solved(x: f64[3, 2], b: f64[3, 2]): { plain: f64[3, 2], byFactor: f64[3, 2] }',
    'fn inverses(a: f64[B, 2, 2]): { inverse: f64[B, 2, 2], det: f64[B], slope: f64[B, 2, 2] }',
  ],
  'running.tdsl': [
    'fn sums(x: f64[2, 4]): { along: f64[2, 4], down: f64[2, 4], slope: f64[2, 4] }',
    'fn products(x: f64[4], g: f64[4]): { y: f64[4], slope: f64[4] }',
    'fn byIndex(x: f64[N]): f64[N]',
  ],
  'sequence-models.tdsl': [
    'fn crf(emissions: f64[T, K], move: f64[K, K], tags: i32[T]): { nll: f64, emissions: f64[T, K], move: f64[K, K] }',
    'fn decode(encoded: f64[S, H], start: f64[H], ys: f64[T, E], wa: f64[H, H], ua: f64[H, H], va: f64[H], wx: f64[E, H], wc: f64[H, H], wh: f64[H, H]): { hidden: f64[T, H], attention: f64[T, S], slope: f64[H, H] }',
    'fn beam(scores: f64[K], next: f64[K, V], texts: i32[K, 5], t: i32): (f64[3], i32[3, 5])',
  ],
  'densities.tdsl': [
    'fn couplings(x: f64[B, 4], ws: f64[2, 2, 2], wt: f64[2, 2, 2]): f64[B]',
    'fn glow(x: f64[B, 4], s: f64[4], b: f64[4], w: f64[4, 4], c: f64[2, 4]): { nll: f64, slope: f64[4, 4] }',
    'fn diffusion(x: f64[B, D], t: i32[B], noise: f64[B, D], w: f64[D, D]): f64',
    'fn mixture(logits: f64[B, K], mu: f64[B, K], scale: f64[B, K], y: f64[B]): f64',
    'fn views(a: f64[N, D], b: f64[N, D], tau: f64): f64',
  ],
  'curvature.tdsl': [
    'fn natural(w: f64[D, C], x: f64[N, D], g: f64[D, C]): f64[D, C]',
    'fn hamiltonian(q: f64[B, 2], p: f64[B, 2], w: f64[4, 6], v: f64[6]): { q: f64[B, 2], p: f64[B, 2], slope: f64[4, 6] }',
    'fn equilibrium(x: f64[N, D], w: f64[D, D]): { loss: f64, x: f64[N, D], w: f64[D, D] }',
    'fn laplace(x: f64[N, 3], y: f64[N]): { mode: f64[3], covariance: f64[3, 3] }',
  ],
  'edges.tdsl': [
    'fn attend(x: f64[N, D], src: i32[E], dst: i32[E], w: f64[D, O], al: f64[O], ar: f64[O]): { y: f64[N, O], slope: f64[O] }',
    'fn ranks(src: i32[E], dst: i32[E], start: f64[N]): f64[N]',
    'fn neighbours(x: f64[N, D], y: f64[N, 2], sigma: f64): { kl: f64, slope: f64[N, 2] }',
    'fn boxLoss(a: f64[N, 4], b: f64[N, 4]): { loss: f64, slope: f64[N, 4] }',
    'fn suppress(boxes: f64[N, 4], scores: f64[N]): bool[N]',
  ],
  'policies.tdsl': [
    'fn clipped(logits: f64[B, A], old: f64[B], actions: i32[B], advantages: f64[B], eps: f64): { loss: f64, slope: f64[B, A] }',
    'fn reinforce(logits: f64[T, A], actions: i32[T], rewards: f64[T]): f64',
    'fn advantages(rewards: f64[T], values: f64[T + 1], done: bool[T]): f64[T]',
    'step remember(rows: f64[4, 3]): f64[8, 3]',
  ],
  'rearrange.tdsl': [
    'fn order(x: f64[2, 4]): { sorted: f64[2, 4], falling: f64[2, 4], places: i32[2, 4], best: (f64[2, 2], i32[2, 2]) }',
    'fn moved(x: f64[2, 4]): { flipped: f64[2, 4], rolled: f64[2, 4], tiled: f64[4, 4], repeated: f64[2, 8] }',
    'fn parts(x: f64[2, 4], ids: i32[2, 3]): (f64[2, 2], f64[2, 2], f64[2, 3])',
  ],
  'rearrange-slopes.tdsl': [
    'fn sorted(x: f64[2, 4], weights: f64[4]): f64[2, 4]',
    'fn best(x: f64[2, 4]): f64[2, 4]',
    'fn picked(x: f64[2, 4], ids: i32[2, 3]): f64[2, 4]',
    'fn triangles(x: f64[3, 3]): { lower: f64[3, 3], upper: f64[3, 3], slope: f64[3, 3] }',
  ],
  'activations.tdsl': [
    'fn values(x: f64[N], slope: f64): { selu: f64[N], celu: f64[N], gelu: f64[N], hardSwish: f64[N], logSigmoid: f64[N], prelu: f64[N] }',
    'fn slopes(x: f64[N], slope: f64): (f64[N], f64[N], f64[N], f64[N], f64[N], f64[N], f64)',
    'fn gated(x: f64[B, 4]): f64[B, 2]',
  ],
  'schedules.tdsl': [
    'fn rates(): { falling: f32[8], straight: f32[8], squared: f32[8], cycle: f32[10], restarts: f32[8] }',
    'step train(): { x: f32, lr: f32 }',
  ],
  'optimizers.tdsl': [
    'step byLion(): f64[3]',
    'step byLamb(): f64[3]',
    'step byNadam(): f64[3]',
    'step byRadam(): f64[3]',
    'step byAdafactor(): f64[3]',
    'step byAmsgrad(): f64[3]',
  ],
  'losses.tdsl': [
    'fn smoothed(logits: f64[B, 3], y: i32[B]): { each: f64[B], slope: f64[B, 3] }',
    'fn ignoring(logits: f64[B, 3], y: i32[B]): { each: f64[B], slope: f64[B, 3] }',
    'fn weighted(logits: f64[B, 3], y: i32[B], weights: f64[3]): f64[B]',
    'fn focal(logits: f64[B], y: f64[B]): { each: f64[B], slope: f64[B] }',
    'fn triplet(anchor: f64[B, 3], near: f64[B, 3], far: f64[B, 3]): { each: f64[B], slope: f64[B, 3] }',
    'fn contrast(queries: f64[B, 3], keys: f64[B, 3]): { each: f64[B], slope: f64[B, 3] }',
  ],
  'losses-of-values.tdsl': [
    'fn normal(mean: f64[N], y: f64[N], variance: f64[N]): { each: f64[N], mean: f64[N], variance: f64[N] }',
    'fn directions(a: f64[B, 3], b: f64[B, 3], y: f64[B]): { each: f64[B], slope: f64[B, 3] }',
  ],
  'factors.tdsl': [
    'fn batch(x: f64[B, N, N], b: f64[B, N, M]): { y: f64[B, N, M], det: f64[B], x: f64[B, N, N], b: f64[B, N, M] }',
    'fn single(x: f64[N, N], b: f64[N]): { y: f64[N], along: f64[N], logdet: f64, slope: f64[N, N] }',
    'fn definite(x: f64[N, N], b: f64[N]): { lower: f64[N, N], half: f64[N], slope: f64[N, N] }',
    'fn narrow(x: f32[N, N], b: f32[N, 2]): { y: f32[N, 2], half: f16[N, 2], slope: f32[N, N] }',
    'fn repeated(x: f64[N, N], n: i32): f64[N, N]',
  ],
  'orders.tdsl': [
    'fn sorted(x: f32[B, N], weights: f32[N]): { rising: f32[B, N], falling: f32[B, N], places: i32[B, N], slope: f32[B, N] }',
    'fn integers(x: i32[N]): { places: i32[N], sums: i32[N], products: i64[N] }',
    'fn running(x: f64[B, N]): { sums: f64[B, N], down: f64[B, N], products: f64[B, N], slope: f64[B, N] }',
    'fn moved(x: f64[B, N], shift: i32): { rolled: f64[B, N], flipped: f64[B, N], tiled: f64[2*B, 3*N], slope: f64[B, N] }',
    'fn picked(x: f64[4, N], ids: i32[4, K]): (f64[4, K], f64[4, N])',
    'fn best(x: f16[3, 9]): (f16[3, 4], i32[3, 4])',
  ],
  'any-shape.tdsl': [],
  'contractions.tdsl': [
    'fn bilinear(x: f64[B, I], w: f64[I, K, J], y: f64[B, J]): f64[B, K]',
    'fn bilinearSlopes(x: f64[B, I], w: f64[I, K, J], y: f64[B, J]): { x: f64[B, I], w: f64[I, K, J], y: f64[B, J] }',
    'fn small(m: f64[M, M], x: f64[M, N]): { diagonal: f64[M], trace: f64, gram: f64[N, N], turned: f64[N, M], row: f64[N] }',
    'fn smooth(signal: f64[N], w: f64[K]): f64[N]',
  ],
  'conv-index.tdsl': [
    'fn valid(image: f64[B, 4, 5, 2], kernel: f64[3, 2, 2, 3]): f64[B, 2, 4, 3]',
    'fn strided(image: f64[B, 5, 6, 2], kernel: f64[3, 3, 2, 2]): f64[B, 3, 3, 2]',
    'fn stridedSlopes(image: f64[B, 5, 6, 2], kernel: f64[3, 3, 2, 2], g: f64[B, 3, 3, 2]): { image: f64[B, 5, 6, 2], kernel: f64[3, 3, 2, 2] }',
    'fn depthwise(image: f64[B, 4, 4, C], kernel: f64[3, 3, C]): f64[B, 2, 2, C]',
  ],
  'corners.tdsl': [
    'fn slopes(x: f64[3], y: f64[3]): { norm: f64[3], root: f64[3], std: f64[3], max: f64[3], min: f64[3] }',
    'fn powers(x: f64): { square: f64, cube: f64, first: f64 }',
    'fn products(x: f64[4]): { slope: f64[4], second: f64[4] }',
    'fn divergence(p: f32[2], q: f32[2]): { value: f32, slope: f32[2] }',
    'fn dropped(x: f32[3], key: i64): { y: f32[3], slope: f32[3] }',
    'fn means(x: f16[N]): { mean: f16, spread: f16 }',
    'fn drawn(key: i64): { wide: i32, half: i32, brain: i32, double: bool, narrow: bool }',
    'fn literals(x: f64[N], y: f32): { double: f64[N], single: f32, third: f64, slope: f32 }',
    'fn inverses(x: f64[B, 2, 2]): f64[B, 2, 2]',
    'fn remainders(x: f32[4], y: f32[4]): f32[4]',
    'fn subnormal(x: f32[1]): { log: f32[1], positive: bool[1] }',
  ],
  'checks.tdsl': [
    'fn rows(table: f64[V, D], ids: i32[N]): f64[N, D]',
    'fn pairs(t: f64[M, N], i: i32[K], j: i32[K]): { picked: f64[K], slope: f64[M, N] }',
    'fn window(x: f64[N], start: i32): f64[3]',
    'fn last(x: f64[B]): f64',
    'fn halves(x: f64[2*D÷2]): f64[D÷2]',
    'step write(row: i32, v: f64[2]): f64[3, 2]',
  ],
  'deep.tdsl': ['fn predict(x: f32[B, 24]): i32[B]', 'step train(x: f32[B, 24], y: i32[B]): f32'],
  'dtypes.tdsl': [
    'fn integers(a: i8[N], b: i16[N], c: u16[N], d: u32[N], e: u64[N]): { a: i8[N], b: i16, c: u16[N], d: u32, e: u64[N], least: u64, sum: i64 }',
    'fn casts(x: f64[N]): { a: i8[N], b: i16[N], c: u16[N], d: u32[N], e: u64[N] }',
    'fn narrow(x: f32[N]): { e4m3: f8e4m3[N], e5m2: f8e5m2[N], back: f32[N] }',
    'fn computed(x: f8e4m3[3]): { sum: f8e4m3, slopes: f8e4m3[3] }',
    'fn bits(x: f32[N], y: u16[N]): { x: u32[N], y: bf16[N] }',
    'fn rows(table: f32[5], i: u8[N], j: u64[N]): { i: f32[N], j: f32[N] }',
    'step count(by: u32): u32',
  ],
  'exp-tower.tdsl': ['fn tower(x: f64): { value: f64, slope: f64 }'],
  'fetches.tdsl': ['fn both(): { y: f32, z: f32 }'],
  'first-graph.tdsl': ['fn f(): f32'],
  'higher-order.tdsl': [
    'fn curvature(xs: f64[T, B, 2], w: f64[4, 8], v: f64[4, 8]): { loss: f64, product: f64[4, 8] }',
    'fn learned(start: f64[3], rate: f64): { end: f64, start: f64[3], rate: f64 }',
  ],
  'gradients.tdsl': ['fn derivatives(): { db: f32, both: (f32, f32), second: (f32, f32), sum: (f32, f32) }'],
  'integers.tdsl': ['fn known(): (i32, i32, i32, i32)', 'fn divided(a: i32[N], b: i32[N]): { quotient: i32[N], rest: i32[N] }'],
  'linear-regression.tdsl': [
    'fn normalEquation(X: f32[M, 3], y: f32[M, 1]): f32[3, 1]',
    'fn predict(X: f32[M, 3]): f32[M, 1]',
    'step train(X: f32[M, 3], y: f32[M, 1], lr: f32): { mse: f32 }',
  ],
  'loop.tdsl': ['fn value(a: f64, b: f64): f64', 'fn reverse(a: f64, b: f64): (f64, f64)', 'fn forward(a: f64, b: f64): f64'],
  'minimize-square.tdsl': [
    'step byHand(): { x: f32, loss: f32 }',
    'step byGrad(): { x: f32, loss: f32 }',
    'step byOptimizer(): { x: f32, loss: f32 }',
  ],
  'mnist.tdsl': ['fn predict(x: f32[B, 784]): i32[B]', 'step train(x: f32[B, 784], y: i32[B]): { loss: f32, accuracy: f32 }'],
  'lstm-by-hand.tdsl': [
    'fn run(xs: f64[T, B, 2], w: f64[5, 12]): { outputs: f64[T, B, 3], cell: f64[B, 3], xs: f64[T, B, 2], w: f64[5, 12] }',
  ],
  'moons.tdsl': ['fn probability(X: f32[B, 2]): f32[B, 1]', 'step train(X: f32[B, 2], y: f32[B, 1]): { loss: f32 }'],
  'own-optimizer.tdsl': ['step plain(): f32', 'fn slope(): f32'],
  'placeholder.tdsl': ['fn addFive(A: f32[N, 3]): f32[N, 3]'],
  'relus.tdsl': ['fn output(X: f32[B, 3]): f32[B, 1]'],
  'loops.tdsl': [
    'fn root(a: f64): { value: f64, slope: f64, second: f64 }',
    'fn repeated(x: f64, n: i32): { value: f64, slope: f64 }',
    'fn overRows(rows: f64[T, D]): { h: f64[D], slope: f64[T, D] }',
  ],
  'rounds.tdsl': [
    'fn root(a: f64): { value: f64, slope: f64, forward: f64, second: f64 }',
    'fn between(x: f64, from: i32, to: i32): { value: f64, slope: f64, second: f64 }',
    'fn shortened(x: f64[N]): f64[N]',
    'fn settled(w: f64[D, D], x: f64[D]): { z: f64[D], rounds: i32, w: f64[D, D], x: f64[D] }',
    'fn nested(x: f64[3], n: i32): { value: f64[3], x: f64[3], along: f64[3] }',
    'fn rowsUpTo(table: f64[T, D], n: i32): { h: f64[D], table: f64[T, D] }',
    'fn likeNamed(x: f64): f64',
    'fn literal(b: f64): f64',
  ],
  'sides.tdsl': [
    'fn chosen(x: f64, n: i32): { value: f64, slope: f64, second: f64 }',
    'fn products(c: bool, m: f64[N, N], v: f64[N]): { value: f64[N], m: f64[N, N], v: f64[N] }',
    'fn inLoop(x: f64[4], n: i32): { value: f64[4], x: f64[4] }',
    'fn guarded(x: f64): f64',
    'step learn(x: f64[3, 3], c: bool): f64',
  ],
  'rows.tdsl': [
    'fn product(x: f32[B, 30]): f32[B, 60]',
    'fn transposed(x: f32[B, 60]): f32[B, 30]',
    'fn picked(ids: i32[N]): i64[N, 15]',
    'fn walked(): f32[60]',
    'fn refolded(): f32[20, 90]',
    'fn joined(x: f32[N, 60]): f32[N + 30, 60]',
    'fn inverted(): f64[30, 30]',
    'fn summed(): (f32[3, 47], f32[2, 47], f32[2, 3], f32)',
    'fn multiplied(x: f32[2, 5, 3]): f32[2, 5, 47]',
    'fn copied(): (f32[2, 3, 47], i64[3, 15])',
    'step train(x: f32[B, 30], y: f32[B, 60]): f32',
    'step turn(): f64',
  ],
  'windows.tdsl': [
    'fn pooled(x: f64[B, 2*H, 2*W, C]): f64[B, H, W, C]',
    'fn everywhere(x: f64[B, H, W, C]): f64[B, C]',
    'fn running(x: f64[N]): f64[N]',
    'fn attention(q: f64[B, T, H, D], k: f64[B, T, H, D], v: f64[B, T, H, D]): { y: f64[B, T, H, D], q: f64[B, T, H, D], k: f64[B, T, H, D], v: f64[B, T, H, D] }',
  ],
  'attention.tdsl': [
    'fn byIndex(q: f64[B, T, H, D], k: f64[B, T, H, D], v: f64[B, T, H, D]): { y: f64[B, T, H, D], q: f64[B, T, H, D], k: f64[B, T, H, D], v: f64[B, T, H, D] }',
    'step byLayer(x: f64[B, T, 4], wq: f64[4, 4], wk: f64[4, 4], wv: f64[4, 4], wo: f64[4, 4]): f64[B, T, 4]',
  ],
  'conv-layers.tdsl': [
    'step runSame(x: f64[B, 4, 5, 2], w: f64[3, 3, 2, 3], b: f64[3]): f64[B, 4, 5, 3]',
    'step slopes(x: f64[B, 5, 6, 2], w: f64[3, 3, 2, 3]): { y: f64[B, 3, 3, 3], x: f64[B, 5, 6, 2], w: f64[3, 3, 2, 3], b: f64[3] }',
    'step runDepthwise(x: f64[B, 4, 5, 2], w: f64[3, 3, 1, 4]): f64[B, 2, 3, 4]',
    'step runDilated(x: f64[B, 4, 5, 2], w: f64[3, 3, 2, 3]): f64[B, 4, 5, 3]',
  ],
  'conv-transpose.tdsl': [
    'step grow(x: f64[B, 3, 2, 2], w: f64[3, 3, 2, 3], b: f64[3]): { y: f64[B, 5, 3, 3], x: f64[B, 3, 2, 2], w: f64[3, 3, 2, 3] }',
  ],
  'ctc.tdsl': ['fn loss(logits: f64[T, B, 4], text: i32[B, S], times: i32[B], lengths: i32[B]): { each: f64[B], slope: f64[T, B, 4] }'],
  'norms.tdsl': [
    'step byGroups(x: f64[B, 2, 3, 4], scale: f64[4], shift: f64[4]): { y: f64[B, 2, 3, 4], slope: f64[B, 2, 3, 4] }',
    'fn byImage(x: f64[B, 2, 3, 4]): f64[B, 2, 3, 4]',
    'step byRoot(x: f64[B, 4], scale: f64[4]): { y: f64[B, 4], slope: f64[B, 4] }',
  ],
  'pooling.tdsl': [
    'fn pooled(x: f64[B, 4, 4, 2]): { y: f64[B, 2, 2, 2], slope: f64[B, 4, 4, 2] }',
    'fn averaged(x: f64[B, 4, 4, 2]): { y: f64[B, 3, 3, 2], slope: f64[B, 4, 4, 2] }',
    'fn byIndex(x: f64[B, 2*H, 2*W, C]): f64[B, H, W, C]',
    'fn everywhere(x: f64[B, H, W, C]): f64[B, C]',
  ],
  'recurrent-layers.tdsl': [
    'step runLstm(x: f64[T, B, 2], wi: f64[2, 12], wh: f64[3, 12], bi: f64[12], bh: f64[12]): { y: f64[T, B, 3], h: f64[B, 3], c: f64[B, 3] }',
    'step bothWays(x: f64[T, B, 2], wi: f64[2, 9], wh: f64[3, 9], bh: f64[9]): f64[T, B, 6]',
  ],
  'papers-recent.tdsl': [
    'fn s4(u: f64[T], a: f64[N], b: f64[N], c: f64[N]): f64[T]',
    'fn gqa(q: f64[T, 8, 2*D÷2], k: f64[T, 2, 2*D÷2], v: f64[T, 2, 2*D÷2]): f64[T, 8, 2*D÷2]',
    'fn moe(x: f64[B, D], gate: f64[D, E], w: f64[E, D, O]): f64[B, O]',
    'fn ppo(logits: f64[B, A], actions: i32[B], oldLogp: f64[B], adv: f64[B], returns: f64[B], values: f64[B]): f64',
    'fn gae(rewards: f64[T], values: f64[T + 1], dones: bool[T], gamma: f64, lambda: f64): f64[T]',
    'fn posterior(start: f64[K], trans: f64[K, K], emit: f64[K, O], obs: i32[T]): f64[T, K]',
    'fn eigenvalues(A: f64[N, N], iters: i32): f64[N]',
    'fn burgers(x: f64[N], t: f64[N], w1: f64[2, H], b1: f64[H], w2: f64[H]): f64',
    'fn gat(h: f64[N, D], src: i32[E], dst: i32[E], a: f64[2*D]): f64[N, D]',
    'fn hopfield(X: f64[P, D], q: f64[D], beta: f64): f64[D]',
    'fn sample(img: f64[H, W], ys: f64[N], xs: f64[N]): f64[N]',
    'fn nms(boxes: f64[N, 4], scores: f64[N], thr: f64): bool[N]',
  ],
  'first-forms.tdsl': [
    'fn alibi(q: f64[H, T, D], k: f64[H, T, D], v: f64[H, T, D]): f64[H, T, D]',
    'fn stft(x: f64[4*N + 8]): f64[N + 1, 5]',
    'fn beam(logp: f64[V, V]): { tokens: i32[3, 4], scores: f64[3] }',
    'fn adaptive(y0: f64[2], A: f64[2, 2], tol: f64): { y: f64[2], tries: i32 }',
    'fn descend(A: f64[N, N], b: f64[N], rounds: i32): f64[N]',
  ],
};

interface Case {
  readonly program: string;
  readonly entry: string;
  readonly feeds: Readonly<Record<string, Json>>;
  readonly expect?: readonly Json[];
  readonly error?: string;
  readonly rtol?: number;
}

const cases = (JSON.parse(readFileSync(`${programs}expected.json`, 'utf8')) as { readonly cases: readonly Case[] }).cases;

const rankOf = (value: Json): number => (Array.isArray(value) ? 1 + rankOf((value as readonly Json[])[0] ?? 0) : 0);

describe('programs', () => {
  test('each has its types written here', () => expect(Object.keys(expectedTypes).sort()).toEqual([...names].sort()));

  test.each(names)('%s', (name) => {
    const result = check(programText(name));
    expect([render(result), result.warnings]).toEqual(['', []]);
    expect(result.module === undefined ? [] : entryTexts(result.module)).toEqual(expectedTypes[name]);
  });

  test('any-shape is compiled per rank', () => {
    const text = programText('any-shape.tdsl');
    expect(check(text).open.map((one) => [one.name, one.packs, one.feeds])).toEqual([
      [
        'add',
        ['S'],
        [
          { name: 'a', dtype: 'f32', before: 0, pack: 'S', after: 0 },
          { name: 'b', dtype: 'f32', before: 0, pack: 'S', after: 0 },
        ],
      ],
      [
        'distance',
        ['S'],
        [
          { name: 'a', dtype: 'f32', before: 0, pack: 'S', after: 0 },
          { name: 'b', dtype: 'f32', before: 0, pack: 'S', after: 0 },
        ],
      ],
    ]);
    const { module } = moduleOf(text, {
      ranks: [
        { entry: 'add', ranks: { S: 0 } },
        { entry: 'add', ranks: { S: 2 } },
      ],
    });
    expect(entryTexts(module)).toEqual(['fn add(a: f32, b: f32): f32', 'fn add(a: f32[S_0, S_1], b: f32[S_0, S_1]): f32[S_0, S_1]']);
    expect(module.entries.map((entry) => entry.ranks)).toEqual([{ S: 0 }, { S: 2 }]);
  });

  test('variables and names have paths', () => {
    const { module } = moduleOf(programText('mnist.tdsl'));
    expect(variableTexts(module).slice(0, 9)).toEqual([
      'param net/hidden1/w: f32[784, 300]',
      'param net/hidden1/b: f32[300]',
      'param net/hidden2/w: f32[300, 100]',
      'param net/hidden2/b: f32[100]',
      'param net/output/w: f32[100, 10]',
      'param net/output/b: f32[10]',
      'slot train/adam/net/hidden1/w/m: f32[784, 300]',
      'slot train/adam/net/hidden1/w/v: f32[784, 300]',
      'slot train/adam/net/hidden1/w/t: i32',
    ]);
    const regression = moduleOf(programText('linear-regression.tdsl')).module.entries[2];
    expect([...(regression?.names.keys() ?? [])]).toEqual(['predictions', 'loss/error', 'loss/mse']);
    expect(regression?.summaries.map((one) => [one.kind, one.name])).toEqual([['scalar', 'MSE']]);
    expect(regression?.updates.map((one) => one.variable)).toEqual(['theta']);
  });

  test('a size can be set from outside', () => {
    const { module } = moduleOf(programText('linear-regression.tdsl'), { set: new Map([['Features', 9]]) });
    expect(entryTexts(module)[1]).toBe('fn predict(X: f32[M, 9]): f32[M, 1]');
  });

  /** What the interpreter, which rounds nothing, does not compute: an f8 that becomes an f32 again. */
  const roundedInside = new Set(['dtypes.tdsl narrow']);

  test.each(
    cases
      .filter((one) => one.expect !== undefined && !roundedInside.has(`${one.program} ${one.entry}`))
      .map((one) => [one.program, one.entry, one] as const),
  )('%s %s computes what is expected', (program, entry, one) => {
    const first = Object.values(one.feeds)[0];
    const ranks = program === 'any-shape.tdsl' ? [{ entry, ranks: { S: rankOf(first ?? 0) } }] : [];
    const found = runEntry(programText(program), entry, one.feeds, one.expect?.length ?? 0, { ranks });
    // The interpreter computes in doubles; the constants of a program are rounded to its dtypes.
    expect(distance(found, one.expect ?? [])).toBeLessThanOrEqual(Math.max(one.rtol ?? 0, 1e-6));
  });
});
