/* Runs entries of artifacts, once or many times, each in a process of its own that is forked from this one: a test's process has much
   memory, and takes long to fork. In: the names of two pipes; from the first, for every run, how many bytes follow, where the artifact's
   path ends, the path, sizes, feeds and variables. Out: to the second 0, status, phases, bytes of the arena, seconds, outputs and variables;
   or how the run's process ended. Holds: every buffer ends at a page that must not be touched, so an access beyond it ends the run. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif
#include "../../runtime/abi/tfc.h"

/* What is left of the request. */
static const unsigned char *rest, *end;

static void take(void *to, int64_t bytes) {
  if (bytes > end - rest) exit(20);
  if (bytes) memcpy(to, rest, bytes);
  rest += bytes;
}

static int64_t number(void) {
  int64_t value;
  take(&value, 8);
  return value;
}

/* The last byte lies before a page without access; with `align` the start is a multiple of it. */
static unsigned char *guarded(int64_t bytes, int64_t align) {
  int64_t page = sysconf(_SC_PAGESIZE);
  int64_t whole = (bytes + page - 1) / page * page + page;
  unsigned char *base = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) exit(21);
  mprotect(base + whole, page, PROT_NONE);
  unsigned char *start = base + whole - (bytes + align - 1) / align * align;
  memset(base, 0xcd, whole);
  return start;
}

/* All phases in so many shares, the last share first: results must not depend on it. Returns 0 when the entry has no phases or says that
   they do not pay. */
static int64_t backwards(const tfc_entry *entry, const tfc_call *call, int64_t shares) {
  if (entry->phase_count == 0 || entry->shares(call->dims) < 2) return 0;
  for (int64_t phase = 0; phase < entry->phase_count; phase++)
    for (int64_t share = shares; share-- > 0;) entry->phase(call, phase, share, shares);
  return entry->phase_count;
}

static int run(FILE *out) {
  int64_t path_bytes = number();
  char *path = calloc(path_bytes + 1, 1);
  take(path, path_bytes);
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 23;
  tfc_module_table_fn table = (tfc_module_table_fn)dlsym(library, "tfc_module_table");
  if (!table) return 24;
  const tfc_module *module = table();
  if (module->abi_version != TFC_ABI_VERSION) return 25;
  int64_t entry = number(), shares = number(), repeat = number(), dim_count = number();
  int64_t *dims = calloc(dim_count + 1, 8);
  for (int64_t i = 0; i < dim_count; i++) dims[i] = number();
  int64_t counts[3];
  unsigned char **buffers[3];
  int64_t *sizes[3];
  for (int kind = 0; kind < 3; kind++) {
    counts[kind] = number();
    buffers[kind] = calloc(counts[kind] + 1, sizeof(void *));
    sizes[kind] = calloc(counts[kind] + 1, 8);
    for (int64_t i = 0; i < counts[kind]; i++) {
      sizes[kind][i] = number();
      buffers[kind][i] = guarded(sizes[kind][i], kind == 2 ? 64 : 1);
    }
  }
  for (int kind = 0; kind < 3; kind += 2)
    for (int64_t i = 0; i < counts[kind]; i++) take(buffers[kind][i], sizes[kind][i]);
  if (entry >= module->entry_count) return 27;
  int64_t arena_bytes = module->entries[entry].arena_bytes(dims);
  int64_t phases = 0;
  tfc_call call = {(const void *const *)buffers[0], (void *const *)buffers[1], (void *const *)buffers[2], dims, guarded(arena_bytes, 64)};
  struct timespec from, to;
  int64_t status = 0;
  double best = 1e30;
#ifdef __SSE2__
  /* As the runtime does for every step: subnormals are flushed, which also keeps timings steady. */
  if (repeat > 1) _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
  for (int round = 0; round < (repeat > 1 ? 7 : 1); round++) {
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int64_t i = 0; i < repeat; i++)
      if (shares == 0 || (phases = backwards(&module->entries[entry], &call, shares)) == 0) status |= module->entries[entry].run(&call);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (to.tv_sec - from.tv_sec + 1e-9 * (to.tv_nsec - from.tv_nsec)) / repeat;
    if (seconds < best) best = seconds;
  }
  const int64_t head[] = {0, status, phases, arena_bytes};
  fwrite(head, sizeof head, 1, out);
  fwrite(&best, 8, 1, out);
  for (int kind = 1; kind < 3; kind++)
    for (int64_t i = 0; i < counts[kind]; i++) fwrite(buffers[kind][i], sizes[kind][i], 1, out);
  return fflush(out) ? 28 : 0;
}

/* Whether that many came. */
static int arrived(int from, void *to, int64_t bytes) {
  for (int64_t at = 0; at < bytes;) {
    ssize_t now = read(from, (char *)to + at, bytes - at);
    if (now <= 0) return 0;
    at += now;
  }
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 3) return 22;
  int requests = open(argv[1], O_RDONLY), replies = open(argv[2], O_WRONLY);
  fcntl(requests, F_SETPIPE_SZ, 1 << 20);
  fcntl(replies, F_SETPIPE_SZ, 1 << 20);
  for (int64_t bytes; arrived(requests, &bytes, 8);) {
    unsigned char *request = malloc(bytes);
    if (!request || !arrived(requests, request, bytes)) return 21;
    rest = request, end = request + bytes;
    pid_t child = fork();
    if (child == 0) _exit(run(fdopen(replies, "wb")));
    int status = 1 << 8;
    if (child > 0) waitpid(child, &status, 0);
    int64_t ended = WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
    if (ended && write(replies, &ended, 8) != 8) return 29;
    free(request);
  }
  return 0;
}
