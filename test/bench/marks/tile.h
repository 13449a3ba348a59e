/* Matrix products by register tiles. In: A by any strides, B with contiguous rows of whole vectors. Out: C, after an epilogue that never leaves the registers. Holds: a tile takes the whole of K in one pass. */
#ifndef BENCH_TILE_H
#define BENCH_TILE_H

#include "vector.h"

/* Rows of B that are fetched before they are needed. */
enum { AHEAD = 8 };

typedef enum { PLAIN, ADD, BIAS, BIAS_RELU, MASK, SGD, ADAM, EPILOGUES } epilogue;

/* What an epilogue needs: the bias, or the layer's output whose sign masks; the rate; Adam's moments, interleaved in the order in which tiles are visited, and its numbers. */
typedef struct {
  const float *side;
  long side_stride;
  float *moments;
  float rate, beta1, beta2, root, epsilon;
} extras;

typedef void tile_function(const float *A, long rs, long cs, const float *B, long ldb, float *C, long ldc, long K, const extras *e);

#define TILE_BODY(ROWS, VECTORS, KIND) \
  wide acc[ROWS][VECTORS]; \
  UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < VECTORS; j++) acc[i][j] = KIND == BIAS || KIND == BIAS_RELU ? load(e->side + LANES * j) : splat(0); \
  if (KIND == ADD) UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < VECTORS; j++) __builtin_prefetch(C + i * ldc + LANES * j, 1, 3); \
  for (long k = 0; k < K; k++) { \
    wide b[VECTORS]; \
    UNROLL for (int j = 0; j < VECTORS; j++) b[j] = load(B + k * ldb + LANES * j); \
    UNROLL for (int j = 0; j < VECTORS; j++) __builtin_prefetch(B + (k + AHEAD) * ldb + LANES * j, 0, 3); \
    UNROLL for (int i = 0; i < ROWS; i++) { \
      wide a = splat(A[i * rs + k * cs]); \
      UNROLL for (int j = 0; j < VECTORS; j++) acc[i][j] = madd(a, b[j], acc[i][j]); \
    } \
  } \
  UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < VECTORS; j++) { \
    float *c = C + i * ldc + LANES * j; \
    wide v = acc[i][j]; \
    if (KIND == PLAIN || KIND == BIAS) store(c, v); \
    if (KIND == ADD) store(c, v + load(c)); \
    if (KIND == BIAS_RELU) store(c, larger(v, splat(0))); \
    if (KIND == MASK) store(c, keep(positive(load(e->side + i * e->side_stride + LANES * j)), v)); \
    if (KIND == SGD) store(c, madd(splat(-e->rate), v, load(c))); \
    if (KIND == ADAM) { \
      float *m = e->moments + (i * VECTORS + j) * 2 * LANES; \
      wide first = madd(splat(e->beta1), load(m), splat(1 - e->beta1) * v); \
      wide second = madd(splat(e->beta2), load(m + LANES), splat(1 - e->beta2) * v * v); \
      store(m, first); \
      store(m + LANES, second); \
      store(c, load(c) - splat(e->rate) * first / madd(root(second), splat(e->root), splat(e->epsilon))); \
    } \
  }

#define TILE(ROWS, VECTORS, KIND) \
  static void tile_##ROWS##_##VECTORS##_##KIND(const float *restrict A, long rs, long cs, const float *restrict B, long ldb, float *restrict C, long ldc, long K, const extras *restrict e) { TILE_BODY(ROWS, VECTORS, KIND) }
#define TILES(ROWS, VECTORS) TILE(ROWS, VECTORS, PLAIN) TILE(ROWS, VECTORS, ADD) TILE(ROWS, VECTORS, BIAS) TILE(ROWS, VECTORS, BIAS_RELU) TILE(ROWS, VECTORS, MASK) TILE(ROWS, VECTORS, SGD) TILE(ROWS, VECTORS, ADAM)
#define ENTRY(ROWS, VECTORS) [VECTORS][ROWS] = {tile_##ROWS##_##VECTORS##_PLAIN, tile_##ROWS##_##VECTORS##_ADD, tile_##ROWS##_##VECTORS##_BIAS, tile_##ROWS##_##VECTORS##_BIAS_RELU, tile_##ROWS##_##VECTORS##_MASK, tile_##ROWS##_##VECTORS##_SGD, tile_##ROWS##_##VECTORS##_ADAM},

