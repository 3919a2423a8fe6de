/* line-pipe.c - see line-pipe.h.
 *
 * Invariants:
 * 1. Piece K lies in slot K % n_slots; the calling thread fills, waits for, and takes pieces in
 *    their order, workers take them from a queue.
 * 2. Between app_line_pipe_run()'s push of a slot and its `done`, the slot is the worker's.
 */
#include "line-pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

#define PIECE (4u << 20)

typedef struct {
  char *bytes;
  gsize n, room;
  guint64 end; /* of the piece in the file */
  AppPiece piece;
  gboolean done; /* under the run's lock */
} Slot;

typedef struct {
  const AppLinePipe *pipe;
  GMutex lock;
  GCond finished;
  Slot *slots;
  guint n_slots;

  /* Of the calling thread. */
  int fd;
  const char *path;
  guint64 at, to; /* next byte to read; where lines may begin no more */
  char *rest;     /* read already, behind the last whole line */
  gsize n_rest, rest_room;
  gboolean at_end;
  guint64 line;
} Run;

void
app_piece_init(AppPiece *piece)
{
  *piece = (AppPiece){.out = g_byte_array_new(),
                      .aside = g_byte_array_new(),
                      .problems = g_array_new(FALSE, FALSE, sizeof(DataProblem)),
                      .tickets = g_array_new(FALSE, FALSE, sizeof(DataTicket))};
  g_array_set_clear_func(piece->problems, data_problem_clear);
}

void
app_piece_reset(AppPiece *piece)
{
  g_byte_array_set_size(piece->out, 0);
  g_byte_array_set_size(piece->aside, 0);
  g_array_set_size(piece->problems, 0);
  g_array_set_size(piece->tickets, 0);
  if (piece->own) {
    piece->own_free(piece->own);
    piece->own = NULL;
  }
  piece->counts = (DataCounts){0};
  memset(piece->tally, 0, sizeof piece->tally);
}

void
app_piece_clear(AppPiece *piece)
{
  if (piece->own) {
    piece->own_free(piece->own);
    piece->own = NULL;
  }
  g_clear_pointer(&piece->out, g_byte_array_unref);
  g_clear_pointer(&piece->aside, g_byte_array_unref);
  g_clear_pointer(&piece->problems, g_array_unref);
  g_clear_pointer(&piece->tickets, g_array_unref);
}

static void
work_slot(gpointer data, gpointer user)
{
  Run *run = user;
  Slot *slot = data;

  run->pipe->work(slot->bytes, slot->n, &slot->piece, run->pipe->user);
  g_mutex_lock(&run->lock);
  slot->done = TRUE;
  g_cond_signal(&run->finished);
  g_mutex_unlock(&run->lock);
}

static gboolean
fail(const Run *run, GError **error)
{
  const int why = errno;
  g_autofree char *name = g_filename_display_name(run->path);

  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: cannot be read: %s", name, g_strerror(why));
  return FALSE;
}

/* Reads up to N bytes; *GOT is less at the end of the file. */
static gboolean
read_bytes(Run *run, char *to, gsize n, gsize *got, GError **error)
{
  *got = 0;
  while (*got < n) {
    const gssize part = pread(run->fd, to + *got, n - *got, (goffset)(run->at + *got));

    if (part < 0 && errno == EINTR) {
      continue;
    }
    if (part < 0) {
      return fail(run, error);
    }
    if (part == 0) {
      break;
    }
    *got += (gsize)part;
  }
  run->at += *got;
  return TRUE;
}

static void
make_room(Slot *slot, gsize room)
{
  if (slot->room < room) {
    slot->bytes = g_realloc(slot->bytes, room);
    slot->room = room;
  }
}

/* Behind the last line break of SLOT; what follows is kept for the next. FALSE: there is none. */
static gboolean
cut_rest(Run *run, Slot *slot)
{
  const char *last = memrchr(slot->bytes, '\n', slot->n);

  if (!last) {
    return FALSE;
  }
  run->n_rest = slot->n - (gsize)(last + 1 - slot->bytes);
  if (run->rest_room < run->n_rest) {
    run->rest_room = slot->room;
    run->rest = g_realloc(run->rest, run->rest_room);
  }
  memcpy(run->rest, last + 1, run->n_rest);
  slot->n -= run->n_rest;
  return TRUE;
}

/* Of lines that begin at TO or later nothing is left: what is read of them belongs to others. */
static void
cut_at_to(Run *run, Slot *slot)
{
  const guint64 start = run->at - slot->n;
  const char *from, *stop;

  if (run->at <= run->to) {
    return;
  }
  /* The line that holds byte TO - 1 is the last. */
  from = slot->bytes + (run->to > start ? run->to - 1 - start : 0);
  stop = run->to > start ? memchr(from, '\n', slot->n - (gsize)(from - slot->bytes)) : NULL;
  if (run->to <= start) {
    slot->n = 0;
    run->at_end = TRUE;
  } else if (stop) {
    slot->n = (gsize)(stop + 1 - slot->bytes);
    run->at_end = TRUE;
  }
}

