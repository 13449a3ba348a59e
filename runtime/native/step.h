/* Bound steps. In: a session, an opened module, sizes, addresses of feeds and outputs. Out: one call of the module's code per step.
   Holds: a step allocates nothing. All functions belong to the one thread that made the session; only shares of a step's phases run elsewhere, and a step that was lent, as a whole. */
#ifndef TFC_STEP_H
#define TFC_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "module.h"
#include "session.h"

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
  struct tfc_device_step *device; /* NULL: it runs here */
} tfc_step;

typedef struct tfc_step_layout {
  int32_t feed_count;
  int32_t output_count;
  int32_t dim_count;
  int32_t scalar_count;
  const int32_t *scalar_outputs;
  const int32_t *scalar_dtypes;
} tfc_step_layout;

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
