/* Aligned memory on huge pages (see memory.h). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "memory.h"
#include "room.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Two cache lines: processors fetch pairs of them. */
#define LINES ((size_t)128)
#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)
/* From here on memory is mapped rather than taken from the heap, which would keep it when it is given back. */
#define LARGE ((size_t)64 << 10)

static size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

/* What fills at least half of a huge page gets one, also at the end of more; a shorter tail lies on small pages, which hold no more than it needs. */
static size_t mapped_bytes(size_t bytes) {
  size_t huge = rounded(bytes, HUGE_PAGE);
  return huge - bytes <= HUGE_PAGE / 2 ? huge : rounded(bytes, PAGE);
}

/* Advice only: a system without huge pages refuses, and nothing is lost. */
static void ask_for_huge_pages(char *start, size_t bytes) {
#ifdef MADV_HUGEPAGE
  (void)madvise(start, bytes, MADV_HUGEPAGE);
#endif
}

static void *map(size_t bytes) {
  size_t length = mapped_bytes(bytes);
  size_t spare = length >= HUGE_PAGE ? HUGE_PAGE : 0;
  char *start = mmap(NULL, length + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return NULL;
  if (spare == 0) return start;
  size_t before = rounded((uintptr_t)start, HUGE_PAGE) - (uintptr_t)start;
  if (before > 0) munmap(start, before);
  if (before < spare) munmap(start + before + length, spare - before);
  ask_for_huge_pages(start + before, length);
  return start + before;
}

void *tfc_memory_take(size_t bytes) {
  if (bytes > SIZE_MAX / 4 || (bytes >= TFC_ROOM_ASKED && bytes > tfc_room())) return NULL;
  if (bytes >= LARGE) return map(bytes);
  size_t length = rounded(bytes == 0 ? 1 : bytes, LINES);
  void *memory = NULL;
  if (posix_memalign(&memory, LINES, length) != 0) return NULL;
  return memset(memory, 0, length);
}

void tfc_memory_give(void *memory, size_t bytes) {
  if (memory != NULL && bytes >= LARGE) munmap(memory, mapped_bytes(bytes));
  else free(memory);
}

void tfc_memory_on_huge_pages(void *start, size_t bytes) {
  const uintptr_t first = rounded((uintptr_t)start, HUGE_PAGE), end = ((uintptr_t)start + bytes) / HUGE_PAGE * HUGE_PAGE;
  if (first < end) ask_for_huge_pages((char *)first, end - first);
}
