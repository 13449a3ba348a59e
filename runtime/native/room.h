/* Memory that is left. In: nothing. Out: how many bytes this process can still use before the system ends one.
   Holds: Linux gives more than it has and ends a process when it is used, so what is large is compared with what is left before it is taken; where the system says nothing, everything fits. */
#ifndef TFC_ROOM_H
#define TFC_ROOM_H

#include <stddef.h>

/* Of less nothing is asked: it takes longer to ask than to use it. */
#define TFC_ROOM_ASKED ((size_t)256 << 20)

/* Free memory, what the system gives up for it (caches of files), and swap; within the limit of the process's control group. */
size_t tfc_room(void);

#endif
