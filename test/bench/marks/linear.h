/* Linear regression on nine features. In: rows, targets, weights. Out: updated weights, the loss. Holds: features lie in columns; prediction, error and gradient in one pass; threads take ranges of rows. */
#ifndef BENCH_LINEAR_H
#define BENCH_LINEAR_H

#include "mark.h"
#include "team.h"

enum { FEATURES = 9 };

typedef struct {
  const job *job;
  team *team;
  float *x;
  const float *y;
  long stride;
  float w[FEATURES];
  _Alignas(128) float part[MOST_THREADS][32];
} linear;

static void linear_part(void *context, int id) {
  linear *p = context;
  long blocks = (p->job->sizes[0] + LANES - 1) / LANES, of = p->team->size;
  wide w[FEATURES], g[FEATURES], loss = splat(0);
  UNROLL for (int j = 0; j < FEATURES; j++) {
    w[j] = splat(p->w[j]);
    g[j] = splat(0);
  }
  for (long i = LANES * (blocks * id / of); i < LANES * (blocks * (id + 1) / of); i += LANES) {
    wide x[FEATURES], e[3];
    UNROLL for (int j = 0; j < FEATURES; j++) x[j] = load(p->x + j * p->stride + i);
    UNROLL for (int j = 0; j < 3; j++) e[j] = madd(x[j + 6], w[j + 6], madd(x[j + 3], w[j + 3], x[j] * w[j]));
    wide error = e[0] + e[1] + e[2] - load_some(first(p->job->sizes[0] - i), p->y + i);
    UNROLL for (int j = 0; j < FEATURES; j++) g[j] = madd(error, x[j], g[j]);
    loss = madd(error, error, loss);
  }
  UNROLL for (int j = 0; j < FEATURES; j++) p->part[id][j] = total(g[j]);
  p->part[id][FEATURES] = total(loss);
}

static float linear_step(void *context) {
  linear *p = context;
  team_run(p->team, linear_part, p);
  float rows = (float)p->job->sizes[0], loss = 0;
  for (int id = 0; id < p->team->size; id++) loss += p->part[id][FEATURES];
  for (int j = 0; j < FEATURES; j++) {
    float g = 0;
    for (int id = 0; id < p->team->size; id++) g += p->part[id][j];
    p->w[j] -= p->job->rate * 2 / rows * g;
  }
  return loss / rows;
}

static void linear_reset(void *context) {
  linear *p = context;
  for (int j = 0; j < FEATURES; j++) p->w[j] = p->job->arrays[2 + 0][j];
}

static mark linear_new(const job *job) {
  linear *p = aligned_alloc(128, (sizeof *p + 127) / 128 * 128);
  *p = (linear){.job = job, .team = team_start(job->threads), .y = job->arrays[1], .stride = (job->sizes[0] + 2 * LANES - 1) / LANES * LANES};
  p->x = place(FEATURES * p->stride);
  for (long i = 0; i < job->sizes[0]; i++) for (int j = 0; j < FEATURES; j++) p->x[j * p->stride + i] = job->arrays[0][i * FEATURES + j];
  return (mark){.context = p, .reset = linear_reset, .step = linear_step};
}
#endif
