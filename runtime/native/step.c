/* Steps on this machine's processors (see step.h); what differs on a GPU is in device-step.c. */
#include "step.h"

#include <stdlib.h>
#include <string.h>

#include "device-step.h"
#include "floating.h"
#include "room.h"
#include "scalar.h"

tfc_step *tfc_step_create(tfc_session *session, tfc_loaded *module, int32_t entry, const tfc_step_layout *layout, tfc_error *error) {
  if (entry < 0 || entry >= module->table->entry_count) {
    TFC_FAIL(error, "bad-artifact", "the module has %d entries, and none at %d", (int)module->table->entry_count, (int)entry);
    return NULL;
  }
  tfc_step *step = calloc(1, sizeof(tfc_step));
  if (step == NULL) {
    TFC_FAIL(error, "out-of-memory", "no memory for a step");
    return NULL;
  }
  step->session = session;
  step->module = module;
  session->references += 1;
  module->references += 1;
  const tfc_device_code *source = session->gpu == NULL ? NULL : tfc_gpu_best(session->gpu, module->table->device, module->table->device_count);
  step->entry = source == NULL ? &module->table->entries[entry] : &source->entries[entry];
  step->feed_count = layout->feed_count;
  step->output_count = layout->output_count;
  step->dim_count = layout->dim_count;
  step->scalar_count = layout->scalar_count;
  step->feeds = calloc((size_t)layout->feed_count + 1, sizeof(void *));
  step->moving = calloc((size_t)layout->feed_count + 1, sizeof(void *));
  step->outputs = calloc((size_t)layout->output_count + 1, sizeof(void *));
  step->dims = calloc((size_t)layout->dim_count + 1, sizeof(int64_t));
  step->scalar_outputs = calloc((size_t)layout->scalar_count + 1, sizeof(int32_t));
  step->scalar_dtypes = calloc((size_t)layout->scalar_count + 1, sizeof(int32_t));
  if (!step->feeds || !step->moving || !step->outputs || !step->dims || !step->scalar_outputs || !step->scalar_dtypes) {
    TFC_FAIL(error, "out-of-memory", "no memory for a step");
    tfc_step_destroy(step);
    return NULL;
  }
  for (int32_t at = 0; at < layout->scalar_count; at += 1) {
    step->scalar_outputs[at] = layout->scalar_outputs[at];
    step->scalar_dtypes[at] = layout->scalar_dtypes[at];
  }
  if (session->gpu == NULL) return step;
  if (source == NULL) TFC_FAIL(error, "no-device", "the artifact has no code for GPUs");
  else step->device = tfc_device_step_create(step, source, error);
  if (step->device != NULL) return step;
  tfc_step_destroy(step);
  return NULL;
}

void tfc_step_destroy(tfc_step *step) {
  if (step == NULL) return;
  free(step->feeds);
  free(step->moving);
  free(step->outputs);
  free(step->dims);
  free(step->scalar_outputs);
  free(step->scalar_dtypes);
  tfc_device_step_destroy(step->device);
  tfc_session_release(step->session);
  tfc_loaded_release(step->module);
  free(step);
}

static int32_t closed(tfc_error *error) {
  TFC_FAIL(error, "session-closed", "the session is closed");
  return -1;
}

/* Shares for which cutting pays are this many times smaller than what a thread computes at a time: some 100 µs of a matrix product, beside which taking a share costs nothing. */
#define FINEST 150

/* Where there is much to do every thread owns several shares: when one is interrupted, the others take what it has not begun. */
static int64_t shares_at(const tfc_step *step) {
  const tfc_entry *entry = step->entry;
  const tfc_session *session = step->session;
  if (session->team == NULL || entry->phase_count == 0) return 1;
  int64_t shares = entry->shares(step->dims), threads = session->threads;
  if (shares < threads) return shares < 1 ? 1 : shares;
  int64_t each = shares / FINEST / entry->phase_count / threads;
  return threads * (each < 1 ? 1 : each < TFC_TEAM_SHARES ? each : TFC_TEAM_SHARES);
}

