/* A perceptron 784-300-100-10: one training step as one function. In: rows, labels, weights. Out: updated weights, the loss. Holds: weights' gradients never reach memory; every thread owns a range of the first
   layer's columns through forward, backward and update, so that they stay in its cache; columns are padded with zeros to whole vectors. */
#ifndef BENCH_PERCEPTRON_H
#define BENCH_PERCEPTRON_H

#include <math.h>
#include <string.h>
#include "mark.h"
#include "team.h"
#include "tile.h"

enum { IN = 784, H1 = 300, H2 = 100, OUT = 10, P1 = 304, P2 = 112, P3 = 16, ROOM = 2 * IN * P1 };

typedef struct {
  const job *job;
  team *team;
  long rows;
  int adam, count;
  const float *x;
  const int32_t *y;
  float *w1, *b1, *w2, *b2, *w3, *b3, *h1, *h2, *d1, *d2, *d3, *w2t, *w3t;
  float *moments[6];
  extras update;
  plan forward1[MOST_THREADS], forward2[MOST_THREADS], weights1[MOST_THREADS], all2, rows3, weights3, weights2;
  float loss[MOST_THREADS];
} perceptron;

static const long moment_sizes[6] = {IN * P1, P1 * P2, P2 * P3, P1, P2, P3};

/* Sums d over the rows and updates a bias with it. */
static void update_bias(perceptron *p, float *bias, float *moments, const float *d, long stride, long from, long to) {
  for (long j = from; j < to; j += LANES) {
    wide s0 = splat(0), s1 = splat(0);
    long i = 0;
    for (; i + 2 <= p->rows; i += 2) {
      s0 += load(d + i * stride + j);
      s1 += load(d + (i + 1) * stride + j);
    }
    if (i < p->rows) s0 += load(d + i * stride + j);
    wide g = s0 + s1;
    const extras *e = &p->update;
    if (!p->adam) {
      store(bias + j, madd(splat(-e->rate), g, load(bias + j)));
      continue;
    }
    float *m = moments + 2 * j;
    wide first = madd(splat(e->beta1), load(m), splat(1 - e->beta1) * g);
    wide second = madd(splat(e->beta2), load(m + LANES), splat(1 - e->beta2) * g * g);
    store(m, first);
    store(m + LANES, second);
    store(bias + j, load(bias + j) - splat(e->rate) * first / madd(root(second), splat(e->root), splat(e->epsilon)));
  }
}

/* Loss and its derivative with respect to the logits, a row at a time. */
static float softmax_loss(perceptron *p, long from, long to) {
  float inverse = 1.0f / (float)p->rows, sum = 0;
  enum { VECTORS = P3 / LANES };
  for (long i = from; i < to; i++) {
    float *row = p->d3 + i * P3;
    wide v[VECTORS], most = load(row), all = splat(0);
    UNROLL for (int j = 0; j < VECTORS; j++) {
      v[j] = load(row + LANES * j);
      most = larger(most, v[j]);
    }
    float top = largest(most);
    UNROLL for (int j = 0; j < VECTORS; j++) {
      v[j] = exponential(v[j] - splat(top));
      all += v[j];
    }
    float norm = total(all);
    sum += logf(norm) + top - row[p->y[i]];
    UNROLL for (int j = 0; j < VECTORS; j++) store(row + LANES * j, v[j] * splat(inverse / norm));
    row[p->y[i]] -= inverse;
  }
  return sum * inverse;
}

static void perceptron_part(void *context, int id) {
  perceptron *p = context;
  team *t = p->team;
  long rows = p->rows;
  int of = t->size, last = id == of - 1;
  long c1 = LANES * share(P1 / LANES, id, of), e1 = LANES * share(P1 / LANES, id + 1, of);
  long c2 = LANES * share(P2 / LANES, id, of);
  long r = share(rows, id, of), s = share(rows, id + 1, of);
  epilogue apply = p->adam ? ADAM : SGD;
  extras u1 = p->update, u2 = p->update, u3 = p->update;
  if (p->adam) {
    u1.moments = p->moments[0] + 2 * c1 * IN;
    u2.moments = p->moments[1] + 2 * c1 * P2;
    u3.moments = p->moments[2];
  }
  product(&p->forward1[id], BIAS_RELU, 0, rows, p->x, IN, 1, p->w1 + c1, P1, p->h1 + c1, P1, IN, (extras){.side = p->b1 + c1});
  team_meet(t);
  product(&p->forward2[id], BIAS_RELU, 0, rows, p->h1, P1, 1, p->w2 + c2, P2, p->h2 + c2, P2, H1, (extras){.side = p->b2 + c2});
  transpose(p->w2 + c1 * P2, (e1 < H1 ? e1 : H1) - c1, H2, P2, p->w2t + c1, P1);
  if (id == 0) transpose(p->w3, H2, P3, P3, p->w3t, P2);
  team_meet(t);
  product(&p->rows3, BIAS, r, s, p->h2, P2, 1, p->w3, P3, p->d3, P3, H2, (extras){.side = p->b3});
  p->loss[id] = softmax_loss(p, r, s);
  product(&p->all2, MASK, r, s, p->d3, P3, 1, p->w3t, P2, p->d2, P2, OUT, (extras){.side = p->h2, .side_stride = P2});
  team_meet(t);
  product(&p->forward1[id], MASK, 0, rows, p->d2, P2, 1, p->w2t + c1, P1, p->d1 + c1, P1, H2, (extras){.side = p->h1 + c1, .side_stride = P1});
  product(&p->weights1[id], apply, 0, IN, p->x, 1, IN, p->d1 + c1, P1, p->w1 + c1, P1, rows, u1);
  product(&p->weights2, apply, c1, e1 < H1 ? e1 : H1, p->h1, 1, P1, p->d2, P2, p->w2, P2, rows, u2);
  if (last) product(&p->weights3, apply, 0, H2, p->h2, 1, P2, p->d3, P3, p->w3, P3, rows, u3);
  update_bias(p, p->b1, p->moments[3], p->d1, P1, c1, e1);
  if (!last) return;
  update_bias(p, p->b2, p->moments[4], p->d2, P2, 0, P2);
  update_bias(p, p->b3, p->moments[5], p->d3, P3, 0, P3);
}

