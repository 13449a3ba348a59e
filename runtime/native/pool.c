/* The pool's algorithm (see pool.h). A run is published as one word, generation and number of ranges; every range is claimed by compare-and-swap on its own slot.
   The caller works through range 0 first and then through whatever nobody has claimed yet, so that a worker that sleeps, or is not scheduled, delays nothing.
   A worker reads the job only after it claimed a range of this generation: until that range is finished the caller cannot publish another job. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "floating.h"
#include "memory.h"

#define LINE 64
#define MAXIMUM_THREADS 1024
#define RANGE_BITS 16
/* How long a thread spins before it sleeps: longer than what lies between two kernels of a step, short beside a wake-up by the system (30 to 40 µs). */
#define SPIN_NANOSECONDS 80000

typedef struct {
  _Alignas(LINE) _Atomic uint64_t claimed; /* generation in which this range was claimed last */
} range_slot;

typedef struct {
  tfc_threads *owner;
  int32_t slot;
  pthread_t thread;
} worker;

struct tfc_threads {
  tfc_pool pool;
  int32_t wanted;
  int32_t started; /* workers that run, without the caller */
  bool attempted;
  int64_t spin;
  /* the job of the current generation */
  void (*task)(void *context, int64_t begin, int64_t end);
  void *context;
  int64_t blocks;
  range_slot *slots;
  worker *workers;
  atomic_flag busy;
  _Alignas(LINE) _Atomic uint64_t word; /* generation << RANGE_BITS | ranges */
  _Alignas(LINE) _Atomic int32_t pending;
  _Atomic int32_t caller_sleeps;
  _Alignas(LINE) _Atomic int32_t sleepers;
  _Atomic bool stop;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  pthread_cond_t done;
};

static _Thread_local int inside = 0;

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int32_t usable_processors(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online < 1 ? 1 : (int32_t)online;
}

static void run_range(tfc_threads *threads, int32_t index, int32_t ranges) {
  int64_t share = threads->blocks / ranges;
  int64_t extra = threads->blocks % ranges;
  int64_t begin = share * index + (index < extra ? index : extra);
  int64_t end = begin + share + (index < extra ? 1 : 0);
  inside += 1;
  threads->task(threads->context, begin, end);
  inside -= 1;
  if (atomic_fetch_sub(&threads->pending, 1) == 1 && atomic_load(&threads->caller_sleeps) != 0) {
    pthread_mutex_lock(&threads->mutex);
    pthread_cond_signal(&threads->done);
    pthread_mutex_unlock(&threads->mutex);
  }
}

static bool claim(tfc_threads *threads, int32_t index, uint64_t word) {
  uint64_t generation = word >> RANGE_BITS;
  uint64_t last = atomic_load(&threads->slots[index].claimed);
  return last < generation && atomic_compare_exchange_strong(&threads->slots[index].claimed, &last, generation);
}

/* Returns when another word than `seen` is published or the pool stops. */
static uint64_t next_word(tfc_threads *threads, uint64_t seen) {
  int64_t until = 0;
  for (int spins = 0;; spins += 1) {
    uint64_t word = atomic_load_explicit(&threads->word, memory_order_acquire);
    if (word != seen || atomic_load_explicit(&threads->stop, memory_order_relaxed)) return word;
    relax();
    if ((spins & 63) != 63) continue;
    if (threads->spin == 0) break;
    int64_t time = now();
    if (until == 0) until = time + threads->spin;
    else if (time > until) break;
  }
  pthread_mutex_lock(&threads->mutex);
  /* The count goes up before the word is looked at; the caller publishes before it looks at the count: one of the two sees the other. */
  atomic_fetch_add(&threads->sleepers, 1);
  while (atomic_load(&threads->word) == seen && !atomic_load(&threads->stop)) pthread_cond_wait(&threads->wake, &threads->mutex);
  atomic_fetch_sub(&threads->sleepers, 1);
  pthread_mutex_unlock(&threads->mutex);
  return atomic_load(&threads->word);
}

static void *work(void *argument) {
  worker *self = argument;
  tfc_threads *threads = self->owner;
  /* A worker computes nothing but tasks, so it stays in the mode of a step. */
  (void)tfc_floating_enter();
  uint64_t seen = 0;
  for (;;) {
    uint64_t word = next_word(threads, seen);
    if (atomic_load(&threads->stop)) return NULL;
    seen = word;
    int32_t ranges = (int32_t)(word & ((1u << RANGE_BITS) - 1));
    if (self->slot < ranges && claim(threads, self->slot, word)) run_range(threads, self->slot, ranges);
  }
}

