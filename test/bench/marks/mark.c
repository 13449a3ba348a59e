/* Hand-written steps, the mark for generated code: a peer of the bench. In: FAMILY RULE RATE SIZES COUNTS DATA THREADS; requests as lines. Out: JSON lines. Holds: every request starts from the initial values; resetting
   is not timed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "chain.h"
#include "linear.h"
#include "logistic.h"
#include "norm.h"
#include "perceptron.h"
#include "product.h"

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* Whole numbers with commas between them. */
static int numbers(const char *text, long *values, int most) {
  int count = 0;
  for (char *end = (char *)text; count < most && *text != 0; text = *end == ',' ? end + 1 : end) values[count++] = strtol(text, &end, 10);
  return count;
}

/* All arrays of the file, each at a multiple of 64 bytes. */
static void read_arrays(job *job, const char *path, const char *text) {
  long counts[MOST_ARRAYS];
  int file = open(path, O_RDONLY), arrays = numbers(text, counts, MOST_ARRAYS);
  off_t offset = 0;
  for (int i = 0; i < arrays; i++) {
    char *values = (char *)place(counts[i]);
    for (long done = 0; done < 4 * counts[i];) {
      ssize_t got = pread(file, values + done, (size_t)(4 * counts[i] - done), offset + done);
      if (got <= 0) {
        perror(path);
        exit(1);
      }
      done += got;
    }
    job->arrays[i] = (float *)values;
    offset += (4 * counts[i] + 63) / 64 * 64;
  }
  close(file);
}

static mark mark_new(const job *job) {
  const struct { const char *family; mark (*make)(const struct job *); } marks[] = {
    {"linear", linear_new}, {"logistic", logistic_new}, {"perceptron", perceptron_new}, {"chain", chain_new}, {"chain-derivative", chain_new}, {"norm", norm_new},
    {"product", product_new}, {"product-left", product_new}, {"product-right", product_new},
  };
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) if (strcmp(job->family, marks[i].family) == 0) return marks[i].make(job);
  fprintf(stderr, "there is no mark for %s\n", job->family);
  exit(2);
}

/* A result's root of the mean square, and a mean that knows the order of its elements. */
static void print_result(const float *values, long count) {
  double squares = 0, slanted = 0;
  for (long i = 0; i < count; i++) {
    squares += (double)values[i] * values[i];
    slanted += (double)values[i] * (double)(i % 7);
  }
  printf("[%.9g,%.9g]", sqrt(squares / (double)count), slanted / (double)count);
}

static void answer_checks(mark m, long count) {
  printf("{\"checks\":[%s", m.result_count > 0 ? "" : "[");
  for (long i = 0; i < count; i++) {
    double loss = m.step(m.context);
    if (m.result_count == 0) printf("%s%.9g", i > 0 ? "," : "", loss);
  }
  for (int i = 0; i < m.result_count; i++) {
    if (i > 0) printf(",");
    print_result(m.results[i].values, m.results[i].count);
  }
  printf("%s]}\n", m.result_count > 0 ? "" : "]");
}

int main(int count, char **arguments) {
  if (count != 8) {
    fprintf(stderr, "usage: mark FAMILY RULE RATE SIZES COUNTS DATA THREADS\n");
    return 2;
  }
  static job job;
  job = (struct job){.family = arguments[1], .rule = arguments[2], .rate = (float)atof(arguments[3]), .threads = atoi(arguments[7])};
  numbers(arguments[4], job.sizes, 3);
  read_arrays(&job, arguments[6], arguments[5]);
  flush_denormals();
  mark m = mark_new(&job);
  m.reset(m.context);
  m.step(m.context);
  printf("{\"ready\":true,\"system\":\"C\"}\n");
  fflush(stdout);
  char word[16];
  long steps;
  while (scanf("%15s %ld", word, &steps) == 2) {
    m.reset(m.context);
    if (strcmp(word, "check") == 0) answer_checks(m, steps);
    else {
      long start = now();
      for (long i = 0; i < steps; i++) m.step(m.context);
      printf("{\"ns\":%ld}\n", now() - start);
    }
    fflush(stdout);
  }
  return 0;
}
