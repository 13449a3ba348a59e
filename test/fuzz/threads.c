/* The native runtime without Node, for sanitizers. In: the path of the sealed module of test/runtime/fixture.c. Out: exit code 0 when every result is right. Holds: sessions of several threads run at the same time, each with
   a team of its own; sizes change between steps; steps are lent to other threads, now to this one and now to that; what is refused is refused with a code. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/native/step.h"

enum { SCALE = 0, TRAIN = 1, SUM = 3, MIRROR = 4, HUGE_ARENA = 9, NATURAL = 11 };
#define MOST 4000

static const char *path;

#define REQUIRE(condition)                                                     \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, error.text);    \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

static tfc_step *step_of(tfc_session *session, tfc_loaded *module, int32_t entry, int32_t feeds, int32_t outputs, int32_t dims) {
  static const int32_t scalar_outputs[] = {0}, scalar_dtypes[] = {0};
  tfc_error error = {0};
  const tfc_step_layout layout = {feeds, outputs, dims, entry == TRAIN ? 1 : 0, scalar_outputs, scalar_dtypes};
  tfc_step *step = tfc_step_create(session, module, entry, &layout, &error);
  REQUIRE(step != NULL);
  return step;
}

static void sums(tfc_session *session, tfc_loaded *module, int32_t entry, double more) {
  tfc_error error = {0};
  tfc_step *step = step_of(session, module, entry, 1, 1, 1);
  double *x = malloc(MOST * sizeof(double)), result = 0;
  step->feeds[0] = x;
  step->outputs[0] = &result;
  for (int round = 0; round < 60; round += 1) {
    const int count = (round * 271) % MOST;
    const double dims[] = {count};
    double expected = 0;
    for (int at = 0; at < count; at += 1) expected += (x[at] = (at * 7 + round) % 100) + more;
    REQUIRE(tfc_step_size(step, dims, &error) >= 0);
    REQUIRE(tfc_step_run(step, &error) == 0);
    REQUIRE(result == expected);
  }
  free(x);
  tfc_step_destroy(step);
}

static void training(tfc_session *session, tfc_loaded *module) {
  tfc_error error = {0};
  tfc_step *step = step_of(session, module, TRAIN, 2, 2, 1);
  float *x = calloc(12, sizeof(float)), *y = calloc(6, sizeof(float)), loss = 0, w[2] = {1, 2};
  int32_t count = 0;
  double series[3];
  step->feeds[0] = x, step->feeds[1] = y;
  step->outputs[0] = &loss, step->outputs[1] = &count;
  for (int at = 0; at < 12; at += 1) x[at] = 2;
  REQUIRE(tfc_session_write(session, 0, w, &error));
  const double dims[] = {2}, strides[] = {2 * 2 * sizeof(float), 2 * sizeof(float)};
  REQUIRE(tfc_step_size(step, dims, &error) >= 0);
  REQUIRE(tfc_step_repeat(step, 3, strides, series, &error) == 0);
  REQUIRE(tfc_session_read(session, 0, w, &error));
  REQUIRE(w[0] == 7 && w[1] == 8 && count == 3 && series[2] == loss);
  free(x);
  free(y);
  tfc_step_destroy(step);
}

static void refusals(tfc_session *session, tfc_loaded *module) {
  tfc_error error = {0};
  const tfc_step_layout layout = {0, 0, 0, 0, NULL, NULL};
  REQUIRE(tfc_step_create(session, module, 1000, &layout, &error) == NULL);
  REQUIRE(tfc_step_create(session, module, -1, &layout, &error) == NULL);
  REQUIRE(tfc_loaded_open("/nowhere/module.so", &error) == NULL && strcmp(error.code, "file-not-found") == 0);
  REQUIRE(tfc_loaded_open("/", &error) == NULL);
  tfc_step *step = step_of(session, module, HUGE_ARENA, 0, 0, 0);
  REQUIRE(tfc_step_size(step, NULL, &error) < 0 && strcmp(error.code, "out-of-memory") == 0);
  tfc_step_destroy(step);
  step = step_of(session, module, NATURAL, 1, 1, 0);
  int32_t given = -5, result = 0;
  step->feeds[0] = &given;
  step->outputs[0] = &result;
  REQUIRE(tfc_step_size(step, NULL, &error) >= 0);
  REQUIRE(tfc_step_run(step, &error) == 3);
  tfc_step_destroy(step);
}

/* Threads that take steps from a queue, as Node's pool does, of all sessions alike. */
#define FLYERS 3
typedef struct flight {
  tfc_step *step;
  struct flight *next;
  int32_t status;
  bool landed;
  tfc_error error;
} flight;

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  flight *first;
  bool over;
} pool = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, false};

