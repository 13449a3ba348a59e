/* Sessions. In: how variables lie, a number of threads or a device. Out: the variables' memory, and that of the arena.
   Holds: variables lie in one block, each 64-byte aligned and zero at first, their rows as far apart as the compiler wants; the arena grows when sizes grow and never shrinks.
   All functions belong to the one thread that made the session. */
#ifndef TFC_SESSION_H
#define TFC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "gpu.h"
#include "team.h"

/* How a variable lies: rows of `bytes` bytes, each beginning `pitch` bytes behind the one before. What lies behind a row is nobody's. */
typedef struct tfc_rows {
  double count;
  double bytes;
  double pitch;
} tfc_rows;

typedef struct tfc_session {
  int64_t references;
  bool closed;
  const struct tfc_step *lent; /* the step that another thread runs, NULL: none; only the owner looks at it */
  int32_t threads;
  tfc_team *team; /* NULL: one thread */
  void *block;
  size_t block_bytes;
  int32_t variable_count;
  void **variables;
  tfc_rows *rows; /* one per variable */
  void *arena;
  size_t arena_bytes;
  size_t arena_used; /* of these, what steps have used: the system has not given the rest yet */
  int64_t swaps; /* how often variables changed places */
  tfc_gpu *gpu; /* NULL: memory is this machine's; else variables and arena lie on the device */
} tfc_session;

/* One reference. NULL and out-of-memory when there is not enough. `threads` counts the caller; `device`: number of a GPU, or -1. */
tfc_session *tfc_session_create(int32_t threads, int32_t device, int32_t variable_count, const tfc_rows *rows, tfc_error *error);
/* Frees variables, arena and threads; steps of it fail with session-closed from then on. */
void tfc_session_close(tfc_session *session);
void tfc_session_release(tfc_session *session);

/* Bytes of a variable whose rows follow each other. */
size_t tfc_session_bytes(const tfc_session *session, int32_t variable);
/* Copies all rows of a variable from or to memory where they follow each other. */
bool tfc_session_write(tfc_session *session, int32_t variable, const void *from, tfc_error *error);
bool tfc_session_read(const tfc_session *session, int32_t variable, void *to, tfc_error *error);

/* Two variables change places, as entries find them; false, and nothing happens, when they are laid out differently. */
bool tfc_session_swap(tfc_session *session, int32_t one, int32_t other);
/* An arena of at least so many bytes; entry `who` needs them. False and out-of-memory, or device-failed: there is none then. */
bool tfc_session_grow(tfc_session *session, int64_t bytes, const char *who, tfc_error *error);

/* Gives every element of a variable the value of `bytes` bytes at `element`. */
bool tfc_session_fill(tfc_session *session, int32_t variable, const void *element, size_t bytes, tfc_error *error);

#endif
