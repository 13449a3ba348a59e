/* The team's algorithm (see team.h). A round is published as one word: its number, and its shares (0: the job is over). Every share has a seat, which says in which round it was taken last;
   taking it is one compare-and-swap. Whoever ends the last share of a round prepares and publishes the next one: no thread is waited for that has nothing to do.
   A thread looks at the job only after it took a share: until that share has ended nobody can publish another round. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#include "floating.h"
#include "memory.h"
#include "processor.h"

/* Two lines: processors fetch pairs of them. */
#define APART 128
#define MAXIMUM_THREADS 1024
#define SHARE_BITS 16
/* Between two rounds a thread spins, for what lies between two phases; then it lets others run, for what lies between two calls; then it sleeps, because waking takes 30 to 50 µs. */
#define SPIN_NANOSECONDS 20000
#define WAIT_NANOSECONDS 100000
/* While a job goes on it waits longer: one that slept while others computed its share would wake too late for the next round as well, and so for all of them. Measured on a busy machine, where it slept in two of three samples: products 1.08 of the speed. */
#define ROUND_NANOSECONDS 2000000
/* So many pauses after its own share a thread takes another's that was not begun: more than a word needs to get from core to core, little beside a time slice. */
#define PATIENCE 64

enum { AWAKE, ASLEEP, WAKING };

typedef struct {
  _Alignas(APART) _Atomic uint64_t taken; /* the round in which this share was taken last */
} seat;

typedef struct {
  _Alignas(APART) _Atomic uint32_t sleeps; /* AWAKE, ASLEEP, or WAKING: another thread is about to wake it */
  tfc_team *team;
  int32_t index;
  pthread_t thread;
  tfc_processors processors;
} member;

struct tfc_team {
  tfc_job job;
  int32_t wanted;
  int32_t present; /* threads that run, the caller included */
  bool started;
  bool stop;
  seat *seats;
  member *members;
  _Alignas(APART) _Atomic uint64_t word; /* round << SHARE_BITS | shares */
  _Alignas(APART) _Atomic int64_t remaining; /* shares of this round that have not ended */
};

static inline int64_t shares_of(uint64_t word) { return (int64_t)(word & ((1u << SHARE_BITS) - 1)); }

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

/* A sleeper announces itself before it looks at the word for the last time; a publisher changes the word before it looks for sleepers: one of the two sees the other. */
static void sleep_while(tfc_team *team, member *self, uint64_t seen) {
  atomic_store(&self->sleeps, ASLEEP);
  uint32_t state = ASLEEP;
  while (state != AWAKE) {
    if (state == ASLEEP && atomic_load(&team->word) != seen) {
      if (atomic_compare_exchange_strong(&self->sleeps, &state, AWAKE)) break;
    } else if (state == WAKING) {
      sched_yield();
    } else {
#ifdef __linux__
      syscall(SYS_futex, &self->sleeps, FUTEX_WAIT_PRIVATE, ASLEEP, NULL, NULL, 0);
#else
      struct timespec while_asleep = {0, 50000};
      nanosleep(&while_asleep, NULL);
#endif
    }
    state = atomic_load(&self->sleeps);
  }
  tfc_processors_release(&self->processors);
}

