/* image-worker.h - what the two measured programs of the image benchmarks have in common: requests
 * on standard input, answers on standard output, clocks. Included by one file of each, in C and in
 * C++.
 *
 * A request is a line of words with tabs between; an answer is a line that begins with "ok" or with
 * "error". images.py asks. */
#ifndef HILUM_TESTS_IMAGE_WORKER_H
#define HILUM_TESTS_IMAGE_WORKER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORKER_MAX_WORDS 8
#define WORKER_MAX_FILES 65536

typedef struct {
  char *line;
  size_t room;
  char *words[WORKER_MAX_WORDS + 1]; /* what is not there is "" */
} WorkerRequest;

/* Paths that a request names by the path of a file with one of them a line. */
typedef struct {
  char *text;
  char **paths;
  size_t n;
} WorkerList;

typedef struct {
  double wall, cpu;
} WorkerClock;

static inline double
worker_seconds(clockid_t clock)
{
  struct timespec t;

  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline WorkerClock
worker_clock(void)
{
  WorkerClock now;

  now.wall = worker_seconds(CLOCK_MONOTONIC);
  now.cpu = worker_seconds(CLOCK_PROCESS_CPUTIME_ID);
  return now;
}

/* 0: the other end has no more to ask. */
static inline int
worker_next(WorkerRequest *request)
{
  static char none[] = "";
  char *at;
  ssize_t n = getline(&request->line, &request->room, stdin);

  if (n <= 0) {
    free(request->line);
    return 0;
  }
  request->line[strcspn(request->line, "\n")] = '\0';
  at = request->line;
  for (int i = 0; i <= WORKER_MAX_WORDS; i++) {
    request->words[i] = at ? at : none;
    at = at ? strchr(at, '\t') : NULL;
    if (at) {
      *at++ = '\0';
    }
  }
  return 1;
}

static inline unsigned
worker_number(const char *word)
{
  return (unsigned)strtoul(word, NULL, 10);
}

static inline void
worker_error(const char *what, const char *path)
{
  printf("error\t%s: %s\n", path, what);
  fflush(stdout);
}

/* COUNT things were done since START; CHILDREN: seconds of other processes that did it. */
static inline void
worker_measured(WorkerClock start, double count, double children)
{
  WorkerClock now = worker_clock();

  printf("ok\t%.9g\t%.9f\t%.9f\n", count, now.wall - start.wall, now.cpu - start.cpu + children);
  fflush(stdout);
}

static inline void
worker_done(const char *what)
{
  printf("ok\t%s\n", what);
  fflush(stdout);
}

static inline void
worker_list_free(WorkerList *list)
{
  free(list->text);
  free(list->paths);
}

static inline int
worker_list_read(const char *path, WorkerList *list)
{
  FILE *file = fopen(path, "rb");
  size_t room = 0;

  memset(list, 0, sizeof *list);
  if (!file || getdelim(&list->text, &room, '\0', file) < 0) {
    if (file) {
      fclose(file);
    }
    return 0;
  }
  fclose(file);
  list->paths = (char **)calloc(WORKER_MAX_FILES, sizeof(char *));
  for (char *at = list->text; *at && list->n < WORKER_MAX_FILES;) {
    size_t length = strcspn(at, "\n");

    list->paths[list->n++] = at;
    at += length;
    if (*at) {
      *at++ = '\0';
    }
  }
  return list->n > 0;
}

#endif
