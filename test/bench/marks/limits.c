/* Limits of this machine: a server. In: threads; requests `flops 0`, `read BYTES`, `triad BYTES`, `stream BYTES`, bytes per thread. Out: lines of JSON: 10^9 operations or bytes per second.
   Holds: the fastest of several runs, since a limit is what can be reached; all threads run at the same time. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "team.h"
#include "vector.h"

/* Elements that the triad asks ahead for: the processor by itself stops at the ends of pages. */
enum { AHEAD = 256, CHAINS = 12, ROUNDS = 1000000, ONE_RUN = 100000000 };
static volatile float sink;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Independent chains of multiply-adds, more than latency times ports. */
static __attribute__((noinline)) void arithmetic(long count) {
  wide a = splat(0.9999f), b = splat(1e-4f), c[CHAINS];
  UNROLL for (int i = 0; i < CHAINS; i++) c[i] = splat((float)i);
  for (long k = 0; k < count; k++) {
    UNROLL for (int i = 0; i < CHAINS; i++) {
      c[i] = madd(c[i], a, b);
      __asm__("" : "+v"(c[i]));
    }
  }
  UNROLL for (int i = 1; i < CHAINS; i++) c[0] += c[i];
  sink = total(c[0]);
}

static __attribute__((noinline)) void reading(const float *p, long count, long times) {
  wide s[8];
  UNROLL for (int j = 0; j < 8; j++) s[j] = splat(0);
  for (long t = 0; t < times; t++) {
    for (long i = 0; i + 8 * LANES <= count; i += 8 * LANES) {
      UNROLL for (int j = 0; j < 8; j++) s[j] += load(p + i + j * LANES);
    }
    __asm__ volatile("" ::: "memory");
  }
  UNROLL for (int j = 1; j < 8; j++) s[0] += s[j];
  sink = total(s[0]);
}

static __attribute__((noinline)) void triad(float *a, const float *b, const float *c, long count, int past) {
  wide q = splat(1.5f);
  for (long i = 0; i + 4 * LANES <= count; i += 4 * LANES) {
    UNROLL for (int j = 0; j < 4; j++) {
      __builtin_prefetch(b + i + j * LANES + AHEAD);
      __builtin_prefetch(c + i + j * LANES + AHEAD);
      wide v = madd(q, load(c + i + j * LANES), load(b + i + j * LANES));
      if (past) stream(a + i + j * LANES, v);
      else store(a + i + j * LANES, v);
    }
  }
  _mm_sfence();
}

typedef enum { FLOPS, READ, TRIAD, STREAM } kind;

typedef struct {
  kind kind;
  long bytes, times;
  float *memory[MOST_THREADS];
  long room[MOST_THREADS];
} task;

static void work(void *pointer, int id) {
  task *t = pointer;
  long count = t->bytes / 4, third = count / 3 / (4 * LANES) * (4 * LANES);
  if (t->kind == FLOPS) arithmetic(t->times);
  else if (t->kind == READ) reading(t->memory[id], count, t->times);
  else for (long i = 0; i < t->times; i++) triad(t->memory[id], t->memory[id] + third, t->memory[id] + 2 * third, third, t->kind == STREAM);
}

/* Memory of this thread's own, touched by it. */
static void reserve(void *pointer, int id) {
  task *t = pointer;
  if (t->room[id] >= t->bytes) return;
  if (t->room[id] > 0) munmap(t->memory[id], (size_t)t->room[id]);
  t->room[id] = (t->bytes + (2 << 20)) & ~(long)((2 << 20) - 1);
  t->memory[id] = mmap(NULL, (size_t)t->room[id], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (t->memory[id] == MAP_FAILED) abort();
  madvise(t->memory[id], (size_t)t->room[id], MADV_HUGEPAGE);
  for (long i = 0; i < t->room[id] / 4; i++) t->memory[id][i] = 1;
}

static double rate(team *team, task *t) {
  double amount = 2.0 * CHAINS * LANES * ROUNDS, best = 1e30;
  t->times = ROUNDS;
  if (t->kind != FLOPS) {
    team_run(team, reserve, t);
    t->times = ONE_RUN / t->bytes + 1;
    amount = (double)t->bytes * (double)t->times;
  }
  for (int run = 0; run < 5; run++) {
    double start = now();
    team_run(team, work, t);
    double seconds = now() - start;
    if (seconds < best) best = seconds;
  }
  return amount * team->size / best / 1e9;
}

int main(int count, char **arguments) {
  team *team = team_start(count > 1 ? atoi(arguments[1]) : 1);
  static task t;
  char word[16];
  printf("{\"ready\":true,\"system\":\"C\"}\n");
  fflush(stdout);
  while (scanf("%15s %ld", word, &t.bytes) == 2) {
    t.kind = strcmp(word, "flops") == 0 ? FLOPS : strcmp(word, "read") == 0 ? READ : strcmp(word, "triad") == 0 ? TRIAD : STREAM;
    printf("{\"rate\":%.2f}\n", rate(team, &t));
    fflush(stdout);
  }
  return 0;
}
