/* Steps on a GPU (see device-step.h). */
#include "device-step.h"

#include <stdlib.h>
#include <string.h>

#include "scalar.h"

/* Lines of a GPU's memory. */
#define LINE 256
/* While the device works on the feeds of one slot, the other is filled. */
#define SLOTS 2
/* The longest scalar. */
#define SCALAR 8

/* Places of feeds, and what was recorded for them. */
typedef struct {
  void **feeds;
  tfc_gpu_graph *graph; /* NULL: not recorded */
  bool ran;             /* at these sizes, with the arena and the places of variables below */
  void *arena;
  int64_t swaps;
  /* Of steps in a row. */
  tfc_gpu_event *sent;
  tfc_gpu_event *done;
} slot;

struct tfc_device_step {
  tfc_step *step;
  tfc_gpu_code *code;
  int64_t *bytes; /* of every feed, then of every output */
  int64_t feed_bytes; /* of all feeds' places, in whole lines */
  void **outputs;
  void *memory; /* outputs, then the feeds of the first slot */
  int64_t memory_bytes;
  void *second; /* the feeds of the second slot; NULL: no two steps in a row yet */
  int64_t second_bytes;
  char *pinned; /* feeds of both slots, then for each slot its scalars and what its check says */
  int64_t pinned_bytes;
  slot slots[SLOTS];
};

static int64_t lines(int64_t bytes) { return bytes / LINE * LINE + LINE; }

static tfc_gpu *gpu_of(const tfc_device_step *device) { return device->step->session->gpu; }

tfc_device_step *tfc_device_step_create(tfc_step *step, const tfc_device_code *source, tfc_error *error) {
  tfc_gpu_code *code = tfc_gpu_load(step->session->gpu, source, error);
  if (code == NULL) return NULL;
  tfc_device_step *device = calloc(1, sizeof(tfc_device_step));
  bool enough = device != NULL;
  if (enough) {
    *device = (tfc_device_step){.step = step, .code = code};
    device->bytes = calloc((size_t)step->feed_count + (size_t)step->output_count + 1, sizeof(int64_t));
    device->outputs = calloc((size_t)step->output_count + 1, sizeof(void *));
    enough = device->bytes != NULL && device->outputs != NULL;
    for (int at = 0; at < SLOTS; at += 1) {
      device->slots[at].feeds = calloc((size_t)step->feed_count + 1, sizeof(void *));
      enough = enough && device->slots[at].feeds != NULL;
    }
  }
  if (enough) return device;
  TFC_FAIL(error, "out-of-memory", "no memory for a step");
  tfc_device_step_destroy(device);
  return NULL;
}

static void forget(tfc_device_step *device, slot *one) {
  tfc_gpu_give(gpu_of(device), one->graph);
  one->graph = NULL;
  one->ran = false;
}

void tfc_device_step_destroy(tfc_device_step *device) {
  if (device == NULL) return;
  tfc_gpu *gpu = gpu_of(device);
  for (int at = 0; at < SLOTS; at += 1) {
    slot *one = &device->slots[at];
    free(one->feeds);
    /* Closing the session closed the device, and all that it held. */
    if (gpu == NULL) continue;
    forget(device, one);
    tfc_gpu_give(gpu, one->sent);
    tfc_gpu_give(gpu, one->done);
  }
  if (gpu != NULL) {
    tfc_gpu_give(gpu, device->memory);
    tfc_gpu_give(gpu, device->second);
    tfc_gpu_give(gpu, device->pinned);
  }
  free(device->bytes);
  free(device->outputs);
  free(device);
}

/* At least `bytes` bytes of the device's memory instead of those at `memory`; what they hold is lost. */
static bool widen(tfc_device_step *device, void **memory, int64_t *known, int64_t bytes, tfc_error *error) {
  if (bytes <= *known) return true;
  tfc_gpu_give(gpu_of(device), *memory);
  *known = 0;
  *memory = tfc_gpu_take(gpu_of(device), (size_t)bytes, false, error);
  if (*memory != NULL) *known = bytes;
  return *memory != NULL;
}

