/* Sessions and bound steps (see session.h). */
#include "session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "floating.h"
#include "memory.h"
#include "room.h"

#define LINE ((size_t)64)
/* More than any machine has, and far from overflow in sums. */
#define MAXIMUM_BYTES ((double)(1ull << 60))

static tfc_session *without_memory(tfc_session *session, double bytes, tfc_error *error) {
  TFC_FAIL(error, "out-of-memory", "no memory for %.0f bytes of variables", bytes);
  tfc_session_release(session);
  return NULL;
}

/* Whole lines, and one at least, even when there are no elements: addresses of variables differ. */
static size_t room(const tfc_rows *rows) {
  size_t bytes = (size_t)(rows->count * rows->pitch);
  return bytes == 0 ? LINE : (bytes + LINE - 1) / LINE * LINE;
}

tfc_session *tfc_session_create(int32_t threads, int32_t device, int32_t variable_count, const tfc_rows *rows, tfc_error *error) {
  double sum = 0;
  for (int32_t at = 0; at < variable_count; at += 1) sum += rows[at].count * rows[at].pitch + (double)LINE;
  tfc_session *session = calloc(1, sizeof(tfc_session));
  if (session == NULL || !(sum < MAXIMUM_BYTES)) return without_memory(session, sum, error);
  session->references = 1;
  session->variable_count = variable_count;
  session->variables = calloc((size_t)variable_count + 1, sizeof(void *));
  session->rows = calloc((size_t)variable_count + 1, sizeof(tfc_rows));
  if (session->variables == NULL || session->rows == NULL) return without_memory(session, sum, error);
  size_t total = 0;
  for (int32_t at = 0; at < variable_count; at += 1) {
    session->rows[at] = rows[at];
    total += room(&rows[at]);
  }
  if (device >= 0) {
    session->gpu = tfc_gpu_open(device, error);
    if (session->gpu != NULL) session->block = tfc_gpu_take(session->gpu, total, true, error);
    if (session->block == NULL) {
      tfc_session_release(session);
      return NULL;
    }
  } else session->block = tfc_memory_take(total);
  session->block_bytes = total;
  if (session->block == NULL) return without_memory(session, sum, error);
  size_t offset = 0;
  for (int32_t at = 0; at < variable_count; at += 1) {
    session->variables[at] = (char *)session->block + offset;
    offset += room(&rows[at]);
  }
  session->threads = threads;
  if (threads > 1 && session->gpu == NULL) {
    session->team = tfc_team_create(threads);
    if (session->team == NULL) return without_memory(session, sum, error);
  }
  return session;
}

void tfc_session_close(tfc_session *session) {
  if (session->closed) return;
  session->closed = true;
  tfc_team_destroy(session->team);
  if (session->gpu == NULL) {
    tfc_memory_give(session->block, session->block_bytes);
    tfc_memory_give(session->arena, session->arena_bytes);
  } else {
    tfc_gpu_give(session->gpu, session->block);
    tfc_gpu_give(session->gpu, session->arena);
    tfc_gpu_close(session->gpu);
    session->gpu = NULL;
  }
  free(session->variables);
  free(session->rows);
  session->team = NULL;
  session->block = NULL;
  session->arena = NULL;
  session->arena_used = 0;
  session->variables = NULL;
  session->rows = NULL;
  session->variable_count = 0;
  session->arena_bytes = 0;
}

void tfc_session_release(tfc_session *session) {
  if (session == NULL || --session->references > 0) return;
  tfc_session_close(session);
  free(session);
}

size_t tfc_session_bytes(const tfc_session *session, int32_t variable) {
  const tfc_rows *rows = &session->rows[variable];
  return (size_t)(rows->count * rows->bytes);
}

bool tfc_session_write(tfc_session *session, int32_t variable, const void *from, tfc_error *error) {
  const tfc_rows *rows = &session->rows[variable];
  const size_t count = (size_t)rows->count, bytes = (size_t)rows->bytes, pitch = (size_t)rows->pitch;
  if (session->gpu != NULL) return tfc_gpu_write(session->gpu, session->variables[variable], from, count, bytes, pitch, error);
  for (size_t at = 0; at < count; at += 1) memcpy((char *)session->variables[variable] + at * pitch, (const char *)from + at * bytes, bytes);
  return true;
}

