/* A device (see gpu.h), by what cuda-driver.h found. */
#include "gpu.h"

#include <stdlib.h>
#include <string.h>

#include "cuda-driver.h"

/* What a device must have: kernels are made for this generation and later ones. */
#define LEAST_CAPABILITY 80
#define LEAST_DRIVER 11050
#define LOG_BYTES 4096

enum { CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76 };
enum { MOST_SHARED = 8 };
enum { OUT_OF_MEMORY = 2 };
enum { LOG_BUFFER = 5, LOG_SIZE = 6 };
enum { NON_BLOCKING = 1 };
/* Other threads may do what they like meanwhile. */
enum { CAPTURE_OF_THREAD = 1 };
enum { WITHOUT_TIMES = 2 };
/* For every device. */
enum { PINNED_FOR_ALL = 1 };

struct tfc_gpu_code {
  tfc_device device; /* first: what code is handed points to it */
  tfc_gpu *gpu;
  const tfc_device_code *source;
  void *module;
  void **functions;
  tfc_gpu_code *next;
};

typedef enum { MEMORY, PINNED, EVENT, GRAPH } kind;

/* What the device holds for somebody who may be gone before it is given back. */
typedef struct held {
  struct held *next;
  void *what;
  kind kind;
} held;

struct tfc_gpu {
  int device;
  int capability; /* as a tfc_device_code says it */
  int driver;
  void *context;
  void *stream;
  void *staging; /* the stream of copies that run beside steps */
  tfc_gpu_code *codes;
  held *all;
  tfc_error failed; /* the first failure */
};

static const tfc_cuda *const cuda = &tfc_cuda_driver;

static void tell(tfc_error *error, const char *code, const char *what, status of) {
  const char *name = NULL, *text = NULL;
  if (cuda->error_name(of, &name) != 0 || name == NULL) name = "an error without a name";
  if (cuda->error_text(of, &text) != 0 || text == NULL) text = "the driver does not say what";
  TFC_FAIL(error, code, "%s failed: %s (%s, %d)", what, text, name, of);
}

/* Keeps the first failure; false when there is one. */
static bool succeeded(tfc_gpu *gpu, const char *what, status of) {
  if (of != 0 && gpu->failed.code == NULL) tell(&gpu->failed, "device-failed", what, of);
  return of == 0;
}

static bool said(const tfc_gpu *gpu, tfc_error *error) {
  if (gpu->failed.code == NULL) return true;
  *error = gpu->failed;
  return false;
}

/* Of `found` only what is said here is known yet. */
static bool capable(tfc_gpu *found, int number, tfc_error *error) {
  int major = 0, minor = 0;
  status of = cuda->driver_version(&found->driver);
  if (of == 0) of = cuda->device_attribute(&major, CAPABILITY_MAJOR, found->device);
  if (of == 0) of = cuda->device_attribute(&minor, CAPABILITY_MINOR, found->device);
  found->capability = 10 * major + minor;
  if (of != 0) tell(error, "no-device", "asking the GPU what it can do", of);
  else if (found->driver < LEAST_DRIVER) TFC_FAIL(error, "no-device", "the driver for NVIDIA GPUs is of CUDA %d.%d, and kernels need %d.%d", found->driver / 1000, found->driver % 1000 / 10, LEAST_DRIVER / 1000, LEAST_DRIVER % 1000 / 10);
  else if (found->capability < LEAST_CAPABILITY) TFC_FAIL(error, "no-device", "GPU %d has compute capability %d.%d, and kernels need %d.%d", number, major, minor, LEAST_CAPABILITY / 10, LEAST_CAPABILITY % 10);
  else return true;
  return false;
}

static void let_go(const held *one) {
  switch (one->kind) {
    case MEMORY: (void)cuda->release_memory((address)(uintptr_t)one->what); break;
    case PINNED: (void)cuda->unpin(one->what); break;
    case EVENT: (void)cuda->event_destroy(one->what); break;
    case GRAPH: (void)cuda->destroy_made(one->what); break;
  }
}

/* NULL, and it is let go, when there is no memory to know of it. */
static void *hold(tfc_gpu *gpu, void *what, kind kind) {
  held *one = malloc(sizeof(held));
  const held new = {gpu->all, what, kind};
  if (one == NULL) {
    let_go(&new);
    return NULL;
  }
  *one = new;
  gpu->all = one;
  return what;
}

