/* Logistic regression on two features with momentum. In: rows, labels, weights. Out: updated weights, the loss. Holds: features lie in columns; one pass, everything in registers, the tail masked. */
#ifndef BENCH_LOGISTIC_H
#define BENCH_LOGISTIC_H

#include "mark.h"
#include "vector.h"

typedef struct {
  const job *job;
  float *x0, *x1;
  const float *y;
  float w0, w1, b, v0, v1, vb;
} logistic;

static float logistic_step(void *context) {
  logistic *p = context;
  long rows = p->job->sizes[0];
  wide w0 = splat(p->w0), w1 = splat(p->w1), b = splat(p->b), one = splat(1), zero = splat(0);
  wide g0 = zero, g1 = zero, gb = zero, loss = zero;
  for (long i = 0; i < rows; i += LANES) {
    lanes m = first(rows - i);
    wide x0 = load_some(m, p->x0 + i), x1 = load_some(m, p->x1 + i), y = load_some(m, p->y + i);
    wide z = madd(x0, w0, madd(x1, w1, b));
    wide t = exponential(zero - absolute(z));
    wide high = one / (one + t);
    wide error = keep(m, choose(positive(z), high, t * high) - y);
    loss += keep(m, larger(z, zero) - z * y + log_one_plus(t));
    g0 = madd(error, x0, g0);
    g1 = madd(error, x1, g1);
    gb += error;
  }
  float mean = 1.0f / (float)rows, rate = p->job->rate;
  p->v0 = 0.9f * p->v0 + mean * total(g0);
  p->v1 = 0.9f * p->v1 + mean * total(g1);
  p->vb = 0.9f * p->vb + mean * total(gb);
  p->w0 -= rate * p->v0;
  p->w1 -= rate * p->v1;
  p->b -= rate * p->vb;
  return mean * total(loss);
}

static void logistic_reset(void *context) {
  logistic *p = context;
  p->w0 = p->job->arrays[2 + 0][0];
  p->w1 = p->job->arrays[2 + 0][1];
  p->b = p->job->arrays[2 + 1][0];
  p->v0 = p->v1 = p->vb = 0;
}

static mark logistic_new(const job *job) {
  logistic *p = calloc(1, sizeof *p);
  p->job = job;
  p->x0 = place(job->sizes[0]);
  p->x1 = place(job->sizes[0]);
  p->y = job->arrays[1];
  for (long i = 0; i < job->sizes[0]; i++) {
    p->x0[i] = job->arrays[0][2 * i];
    p->x1[i] = job->arrays[0][2 * i + 1];
  }
  return (mark){.context = p, .reset = logistic_reset, .step = logistic_step};
}
#endif
