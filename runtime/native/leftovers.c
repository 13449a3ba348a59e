/* Removal of half-written files by a signal's handler: see leftovers.h. */
#include "leftovers.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROOM = 16, SIGNALS = 3 };

static const int numbers[SIGNALS] = {SIGHUP, SIGINT, SIGTERM};
static char paths[ROOM][PATH_MAX];
static atomic_int guarded;
static struct sigaction before[SIGNALS];
static int caught[SIGNALS];

static void on_signal(int number) {
  const int error = errno;
  const int count = atomic_load(&guarded);
  for (int at = count - 1; at >= 0; at -= 1) {
    if (unlink(paths[at]) != 0) (void)rmdir(paths[at]);
  }
  for (int at = 0; at < SIGNALS; at += 1) {
    if (numbers[at] == number) (void)sigaction(number, &before[at], NULL);
  }
  errno = error;
  /* Comes when this handler has returned. */
  (void)raise(number);
}

static void catch_signals(unsigned signals) {
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&action.sa_mask);
  for (int at = 0; at < SIGNALS; at += 1) {
    caught[at] = (signals >> at & 1) != 0 && sigaction(numbers[at], NULL, &before[at]) == 0 && before[at].sa_handler != SIG_IGN && sigaction(numbers[at], &action, NULL) == 0;
  }
}

void tfc_leftovers_guard(const char *path, unsigned signals) {
  const int at = atomic_load(&guarded);
  if (syscall(SYS_gettid) != getpid() || at == ROOM || strlen(path) >= PATH_MAX) return;
  strcpy(paths[at], path);
  atomic_store(&guarded, at + 1);
  if (at == 0) catch_signals(signals);
}

void tfc_leftovers_forget(void) {
  if (syscall(SYS_gettid) != getpid() || atomic_exchange(&guarded, 0) == 0) return;
  for (int at = 0; at < SIGNALS; at += 1) {
    if (caught[at]) (void)sigaction(numbers[at], &before[at], NULL);
  }
}