bool tfc_session_read(const tfc_session *session, int32_t variable, void *to, tfc_error *error) {
  const tfc_rows *rows = &session->rows[variable];
  const size_t count = (size_t)rows->count, bytes = (size_t)rows->bytes, pitch = (size_t)rows->pitch;
  if (session->gpu != NULL) return tfc_gpu_read(session->gpu, to, session->variables[variable], count, bytes, pitch, error);
  for (size_t at = 0; at < count; at += 1) memcpy((char *)to + at * bytes, (const char *)session->variables[variable] + at * pitch, bytes);
  return true;
}

bool tfc_session_swap(tfc_session *session, int32_t one, int32_t other) {
  const tfc_rows *a = &session->rows[one];
  const tfc_rows *b = &session->rows[other];
  if (a->count != b->count || a->bytes != b->bytes || a->pitch != b->pitch) return false;
  void *kept = session->variables[one];
  session->variables[one] = session->variables[other];
  session->variables[other] = kept;
  session->swaps += 1;
  return true;
}

/* What is there is copied behind itself, twice as much every time, as far as the first-level cache reaches. */
static void repeat_element(char *to, size_t all, const void *element, size_t bytes) {
  memcpy(to, element, bytes);
  for (size_t done = bytes; done < all;) {
    size_t piece = done < 16384 ? done : 16384;
    if (piece > all - done) piece = all - done;
    memcpy(to + done, to, piece);
    done += piece;
  }
}

bool tfc_session_fill(tfc_session *session, int32_t variable, const void *element, size_t bytes, tfc_error *error) {
  /* With what lies behind the rows. */
  size_t all = (size_t)(session->rows[variable].count * session->rows[variable].pitch);
  if (all < bytes) return true;
  if (session->gpu == NULL) {
    repeat_element(session->variables[variable], all, element, bytes);
    return true;
  }
  char *here = tfc_memory_take(all);
  if (here == NULL) {
    TFC_FAIL(error, "out-of-memory", "no memory for the %zu bytes of a variable", all);
    return false;
  }
  repeat_element(here, all, element, bytes);
  bool done = tfc_gpu_write(session->gpu, session->variables[variable], here, 1, all, all, error);
  tfc_memory_give(here, all);
  return done;
}

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
  const tfc_device_code *source = session->gpu == NULL ? NULL : module->table->device;
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
  if (session->gpu != NULL) {
    const size_t io = (size_t)layout->feed_count + (size_t)layout->output_count + 1;
    if (source == NULL) TFC_FAIL(error, "no-device", "the artifact has no code for GPUs");
    else step->code = tfc_gpu_load(session->gpu, source, error);
    if (step->code == NULL) {
      tfc_step_destroy(step);
      return NULL;
    }
    step->io_bytes = calloc(io, sizeof(int64_t));
    step->io = calloc(io, sizeof(void *));
    if (step->io_bytes == NULL || step->io == NULL) {
      TFC_FAIL(error, "out-of-memory", "no memory for a step");
      tfc_step_destroy(step);
      return NULL;
    }
  }
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
  return step;
}

static void forget_graph(tfc_step *step) {
  if (step->session->gpu != NULL) tfc_gpu_forget(step->session->gpu, step->graph);
  step->graph = NULL;
  step->ran = false;
}

void tfc_step_destroy(tfc_step *step) {
  if (step == NULL) return;
  free(step->feeds);
  free(step->moving);
  free(step->outputs);
  free(step->dims);
  free(step->scalar_outputs);
  free(step->scalar_dtypes);
  free(step->io_bytes);
  free(step->io);
  forget_graph(step);
  if (step->session->gpu != NULL) tfc_gpu_give(step->session->gpu, step->io_memory);
  tfc_session_release(step->session);
  tfc_loaded_release(step->module);
  free(step);
}

static int32_t closed(tfc_error *error) {
  TFC_FAIL(error, "session-closed", "the session is closed");
  return -1;
}

