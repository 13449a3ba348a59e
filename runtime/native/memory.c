/* Aligned allocation with huge-page advice (see memory.h). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Two cache lines: processors fetch pairs of them. */
#define LINE ((size_t)128)
#define HUGE_PAGE ((size_t)2 << 20)

void *tfc_memory_take(size_t bytes) {
  if (bytes > SIZE_MAX / 4) return NULL;
  size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : LINE;
  size_t rounded = bytes == 0 ? LINE : (bytes + alignment - 1) / alignment * alignment;
  void *memory = NULL;
  if (posix_memalign(&memory, alignment, rounded) != 0) return NULL;
#ifdef MADV_HUGEPAGE
  /* Advice only: a system without huge pages refuses, and nothing is lost. */
  if (alignment == HUGE_PAGE) (void)madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  return memory;
}

void tfc_memory_give(void *memory) { free(memory); }