/* Fills SLOT with whole lines; none at the end. */
static gboolean
fill(Run *run, Slot *slot, GError **error)
{
  gsize got;

  make_room(slot, PIECE + run->n_rest);
  if (run->n_rest > 0) {
    memcpy(slot->bytes, run->rest, run->n_rest);
  }
  slot->n = run->n_rest;
  run->n_rest = 0;
  while (!run->at_end) {
    if (!read_bytes(run, slot->bytes + slot->n, slot->room - slot->n, &got, error)) {
      return FALSE;
    }
    run->at_end = slot->n + got < slot->room;
    slot->n += got;
    cut_at_to(run, slot);
    if (run->at_end || cut_rest(run, slot)) {
      break;
    }
    /* One line is longer than all of it. */
    if (slot->room > DATA_MOST_LINE_BYTES + PIECE) {
      g_autofree char *name = g_filename_display_name(run->path);
      g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                  "%s: a line of over %u MiB, behind line %" G_GUINT64_FORMAT
                  "; expected one pair a line",
                  name, DATA_MOST_LINE_BYTES >> 20, run->line);
      return FALSE;
    }
    make_room(slot, 2 * slot->room);
  }
  slot->end = run->at - run->n_rest;
  return TRUE;
}

static void
wait_for(Run *run, Slot *slot)
{
  g_mutex_lock(&run->lock);
  while (!slot->done) {
    g_cond_wait(&run->finished, &run->lock);
  }
  g_mutex_unlock(&run->lock);
}

static gboolean
take(Run *run, Slot *slot, GError **error)
{
  gboolean ok;

  wait_for(run, slot);
  ok = run->pipe->take(&slot->piece, run->line, slot->end, run->pipe->user, error);
  run->line += slot->piece.counts.lines;
  app_piece_reset(&slot->piece);
  return ok;
}

static gboolean
run_slots(Run *run, GThreadPool *workers, GError **error)
{
  guint64 begun = 0, taken = 0;
  gboolean ok = TRUE;

  while (ok && (taken < begun || !run->at_end || run->n_rest > 0)) {
    if (begun - taken < run->n_slots && (!run->at_end || run->n_rest > 0)) {
      Slot *slot = &run->slots[begun % run->n_slots];
      ok = fill(run, slot, error);
      if (ok && slot->n > 0) {
        slot->done = FALSE;
        begun++;
        g_thread_pool_push(workers, slot, NULL);
      }
    } else if (taken < begun) {
      ok = take(run, &run->slots[taken++ % run->n_slots], error);
    }
  }
  while (taken < begun) { /* the workers hold them */
    wait_for(run, &run->slots[taken++ % run->n_slots]);
  }
  return ok;
}

static void
slots_init(Run *run)
{
  run->n_slots = 2 * run->pipe->n_threads + 2;
  run->slots = g_new0(Slot, run->n_slots);
  for (guint i = 0; i < run->n_slots; i++) {
    app_piece_init(&run->slots[i].piece);
  }
}

static void
run_clear(Run *run)
{
  for (guint i = 0; i < run->n_slots; i++) {
    g_free(run->slots[i].bytes);
    app_piece_clear(&run->slots[i].piece);
  }
  g_free(run->slots);
  g_free(run->rest);
  g_mutex_clear(&run->lock);
  g_cond_clear(&run->finished);
  if (run->fd >= 0) {
    close(run->fd);
  }
}

/* To the first line that begins at FROM or later. */
static gboolean
seek(Run *run, guint64 from, GError **error)
{
  char part[65536];
  gsize got = 0;

  run->at = from > 0 ? from - 1 : 0;
  while (from > 0) {
    const guint64 start = run->at;
    const char *stop;

    if (!read_bytes(run, part, sizeof part, &got, error)) {
      return FALSE;
    }
    stop = memchr(part, '\n', got);
    if (stop) {
      run->at = start + (guint64)(stop + 1 - part);
      break;
    }
    if (got < sizeof part) {
      run->at_end = TRUE;
      break;
    }
  }
  run->at_end = run->at_end || run->at >= run->to;
  return TRUE;
}

gboolean
app_line_pipe_run(const AppLinePipe *pipe, const char *path, guint64 from, guint64 to,
                  GError **error)
{
  Run run = {.pipe = pipe, .path = path, .to = to};
  GThreadPool *workers = NULL;
  gboolean ok;

  g_mutex_init(&run.lock);
  g_cond_init(&run.finished);
  slots_init(&run);
  run.fd = open(path, O_RDONLY | O_CLOEXEC);
  ok = (run.fd >= 0 || fail(&run, error)) && seek(&run, from, error);
  workers = ok ? g_thread_pool_new(work_slot, &run, (gint)pipe->n_threads, TRUE, error) : NULL;
  ok = workers && run_slots(&run, workers, error);
  if (workers) {
    g_thread_pool_free(workers, FALSE, TRUE);
  }
  run_clear(&run);
  return ok;
}
