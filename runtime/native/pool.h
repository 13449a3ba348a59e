/* A pool of threads behind the ABI's tfc_pool. In: tasks over block ranges. Out: the same work, spread over the threads.
   Holds: a run with b blocks and t threads calls the task for at most min(b, t) contiguous ranges that cover [0, b) once; which thread takes a range never changes
   what is computed. Threads start with the first run that has something to share, spin for a while after each, then sleep. */
#ifndef TFC_POOL_H
#define TFC_POOL_H

#include <stdint.h>

#include "../abi/tfc.h"

typedef struct tfc_threads tfc_threads;

/* `threads` counts the caller: 1 makes no thread at all. NULL when memory is short. Fewer threads than asked for may start; the results are the same. */
tfc_threads *tfc_threads_create(int32_t threads);

/* Must not be called while a run is in progress. */
void tfc_threads_destroy(tfc_threads *threads);

/* Valid as long as the threads. May be used from inside a task and by several threads at once: who finds the pool busy does its work alone. */
const tfc_pool *tfc_threads_pool(const tfc_threads *threads);

#endif
