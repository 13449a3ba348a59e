/* Threads that work on one step together. In: a function. Out: the function run once per thread. Holds: waiting spins for about 100 µs, then sleeps, so that an idle mark leaves the machine to others. */
#ifndef BENCH_TEAM_H
#define BENCH_TEAM_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "vector.h"

enum { MOST_THREADS = 64, SPINS = 4000 };

typedef struct {
  int size;
  void (*work)(void *context, int id);
  void *context;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  _Alignas(128) atomic_long turn;
  _Alignas(128) atomic_int working;
  _Alignas(128) atomic_int arrived;
  _Alignas(128) atomic_long phase;
} team;

typedef struct { team *team; int id; } member;

/* One turn of waiting: on a busy machine the one waited for may need this processor. */
INLINE void pause_or_yield(int *spins) {
  if (++*spins < SPINS) _mm_pause();
  else sched_yield();
}

/* Denormals count as zero, as in what it is compared with. */
static void flush_denormals(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }

/* One processor for each thread, of those that the process may use: a thread that wakes where another computes would wait for it. */
static void settle(int id) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  for (int processor = 0; processor < CPU_SETSIZE; processor++) {
    if (!CPU_ISSET(processor, &allowed) || id-- > 0) continue;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
    return;
  }
}

static void *team_member(void *pointer) {
  team *t = ((member *)pointer)->team;
  int id = ((member *)pointer)->id;
  flush_denormals();
  settle(id);
  for (long seen = 0;; seen++) {
    int spins = 0;
    while (atomic_load_explicit(&t->turn, memory_order_acquire) == seen && spins++ < SPINS) _mm_pause();
    if (atomic_load(&t->turn) == seen) {
      pthread_mutex_lock(&t->lock);
      while (atomic_load(&t->turn) == seen) pthread_cond_wait(&t->wake, &t->lock);
      pthread_mutex_unlock(&t->lock);
    }
    t->work(t->context, id);
    atomic_fetch_sub_explicit(&t->working, 1, memory_order_release);
  }
  return NULL;
}

static team *team_start(int size) {
  team *t = aligned_alloc(128, (sizeof *t + 127) / 128 * 128);
  *t = (team){.size = size};
  pthread_mutex_init(&t->lock, NULL);
  pthread_cond_init(&t->wake, NULL);
  for (int id = 1; id < size; id++) {
    pthread_t thread;
    member *m = malloc(sizeof *m);
    *m = (member){t, id};
    pthread_create(&thread, NULL, team_member, m);
  }
  if (size > 1) settle(0);
  return t;
}

/* Runs work on every thread, the caller included, to its end. */
static void team_run(team *t, void (*work)(void *, int), void *context) {
  if (t->size > 1) {
    t->work = work;
    t->context = context;
    atomic_store(&t->working, t->size - 1);
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add_explicit(&t->turn, 1, memory_order_release);
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
  }
  work(context, 0);
  int spins = 0;
  while (t->size > 1 && atomic_load_explicit(&t->working, memory_order_acquire) > 0) pause_or_yield(&spins);
}

/* Within work: waits until all threads are here. */
INLINE void team_meet(team *t) {
  if (t->size == 1) return;
  long phase = atomic_load_explicit(&t->phase, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&t->arrived, 1, memory_order_acq_rel) == t->size - 1) {
    atomic_store_explicit(&t->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&t->phase, phase + 1, memory_order_release);
  } else {
    int spins = 0;
    while (atomic_load_explicit(&t->phase, memory_order_acquire) == phase) pause_or_yield(&spins);
  }
}
#endif