/* The same, with an error. */
static void *handed(tfc_gpu *gpu, void *what, kind kind, tfc_error *error) {
  void *kept = hold(gpu, what, kind);
  if (kept == NULL) TFC_FAIL(error, "out-of-memory", "no memory for a device");
  return kept;
}

static void give_up(tfc_gpu *gpu, void *what) {
  for (held **at = &gpu->all; *at != NULL; at = &(*at)->next) {
    held *one = *at;
    if (one->what != what) continue;
    *at = one->next;
    let_go(one);
    free(one);
    return;
  }
}

tfc_gpu *tfc_gpu_open(int32_t number, tfc_error *error) {
  if (!tfc_cuda_open(error)) return NULL;
  int count = 0;
  tfc_gpu found = {0};
  status of = cuda->init(0);
  if (of == 0) of = cuda->device_count(&count);
  if (of != 0) {
    tell(error, "no-device", "starting the driver for NVIDIA GPUs", of);
    return NULL;
  }
  if (number < 0 || number >= count) {
    TFC_FAIL(error, "no-device", "there is no GPU %d: this machine has %d", (int)number, count);
    return NULL;
  }
  of = cuda->device_get(&found.device, number);
  if (of != 0) tell(error, "no-device", "opening the GPU", of);
  if (of != 0 || !capable(&found, number, error)) return NULL;
  tfc_gpu *gpu = malloc(sizeof(tfc_gpu));
  if (gpu == NULL) {
    TFC_FAIL(error, "out-of-memory", "no memory for a device");
    return NULL;
  }
  *gpu = found;
  if (succeeded(gpu, "opening the GPU", cuda->retain(&gpu->context, gpu->device)) && succeeded(gpu, "opening the GPU", cuda->set_current(gpu->context)) && succeeded(gpu, "opening the GPU", cuda->stream_create(&gpu->stream, NON_BLOCKING)) && succeeded(gpu, "opening the GPU", cuda->stream_create(&gpu->staging, NON_BLOCKING))) return gpu;
  (void)said(gpu, error);
  tfc_gpu_close(gpu);
  return NULL;
}

/* Waits for all that was asked, failed or not. */
static void rest(const tfc_gpu *gpu) {
  if (gpu->staging != NULL) (void)cuda->stream_wait(gpu->staging);
  if (gpu->stream != NULL) (void)cuda->stream_wait(gpu->stream);
}

void tfc_gpu_close(tfc_gpu *gpu) {
  if (gpu == NULL) return;
  if (gpu->context != NULL) {
    (void)cuda->set_current(gpu->context);
    rest(gpu);
    for (tfc_gpu_code *code = gpu->codes; code != NULL;) {
      tfc_gpu_code *next = code->next;
      if (code->module != NULL) (void)cuda->unload(code->module);
      free(code->functions);
      free(code);
      code = next;
    }
    while (gpu->all != NULL) give_up(gpu, gpu->all->what);
    if (gpu->stream != NULL) (void)cuda->stream_destroy(gpu->stream);
    if (gpu->staging != NULL) (void)cuda->stream_destroy(gpu->staging);
    (void)cuda->release(gpu->device);
  }
  free(gpu);
}

void *tfc_gpu_take(tfc_gpu *gpu, size_t bytes, bool zero, tfc_error *error) {
  address memory = 0;
  if (!said(gpu, error) || !succeeded(gpu, "asking for memory of the GPU", cuda->set_current(gpu->context))) return NULL;
  status of = cuda->allocate(&memory, bytes == 0 ? 1 : bytes);
  if (of == OUT_OF_MEMORY) {
    size_t left = 0, all = 0;
    (void)cuda->memory_info(&left, &all);
    TFC_FAIL(error, "out-of-memory", "the GPU has %zu of its %zu bytes free, and %zu are needed", left, all, bytes);
    return NULL;
  }
  if (succeeded(gpu, "asking for memory of the GPU", of) && (!zero || succeeded(gpu, "clearing memory of the GPU", cuda->clear(memory, 0, bytes, gpu->stream)))) return handed(gpu, (void *)(uintptr_t)memory, MEMORY, error);
  (void)said(gpu, error);
  return NULL;
}

