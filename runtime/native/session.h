/* Sessions and bound steps. In: an opened module, sizes, addresses of feeds and outputs. Out: one call of the module's code per step.
   Holds: variables lie in one block, each 64-byte aligned and zero at first, their rows as far apart as the compiler wants; the arena grows when sizes grow and never shrinks; a step allocates nothing.
   All functions belong to the one thread that made the session; only shares of a step's phases run elsewhere, and a step that was lent, as a whole. */
#ifndef TFC_SESSION_H
#define TFC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "gpu.h"
#include "module.h"
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

/* An entry bound to a session: every address that a call needs, kept between calls. */
typedef struct tfc_step {
  tfc_session *session;
  tfc_loaded *module;
  const tfc_entry *entry;
  int32_t feed_count;
  int32_t output_count;
  int32_t dim_count;
  const void **feeds;
  void **outputs;
  int64_t *dims;
  const void **moving; /* feeds of a repeated run, which advance */
  bool sized;
  int64_t needed; /* bytes of arena at these sizes */
  int64_t shares; /* into how many shares its phases are cut at these sizes; 1: it stays on the calling thread */
  int32_t scalar_count;
  int32_t *scalar_outputs; /* positions of scalar outputs */
  int32_t *scalar_dtypes;
  /* On a GPU: feeds and outputs have places there, in one piece of memory. */
  tfc_gpu_code *code;
  int64_t *io_bytes; /* of every feed, then of every output */
  void **io;
  void *io_memory;
  int64_t io_room;
  tfc_gpu_graph *graph; /* of the launches at these sizes; NULL: not recorded */
  bool ran;             /* at these sizes, with the arena and the places of variables below */
  void *last_arena;
  int64_t last_swaps;
} tfc_step;

typedef struct tfc_step_layout {
  int32_t feed_count;
  int32_t output_count;
  int32_t dim_count;
  int32_t scalar_count;
  const int32_t *scalar_outputs;
  const int32_t *scalar_dtypes;
} tfc_step_layout;

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
/* Gives every element of a variable the value of `bytes` bytes at `element`. */
bool tfc_session_fill(tfc_session *session, int32_t variable, const void *element, size_t bytes, tfc_error *error);

/* NULL and bad-artifact when the module has no entry at `entry`. */
tfc_step *tfc_step_create(tfc_session *session, tfc_loaded *module, int32_t entry, const tfc_step_layout *layout, tfc_error *error);
void tfc_step_destroy(tfc_step *step);

/* Sets the free sizes and grows the session's arena to what the entry needs with them. Returns the bytes that this entry needs, or -1 and an error. */
int64_t tfc_step_size(tfc_step *step, const double *dims, tfc_error *error);

/* Bytes that are left for feeds and results, beside the arena. */
size_t tfc_step_room(const tfc_step *step);

/* Runs the entry once. Every feed and output must be bound, and large enough for the sizes. Returns the entry's status, 0 for done, or -1 and an error. */
int32_t tfc_step_run(tfc_step *step, tfc_error *error);

/* Until tfc_step_regain another thread may call tfc_step_run, once, and nobody may do anything else with the session, nor change what is bound to this step; making other steps and binding to them is fine.
   Whoever passes the step to that thread and back orders the two threads' accesses. False and session-busy when a step of the session is lent already. */
bool tfc_step_lend(tfc_step *step, tfc_error *error);
void tfc_step_regain(tfc_step *step);

/* Runs the entry `steps` times. Before every step but the first, feed f advances by strides[f] bytes. Scalar outputs of step i go to series[i * scalar_count …]
   as f64. Stops at the first step whose status is not 0. */
int32_t tfc_step_repeat(tfc_step *step, int64_t steps, const double *strides, double *series, tfc_error *error);

#endif
