/* Bias, GELU, residual and layer normalization, weighed and summed, with all derivatives. In: x, r, w, b, scale, shift. Out: the loss, dx, dr, db, dscale, dshift. Holds: each row is read from memory once and its
   derivatives are written once, past the caches; what lies between stays in the first-level cache, two rows at a time; the next rows are fetched meanwhile; threads take ranges of rows. */
#ifndef BENCH_NORM_H
#define BENCH_NORM_H

#include <math.h>
#include "chain.h"

enum { PAIR = 2 };

typedef struct {
  const job *job;
  team *team;
  const float *x, *r, *w, *b, *scale, *shift;
  float *dx, *dr, *db, *dscale, *dshift, loss;
  float part_loss[MOST_THREADS], *part[MOST_THREADS];
} norm;

/* z and GELU's derivative of one row; its mean and inverse deviation. The sums are of differences to an element of the row, so that little cancels. */
INLINE void norm_forward(const norm *p, long i, float *z, float *slope, float *mean, float *inverse) {
  wide near = splat(p->r[i]), s[2] = {splat(0), splat(0)}, q[2] = {splat(0), splat(0)};
  for (long j = 0; j < WIDTH; j += 2 * LANES) {
    UNROLL for (int k = 0; k < 2; k++) {
      long at = j + k * LANES;
      wide v = load(p->x + i + at) + load(p->b + at), sigmoid = gelu_sigmoid(v), y = madd(v, sigmoid, load(p->r + i + at));
      store(z + at, y);
      store(slope + at, gelu_slope(v, sigmoid));
      y -= near;
      s[k] += y;
      q[k] = madd(y, y, q[k]);
      __builtin_prefetch(p->w + i + at, 0, 2);
      __builtin_prefetch(p->x + i + PAIR * WIDTH + at, 0, 3);
      __builtin_prefetch(p->r + i + PAIR * WIDTH + at, 0, 3);
    }
  }
  float first = total(s[0] + s[1]) / WIDTH;
  *mean = first + p->r[i];
  *inverse = 1 / sqrtf(total(q[0] + q[1]) / WIDTH - first * first + 1e-5f);
}

static void norm_part(void *context, int id) {
  norm *p = context;
  int of = p->team->size;
  float *db = p->part[id], *dscale = db + WIDTH, *dshift = dscale + WIDTH;
  _Alignas(64) float z[PAIR][WIDTH + LANES], slope[PAIR][WIDTH + LANES];
  memset(db, 0, sizeof(float) * 3 * WIDTH);
  double loss = 0;
  for (long i = share(p->job->sizes[0] / PAIR, id, of) * PAIR * WIDTH; i < share(p->job->sizes[0] / PAIR, id + 1, of) * PAIR * WIDTH; i += PAIR * WIDTH) {
    float mean[PAIR], inverse[PAIR];
    for (int q = 0; q < PAIR; q++) norm_forward(p, i + q * WIDTH, z[q], slope[q], &mean[q], &inverse[q]);
    wide sum = splat(0), plain[PAIR], by_z[PAIR], times[PAIR], plus[PAIR];
    UNROLL for (int q = 0; q < PAIR; q++) {
      plain[q] = by_z[q] = splat(0);
      times[q] = splat(inverse[q]);
      plus[q] = splat(-mean[q] * inverse[q]);
    }
    for (long j = 0; j < WIDTH; j += LANES) {
      wide gain = load(p->scale + j), shift = load(p->shift + j), to_scale = load(dscale + j), to_shift = load(dshift + j);
      UNROLL for (int q = 0; q < PAIR; q++) {
        wide h = madd(load(z[q] + j), times[q], plus[q]), w = load(p->w + i + q * WIDTH + j), dh = w * gain;
        to_scale = madd(w, h, to_scale);
        to_shift += w;
        plain[q] += dh;
        by_z[q] = madd(dh, h, by_z[q]);
        sum = madd(w, shift, sum);
      }
      store(dscale + j, to_scale);
      store(dshift + j, to_shift);
    }
    for (int q = 0; q < PAIR; q++) sum += by_z[q];
    loss += total(sum);
    for (int q = 0; q < PAIR; q++) {
      /* dz = inverse·(w·scale - mean(w·scale) - h·mean(w·scale·h)), and h = inverse·z - inverse·mean */
      float a = inverse[q], first = total(plain[q]) / WIDTH, second = total(by_z[q]) / WIDTH;
      wide of_z = splat(-a * a * second), rest = splat(a * (a * second * mean[q] - first)), gain = splat(a);
      long row = i + q * WIDTH;
      for (long j = 0; j < WIDTH; j += 2 * LANES) {
        UNROLL for (int k = 0; k < 2; k++) {
          long at = j + k * LANES;
          wide dz = madd(load(p->w + row + at) * load(p->scale + at), gain, madd(load(z[q] + at), of_z, rest)), dv = dz * load(slope[q] + at);
          stream(p->dr + row + at, dz);
          stream(p->dx + row + at, dv);
          store(db + at, load(db + at) + dv);
        }
      }
    }
  }
  _mm_sfence();
  p->part_loss[id] = (float)loss;
}

static float norm_step(void *context) {
  norm *p = context;
  team_run(p->team, norm_part, p);
  p->loss = 0;
  for (int id = 0; id < p->team->size; id++) p->loss += p->part_loss[id];
  for (long j = 0; j < 3 * WIDTH; j++) {
    float total = 0;
    for (int id = 0; id < p->team->size; id++) total += p->part[id][j];
    p->db[j] = total;
  }
  return p->loss;
}

static mark norm_new(const job *job) {
  norm *p = calloc(1, sizeof *p);
  long count = job->sizes[0] * WIDTH;
  const float *const *a = job->arrays;
  *p = (norm){.job = job, .team = team_start(job->threads), .x = a[0], .r = a[1], .w = a[2], .b = a[3], .scale = a[4], .shift = a[5]};
  p->dx = place(count);
  p->dr = place(count);
  p->db = place(3 * WIDTH);
  p->dscale = p->db + WIDTH;
  p->dshift = p->dscale + WIDTH;
  for (int id = 0; id < job->threads; id++) p->part[id] = place(3 * WIDTH);
  return (mark){.context = p, .reset = nothing_to_reset, .step = norm_step, .result_count = 6,
                .results = {{&p->loss, 1}, {p->dx, count}, {p->dr, count}, {p->db, WIDTH}, {p->dscale, WIDTH}, {p->dshift, WIDTH}}};
}
#endif
