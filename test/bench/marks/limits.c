/* Limits of this machine. In: threads, then working sets in bytes per thread. Out: one line of JSON: 10^9 operations per second, GB/s. Holds: the fastest of several runs, since a limit is what can be reached; all threads run at the same time. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "vector.h"

enum { RUNS = 9, CHAINS = 12 };
static volatile float sink;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Independent chains of fused multiply-adds, more than latency times ports. */
static __attribute__((noinline)) void arithmetic(long count) {
  wide a = splat(1.0001f), b = splat(1e-4f), c[CHAINS];
  UNROLL for (int i = 0; i < CHAINS; i++) c[i] = splat((float)i);
  for (long k = 0; k < count; k++) {
    UNROLL for (int i = 0; i < CHAINS; i++) __asm__("vfmadd231ps %1, %2, %0" : "+v"(c[i]) : "v"(a), "v"(b));
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
      wide v = madd(q, load(c + i + j * LANES), load(b + i + j * LANES));
      if (past) stream(a + i + j * LANES, v);
      else store(a + i + j * LANES, v);
    }
  }
  _mm_sfence();
}

typedef struct {
  int id, kind;
  long bytes, times;
  float *memory;
  pthread_barrier_t *gate;
  double seconds[RUNS];
} task;

static void *work(void *pointer) {
  task *t = pointer;
  long count = t->bytes / 4, third = count / 3 / (4 * LANES) * (4 * LANES);
  cpu_set_t set;
  if (t->id >= 0 && sched_getaffinity(0, sizeof set, &set) == 0 && CPU_ISSET(t->id, &set)) {
    CPU_ZERO(&set);
    CPU_SET(t->id, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
  }
  if (t->memory != NULL) for (long i = 0; i < count; i++) t->memory[i] = 1;
  for (int run = 0; run < RUNS; run++) {
    pthread_barrier_wait(t->gate);
    double start = now();
    if (t->kind == 0) arithmetic(t->times);
    else if (t->kind == 1) reading(t->memory, count, t->times);
    else for (long i = 0; i < t->times; i++) triad(t->memory, t->memory + third, t->memory + 2 * third, third, t->kind == 3);
    pthread_barrier_wait(t->gate);
    t->seconds[run] = now() - start;
  }
  return NULL;
}

/* Seconds of the fastest run. */
static double measure(int threads, int kind, long bytes, long times) {
  pthread_barrier_t gate;
  pthread_barrier_init(&gate, NULL, (unsigned)threads);
  task *tasks = calloc((size_t)threads, sizeof *tasks);
  pthread_t *ids = calloc((size_t)threads, sizeof *ids);
  size_t room = ((size_t)bytes + (2 << 20)) & ~(size_t)((2 << 20) - 1);
  for (int i = 0; i < threads; i++) {
    tasks[i] = (task){.id = i, .kind = kind, .bytes = bytes, .times = times, .gate = &gate};
    if (bytes > 0) {
      tasks[i].memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      madvise(tasks[i].memory, room, MADV_HUGEPAGE);
    }
    pthread_create(&ids[i], NULL, work, &tasks[i]);
  }
  for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
  double seconds = tasks[0].seconds[0];
  for (int run = 1; run < RUNS; run++) if (tasks[0].seconds[run] < seconds) seconds = tasks[0].seconds[run];
  for (int i = 0; i < threads; i++) if (tasks[i].memory != NULL) munmap(tasks[i].memory, room);
  free(tasks);
  free(ids);
  return seconds;
}

int main(int count, char **arguments) {
  int threads = count > 1 ? atoi(arguments[1]) : 1;
  long rounds = 3000000;
  double flops = (double)threads * (double)rounds * CHAINS * LANES * 2 / measure(threads, 0, 0, rounds);
  printf("{\"gflops\":%.1f,\"read\":{", flops / 1e9);
  for (int i = 2; i < count; i++) {
    long bytes = atol(arguments[i]), times = 400000000 / bytes + 1;
    printf("%s\"%ld\":%.1f", i > 2 ? "," : "", bytes, (double)threads * (double)(bytes / (32 * LANES) * (32 * LANES)) * (double)times / measure(threads, 1, bytes, times) / 1e9);
  }
  long big = 384L << 20;
  printf("},\"triad\":%.1f,\"streamTriad\":%.1f}\n", (double)threads * (double)big / measure(threads, 2, big, 1) / 1e9, (double)threads * (double)big / measure(threads, 3, big, 1) / 1e9);
  return 0;
}
