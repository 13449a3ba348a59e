/* What a mark is given and what it gives. In: the command line's workload. Out: functions that reset and run a step. Holds: memory is zeroed, 64-byte aligned and on large pages where the system has them. */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

typedef struct job {
  const char *rule;
  float rate;
  long rows;
  int threads;
  /* Row-major, as the bench wrote them. */
  const float *x;
  const float *targets;
  const int32_t *labels;
  const float *initial[6];
} job;

typedef struct {
  void *context;
  void (*reset)(void *context);
  /* One step; its loss, from before the update. */
  float (*step)(void *context);
} mark;

/* Room for some floats, for as long as the process lives. */
static float *place(const job *job, long count) {
  (void)job;
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
#endif
