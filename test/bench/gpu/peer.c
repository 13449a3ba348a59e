/* tfc on a GPU as a peer of the bench, without Node. In: `peer PLAN`, where a plan says what pack.ts wrote; requests as lines on standard input. Out: answers as lines of JSON, as those of
   protocol.py, and of two requests more: `bits N`, a checksum of results and variables behind N steps; `worst`, how far results lie from references.
   Holds: it is the runtime's own C sources, and nothing else of tfc; every request starts from the initial values; resetting is not timed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scalar.h"
#include "step.h"

typedef struct {
  size_t bytes;
  int32_t dtype;
  int32_t result; /* whether peers give it */
  long reference; /* of a function's results: where its references begin; -1: none */
  long samples;   /* how many there are, evenly apart, f64 */
  char *data;
} output;

static FILE *plan, *numbers;
static tfc_session *session;
static tfc_step *step;
static int64_t feed_count, output_count, variable_count, series_count;
static double *strides;
static output *outputs;
static char **initial; /* NULL: zeros */
static tfc_rows *rows;

static void stop(const char *code, const char *text) {
  fprintf(stderr, "%s: %s\n", code, text);
  exit(1);
}

static void require(bool held, const tfc_error *error) {
  if (!held) stop(error->code, error->text);
}

static void *room(size_t bytes) {
  void *memory = calloc(1, bytes + 64);
  if (memory == NULL) stop("out-of-memory", "no memory for the numbers of a workload");
  return memory;
}

static const char *word(const char *expected) {
  static char text[4096];
  if (fscanf(plan, "%4095s", text) != 1 || (expected != NULL && strcmp(text, expected) != 0)) stop("bad plan", expected == NULL ? "it ends" : expected);
  return text;
}

static long number(void) { return strtol(word(NULL), NULL, 10); }

static void read_at(long offset, void *to, size_t bytes) {
  if (fseek(numbers, offset, SEEK_SET) != 0 || fread(to, 1, bytes, numbers) != bytes) stop("bad plan", "its numbers end");
}

/* What is stored is repeated as often as it fits. */
static char *filled(long offset, size_t stored, size_t bytes) {
  char *to = room(bytes);
  if (bytes == 0) return to;
  read_at(offset, to, stored < bytes ? stored : bytes);
  for (size_t at = stored; at < bytes; at += stored) memcpy(to + at, to, stored < bytes - at ? stored : bytes - at);
  return to;
}

static void load(const char *path) {
  tfc_error error = {0};
  plan = fopen(path, "r");
  if (plan == NULL) stop("bad plan", path);
  (void)word("module");
  tfc_loaded *module = tfc_loaded_open(word(NULL), &error);
  require(module != NULL, &error);
  (void)word("numbers");
  numbers = fopen(word(NULL), "rb");
  if (numbers == NULL) stop("bad plan", "no numbers");
  (void)word("variables");
  variable_count = number();
  rows = room((size_t)variable_count * sizeof(tfc_rows));
  initial = room((size_t)variable_count * sizeof(char *));
  for (int64_t at = 0; at < variable_count; at += 1) {
    const long count = number(), bytes = number(), pitch = number(), offset = number();
    rows[at] = (tfc_rows){(double)count, (double)bytes, (double)pitch};
    if (offset >= 0) initial[at] = filled(offset, (size_t)(count * bytes), (size_t)(count * bytes));
  }
  session = tfc_session_create(1, 0, (int32_t)variable_count, rows, &error);
  require(session != NULL, &error);
  (void)word("entry");
  const int32_t entry = (int32_t)number();
  (void)word("feeds");
  feed_count = number();
  char **feeds = room((size_t)feed_count * sizeof(char *));
  strides = room((size_t)feed_count * sizeof(double));
  for (int64_t at = 0; at < feed_count; at += 1) {
    const long bytes = number(), offset = number(), stored = number();
    feeds[at] = filled(offset, (size_t)stored, (size_t)bytes);
  }
  (void)word("outputs");
  output_count = number();
  outputs = room((size_t)output_count * sizeof(output));
  for (int64_t at = 0; at < output_count; at += 1) {
    const long bytes = number(), dtype = number(), result = number(), reference = number(), samples = number();
    outputs[at] = (output){(size_t)bytes, (int32_t)dtype, (int32_t)result, reference, samples, room((size_t)bytes)};
  }
  (void)word("dims");
  const int64_t dim_count = number();
  double *dims = room((size_t)dim_count * sizeof(double));
  for (int64_t at = 0; at < dim_count; at += 1) dims[at] = (double)number();
  (void)word("loss");
  const int32_t loss = (int32_t)number();
  series_count = loss < 0 ? 0 : 1;
  const int32_t dtype = loss < 0 ? 0 : outputs[loss].dtype;
  const tfc_step_layout layout = {(int32_t)feed_count, (int32_t)output_count, (int32_t)dim_count, (int32_t)series_count, &loss, &dtype};
  step = tfc_step_create(session, module, entry, &layout, &error);
  require(step != NULL, &error);
  for (int64_t at = 0; at < feed_count; at += 1) step->feeds[at] = feeds[at];
  for (int64_t at = 0; at < output_count; at += 1) step->outputs[at] = outputs[at].data;
  require(tfc_step_size(step, dims, &error) >= 0, &error);
}