static void *flyer(void *nothing) {
  (void)nothing;
  pthread_mutex_lock(&pool.lock);
  while (!pool.over) {
    flight *taken = pool.first;
    if (taken == NULL) {
      pthread_cond_wait(&pool.changed, &pool.lock);
      continue;
    }
    pool.first = taken->next;
    pthread_mutex_unlock(&pool.lock);
    taken->status = tfc_step_run(taken->step, &taken->error);
    pthread_mutex_lock(&pool.lock);
    taken->landed = true;
    pthread_cond_broadcast(&pool.changed);
  }
  pthread_mutex_unlock(&pool.lock);
  return NULL;
}

static void flights(tfc_session *session, tfc_loaded *module) {
  tfc_error error = {0};
  tfc_step *step = step_of(session, module, MIRROR, 1, 1, 1);
  double *x = malloc(MOST * sizeof(double)), result = 0;
  step->feeds[0] = x;
  step->outputs[0] = &result;
  for (int round = 0; round < 60; round += 1) {
    const int count = (round * 271) % MOST;
    const double dims[] = {count};
    double expected = 0;
    for (int at = 0; at < count; at += 1) expected += (x[at] = (at * 7 + round) % 100) + 1;
    REQUIRE(tfc_step_size(step, dims, &error) >= 0);
    /* Every third time its owner runs it. */
    if (round % 3 == 2) {
      REQUIRE(tfc_step_run(step, &error) == 0);
      REQUIRE(result == expected);
      continue;
    }
    REQUIRE(tfc_step_lend(step, &error));
    flight mine = {.step = step};
    pthread_mutex_lock(&pool.lock);
    flight **last = &pool.first;
    while (*last != NULL) last = &(*last)->next;
    *last = &mine;
    pthread_cond_broadcast(&pool.changed);
    pthread_mutex_unlock(&pool.lock);
    /* What the owner may do meanwhile: make another step, bind to it, leave it. */
    tfc_step *other = step_of(session, module, SUM, 1, 1, 1);
    other->feeds[0] = x;
    REQUIRE(!tfc_step_lend(other, &error) && strcmp(error.code, "session-busy") == 0);
    tfc_step_destroy(other);
    pthread_mutex_lock(&pool.lock);
    while (!mine.landed) pthread_cond_wait(&pool.changed, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
    tfc_step_regain(step);
    error = mine.error;
    REQUIRE(mine.status == 0);
    REQUIRE(result == expected);
  }
  free(x);
  tfc_step_destroy(step);
}

static void *caller(void *threads) {
  tfc_error error = {0};
  tfc_loaded *module = tfc_loaded_open(path, &error);
  REQUIRE(module != NULL);
  /* As the manifest has them: f32[2], i32, f64, f32. */
  const tfc_rows rows[] = {{1, 8, 8}, {1, 4, 4}, {1, 8, 8}, {1, 4, 4}};
  for (int round = 0; round < 4; round += 1) {
    tfc_session *session = tfc_session_create(*(const int32_t *)threads, -1, 4, rows, &error);
    REQUIRE(session != NULL);
    sums(session, module, SUM, 0);
    sums(session, module, MIRROR, 1);
    training(session, module);
    flights(session, module);
    refusals(session, module);
    tfc_step *late = step_of(session, module, SCALE, 2, 1, 1);
    tfc_session_close(session);
    REQUIRE(tfc_step_run(late, &error) < 0 && strcmp(error.code, "session-closed") == 0);
    tfc_step_destroy(late);
    tfc_session_release(session);
  }
  tfc_loaded_release(module);
  return NULL;
}

int main(int count, char **words) {
  if (count != 2) return 2;
  path = words[1];
  static const int32_t threads[] = {1, 2, 3, 4};
  pthread_t callers[4], flyers[FLYERS];
  for (int at = 0; at < FLYERS; at += 1)
    if (pthread_create(&flyers[at], NULL, flyer, NULL) != 0) return 3;
  for (int at = 0; at < 4; at += 1)
    if (pthread_create(&callers[at], NULL, caller, (void *)&threads[at]) != 0) return 3;
  for (int at = 0; at < 4; at += 1) pthread_join(callers[at], NULL);
  pthread_mutex_lock(&pool.lock);
  pool.over = true;
  pthread_cond_broadcast(&pool.changed);
  pthread_mutex_unlock(&pool.lock);
  for (int at = 0; at < FLYERS; at += 1) pthread_join(flyers[at], NULL);
  return 0;
}