void *tfc_gpu_pin(tfc_gpu *gpu, size_t bytes, tfc_error *error) {
  void *memory = NULL;
  if (!said(gpu, error) || !succeeded(gpu, "asking for pinned memory", cuda->set_current(gpu->context))) return NULL;
  status of = cuda->pin(&memory, bytes == 0 ? 1 : bytes, PINNED_FOR_ALL);
  if (of == 0) return handed(gpu, memory, PINNED, error);
  if (of == OUT_OF_MEMORY) TFC_FAIL(error, "out-of-memory", "no pinned memory for the %zu bytes of feeds on their way to the GPU", bytes);
  else (void)(succeeded(gpu, "asking for pinned memory", of), said(gpu, error));
  return NULL;
}

tfc_gpu_event *tfc_gpu_event_make(tfc_gpu *gpu, tfc_error *error) {
  void *event = NULL;
  if (said(gpu, error) && succeeded(gpu, "making an event", cuda->set_current(gpu->context)) && succeeded(gpu, "making an event", cuda->event_create(&event, WITHOUT_TIMES))) return handed(gpu, event, EVENT, error);
  (void)said(gpu, error);
  return NULL;
}

void tfc_gpu_give(tfc_gpu *gpu, void *what) {
  if (what == NULL) return;
  (void)cuda->set_current(gpu->context);
  rest(gpu);
  give_up(gpu, what);
}

static void launch(tfc_device *device, int32_t kernel, int64_t blocks, void *const *arguments) {
  tfc_gpu_code *code = (tfc_gpu_code *)device;
  tfc_gpu *gpu = code->gpu;
  if (blocks <= 0 || gpu->failed.code != NULL) return;
  if (blocks > INT32_MAX) {
    TFC_FAIL(&gpu->failed, "out-of-memory", "a kernel would need %lld blocks of threads", (long long)blocks);
    return;
  }
  (void)succeeded(gpu, code->source->functions[kernel], cuda->launch(code->functions[kernel], (unsigned)blocks, 1, 1, (unsigned)code->source->threads, 1, 1, (unsigned)code->source->shared[kernel], gpu->stream, (void **)(uintptr_t)arguments, NULL));
}

const tfc_device_code *tfc_gpu_best(const tfc_gpu *gpu, const tfc_device_code *codes, int32_t count) {
  for (int32_t at = count - 1; at >= 0; at -= 1) {
    const tfc_device_code *code = &codes[at];
    bool runs = code->capability == gpu->capability || (code->later == 1 && code->capability < gpu->capability);
    if (runs && code->driver <= gpu->driver) return code;
  }
  return NULL;
}

tfc_gpu_code *tfc_gpu_load(tfc_gpu *gpu, const tfc_device_code *source, tfc_error *error) {
  for (tfc_gpu_code *known = gpu->codes; known != NULL; known = known->next)
    if (known->source == source) return known;
  if (!said(gpu, error) || !succeeded(gpu, "loading kernels", cuda->set_current(gpu->context))) return NULL;
  tfc_gpu_code *code = calloc(1, sizeof(tfc_gpu_code));
  void **functions = calloc((size_t)source->function_count + 1, sizeof(void *));
  char *log = calloc(1, LOG_BYTES);
  if (code == NULL || functions == NULL || log == NULL) {
    TFC_FAIL(error, "out-of-memory", "no memory for the kernels of an artifact");
    free(code);
    free(functions);
    free(log);
    return NULL;
  }
  *code = (tfc_gpu_code){.device = {launch}, .gpu = gpu, .source = source, .functions = functions, .next = gpu->codes};
  gpu->codes = code;
  int options[] = {LOG_BUFFER, LOG_SIZE};
  void *values[] = {log, (void *)(uintptr_t)(LOG_BYTES - 1)};
  status of = cuda->load(&code->module, source->text, 2, options, values);
  if (of != 0) {
    tell(&gpu->failed, "device-failed", "compiling kernels by the GPU's driver", of);
    size_t length = strlen(gpu->failed.text);
    if (log[0] != 0) (void)snprintf(gpu->failed.text + length, sizeof(gpu->failed.text) - length, ": %s", log);
  }
  for (int32_t at = 0; of == 0 && at < source->function_count; at += 1) {
    of = cuda->function(&functions[at], code->module, source->functions[at]);
    if (of == 0 && source->shared[at] > 0) of = cuda->function_set(functions[at], MOST_SHARED, source->shared[at]);
    (void)succeeded(gpu, source->functions[at], of);
  }
  free(log);
  return said(gpu, error) ? code : NULL;
}

