/* Ten elementwise operations over a large array, forward or with derivatives. In: x, r, b. Out: z; or the loss, dx, dr, db. Holds: one pass, the derivative from what is in registers; large results pass the caches by;
   threads take ranges of rows. */
#ifndef BENCH_CHAIN_H
#define BENCH_CHAIN_H

#include <string.h>
#include "mark.h"
#include "team.h"

enum { WIDTH = 1024 };

typedef struct {
  const job *job;
  team *team;
  const float *x, *r, *b;
  float *z, *dx, *dr, *db, loss;
  float part_loss[MOST_THREADS], *part_db[MOST_THREADS];
} chain;

static void chain_part(void *context, int id) {
  chain *p = context;
  long rows = p->job->sizes[0], of = p->team->size;
  for (long i = share(rows, id, (int)of) * WIDTH; i < share(rows, id + 1, (int)of) * WIDTH; i += WIDTH) {
    for (long j = 0; j < WIDTH; j += 2 * LANES) {
      UNROLL for (int k = 0; k < 2; k++) {
        long at = j + k * LANES;
        wide v = madd(load(p->x + i + at), splat(1.25f), load(p->b + at));
        stream(p->z + i + at, madd(v, gelu_sigmoid(v), load(p->r + i + at)));
      }
    }
  }
  _mm_sfence();
}

static void chain_derivative_part(void *context, int id) {
  chain *p = context;
  long rows = p->job->sizes[0], of = p->team->size;
  float *db = p->part_db[id];
  memset(db, 0, sizeof(float) * WIDTH);
  wide factor = splat(2 / ((float)rows * WIDTH));
  double loss = 0;
  for (long i = share(rows, id, (int)of) * WIDTH; i < share(rows, id + 1, (int)of) * WIDTH; i += WIDTH) {
    wide row = splat(0);
    for (long j = 0; j < WIDTH; j += 2 * LANES) {
      UNROLL for (int k = 0; k < 2; k++) {
        long at = j + k * LANES;
        wide v = madd(load(p->x + i + at), splat(1.25f), load(p->b + at)), s = gelu_sigmoid(v), z = madd(v, s, load(p->r + i + at));
        row = madd(z, z, row);
        wide dz = z * factor, dv = dz * gelu_slope(v, s);
        stream(p->dr + i + at, dz);
        stream(p->dx + i + at, dv * splat(1.25f));
        store(db + at, load(db + at) + dv);
      }
    }
    loss += total(row);
  }
  _mm_sfence();
  p->part_loss[id] = (float)(loss / ((double)rows * WIDTH));
}

static float chain_step(void *context) {
  chain *p = context;
  team_run(p->team, chain_part, p);
  return 0;
}

static float chain_derivative_step(void *context) {
  chain *p = context;
  team_run(p->team, chain_derivative_part, p);
  p->loss = p->part_loss[0];
  memcpy(p->db, p->part_db[0], sizeof(float) * WIDTH);
  for (int id = 1; id < p->team->size; id++) {
    p->loss += p->part_loss[id];
    for (long j = 0; j < WIDTH; j++) p->db[j] += p->part_db[id][j];
  }
  return p->loss;
}

static mark chain_new(const job *job) {
  chain *p = calloc(1, sizeof *p);
  long count = job->sizes[0] * WIDTH;
  *p = (chain){.job = job, .team = team_start(job->threads), .x = job->arrays[0], .r = job->arrays[1], .b = job->arrays[2]};
  if (strcmp(job->family, "chain") == 0) {
    p->z = place(count);
    return (mark){.context = p, .reset = nothing_to_reset, .step = chain_step, .result_count = 1, .results = {{p->z, count}}};
  }
  p->dx = place(count);
  p->dr = place(count);
  p->db = place(WIDTH);
  for (int id = 0; id < job->threads; id++) p->part_db[id] = place(WIDTH);
  return (mark){.context = p, .reset = nothing_to_reset, .step = chain_derivative_step, .result_count = 4, .results = {{&p->loss, 1}, {p->dx, count}, {p->dr, count}, {p->db, WIDTH}}};
}
#endif