static float perceptron_step(void *context) {
  perceptron *p = context;
  p->count++;
  p->update = (extras){.rate = p->job->rate};
  if (p->adam) {
    double first = 1 - pow(0.9, p->count), second = 1 - pow(0.999, p->count);
    p->update = (extras){.rate = (float)(p->job->rate / first), .beta1 = 0.9f, .beta2 = 0.999f, .root = (float)(1 / sqrt(second)), .epsilon = 1e-8f};
  }
  team_run(p->team, perceptron_part, p);
  float loss = 0;
  for (int id = 0; id < p->team->size; id++) loss += p->loss[id];
  return loss;
}

static void copy_rows(float *to, long stride, const float *from, long rows, long columns) {
  for (long i = 0; i < rows; i++) memcpy(to + i * stride, from + i * columns, sizeof(float) * (size_t)columns);
}

static void perceptron_reset(void *context) {
  perceptron *p = context;
  const float *const *a = p->job->arrays + 2;
  copy_rows(p->w1, P1, a[0], IN, H1);
  copy_rows(p->b1, P1, a[1], 1, H1);
  copy_rows(p->w2, P2, a[2], H1, H2);
  copy_rows(p->b2, P2, a[3], 1, H2);
  copy_rows(p->w3, P3, a[4], H2, OUT);
  for (int j = OUT; j < P3; j++) p->b3[j] = -1e30f;
  copy_rows(p->b3, P3, a[5], 1, OUT);
  for (int i = 0; i < 6 && p->adam; i++) memset(p->moments[i], 0, sizeof(float) * 2 * (size_t)moment_sizes[i]);
  p->count = 0;
}

static mark perceptron_new(const job *job) {
  perceptron *p = calloc(1, sizeof *p);
  long rows = job->sizes[0];
  int of = job->threads;
  p->job = job;
  p->rows = rows;
  p->adam = strcmp(job->rule, "adam") == 0;
  p->team = team_start(of);
  p->x = job->arrays[0];
  p->y = (const int32_t *)job->arrays[1];
  float **arrays[] = {&p->w1, &p->b1, &p->w2, &p->b2, &p->w3, &p->b3, &p->h1, &p->h2, &p->d1, &p->d2, &p->d3, &p->w2t, &p->w3t};
  long sizes[] = {IN * P1, P1, P1 * P2, P2, P2 * P3, P3, rows * P1, rows * P2, rows * P1, rows * P2, rows * P3, P2 * P1, P3 * P2};
  for (int i = 0; i < 13; i++) *arrays[i] = place(sizes[i]);
  for (int i = 0; i < 6 && p->adam; i++) p->moments[i] = place(2 * moment_sizes[i]);
  for (int id = 0; id < of; id++) {
    int v1 = (int)(share(P1 / LANES, id + 1, of) - share(P1 / LANES, id, of));
    p->forward1[id] = make_plan(rows, v1);
    p->weights1[id] = make_plan(IN, v1);
    p->forward2[id] = make_plan(rows, (int)(share(P2 / LANES, id + 1, of) - share(P2 / LANES, id, of)));
  }
  p->all2 = make_plan(rows / of, P2 / LANES);
  p->rows3 = make_plan(rows / of, P3 / LANES);
  p->weights2 = make_plan(H1 / of, P2 / LANES);
  p->weights3 = make_plan(H2, P3 / LANES);
  return (mark){.context = p, .reset = perceptron_reset, .step = perceptron_step};
}
#endif