bool tfc_gpu_write(tfc_gpu *gpu, void *to, const void *from, size_t rows, size_t bytes, size_t pitch, tfc_error *error) {
  if (pitch == bytes || rows <= 1) tfc_gpu_send(gpu, to, from, rows * bytes);
  else
    for (size_t at = 0; at < rows; at += 1) tfc_gpu_send(gpu, (char *)to + at * pitch, (const char *)from + at * bytes, bytes);
  return tfc_gpu_finish(gpu, error);
}

bool tfc_gpu_read(tfc_gpu *gpu, void *to, const void *from, size_t rows, size_t bytes, size_t pitch, tfc_error *error) {
  if (pitch == bytes || rows <= 1) tfc_gpu_fetch(gpu, to, from, rows * bytes);
  else
    for (size_t at = 0; at < rows; at += 1) tfc_gpu_fetch(gpu, (char *)to + at * bytes, (const char *)from + at * pitch, bytes);
  return tfc_gpu_finish(gpu, error);
}

tfc_device *tfc_gpu_begin(tfc_gpu *gpu, tfc_gpu_code *code) {
  if (gpu->failed.code == NULL) (void)succeeded(gpu, "starting a step", cuda->set_current(gpu->context));
  return &code->device;
}

void tfc_gpu_record(tfc_gpu *gpu) {
  if (gpu->failed.code == NULL) (void)succeeded(gpu, "recording a step", cuda->capture(gpu->stream, CAPTURE_OF_THREAD));
}

tfc_gpu_graph *tfc_gpu_recorded(tfc_gpu *gpu) {
  void *graph = NULL, *made = NULL;
  if (gpu->failed.code != NULL || !succeeded(gpu, "recording a step", cuda->captured(gpu->stream, &graph))) return NULL;
  (void)succeeded(gpu, "recording a step", cuda->instantiate(&made, graph, 0));
  (void)cuda->destroy_graph(graph);
  return made == NULL ? NULL : hold(gpu, made, GRAPH);
}

void tfc_gpu_replay(tfc_gpu *gpu, tfc_gpu_graph *graph) {
  if (gpu->failed.code == NULL) (void)succeeded(gpu, "launching a step", cuda->launch_graph(graph, gpu->stream));
}

void tfc_gpu_send(tfc_gpu *gpu, void *to, const void *from, size_t bytes) {
  if (gpu->failed.code != NULL || bytes == 0 || !succeeded(gpu, "copying to the GPU", cuda->set_current(gpu->context))) return;
  (void)succeeded(gpu, "copying to the GPU", cuda->to_device((address)(uintptr_t)to, from, bytes, gpu->stream));
}

void tfc_gpu_stage(tfc_gpu *gpu, void *to, const void *from, size_t bytes) {
  if (gpu->failed.code == NULL && bytes != 0) (void)succeeded(gpu, "copying to the GPU", cuda->to_device((address)(uintptr_t)to, from, bytes, gpu->staging));
}

void tfc_gpu_staged(tfc_gpu *gpu, tfc_gpu_event *event) {
  if (gpu->failed.code == NULL && succeeded(gpu, "copying to the GPU", cuda->event_record(event, gpu->staging))) (void)succeeded(gpu, "copying to the GPU", cuda->wait_for_event(gpu->stream, event, 0));
}

void tfc_gpu_mark(tfc_gpu *gpu, tfc_gpu_event *event) {
  if (gpu->failed.code == NULL) (void)succeeded(gpu, "ending a step", cuda->event_record(event, gpu->stream));
}

bool tfc_gpu_reach(tfc_gpu *gpu, tfc_gpu_event *event) {
  return gpu->failed.code == NULL && succeeded(gpu, "waiting for the GPU", cuda->event_wait(event));
}

void tfc_gpu_fetch(tfc_gpu *gpu, void *to, const void *from, size_t bytes) {
  if (gpu->failed.code != NULL || bytes == 0 || !succeeded(gpu, "copying from the GPU", cuda->set_current(gpu->context))) return;
  (void)succeeded(gpu, "copying from the GPU", cuda->to_host(to, (address)(uintptr_t)from, bytes, gpu->stream));
}

bool tfc_gpu_finish(tfc_gpu *gpu, tfc_error *error) {
  if (gpu->failed.code == NULL) (void)succeeded(gpu, "waiting for the GPU", cuda->stream_wait(gpu->stream));
  return said(gpu, error);
}
