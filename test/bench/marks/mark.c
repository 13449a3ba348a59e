/* Hand-written steps, the mark for generated code: a peer of the bench. In: FAMILY RULE RATE ROWS DATA THREADS; requests as lines. Out: JSON lines. Holds: every request starts from the initial values; resetting
   is not timed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include "linear.h"
#include "logistic.h"
#include "perceptron.h"

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* The next array of the file, each at a multiple of 64 bytes. */
static const void *take(const char **at, long count) {
  const char *array = *at;
  *at += (4 * count + 63) / 64 * 64;
  return array;
}

static const char *map_file(const char *path) {
  struct stat info;
  int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &info) != 0) {
    perror(path);
    exit(1);
  }
  void *data = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  if (data == MAP_FAILED) {
    perror(path);
    exit(1);
  }
  return data;
}

static void answer_losses(mark m, long count) {
  printf("{\"losses\":[");
  for (long i = 0; i < count; i++) printf("%s%.9g", i > 0 ? "," : "", (double)m.step(m.context));
  printf("]}\n");
}

int main(int count, char **arguments) {
  if (count != 7) {
    fprintf(stderr, "usage: mark FAMILY RULE RATE ROWS DATA THREADS\n");
    return 2;
  }
  const char *family = arguments[1], *at = map_file(arguments[5]);
  static job job;
  job = (struct job){.rule = arguments[2], .rate = (float)atof(arguments[3]), .rows = atol(arguments[4]), .threads = atoi(arguments[6])};
  int linear = strcmp(family, "linear") == 0, logistic = strcmp(family, "logistic") == 0;
  job.x = take(&at, job.rows * (linear ? FEATURES : logistic ? 2 : IN));
  job.labels = take(&at, job.rows);
  job.targets = (const float *)job.labels;
  const long linear_sizes[] = {FEATURES, 0, 0, 0, 0, 0}, logistic_sizes[] = {2, 1, 0, 0, 0, 0}, perceptron_sizes[] = {IN * H1, H1, H1 * H2, H2, H2 * OUT, OUT};
  const long *sizes = linear ? linear_sizes : logistic ? logistic_sizes : perceptron_sizes;
  for (int i = 0; i < 6; i++) job.initial[i] = take(&at, sizes[i]);
  flush_denormals();
  mark m = linear ? linear_new(&job) : logistic ? logistic_new(&job) : perceptron_new(&job);
  m.reset(m.context);
  m.step(m.context);
  printf("{\"ready\":true,\"system\":\"C\"}\n");
  fflush(stdout);
  char word[16];
  long steps;
  while (scanf("%15s %ld", word, &steps) == 2) {
    m.reset(m.context);
    if (strcmp(word, "losses") == 0) answer_losses(m, steps);
    else {
      long start = now();
      for (long i = 0; i < steps; i++) m.step(m.context);
      printf("{\"ns\":%ld}\n", now() - start);
    }
    fflush(stdout);
  }
  return 0;
}