static void place_feeds(tfc_device_step *device, slot *one, char *from) {
  for (int32_t at = 0; at < device->step->feed_count; at += 1) {
    one->feeds[at] = from;
    from += lines(device->bytes[at]);
  }
}

bool tfc_device_step_size(tfc_device_step *device, tfc_error *error) {
  const tfc_step *step = device->step;
  int64_t *bytes = device->bytes;
  int64_t outputs = 0;
  for (int at = 0; at < SLOTS; at += 1) forget(device, &device->slots[at]);
  memset(bytes, 0, ((size_t)step->feed_count + (size_t)step->output_count) * sizeof(int64_t));
  step->entry->io_bytes(step->dims, bytes, bytes + step->feed_count);
  device->feed_bytes = 0;
  for (int32_t at = 0; at < step->feed_count; at += 1) device->feed_bytes += lines(bytes[at]);
  for (int32_t at = 0; at < step->output_count; at += 1) outputs += lines(bytes[step->feed_count + at]);
  if (!widen(device, &device->memory, &device->memory_bytes, outputs + device->feed_bytes, error)) return false;
  char *place = device->memory;
  for (int32_t at = 0; at < step->output_count; at += 1) {
    device->outputs[at] = place;
    place += lines(bytes[step->feed_count + at]);
  }
  place_feeds(device, &device->slots[0], place);
  return true;
}

/* The launches of a step, which from the second time on are one: until sizes change, the arena grows, or variables change places. */
static void launch_all(tfc_device_step *device, slot *one) {
  tfc_session *session = device->step->session;
  const tfc_entry *entry = device->step->entry;
  const tfc_device_call on_device = {
      {.feeds = (const void *const *)one->feeds, .outputs = device->outputs, .variables = session->variables, .dims = device->step->dims, .arena = session->arena},
      tfc_gpu_begin(session->gpu, device->code),
  };
  if (!one->ran || one->arena != session->arena || one->swaps != session->swaps) {
    forget(device, one);
    one->ran = true;
    one->arena = session->arena;
    one->swaps = session->swaps;
    (void)entry->run(&on_device.call);
    return;
  }
  if (one->graph == NULL) {
    tfc_gpu_record(session->gpu);
    (void)entry->run(&on_device.call);
    one->graph = tfc_gpu_recorded(session->gpu);
  }
  if (one->graph != NULL) tfc_gpu_replay(session->gpu, one->graph);
}

static void fetch_outputs(tfc_device_step *device) {
  const tfc_step *step = device->step;
  for (int32_t at = 0; at < step->output_count; at += 1) tfc_gpu_fetch(gpu_of(device), step->outputs[at], device->outputs[at], (size_t)device->bytes[step->feed_count + at]);
}

int32_t tfc_device_step_run(tfc_device_step *device, tfc_error *error) {
  const tfc_step *step = device->step;
  slot *one = &device->slots[0];
  for (int32_t at = 0; at < step->feed_count; at += 1) tfc_gpu_send(gpu_of(device), one->feeds[at], step->feeds[at], (size_t)device->bytes[at]);
  launch_all(device, one);
  fetch_outputs(device);
  const int64_t checked = step->entry->checked;
  if (!tfc_gpu_finish(gpu_of(device), error)) return -1;
  return checked < 0 ? 0 : *(const int32_t *)step->outputs[checked];
}

/* What steps in a row need beside the first slot, at these sizes. */
static bool prepare(tfc_device_step *device, tfc_error *error) {
  tfc_gpu *gpu = gpu_of(device);
  const int64_t pinned = SLOTS * (device->feed_bytes + (device->step->scalar_count + 1) * SCALAR);
  if (!widen(device, &device->second, &device->second_bytes, device->feed_bytes, error)) return false;
  place_feeds(device, &device->slots[1], device->second);
  if (pinned > device->pinned_bytes) {
    tfc_gpu_give(gpu, device->pinned);
    device->pinned_bytes = 0;
    device->pinned = tfc_gpu_pin(gpu, (size_t)pinned, error);
    if (device->pinned == NULL) return false;
    device->pinned_bytes = pinned;
  }
  for (int at = 0; at < SLOTS; at += 1) {
    slot *one = &device->slots[at];
    if (one->sent == NULL) one->sent = tfc_gpu_event_make(gpu, error);
    if (one->done == NULL) one->done = tfc_gpu_event_make(gpu, error);
    if (one->sent == NULL || one->done == NULL) return false;
  }
  return true;
}