static bool grow(const tfc_step *step, int64_t needed, tfc_error *error) {
  tfc_session *session = step->session;
  if ((uint64_t)needed <= session->arena_bytes) return true;
  /* Its contents do not matter, so the old one goes first and the two never lie side by side. */
  if (session->gpu != NULL) tfc_gpu_give(session->gpu, session->arena);
  else tfc_memory_give(session->arena, session->arena_bytes);
  session->arena_bytes = 0;
  session->arena_used = 0;
  session->arena = session->gpu != NULL ? tfc_gpu_take(session->gpu, (size_t)needed, false, error) : tfc_memory_take((size_t)needed);
  if (session->arena == NULL && session->gpu != NULL) return false;
  if (session->arena == NULL) {
    TFC_FAIL(error, "out-of-memory", "no memory for the %lld bytes that entry %s works in at these sizes", (long long)needed, step->entry->name);
    return false;
  }
  session->arena_bytes = (size_t)needed;
  return true;
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

/* Lines of a GPU's memory. */
#define DEVICE_LINE 256

/* Places on the device for feeds and outputs at these sizes. */
static bool place_io(tfc_step *step, tfc_error *error) {
  tfc_gpu *gpu = step->session->gpu;
  if (gpu == NULL) return true;
  const int32_t count = step->feed_count + step->output_count;
  int64_t total = 0;
  forget_graph(step);
  memset(step->io_bytes, 0, (size_t)count * sizeof(int64_t));
  step->entry->io_bytes(step->dims, step->io_bytes, step->io_bytes + step->feed_count);
  for (int32_t at = 0; at < count; at += 1) total += step->io_bytes[at] / DEVICE_LINE * DEVICE_LINE + DEVICE_LINE;
  if (total > step->io_room) {
    tfc_gpu_give(gpu, step->io_memory);
    step->io_room = 0;
    step->io_memory = tfc_gpu_take(gpu, (size_t)total, false, error);
    if (step->io_memory == NULL) return false;
    step->io_room = total;
  }
  int64_t offset = 0;
  for (int32_t at = 0; at < count; at += 1) {
    step->io[at] = (char *)step->io_memory + offset;
    offset += step->io_bytes[at] / DEVICE_LINE * DEVICE_LINE + DEVICE_LINE;
  }
  return true;
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
  if (!grow(step, needed, error) || !place_io(step, error)) return -1;
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
  return grow(step, step->needed, error);
}

static double half_to_double(uint16_t bits) {
  int exponent = bits >> 10 & 31;
  int mantissa = bits & 1023;
  double magnitude = exponent == 0 ? ldexp(mantissa, -24) : exponent == 31 ? (mantissa == 0 ? INFINITY : NAN) : ldexp(mantissa + 1024, exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

/* Eight bits with `fraction` bits behind the point; `infinity` is the pattern of it, -1: there is none, and one NaN. */
static double small_to_double(uint8_t bits, int fraction, int bias, int infinity) {
  int magnitude = bits & 127;
  int exponent = magnitude >> fraction;
  int mantissa = magnitude & ((1 << fraction) - 1);
  double value = exponent == 0 ? ldexp(mantissa, 1 - bias - fraction) : ldexp(mantissa + (1 << fraction), exponent - bias - fraction);
  if (magnitude == infinity) value = INFINITY;
  else if (infinity < 0 ? magnitude == 127 : magnitude > infinity) value = NAN;
  return bits >> 7 ? -value : value;
}

static double scalar_value(const void *address, int32_t dtype) {
  switch (dtype) {
    case TFC_F32: return *(const float *)address;
    case TFC_F64: return *(const double *)address;
    case TFC_F16: return half_to_double(*(const uint16_t *)address);
    case TFC_BF16: {
      uint32_t bits = (uint32_t)*(const uint16_t *)address << 16;
      float value;
      memcpy(&value, &bits, sizeof(value));
      return value;
    }
    case TFC_I32: return *(const int32_t *)address;
    case TFC_I64: return (double)*(const int64_t *)address;
    case TFC_I8: return *(const int8_t *)address;
    case TFC_I16: return *(const int16_t *)address;
    case TFC_U16: return *(const uint16_t *)address;
    case TFC_U32: return *(const uint32_t *)address;
    case TFC_U64: return (double)*(const uint64_t *)address;
    case TFC_F8E4M3: return small_to_double(*(const uint8_t *)address, 3, 7, -1);
    case TFC_F8E5M2: return small_to_double(*(const uint8_t *)address, 2, 15, 0x7c);
    default: return *(const uint8_t *)address;
  }
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
    for (int32_t at = 0; at < step->scalar_count; at += 1) *all->series++ = scalar_value(step->outputs[step->scalar_outputs[at]], step->scalar_dtypes[at]);
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

/* The launches of a step, which from the second time on are one: until sizes change, the arena grows, or variables change places. */
static int32_t launch_all(tfc_step *step, const tfc_device_call *on_device) {
  const tfc_call *call = &on_device->call;
  tfc_session *session = step->session;
  const bool same = step->ran && step->last_arena == session->arena && step->last_swaps == session->swaps;
  if (step->entry->asks != 0) return step->entry->run(call);
  if (!same) {
    forget_graph(step);
    step->ran = true;
    step->last_arena = session->arena;
    step->last_swaps = session->swaps;
    return step->entry->run(call);
  }
  if (step->graph == NULL) {
    tfc_gpu_record(session->gpu);
    (void)step->entry->run(call);
    step->graph = tfc_gpu_recorded(session->gpu);
  }
  if (step->graph != NULL) tfc_gpu_replay(session->gpu, step->graph);
  return 0;
}

/* One step on the device; of the outputs only scalars when `scalars` says so. */
static int32_t run_on_device(tfc_step *step, const void *const *feeds, bool scalars, tfc_error *error) {
  tfc_session *session = step->session;
  tfc_gpu *gpu = session->gpu;
  tfc_device *device = tfc_gpu_begin(gpu, step->code);
  for (int32_t at = 0; at < step->feed_count; at += 1) tfc_gpu_send(gpu, step->io[at], feeds[at], (size_t)step->io_bytes[at]);
  void **outputs = step->io + step->feed_count;
  const tfc_device_call call = {{.feeds = (const void *const *)step->io, .outputs = outputs, .variables = session->variables, .dims = step->dims, .arena = session->arena}, device};
  int32_t status = launch_all(step, &call);
  if (scalars)
    for (int32_t at = 0; at < step->scalar_count; at += 1) tfc_gpu_fetch(gpu, step->outputs[step->scalar_outputs[at]], outputs[step->scalar_outputs[at]], (size_t)step->io_bytes[step->feed_count + step->scalar_outputs[at]]);
  else
    for (int32_t at = 0; at < step->output_count; at += 1) tfc_gpu_fetch(gpu, step->outputs[at], outputs[at], (size_t)step->io_bytes[step->feed_count + at]);
  return tfc_gpu_finish(gpu, error) ? status : -1;
}

static int32_t repeat_on_device(tfc_step *step, int64_t steps, const double *strides, double *series, tfc_error *error) {
  for (int64_t done = 1;; done += 1) {
    int32_t status = run_on_device(step, step->moving, done < steps, error);
    if (error->code != NULL) return -1;
    for (int32_t at = 0; at < step->scalar_count; at += 1) *series++ = scalar_value(step->outputs[step->scalar_outputs[at]], step->scalar_dtypes[at]);
    if (status != 0 || done == steps) return status;
    for (int32_t at = 0; at < step->feed_count; at += 1) step->moving[at] = (const char *)step->moving[at] + (int64_t)strides[at];
  }
}

int32_t tfc_step_run(tfc_step *step, tfc_error *error) {
  if (!ready(step, error)) return -1;
  if (step->session->gpu != NULL) return run_on_device(step, step->feeds, false, error);
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
  if (step->session->gpu != NULL) return repeat_on_device(step, steps, strides, series, error);
  course all = begin(step, step->moving, steps);
  all.strides = strides;
  all.series = series;
  return perform(&all);
}
