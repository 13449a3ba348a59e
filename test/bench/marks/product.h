/* Matrix products. In: row-major A and B, one of them perhaps stored transposed. Out: row-major C. Holds: columns beyond the last whole vector are computed by a vector that overlaps the one before; a B that no second-level
   cache holds is packed in panels, a block of K at a time; a transposed B is turned first; threads take rows where there are many, else columns. */
#ifndef BENCH_PRODUCT_H
#define BENCH_PRODUCT_H

#include <string.h>
#include "mark.h"
#include "team.h"
#include "tile.h"

enum { PANEL_VECTORS = 2, PANEL = PANEL_VECTORS * LANES, BLOCK_K = 768, BLOCK_M = 168, DIRECT_BYTES = 1 << 20, ROWS_PER_THREAD = 64 };

typedef struct {
  team *team;
  long m, k, n, row_stride, column_stride;
  int packed, turned, by_rows;
  const float *a, *b;
  float *c, *turn, *panels, *block[MOST_THREADS];
  struct { long from, to; plan plan; } part[MOST_THREADS];
  plan panel;
} matrices;

/* A plan for n columns, counted in whole vectors; the last strip moves back so that it ends where the columns end. */
static plan plan_columns(long m, long n) {
  plan p = make_plan(m, (int)((n + LANES - 1) / LANES));
  for (int i = 0; i < p.strips; i++) if (p.strip[i].at + p.strip[i].vectors * LANES > n) p.strip[i].at = (int)n - p.strip[i].vectors * LANES;
  return p;
}

static void direct_part(void *context, int id) {
  matrices *x = context;
  long from = x->part[id].from, to = x->part[id].to, ld = x->n;
  const plan *p = &x->part[id].plan;
  const extras none = {0};
  if (x->by_rows) {
    if (x->turned) {
      long first = share(x->n / 4, id, x->team->size) * 4, end = share(x->n / 4, id + 1, x->team->size) * 4;
      transpose(x->b + first * x->k, end - first, x->k, x->k, x->turn + first, x->n);
      team_meet(x->team);
    }
    product(p, PLAIN, from, to, x->a, x->row_stride, x->column_stride, x->turned ? x->turn : x->b, ld, x->c, ld, x->k, none);
    return;
  }
  if (x->turned) transpose(x->b + from * x->k, to - from, x->k, x->k, x->turn + from, x->n);
  product(p, PLAIN, 0, x->m, x->a, x->row_stride, x->column_stride, (x->turned ? x->turn : x->b) + from, ld, x->c + from, ld, x->k, none);
}

/* Columns j to j + PANEL, rows k0 to k1 of B, one row after the other. */
static void pack(const matrices *x, long k0, long k1, long j, float *to) {
  for (long k = k0; k < k1; k++, to += PANEL) UNROLL for (int v = 0; v < PANEL_VECTORS; v++) store(to + v * LANES, load(x->b + k * x->n + j + v * LANES));
}

static void packed_part(void *context, int id) {
  matrices *x = context;
  int of = x->team->size;
  /* The last panel overlaps the one before: while K goes on in blocks it must not add twice, so it is computed apart, narrower. */
  long whole = x->n / PANEL, from = x->part[id].from, to = x->part[id].to;
  long rest = x->n - whole * PANEL;
  plan narrow = make_plan(BLOCK_M, (int)(rest / LANES));
  float *block = x->block[id];
  for (long k0 = 0; k0 < x->k; k0 += BLOCK_K) {
    long k1 = k0 + BLOCK_K < x->k ? k0 + BLOCK_K : x->k, depth = k1 - k0;
    epilogue kind = k0 == 0 ? PLAIN : ADD;
    if (k0 > 0) team_meet(x->team);
    for (long j = share(whole, id, of); j < share(whole, id + 1, of); j++) pack(x, k0, k1, j * PANEL, x->panels + j * PANEL * BLOCK_K);
    team_meet(x->team);
    for (long i0 = from; i0 < to; i0 += BLOCK_M) {
      long rows = to - i0 < BLOCK_M ? to - i0 : BLOCK_M, stride = BLOCK_K + LANES;
      for (long i = 0; i < rows; i++) memcpy(block + i * stride, x->a + (i0 + i) * x->k + k0, sizeof(float) * (size_t)depth);
      float *c = x->c + i0 * x->n;
      for (long j = 0; j < whole; j++) product(&x->panel, kind, 0, rows, block, stride, 1, x->panels + j * PANEL * BLOCK_K, PANEL, c + j * PANEL, x->n, depth, (extras){0});
      if (rest > 0) product(&narrow, kind, 0, rows, block, stride, 1, x->b + k0 * x->n + whole * PANEL, x->n, c + whole * PANEL, x->n, depth, (extras){0});
    }
  }
}

static float product_step(void *context) {
  matrices *x = context;
  team_run(x->team, x->packed ? packed_part : direct_part, x);
  return 0;
}

static mark product_new(const job *job) {
  matrices *x = aligned_alloc(128, (sizeof *x + 127) / 128 * 128);
  long m = job->sizes[0], k = job->sizes[1], n = job->sizes[2];
  int of = job->threads, left = strcmp(job->family, "product-left") == 0;
  *x = (matrices){.team = team_start(of), .m = m, .k = k, .n = n, .row_stride = left ? 1 : k, .column_stride = left ? m : 1, .a = job->arrays[0], .b = job->arrays[1], .c = place(m * n)};
  x->turned = strcmp(job->family, "product-right") == 0;
  x->by_rows = m >= ROWS_PER_THREAD * of;
  x->packed = !left && !x->turned && x->by_rows && n % LANES == 0 && 4 * k * n > DIRECT_BYTES;
  if (x->turned) x->turn = place(k * n);
  if (x->packed) {
    x->panels = place(BLOCK_K * n);
    x->panel = make_plan(BLOCK_M, PANEL_VECTORS);
  }
  for (int id = 0; id < of; id++) {
    x->block[id] = x->packed ? place(BLOCK_M * (BLOCK_K + LANES)) : NULL;
    long unit = x->by_rows ? 1 : LANES, units = ((x->by_rows ? m : n) + unit - 1) / unit;
    long from = share(units, id, of) * unit, to = id == of - 1 ? (x->by_rows ? m : n) : share(units, id + 1, of) * unit;
    x->part[id].from = from;
    x->part[id].to = to;
    if (!x->packed) x->part[id].plan = x->by_rows ? plan_columns(to - from, n) : plan_columns(m, to - from);
  }
  return (mark){.context = x, .reset = nothing_to_reset, .step = product_step, .result_count = 1, .results = {{x->c, m * n}}};
}
#endif