static void start_workers(tfc_threads *threads) {
  threads->attempted = true;
  /* Signals belong to the host's threads. */
  sigset_t all, before;
  sigfillset(&all);
  bool masked = pthread_sigmask(SIG_SETMASK, &all, &before) == 0;
  for (int32_t at = 0; at < threads->wanted - 1; at += 1) {
    worker *self = &threads->workers[at];
    self->owner = threads;
    self->slot = at + 1;
    if (pthread_create(&self->thread, NULL, work, self) != 0) break;
    threads->started += 1;
  }
  if (masked) pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void await_ranges(tfc_threads *threads) {
  int64_t until = 0;
  for (int spins = 0; atomic_load_explicit(&threads->pending, memory_order_acquire) != 0; spins += 1) {
    relax();
    if ((spins & 63) != 63) continue;
    int64_t time = now();
    if (until == 0) until = time + threads->spin;
    if (time < until) continue;
    pthread_mutex_lock(&threads->mutex);
    atomic_store(&threads->caller_sleeps, 1);
    while (atomic_load(&threads->pending) != 0) pthread_cond_wait(&threads->done, &threads->mutex);
    atomic_store(&threads->caller_sleeps, 0);
    pthread_mutex_unlock(&threads->mutex);
  }
}

static void run(void *self, void (*task)(void *context, int64_t begin, int64_t end), void *context, int64_t blocks) {
  tfc_threads *threads = self;
  if (blocks <= 0) return;
  if (blocks == 1 || inside != 0 || threads->wanted == 1 || atomic_flag_test_and_set(&threads->busy)) {
    task(context, 0, blocks);
    return;
  }
  if (!threads->attempted) start_workers(threads);
  int32_t present = threads->started + 1;
  int32_t ranges = blocks < present ? (int32_t)blocks : present;
  threads->task = task;
  threads->context = context;
  threads->blocks = blocks;
  atomic_store(&threads->pending, ranges);
  uint64_t generation = (atomic_load(&threads->word) >> RANGE_BITS) + 1;
  uint64_t word = generation << RANGE_BITS | (uint64_t)ranges;
  atomic_store(&threads->word, word);
  if (atomic_load(&threads->sleepers) != 0) {
    pthread_mutex_lock(&threads->mutex);
    pthread_cond_broadcast(&threads->wake);
    pthread_mutex_unlock(&threads->mutex);
  }
  run_range(threads, 0, ranges);
  for (int32_t at = 1; at < ranges; at += 1) {
    if (claim(threads, at, word)) run_range(threads, at, ranges);
  }
  await_ranges(threads);
  atomic_flag_clear(&threads->busy);
}

tfc_threads *tfc_threads_create(int32_t count) {
  int32_t wanted = count < 1 ? 1 : count > MAXIMUM_THREADS ? MAXIMUM_THREADS : count;
  tfc_threads *threads = tfc_memory_take(sizeof(tfc_threads));
  if (threads == NULL) return NULL;
  memset(threads, 0, sizeof(tfc_threads));
  threads->slots = tfc_memory_take(sizeof(range_slot) * (size_t)wanted);
  threads->workers = tfc_memory_take(sizeof(worker) * (size_t)wanted);
  if (threads->slots == NULL || threads->workers == NULL) {
    tfc_memory_give(threads->slots);
    tfc_memory_give(threads->workers);
    tfc_memory_give(threads);
    return NULL;
  }
  memset(threads->slots, 0, sizeof(range_slot) * (size_t)wanted);
  threads->pool.self = threads;
  threads->pool.run = run;
  threads->wanted = wanted;
  /* With more threads than processors, spinning would take time from those that have work. */
  threads->spin = wanted > usable_processors() ? 0 : SPIN_NANOSECONDS;
  atomic_flag_clear(&threads->busy);
  pthread_mutex_init(&threads->mutex, NULL);
  pthread_cond_init(&threads->wake, NULL);
  pthread_cond_init(&threads->done, NULL);
  return threads;
}

void tfc_threads_destroy(tfc_threads *threads) {
  if (threads == NULL) return;
  pthread_mutex_lock(&threads->mutex);
  atomic_store(&threads->stop, true);
  pthread_cond_broadcast(&threads->wake);
  pthread_mutex_unlock(&threads->mutex);
  for (int32_t at = 0; at < threads->started; at += 1) pthread_join(threads->workers[at].thread, NULL);
  pthread_cond_destroy(&threads->done);
  pthread_cond_destroy(&threads->wake);
  pthread_mutex_destroy(&threads->mutex);
  tfc_memory_give(threads->workers);
  tfc_memory_give(threads->slots);
  tfc_memory_give(threads);
}

const tfc_pool *tfc_threads_pool(const tfc_threads *threads) { return &threads->pool; }
