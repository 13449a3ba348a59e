/* A module written by hand, as a compiler would emit it. In: calls of the ABI. Out: simple results that tests can predict. Holds: it keeps no state; entries stand in the manifest's order.
   TFC_MANIFEST, the bytes of an array, and TFC_MANIFEST_BYTES, how many, come from the test that compiles this file. */
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#include <time.h>

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

/* init_w(seed: i64, stream: i32): w, or whatever stands in its place, = seed, seed + stream */
static int32_t init_w(const tfc_call *call) {
  int64_t seed = *(const int64_t *)call->feeds[0];
  float *w = call->variables[0];
  w[0] = (float)seed;
  w[1] = (float)(seed + *(const int32_t *)call->feeds[1]);
  return 0;
}

/* The part of [0, count) that is a share's. */
static int64_t bound(int64_t count, int64_t part, int64_t shares) { return count * part / shares; }

/* Runs phases on the calling thread, each in two shares, the second one first. */
typedef void (*part)(const tfc_call *call, int64_t share, int64_t shares);
static int32_t in_turn(const tfc_call *call, const part *phases, int count) {
  for (int at = 0; at < count; at += 1) {
    phases[at](call, 1, 2);
    phases[at](call, 0, 2);
  }
  return 0;
}

/* sum(x: f64[N]): f64, in blocks of 64 whose partial sums are added in order */
static void sum_blocks(const tfc_call *call, int64_t share, int64_t shares) {
  const double *x = call->feeds[0];
  int64_t count = call->dims[0], blocks = (count + 63) / 64;
  for (int64_t block = bound(blocks, share, shares); block < bound(blocks, share + 1, shares); block += 1) {
    double sum = 0;
    for (int64_t at = block * 64; at < (block + 1) * 64 && at < count; at += 1) sum += x[at];
    ((double *)call->arena)[block] = sum;
  }
}

static void sum_partial(const tfc_call *call, int64_t share, int64_t shares) {
  (void)shares;
  if (share != 0) return;
  double total = 0;
  for (int64_t block = 0; block < (call->dims[0] + 63) / 64; block += 1) total += ((const double *)call->arena)[block];
  *(double *)call->outputs[0] = total;
}

static const part sum_phases[] = {sum_blocks, sum_partial};
static void sum_phase(const tfc_call *call, int64_t phase, int64_t share, int64_t shares) { sum_phases[phase](call, share, shares); }
static int32_t sum(const tfc_call *call) { return in_turn(call, sum_phases, 2); }
static int64_t sum_shares(const int64_t *dims) { return dims[0] / 64; }

/* mirror(x: f64[N]): f64: the sum of x + 1, in phases that read what other shares wrote in the one before; shares as many as N */
static void mirror_write(const tfc_call *call, int64_t share, int64_t shares) {
  double *first = call->arena;
  for (int64_t at = bound(call->dims[0], share, shares); at < bound(call->dims[0], share + 1, shares); at += 1) first[at] = ((const double *)call->feeds[0])[at];
}

static void mirror_read(const tfc_call *call, int64_t share, int64_t shares) {
  int64_t count = call->dims[0];
  double *first = call->arena, *second = first + count;
  for (int64_t at = bound(count, share, shares); at < bound(count, share + 1, shares); at += 1) {
    second[at] = first[count - 1 - at] + 1;
  }
}

static void mirror_sum(const tfc_call *call, int64_t share, int64_t shares) {
  if (share != shares - 1) return;
  double total = 0;
  for (int64_t at = 0; at < call->dims[0]; at += 1) total += ((const double *)call->arena)[call->dims[0] + at];
  *(double *)call->outputs[0] = total;
  /* So that a value from the step before is seen. */
  for (int64_t at = 0; at < 2 * call->dims[0]; at += 1) ((double *)call->arena)[at] = -1000;
}

static const part mirror_phases[] = {mirror_write, mirror_read, mirror_sum};
static void mirror_phase(const tfc_call *call, int64_t phase, int64_t share, int64_t shares) { mirror_phases[phase](call, share, shares); }
static int32_t mirror(const tfc_call *call) { return in_turn(call, mirror_phases, 3); }
static int64_t mirror_arena(const int64_t *dims) { return dims[0] * 16; }
static int64_t mirror_shares(const int64_t *dims) { return dims[0]; }