static void reset(void) {
  static const char zero[8];
  tfc_error error = {0};
  for (int64_t at = 0; at < variable_count; at += 1)
    require(initial[at] == NULL ? tfc_session_fill(session, (int32_t)at, zero, 1, &error) : tfc_session_write(session, (int32_t)at, initial[at], &error), &error);
}

/* Losses of so many steps. */
static double *run(long count) {
  tfc_error error = {0};
  double *series = room((size_t)(count * series_count) * sizeof(double));
  const int32_t status = tfc_step_repeat(step, count, strides, series, &error);
  require(status >= 0, &error);
  if (status > 0) stop("index-out-of-range", "a check of the entry failed");
  return series;
}

/* Bytes of an element, by the ABI's number of its dtype. */
static const size_t sizes[] = {4, 8, 2, 2, 4, 8, 1, 1, 1, 2, 2, 4, 8, 1, 1};

static double value(const output *of, size_t at) {
  return tfc_scalar_value(of->data + at * sizes[of->dtype], of->dtype);
}

static size_t count_of(const output *of) { return of->bytes / sizes[of->dtype]; }

static void show(double number) {
  if (isfinite(number)) printf("%.17g", number);
  else printf("null");
}

/* As checks_of of protocol.py. */
static void show_results(void) {
  bool first = true;
  for (int64_t at = 0; at < output_count; at += 1) {
    if (!outputs[at].result) continue;
    const size_t count = count_of(&outputs[at]);
    double squares = 0, slanted = 0;
    for (size_t element = 0; element < count; element += 1) {
      const double one = value(&outputs[at], element);
      squares += one * one;
      slanted += one * (double)(element % 7);
    }
    printf(first ? "[" : ", [");
    show(sqrt(squares / (double)count));
    printf(", ");
    show(slanted / (double)count);
    printf("]");
    first = false;
  }
}

/* Of each result, the largest distance from its references, relative to the root of their mean square. */
static void show_worst(void) {
  bool first = true;
  for (int64_t at = 0; at < output_count; at += 1) {
    const output *one = &outputs[at];
    if (one->reference < 0) continue;
    double *expected = room((size_t)one->samples * sizeof(double)), squares = 0, worst = 0;
    read_at(one->reference, expected, (size_t)one->samples * sizeof(double));
    for (long sample = 0; sample < one->samples; sample += 1) {
      const double distance = fabs(value(one, count_of(one) * (size_t)sample / (size_t)one->samples) - expected[sample]);
      squares += expected[sample] * expected[sample];
      if (!(distance <= worst)) worst = distance;
    }
    if (!first) printf(", ");
    show(worst / sqrt(squares / (double)one->samples));
    first = false;
    free(expected);
  }
}

/* FNV-1a. */
static void mix(uint64_t *hash, const char *data, size_t bytes) {
  for (size_t at = 0; at < bytes; at += 1) *hash = (*hash ^ (uint8_t)data[at]) * 0x100000001b3u;
}

static uint64_t bits(void) {
  tfc_error error = {0};
  uint64_t hash = 0xcbf29ce484222325u;
  for (int64_t at = 0; at < output_count; at += 1)
    if (outputs[at].result) mix(&hash, outputs[at].data, outputs[at].bytes);
  for (int64_t at = 0; at < variable_count; at += 1) {
    const size_t bytes = tfc_session_bytes(session, (int32_t)at);
    char *data = room(bytes);
    require(tfc_session_read(session, (int32_t)at, data, &error), &error);
    mix(&hash, data, bytes);
    free(data);
  }
  return hash;
}

static int64_t now(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(int count, char **arguments) {
  if (count != 2) stop("usage", "peer PLAN");
  load(arguments[1]);
  reset();
  free(run(1));
  printf("{\"ready\": true, \"system\": \"tfc\"}\n");
  fflush(stdout);
  char request[64];
  long steps = 0;
  while (scanf("%63s", request) == 1) {
    const bool worst = strcmp(request, "worst") == 0;
    if (worst) steps = 1;
    else if (scanf("%ld", &steps) != 1) stop("bad request", request);
    reset();
    const int64_t start = now();
    double *series = run(steps);
    const int64_t end = now();
    if (worst) {
      printf("{\"worst\": [");
      show_worst();
      printf("]}\n");
    } else if (strcmp(request, "check") == 0) {
      printf("{\"checks\": [");
      if (series_count == 0) show_results();
      else {
        for (long at = 0; at < steps; at += 1) {
          printf(at == 0 ? "[" : ", ");
          show(series[at]);
        }
        printf("]");
      }
      printf("]}\n");
    } else if (strcmp(request, "bits") == 0) printf("{\"bits\": \"%016llx\"}\n", (unsigned long long)bits());
    else printf("{\"ns\": %lld}\n", (long long)(end - start));
    fflush(stdout);
    free(series);
  }
  return 0;
}
