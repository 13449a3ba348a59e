/* What a mark is given and what it gives. In: the command line's workload. Out: functions that reset and run a step, and where results lie. Holds: memory is zeroed, 64-byte aligned and on large pages where the
   system has them. */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { MOST_ARRAYS = 8, MOST_RESULTS = 6 };

typedef struct job {
  const char *family, *rule;
  float rate;
  /* As the workload has them: rows; rows and columns; M, K and N. */
  long sizes[3];
  int threads;
  /* Row-major, in the workload's order. */
  const float *arrays[MOST_ARRAYS];
} job;

typedef struct {
  void *context;
  void (*reset)(void *context);
  /* One step; its loss, from before the update. */
  float (*step)(void *context);
  /* A function's results, in the workload's order. */
  int result_count;
  struct { const float *values; long count; } results[MOST_RESULTS];
} mark;

/* Room for some floats, for as long as the process lives. */
static float *place(long count) {
  size_t page = 2 << 20, size = (sizeof(float) * (size_t)count + 4096) & ~(size_t)63;
  static char *arena;
  static size_t left;
  if (left < size) {
    left = (size > 8 * page ? size + page : 8 * page) & ~(page - 1);
    arena = mmap(NULL, left + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED) abort();
    arena = (char *)(((uintptr_t)arena + page - 1) & ~(uintptr_t)(page - 1));
    madvise(arena, left, MADV_HUGEPAGE);
  }
  float *result = (float *)arena;
  /* Arrays begin in different sets of the cache. */
  arena += size;
  left -= size;
  return result;
}

/* The part of some work that a thread does. */
static inline long share(long total, int id, int of) { return total * id / of; }

static inline void nothing_to_reset(void *context) { (void)context; }
#endif
