/* Threads that go through rounds together. In: a job whose rounds consist of shares. Out: every share of every round run once, on some thread.
   Holds: a round begins when all shares of the one before have ended and sees what they wrote; every thread owns equally many shares side by side, the same in every round, which it
   takes from the first on unless it is late: then others take them from the last on, so that a thread that sleeps delays nothing, and one that is interrupted no more than one share. Threads start with the first job, spin for a while after the last, then sleep. */
#ifndef TFC_TEAM_H
#define TFC_TEAM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct tfc_team tfc_team;

/* What runs is chosen by the context alone, so that it may change from round to round. */
typedef struct tfc_job {
  void (*share)(void *context, int64_t share, int64_t shares);
  bool (*next)(void *context); /* between rounds, on one thread while no other is inside: whether there is another one */
  void *context;
} tfc_job;

/* Shares that a thread may own. */
#define TFC_TEAM_SHARES 32

/* `threads` counts the caller: 1 makes no thread at all. NULL when memory is short. No more threads start than there are processors, and there may be fewer. */
tfc_team *tfc_team_create(int32_t threads);
/* Not while a job runs. */
void tfc_team_destroy(tfc_team *team);

/* Runs the first round and those that `next` announces, and returns after the last. `shares` is between 1 and TFC_TEAM_SHARES times the threads that were asked for. One job at a time, from the thread that owns the team. */
void tfc_team_run(tfc_team *team, int64_t shares, const tfc_job *job);

#endif
