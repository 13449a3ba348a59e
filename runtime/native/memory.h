/* Memory of sessions. In: a size in bytes. Out: zeroed memory, aligned to 128 bytes at least, or NULL when there is none, or less than can be used.
   Holds: large pieces come from the system as they are, zeroed where they are touched first, and ask for huge pages, because matrix products stream from them; what rounding adds is at most half of a huge page. */
#ifndef TFC_MEMORY_H
#define TFC_MEMORY_H

#include <stddef.h>

/* A size of 0 gives memory of its own, too. */
void *tfc_memory_take(size_t bytes);
/* With the size that it was taken with. */
void tfc_memory_give(void *memory, size_t bytes);

/* Asks for huge pages where somebody else's memory fills some. */
void tfc_memory_on_huge_pages(void *start, size_t bytes);

#endif
