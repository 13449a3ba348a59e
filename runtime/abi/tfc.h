/* The contract between a compiled module and whoever runs it. A module is a shared library that exports one function, tfc_module_table.
   Holds: nothing is allocated, no signal or exit is raised, and no state is kept by a module; everything that lives between calls belongs to the caller. */
#ifndef TFC_H
#define TFC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TFC_ABI_VERSION 11

typedef enum { TFC_F32 = 0, TFC_F64 = 1, TFC_F16 = 2, TFC_BF16 = 3, TFC_I32 = 4, TFC_I64 = 5, TFC_U8 = 6, TFC_BOOL = 7, TFC_I8 = 8, TFC_I16 = 9, TFC_U16 = 10, TFC_U32 = 11, TFC_U64 = 12, TFC_F8E4M3 = 13, TFC_F8E5M2 = 14 } tfc_dtype;

/* What an entry for a GPU runs its kernels by, one after the other: the runtime gives it. */
typedef struct tfc_device {
  void (*launch)(struct tfc_device *device, int32_t kernel, int64_t blocks, void *const *arguments); /* a function of tfc_device_code; where its arguments lie; none for no blocks */
} tfc_device;

typedef struct tfc_call {
  const void *const *feeds;  /* row-major, aligned to their elements, in the entry's order */
  void *const *outputs;      /* row-major, in the entry's order; written */
  void *const *variables;    /* all variables of the module, in its order, 64-byte aligned; row-major. Where the manifest gives a variable a `pitch`, its rows (along the
                                last axis) start that many elements apart, the last one has room for as many, and what lies behind a row is nobody's */
  const int64_t *dims;       /* values of the entry's free sizes, in its order; each at least 0 */
  void *arena;               /* 64-byte aligned, at least arena_bytes(dims) bytes; contents do not matter */
} tfc_call;

/* What entries for a GPU are called with, by its first member: all of the memory that it names lies on the device, but for dims. */
typedef struct tfc_device_call {
  tfc_call call;
  tfc_device *device;
} tfc_device_call;

/* One of `shares` equal parts of a phase. The parts of a phase depend on each other in nothing: they may run at once, on any threads, in any order. */
typedef void (*tfc_phase)(const tfc_call *call, int64_t phase, int64_t share, int64_t shares);

/* Checks. An entry of which the manifest says `checks` looks whether indices that are computed, or fed, lie inside of their axes. `run` then returns a number above 0 where one
   does not: the position in `checks.places`, counted from 1, of the first that fails, which has its code, where the program says it, and the size of the axis; the output
   `checks.said` (i64) has the number that does not fit. Variables are what they were before the call, and the other outputs have no meaning. In phases the same is known behind
   the last one, by `status`. */

/* An entry can be run in two ways that give the same bits. `run` does everything on the calling thread. Or the phases one after the other: every share of one, with the
   same number of shares, once, then every share of the next; a share sees what all shares of earlier phases wrote. Threads that compute are in the caller's
   floating-point mode: the runtime flushes denormals during a call. */
typedef struct tfc_entry {
  const char *name;
  int64_t (*arena_bytes)(const int64_t *dims);  /* negative: with these sizes something is larger than can be counted, and the entry must not be run */
  int32_t (*run)(const tfc_call *call);         /* 0: done; above 0: a check failed */
  int64_t (*shares)(const int64_t *dims);       /* into how many shares it pays to cut the phases at these sizes; at most 1: `run` is faster */
  tfc_phase phase;                              /* runs a share of the phase with this number, counted from 0 */
  int64_t phase_count;                          /* 0: there is only `run`, and `shares` and `phase` may be NULL */
  int32_t (*status)(const tfc_call *call);      /* after all phases: what `run` would have returned; NULL: 0 */
  int64_t checked;                              /* entries for a GPU: the output (i32) that has the number of a check that failed, or 0, when all that `run` launched is done; -1: none */
  void (*io_bytes)(const int64_t *dims, int64_t *feeds, int64_t *outputs); /* entries for a GPU: bytes of every feed and output that the code knows; NULL: others */
} tfc_entry;

/* Kernels for GPUs of one generation, or of that one and all later ones. */
typedef struct tfc_device_code {
  const char *text;   /* PTX */
  int32_t capability; /* the compute capability of that generation: 90 for 9.0 */
  int32_t later;      /* 1: later generations run it as well; 0: they do not */
  int32_t driver;     /* the version of CUDA that a driver must know to compile it: 12000 for 12.0 */
  int32_t threads;    /* of a block */
  int32_t function_count;
  const char *const *functions; /* their names */
  const int32_t *shared;        /* bytes of shared memory that a block of each is launched with, beside what its text says */
  const tfc_entry *entries;     /* as those of the module, run on a device */
} tfc_device_code;

typedef struct tfc_module {
  int32_t abi_version;
  int32_t entry_count;
  const tfc_entry *entries;
  const uint8_t *manifest; /* JSON packed by Brotli (RFC 7932): entries, feeds, outputs, sizes, variables (manifest.ts); module.json beside the library is the same */
  int64_t manifest_bytes;
  const tfc_device_code *device; /* the more special the later: the last one that a device can run is the best for it */
  int32_t device_count;          /* 0: there is code for processors only, and `device` is NULL */
} tfc_module;

typedef const tfc_module *(*tfc_module_table_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