int64_t tfc_step_size(tfc_step *step, const double *dims, tfc_error *error) {
  tfc_session *session = step->session;
  if (session->closed) return closed(error);
  for (int32_t at = 0; at < step->dim_count; at += 1) step->dims[at] = (int64_t)dims[at];
  step->sized = false;
  int64_t needed = step->entry->arena_bytes(step->dims);
  if (needed < 0) {
    TFC_FAIL(error, "out-of-memory", "entry %s would work on more elements than can be counted", step->entry->name);
    return -1;
  }
  if (!tfc_session_grow(session, needed, step->entry->name, error)) return -1;
  if (step->device != NULL && !tfc_device_step_size(step->device, error)) return -1;
  step->needed = needed;
  step->shares = shares_at(step);
  step->sized = true;
  return needed;
}

size_t tfc_step_room(const tfc_step *step) {
  const tfc_session *session = step->session;
  const size_t room = tfc_room(), given = session->gpu != NULL ? 0 : session->arena_bytes - session->arena_used;
  return room > given ? room - given : 0;
}

static bool ready(const tfc_step *step, tfc_error *error) {
  if (step->session->closed) return closed(error) == 0;
  if (!step->sized) {
    TFC_FAIL(error, "bad-artifact", "the sizes of entry %s are not set", step->entry->name);
    return false;
  }
  /* Another entry that asked for too much may have left the session without an arena. */
  return tfc_session_grow(step->session, step->needed, step->entry->name, error);
}

/* Steps that follow each other, with all that changes between them. */
typedef struct {
  tfc_step *step;
  tfc_call call;
  int64_t phase;
  int64_t left; /* steps, the present one included */
  const double *strides;
  double *series; /* NULL: scalar outputs are not recorded */
  int32_t status;
} course;

static course begin(tfc_step *step, const void *const *feeds, int64_t steps) {
  tfc_session *session = step->session;
  if ((uint64_t)step->needed > session->arena_used) session->arena_used = (size_t)step->needed;
  course all = {.step = step, .left = steps};
  all.call.feeds = feeds;
  all.call.outputs = step->outputs;
  all.call.variables = session->variables;
  all.call.dims = step->dims;
  all.call.arena = session->arena;
  return all;
}

/* Ends a step. Returns whether another one follows. */
static inline bool next_step(course *all) {
  tfc_step *step = all->step;
  if (all->series != NULL) {
    for (int32_t at = 0; at < step->scalar_count; at += 1) *all->series++ = tfc_scalar_value(step->outputs[step->scalar_outputs[at]], step->scalar_dtypes[at]);
  }
  all->left -= 1;
  if (all->left == 0 || all->status != 0) return false;
  for (int32_t at = 0; at < step->feed_count; at += 1) step->moving[at] = (const char *)step->moving[at] + (int64_t)all->strides[at];
  return true;
}

static void share(void *context, int64_t share, int64_t shares) {
  course *all = context;
  all->step->entry->phase(&all->call, all->phase, share, shares);
}

static bool next_phase(void *context) {
  course *all = context;
  all->phase += 1;
  if (all->phase < all->step->entry->phase_count) return true;
  all->phase = 0;
  if (all->step->entry->status != NULL) all->status = all->step->entry->status(&all->call);
  return next_step(all);
}

static int32_t perform(course *all) {
  tfc_step *step = all->step;
  uint64_t mode = tfc_floating_enter();
  if (step->shares > 1) {
    const tfc_job job = {share, next_phase, all};
    tfc_team_run(step->session->team, step->shares, &job);
  } else {
    do all->status = step->entry->run(&all->call);
    while (next_step(all));
  }
  tfc_floating_leave(mode);
  return all->status;
}

int32_t tfc_step_run(tfc_step *step, tfc_error *error) {
  if (!ready(step, error)) return -1;
  if (step->device != NULL) return tfc_device_step_run(step->device, error);
  course all = begin(step, step->feeds, 1);
  return perform(&all);
}

bool tfc_step_lend(tfc_step *step, tfc_error *error) {
  if (step->session->lent != NULL) {
    TFC_FAIL(error, "session-busy", "a step of the session runs");
    return false;
  }
  step->session->lent = step;
  return true;
}

void tfc_step_regain(tfc_step *step) { step->session->lent = NULL; }

int32_t tfc_step_repeat(tfc_step *step, int64_t steps, const double *strides, double *series, tfc_error *error) {
  if (!ready(step, error)) return -1;
  if (steps == 0) return 0;
  for (int32_t at = 0; at < step->feed_count; at += 1) step->moving[at] = step->feeds[at];
  if (step->device != NULL) return tfc_device_step_repeat(step->device, steps, strides, series, error);
  course all = begin(step, step->moving, steps);
  all.strides = strides;
  all.series = series;
  return perform(&all);
}