/* denormal(x: f32[N]): f32[N]: x / 2, on all threads */
static void halve(const tfc_call *call, int64_t share, int64_t shares) {
  const volatile float *x = call->feeds[0];
  for (int64_t at = bound(call->dims[0], share, shares); at < bound(call->dims[0], share + 1, shares); at += 1) ((volatile float *)call->outputs[0])[at] = x[at] * 0.5f;
}

static const part denormal_phases[] = {halve};
static void denormal_phase(const tfc_call *call, int64_t phase, int64_t share, int64_t shares) { denormal_phases[phase](call, share, shares); }
static int32_t denormal(const tfc_call *call) { return in_turn(call, denormal_phases, 1); }

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

/* natural(n: i32): i32: n, or status 3 when it is negative */
static int32_t natural(const tfc_call *call) {
  int32_t n = *(const int32_t *)call->feeds[0];
  *(int32_t *)call->outputs[0] = n;
  return n < 0 ? 3 : 0;
}

/* place(x: u8[N]): i64: the address of x */
static int32_t place(const tfc_call *call) {
  *(int64_t *)call->outputs[0] = (int64_t)(intptr_t)call->feeds[0];
  return 0;
}

/* dwell(x: f32[N], ms: i32) → { x: f32[N], t: i32 }: as many milliseconds later what x is then; t is odd meanwhile, and two more in the end */
static int32_t dwell(const tfc_call *call) {
  struct timespec rest = {0, 200000};
  int32_t *t = call->variables[1];
  struct timespec start, time;
  clock_gettime(CLOCK_MONOTONIC, &start);
  *t += 1;
  do {
    nanosleep(&rest, NULL);
    clock_gettime(CLOCK_MONOTONIC, &time);
  } while ((time.tv_sec - start.tv_sec) * 1000 + (time.tv_nsec - start.tv_nsec) / 1000000 < *(const int32_t *)call->feeds[1]);
  *t += 1;
  if (call->dims[0] > 0) memcpy(call->outputs[0], call->feeds[0], (size_t)call->dims[0] * sizeof(float));
  *(int32_t *)call->outputs[1] = *t;
  return 0;
}

static int32_t nothing(const tfc_call *call) { (void)call; return 0; }

static const tfc_entry entries[] = {
  {.name = "scale", .arena_bytes = no_arena, .run = scale},
  {.name = "train", .arena_bytes = no_arena, .run = train},
  {.name = "init_w", .arena_bytes = no_arena, .run = init_w},
  {.name = "sum", .arena_bytes = row_arena, .run = sum, .shares = sum_shares, .phase = sum_phase, .phase_count = 2},
  {.name = "mirror", .arena_bytes = mirror_arena, .run = mirror, .shares = mirror_shares, .phase = mirror_phase, .phase_count = 3},
  {.name = "denormal", .arena_bytes = no_arena, .run = denormal, .shares = mirror_shares, .phase = denormal_phase, .phase_count = 1},
  {.name = "echo", .arena_bytes = no_arena, .run = echo},
  {.name = "run", .arena_bytes = no_arena, .run = doubled},
  {.name = "needs", .arena_bytes = no_arena, .run = needs},
  {.name = "huge", .arena_bytes = huge_arena, .run = nothing},
  {.name = "facts", .arena_bytes = no_arena, .run = nothing},
  {.name = "natural", .arena_bytes = no_arena, .run = natural},
  {.name = "place", .arena_bytes = no_arena, .run = place},
  {.name = "dwell", .arena_bytes = no_arena, .run = dwell},
};

#ifndef TFC_VERSION
#define TFC_VERSION TFC_ABI_VERSION
#endif
static const uint8_t manifest[] = TFC_MANIFEST;
static const tfc_module table = {TFC_VERSION, sizeof(entries) / sizeof(entries[0]), entries, manifest, TFC_MANIFEST_BYTES};

const tfc_module *tfc_module_table(void) { return &table; }