static void wake(member *other) {
  uint32_t asleep = ASLEEP;
  if (atomic_load(&other->sleeps) != ASLEEP || !atomic_compare_exchange_strong(&other->sleeps, &asleep, WAKING)) return;
  tfc_processors_send(&other->processors, other->thread);
  atomic_store(&other->sleeps, AWAKE);
#ifdef __linux__
  syscall(SYS_futex, &other->sleeps, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
#endif
}

/* Threads that own shares: no more than there are. */
static inline int64_t owners_of(const tfc_team *team, int64_t shares) { return shares < team->present ? shares : team->present; }

/* Publishes the round after the present one; with 0 shares, the end of the job. */
static void publish(tfc_team *team, const member *self, int64_t shares) {
  uint64_t round = (atomic_load_explicit(&team->word, memory_order_relaxed) >> SHARE_BITS) + 1;
  atomic_store_explicit(&team->remaining, shares, memory_order_relaxed);
  atomic_exchange(&team->word, round << SHARE_BITS | (uint64_t)shares);
  /* At the end only the caller has something to do, which is returning. */
  int64_t awake = shares == 0 ? 1 : owners_of(team, shares);
  for (int64_t at = 0; at < awake; at += 1) {
    if (&team->members[at] != self) wake(&team->members[at]);
  }
}

static bool take(tfc_team *team, int64_t share, uint64_t round) {
  uint64_t last = atomic_load_explicit(&team->seats[share].taken, memory_order_relaxed);
  return last < round && atomic_compare_exchange_strong_explicit(&team->seats[share].taken, &last, round, memory_order_acq_rel, memory_order_relaxed);
}

static void perform(tfc_team *team, const member *self, int64_t share, int64_t shares) {
  team->job.share(team->job.context, share, shares);
  if (atomic_fetch_sub_explicit(&team->remaining, 1, memory_order_acq_rel) != 1) return;
  publish(team, self, team->job.next(team->job.context) ? shares : 0);
}

/* Takes shares of this round, its own first. Returns whether it got any. */
static bool help(tfc_team *team, const member *self, uint64_t word, bool others) {
  int64_t shares = shares_of(word);
  if (shares == 0) return false;
  int64_t owners = owners_of(team, shares);
  uint64_t round = word >> SHARE_BITS;
  bool any = false;
  for (int64_t away = 0; away < (others ? owners : 1); away += 1) {
    int64_t owner = (self->index + away) % owners;
    int64_t first = shares * owner / owners, end = shares * (owner + 1) / owners;
    for (int64_t at = first; at < end; at += 1) {
      int64_t share = owner == self->index ? at : first + end - 1 - at;
      if (!take(team, share, round)) continue;
      perform(team, self, share, shares);
      any = true;
    }
  }
  return any;
}

/* Works on rounds until there is another word than `seen`, and for a while spins, then yields, then sleeps. Returns the word. */
static uint64_t next_word(tfc_team *team, member *self, uint64_t seen) {
  int64_t since = 0, most = shares_of(seen) != 0 ? ROUND_NANOSECONDS : WAIT_NANOSECONDS;
  bool tried = false;
  for (int spins = 1;; spins += 1) {
    uint64_t word = atomic_load_explicit(&team->word, memory_order_acquire);
    if (word != seen) return word;
    relax();
    if (spins % PATIENCE != 0) continue;
    if (!tried) {
      tried = true;
      if (help(team, self, seen, true)) continue;
    }
    int64_t time = now();
    if (since == 0) since = time;
    else if (time - since > most) sleep_while(team, self, seen);
    else if (time - since > SPIN_NANOSECONDS) sched_yield();
  }
}

static void *work(void *argument) {
  member *self = argument;
  tfc_team *team = self->team;
  tfc_processors_release(&self->processors);
  /* It computes nothing but shares, so it stays in the mode of a step. */
  (void)tfc_floating_enter();
  uint64_t word = 0;
  for (;;) {
    word = next_word(team, self, word);
    if (__atomic_load_n(&team->stop, __ATOMIC_ACQUIRE)) return NULL;
    int64_t shares = shares_of(word);
    if (self->index < shares) help(team, self, word, false);
    else if (shares != 0) sleep_while(team, self, word);
  }
}

static void start(tfc_team *team) {
  team->started = true;
  int32_t processors = tfc_processors_usable();
  int32_t threads = team->wanted < processors ? team->wanted : processors;
  /* Signals belong to the host's threads. */
  sigset_t all, before;
  sigfillset(&all);
  bool masked = pthread_sigmask(SIG_SETMASK, &all, &before) == 0;
  for (member *next = team->members + 1; team->present < threads && tfc_processors_start(&next->processors, &next->thread, work, next); next += 1) team->present += 1;
  if (masked) pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void tfc_team_run(tfc_team *team, int64_t shares, const tfc_job *job) {
  if (!team->started) start(team);
  member *self = &team->members[0];
  self->thread = pthread_self();
  team->job = *job;
  publish(team, self, shares);
  for (uint64_t word = atomic_load(&team->word);; word = next_word(team, self, word)) {
    if (shares_of(word) == 0) return;
    help(team, self, word, false);
  }
}

static size_t bytes_of(int32_t wanted) { return sizeof(tfc_team) + (sizeof(seat) * TFC_TEAM_SHARES + sizeof(member)) * (size_t)wanted; }

tfc_team *tfc_team_create(int32_t threads) {
  int32_t wanted = threads < 1 ? 1 : threads > MAXIMUM_THREADS ? MAXIMUM_THREADS : threads;
  tfc_team *team = tfc_memory_take(bytes_of(wanted));
  if (team == NULL) return NULL;
  team->seats = (seat *)(team + 1);
  team->members = (member *)(team->seats + (size_t)wanted * TFC_TEAM_SHARES);
  team->wanted = wanted;
  team->present = 1;
  for (int32_t at = 0; at < wanted; at += 1) {
    team->members[at].team = team;
    team->members[at].index = at;
  }
  return team;
}

void tfc_team_destroy(tfc_team *team) {
  if (team == NULL) return;
  __atomic_store_n(&team->stop, true, __ATOMIC_RELEASE);
  publish(team, &team->members[0], 0);
  for (int32_t at = 1; at < team->present; at += 1) wake(&team->members[at]);
  for (int32_t at = 1; at < team->present; at += 1) pthread_join(team->members[at].thread, NULL);
  tfc_memory_give(team, bytes_of(team->wanted));
}
