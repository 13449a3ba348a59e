/* The contract between a compiled module and whoever runs it. A module is a shared library that exports one function, tfc_module_table.
   Holds: nothing is allocated, no signal or exit is raised, and no state is kept by a module; everything that lives between calls belongs to the caller. */
#ifndef TFC_H
#define TFC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TFC_ABI_VERSION 5

typedef enum { TFC_F32 = 0, TFC_F64 = 1, TFC_F16 = 2, TFC_BF16 = 3, TFC_I32 = 4, TFC_I64 = 5, TFC_U8 = 6, TFC_BOOL = 7, TFC_I8 = 8, TFC_I16 = 9, TFC_U16 = 10, TFC_U32 = 11, TFC_U64 = 12, TFC_F8E4M3 = 13, TFC_F8E5M2 = 14 } tfc_dtype;

typedef struct tfc_call {
  const void *const *feeds;  /* row-major, aligned to their elements, in the entry's order */
  void *const *outputs;      /* row-major, in the entry's order; written */
  void *const *variables;    /* all variables of the module, in its order, 64-byte aligned; row-major. Where the manifest gives a variable a `pitch`, its rows (along the
                                last axis) start that many elements apart, the last one has room for as many, and what lies behind a row is nobody's */
  const int64_t *dims;       /* values of the entry's free sizes, in its order; each at least 0 */
  void *arena;               /* 64-byte aligned, at least arena_bytes(dims) bytes; contents do not matter */
} tfc_call;

/* One of `shares` equal parts of a phase. The parts of a phase depend on each other in nothing: they may run at once, on any threads, in any order. */
typedef void (*tfc_phase)(const tfc_call *call, int64_t phase, int64_t share, int64_t shares);

/* An entry can be run in two ways that give the same bits. `run` does everything on the calling thread. Or the phases one after the other: every share of one, with the
   same number of shares, once, then every share of the next; a share sees what all shares of earlier phases wrote. Threads that compute are in the caller's
   floating-point mode: the runtime flushes denormals during a call. */
typedef struct tfc_entry {
  const char *name;
  int64_t (*arena_bytes)(const int64_t *dims);  /* negative: with these sizes something is larger than can be counted, and the entry must not be run */
  int32_t (*run)(const tfc_call *call);         /* 0: done */
  int64_t (*shares)(const int64_t *dims);       /* into how many shares it pays to cut the phases at these sizes; at most 1: `run` is faster */
  tfc_phase phase;                              /* runs a share of the phase with this number, counted from 0 */
  int64_t phase_count;                          /* 0: there is only `run`, and `shares` and `phase` may be NULL */
} tfc_entry;

typedef struct tfc_module {
  int32_t abi_version;
  int32_t entry_count;
  const tfc_entry *entries;
  const uint8_t *manifest; /* JSON packed by Brotli (RFC 7932): entries, feeds, outputs, sizes, variables (manifest.ts); module.json beside the library is the same */
  int64_t manifest_bytes;
} tfc_module;

typedef const tfc_module *(*tfc_module_table_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
