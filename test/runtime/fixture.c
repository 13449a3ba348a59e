/* A module written by hand, as a compiler would emit it. In: calls of the ABI. Out: simple results that tests can predict. Holds: it keeps no state; entries stand in the manifest's order.
   TFC_MANIFEST, a string literal, comes from the test that compiles this file. */
#include <stdint.h>
#include <string.h>

#include "tfc.h"

static int64_t no_arena(const int64_t *dims) { (void)dims; return 0; }
static int64_t row_arena(const int64_t *dims) { return dims[0] * 8; }
static int64_t huge_arena(const int64_t *dims) { (void)dims; return (int64_t)1 << 60; }

/* scale(x: f32[B, 3], factor: f32): f32[B, 3] */
static int32_t scale(const tfc_call *call) {
  const float *x = call->feeds[0];
  float factor = *(const float *)call->feeds[1];
  float *result = call->outputs[0];
  for (int64_t at = 0; at < call->dims[0] * 3; at += 1) result[at] = x[at] * factor;
  return 0;
}

/* train(x: f32[B, 2], y: f32[B]) → { loss: f32, count: i32 }; w[2] += mean of x, t += 1 */
static int32_t train(const tfc_call *call) {
  const float *x = call->feeds[0];
  const float *y = call->feeds[1];
  float *w = call->variables[0];
  int32_t *t = call->variables[1];
  int64_t rows = call->dims[0];
  float loss = 0;
  for (int64_t row = 0; row < rows; row += 1) {
    float error = w[0] * x[2 * row] + w[1] * x[2 * row + 1] - y[row];
    loss += error * error;
    w[0] += x[2 * row] / (float)rows;
    w[1] += x[2 * row + 1] / (float)rows;
  }
  *t += 1;
  *(float *)call->outputs[0] = loss;
  *(int32_t *)call->outputs[1] = *t;
  return 0;
}

/* init_w(seed: i64): w = seed, seed + 1; u = 7 */
static int32_t init_w(const tfc_call *call) {
  int64_t seed = *(const int64_t *)call->feeds[0];
  float *w = call->variables[0];
  w[0] = (float)seed;
  w[1] = (float)(seed + 1);
  *(double *)call->variables[2] = 7;
  return 0;
}

/* sum(x: f64[N]): f64, in blocks of 64 whose partial sums are added in order */
typedef struct { const double *x; double *partial; int64_t count; } sum_context;

static void sum_blocks(void *data, int64_t begin, int64_t end) {
  sum_context *context = data;
  for (int64_t block = begin; block < end; block += 1) {
    double sum = 0;
    for (int64_t at = block * 64; at < (block + 1) * 64 && at < context->count; at += 1) sum += context->x[at];
    context->partial[block] = sum;
  }
}

static int32_t sum(const tfc_call *call) {
  int64_t blocks = (call->dims[0] + 63) / 64;
  sum_context context = {call->feeds[0], call->arena, call->dims[0]};
  if (call->pool == NULL) sum_blocks(&context, 0, blocks);
  else call->pool->run(call->pool->self, sum_blocks, &context, blocks);
  double total = 0;
  for (int64_t block = 0; block < blocks; block += 1) total += context.partial[block];
  *(double *)call->outputs[0] = total;
  return 0;
}

/* nested(n: i32): i32: n blocks, each of which runs 16 blocks on the same pool; counts how often each was run */
typedef struct { const tfc_pool *pool; int32_t *counts; int64_t at; } nested_context;

static void inner(void *data, int64_t begin, int64_t end) {
  nested_context *context = data;
  for (int64_t at = begin; at < end; at += 1) context->counts[context->at * 16 + at] += 1;
}

static void outer(void *data, int64_t begin, int64_t end) {
  nested_context *shared = data;
  for (int64_t at = begin; at < end; at += 1) {
    nested_context own = {shared->pool, shared->counts, at};
    if (own.pool == NULL) inner(&own, 0, 16);
    else own.pool->run(own.pool->self, inner, &own, 16);
  }
}

static int64_t nested_arena(const int64_t *dims) { (void)dims; return 1024 * 16 * 4; }

static int32_t nested(const tfc_call *call) {
  int32_t n = *(const int32_t *)call->feeds[0];
  if (n < 0 || n > 1024) return 3;
  memset(call->arena, 0, (size_t)n * 16 * 4);
  nested_context context = {call->pool, call->arena, 0};
  if (call->pool == NULL) outer(&context, 0, n);
  else call->pool->run(call->pool->self, outer, &context, n);
  int32_t right = 0;
  for (int32_t at = 0; at < n * 16; at += 1) right += context.counts[at] == 1;
  *(int32_t *)call->outputs[0] = right;
  return 0;
}

/* denormal(x: f32[N]): f32[N]: x / 2, on the pool */
static void halve(void *data, int64_t begin, int64_t end) {
  const tfc_call *call = data;
  const volatile float *x = call->feeds[0];
  for (int64_t at = begin; at < end; at += 1) ((volatile float *)call->outputs[0])[at] = x[at] * 0.5f;
}

static int32_t denormal(const tfc_call *call) {
  if (call->pool == NULL) halve((void *)call, 0, call->dims[0]);
  else call->pool->run(call->pool->self, halve, (void *)call, call->dims[0]);
  return 0;
}

/* echo(a: i64, b: bool[N], c: u8[N], d: f16[N], e: bf16, f: i32[N * M], g: f64[M]) → tuple of all */
static int32_t echo(const tfc_call *call) {
  int64_t n = call->dims[0], m = call->dims[1];
  size_t bytes[] = {8, (size_t)n, (size_t)n, (size_t)n * 2, 2, (size_t)(n * m) * 4, (size_t)m * 8};
  for (int at = 0; at < 7; at += 1) if (bytes[at] > 0) memcpy(call->outputs[at], call->feeds[at], bytes[at]);
  return 0;
}

/* run, of the name of a session's own method: doubles a number */
static int32_t doubled(const tfc_call *call) {
  *(float *)call->outputs[0] = *(const float *)call->feeds[0] * 2;
  return 0;
}

/* needs(v: reads a variable without initial value): f32 */
static int32_t needs(const tfc_call *call) {
  *(float *)call->outputs[0] = *(const float *)call->variables[3];
  return 0;
}

static int32_t nothing(const tfc_call *call) { (void)call; return 0; }

static const tfc_entry entries[] = {
  {"scale", no_arena, scale}, {"train", no_arena, train}, {"init_w", no_arena, init_w}, {"sum", row_arena, sum}, {"nested", nested_arena, nested},
  {"denormal", no_arena, denormal}, {"echo", no_arena, echo}, {"run", no_arena, doubled}, {"needs", no_arena, needs}, {"huge", huge_arena, nothing},
  {"facts", no_arena, nothing},
};

#ifndef TFC_VERSION
#define TFC_VERSION TFC_ABI_VERSION
#endif
static const tfc_module table = {TFC_VERSION, sizeof(entries) / sizeof(entries[0]), entries, TFC_MANIFEST};

const tfc_module *tfc_module_table(void) { return &table; }