/* As many rows as registers hold: rows·vectors sums, the vectors of B, one element of A. */
#define UP_TO_4(F, V) F(1, V) F(2, V) F(3, V) F(4, V)
#define UP_TO_6(F, V) UP_TO_4(F, V) F(5, V) F(6, V)
#define UP_TO_9(F, V) UP_TO_6(F, V) F(7, V) F(8, V) F(9, V)
#define UP_TO_14(F, V) UP_TO_9(F, V) F(10, V) F(11, V) F(12, V) F(13, V) F(14, V)
#if LANES == 16
enum { MOST_VECTORS = 3 };
static const int most_rows[MOST_VECTORS + 1] = {0, 14, 14, 9};
#define ALL(F) UP_TO_14(F, 1) UP_TO_14(F, 2) UP_TO_9(F, 3)
#else
enum { MOST_VECTORS = 3 };
static const int most_rows[MOST_VECTORS + 1] = {0, 14, 6, 4};
#define ALL(F) UP_TO_14(F, 1) UP_TO_6(F, 2) UP_TO_4(F, 3)
#endif

ALL(TILES)
static tile_function *const tiles[MOST_VECTORS + 1][15][EPILOGUES] = {ALL(ENTRY)};

enum { MOST_STRIPS = 2048 / LANES };

/* Which tiles cover M rows by some vectors of columns: strips of one to three vectors, each with its number of rows. */
typedef struct {
  int strips;
  struct { int at, vectors, rows; } strip[MOST_STRIPS];
} plan;

/* Cycles per step of K: two multiply-adds or two loads each, and no less than the latency of one sum. */
static double tile_cost(int rows, int vectors) {
  double work = rows * vectors / 2.0, loads = (rows + vectors) / 2.0;
  double most = work > loads ? work : loads;
  return (most > 4 ? most : 4) + 0.15;
}

static double strip_cost(long M, int vectors, int *rows) {
  double best = 1e30;
  for (int r = 1; r <= most_rows[vectors]; r++) {
    double cost = (double)(M / r) * tile_cost(r, vectors) + (M % r > 0 ? tile_cost((int)(M % r), vectors) : 0);
    if (cost < best) {
      best = cost;
      *rows = r;
    }
  }
  return best;
}

/* The cheapest cover, by dynamic programming over the vectors. */
static plan make_plan(long M, int vectors) {
  double strip[MOST_VECTORS + 1], best[MOST_STRIPS + 1] = {0};
  int rows[MOST_VECTORS + 1], last[MOST_STRIPS + 1] = {0};
  for (int v = 1; v <= MOST_VECTORS; v++) strip[v] = strip_cost(M, v, &rows[v]);
  for (int at = 1; at <= vectors; at++) {
    best[at] = 1e30;
    for (int v = 1; v <= MOST_VECTORS && v <= at; v++) {
      if (best[at - v] + strip[v] < best[at]) {
        best[at] = best[at - v] + strip[v];
        last[at] = v;
      }
    }
  }
  plan p = {.strips = 0};
  for (int at = vectors; at > 0; at -= last[at]) {
    p.strip[p.strips].at = LANES * (at - last[at]);
    p.strip[p.strips].vectors = last[at];
    p.strip[p.strips++].rows = rows[last[at]];
  }
  return p;
}

/* C = epilogue(A·B) for rows m0 to m1. */
static void product(const plan *p, epilogue kind, long m0, long m1, const float *A, long rs, long cs, const float *B, long ldb, float *C, long ldc, long K, extras e) {
  const float *side = e.side;
  for (int s = 0; s < p->strips; s++) {
    int vectors = p->strip[s].vectors;
    long at = p->strip[s].at;
    for (long i = m0; i < m1;) {
      int rows = m1 - i < p->strip[s].rows ? (int)(m1 - i) : p->strip[s].rows;
      if (side != NULL) e.side = side + i * e.side_stride + at;
      tiles[vectors][rows][kind](A + i * rs, rs, cs, B + at, ldb, C + i * ldc + at, ldc, K, &e);
      if (e.moments != NULL) e.moments += rows * vectors * 2 * LANES;
      i += rows;
    }
  }
}

/* T = Sᵀ for rows and columns that are multiples of four. */
static void transpose(const float *S, long rows, long columns, long ls, float *T, long lt) {
  for (long i = 0; i < rows; i += 4) {
    for (long j = 0; j < columns; j += 4) {
      __m128 a = _mm_loadu_ps(S + i * ls + j), b = _mm_loadu_ps(S + (i + 1) * ls + j), c = _mm_loadu_ps(S + (i + 2) * ls + j), d = _mm_loadu_ps(S + (i + 3) * ls + j);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      _mm_storeu_ps(T + j * lt + i, a);
      _mm_storeu_ps(T + (j + 1) * lt + i, b);
      _mm_storeu_ps(T + (j + 2) * lt + i, c);
      _mm_storeu_ps(T + (j + 3) * lt + i, d);
    }
  }
}
#endif
