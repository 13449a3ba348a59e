/* Where threads run. In: a thread that is about to run. Out: it starts on another processor than the calling one, if it may.
   Holds: what a thread may use is as before once it has been released. Systems that cannot say where a thread runs decide alone. See the note at the end. */
#ifndef TFC_PROCESSOR_H
#define TFC_PROCESSOR_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

typedef struct {
  bool sent; /* elsewhere, and not released yet */
#ifdef __linux__
  cpu_set_t usable; /* what the thread may use, as its owner set it */
#endif
} tfc_processors;

static inline int32_t tfc_processors_usable(void) {
#ifdef __linux__
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof(usable), &usable) == 0) return CPU_COUNT(&usable);
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online < 1 ? 1 : (int32_t)online;
}

#ifdef __linux__

/* All of `usable` but the calling processor; false where nothing is left, or nothing known. */
static inline bool tfc_processors_others(const cpu_set_t *usable, cpu_set_t *others) {
  int mine = sched_getcpu();
  if (mine < 0 || mine >= CPU_SETSIZE) return false;
  *others = *usable;
  CPU_CLR(mine, others);
  return CPU_COUNT(others) > 0;
}

/* For a thread that sleeps. */
static inline void tfc_processors_send(tfc_processors *its, pthread_t thread) {
  cpu_set_t others;
  its->sent = pthread_getaffinity_np(thread, sizeof(its->usable), &its->usable) == 0 && tfc_processors_others(&its->usable, &others) && pthread_setaffinity_np(thread, sizeof(others), &others) == 0;
}

/* The same for a thread that does not exist yet: as pthread_create. */
static inline bool tfc_processors_start(tfc_processors *its, pthread_t *thread, void *(*body)(void *), void *argument) {
  cpu_set_t others;
  pthread_attr_t attributes;
  if (sched_getaffinity(0, sizeof(its->usable), &its->usable) == 0 && tfc_processors_others(&its->usable, &others) && pthread_attr_init(&attributes) == 0) {
    its->sent = pthread_attr_setaffinity_np(&attributes, sizeof(others), &others) == 0;
    bool started = its->sent && pthread_create(thread, &attributes, body, argument) == 0;
    pthread_attr_destroy(&attributes);
    if (started) return true;
  }
  its->sent = false;
  return pthread_create(thread, NULL, body, argument) == 0;
}

/* By the thread itself, once it runs. */
static inline void tfc_processors_release(tfc_processors *mine) {
  if (!mine->sent) return;
  mine->sent = false;
  pthread_setaffinity_np(pthread_self(), sizeof(mine->usable), &mine->usable);
}

#else

static inline void tfc_processors_send(tfc_processors *its, pthread_t thread) { (void)its, (void)thread; }
static inline bool tfc_processors_start(tfc_processors *its, pthread_t *thread, void *(*body)(void *), void *argument) { (void)its; return pthread_create(thread, NULL, body, argument) == 0; }
static inline void tfc_processors_release(tfc_processors *mine) { (void)mine; }

#endif
#endif

/* Note: why threads are sent elsewhere.
   A system that wakes a thread likes to put it where the one that wakes it runs: most who wake another then go to sleep themselves. Threads of a team go on computing. Two on one processor take turns of some
   milliseconds while another processor is idle, until the system looks at its balance again; some are set up to pack threads and hardly ever do. So whoever wakes a thread of its team first takes its own
   processor from those that the other may use, and the woken thread takes it back as soon as it runs. It is not bound to anything after that: when something else wants its processor, the system can move it. */
