/* Memory of sessions. In: a size in bytes. Out: memory aligned to 64 bytes at least, or NULL when there is none.
   Holds: large pieces are aligned to huge pages and ask the system for them, because matrix products stream from them. */
#ifndef TFC_MEMORY_H
#define TFC_MEMORY_H

#include <stddef.h>

/* Contents are undefined; a size of 0 gives memory of its own, too. */
void *tfc_memory_take(size_t bytes);
void tfc_memory_give(void *memory);

#endif