/* Feeds of step `at` on their way, through pinned memory; those that stay as they are travel once for every slot. */
static void stage_feeds(tfc_device_step *device, int64_t at, const double *strides) {
  const tfc_step *step = device->step;
  slot *one = &device->slots[at % SLOTS];
  char *through = device->pinned + at % SLOTS * device->feed_bytes;
  for (int32_t feed = 0; feed < step->feed_count; feed += 1) {
    const int64_t bytes = device->bytes[feed];
    if (at < SLOTS || strides[feed] != 0) {
      if (bytes != 0) memcpy(through, step->moving[feed], (size_t)bytes);
      tfc_gpu_stage(gpu_of(device), one->feeds[feed], through, (size_t)bytes);
    }
    step->moving[feed] = (const char *)step->moving[feed] + (int64_t)strides[feed];
    through += lines(bytes);
  }
  tfc_gpu_staged(gpu_of(device), one->sent);
}

static char *scalars_of(const tfc_device_step *device, int64_t at) {
  return device->pinned + SLOTS * device->feed_bytes + at % SLOTS * (device->step->scalar_count + 1) * SCALAR;
}

/* With what the check says behind them. */
static void fetch_scalars(tfc_device_step *device, int64_t at) {
  const tfc_step *step = device->step;
  const int64_t checked = step->entry->checked;
  char *to = scalars_of(device, at);
  if (checked >= 0) tfc_gpu_fetch(gpu_of(device), to + step->scalar_count * SCALAR, device->outputs[checked], sizeof(int32_t));
  for (int32_t scalar = 0; scalar < step->scalar_count; scalar += 1) {
    const int32_t output = step->scalar_outputs[scalar];
    tfc_gpu_fetch(gpu_of(device), to + scalar * SCALAR, device->outputs[output], (size_t)device->bytes[step->feed_count + output]);
  }
}

static void note_scalars(const tfc_device_step *device, int64_t at, double *series) {
  const tfc_step *step = device->step;
  const char *from = scalars_of(device, at);
  for (int32_t scalar = 0; scalar < step->scalar_count; scalar += 1) series[at * step->scalar_count + scalar] = tfc_scalar_value(from + scalar * SCALAR, step->scalar_dtypes[scalar]);
}

int32_t tfc_device_step_repeat(tfc_device_step *device, int64_t steps, const double *strides, double *series, tfc_error *error) {
  tfc_gpu *gpu = gpu_of(device);
  if (!prepare(device, error)) return -1;
  const bool checks = device->step->entry->checked >= 0;
  int64_t at = 0, staged = 0, noted = 0;
  int32_t status = 0;
  bool works = true;
  (void)tfc_gpu_begin(gpu, device->code);
  for (; at < steps && status == 0 && works; at += 1) {
    slot *one = &device->slots[at % SLOTS];
    if (at >= SLOTS) {
      works = tfc_gpu_reach(gpu, one->done);
      note_scalars(device, noted++, series);
    }
    if (staged == at) stage_feeds(device, staged++, strides);
    launch_all(device, one);
    fetch_scalars(device, at);
    tfc_gpu_mark(gpu, one->done);
    if (!checks) continue;
    /* Behind a step whose check fails there is none. */
    if (staged < steps) stage_feeds(device, staged++, strides);
    works = tfc_gpu_reach(gpu, one->done);
    if (works) status = *(const int32_t *)(scalars_of(device, at) + device->step->scalar_count * SCALAR);
  }
  fetch_outputs(device);
  if (!tfc_gpu_finish(gpu, error)) return -1;
  while (noted < at) note_scalars(device, noted++, series);
  return status;
}
