/* teacher.c - life of a teacher, its name, the names of its questions, and what it may spend. */
#include "teacher-private.h"

#include <string.h>

const char *
app_teacher_outcome_name(AppTeacherOutcome outcome)
{
  static const char *const names[] = {"answered", "empty",      "nonsense", "too_long",
                                      "filtered", "refused",    "busy",     "failed",
                                      "silent",   "connection", "denied",   "not_asked"};

  G_STATIC_ASSERT(G_N_ELEMENTS(names) == APP_N_TEACHER_OUTCOMES);
  return names[outcome];
}

void
app_teacher_try_clear(AppTeacherTry *attempt)
{
  g_clear_pointer(&attempt->text, g_free);
  g_clear_pointer(&attempt->why, g_free);
  g_clear_pointer(&attempt->model, g_free);
}

/* ---- questions ------------------------------------------------------------------------------ */

static void
message_clear(gpointer message)
{
  g_clear_pointer(&((AppTeacherMessage *)message)->text, g_free);
}

void
app_teacher_say(AppTeacherRequest *request, const char *role, const char *text)
{
  const AppTeacherMessage message = {role, g_utf8_make_valid(text, -1)};

  if (!request->messages) {
    request->messages = g_array_new(FALSE, FALSE, sizeof(AppTeacherMessage));
    g_array_set_clear_func(request->messages, message_clear);
  }
  g_array_append_val(request->messages, message);
}

void
app_teacher_request_clear(AppTeacherRequest *request)
{
  g_clear_pointer(&request->messages, g_array_unref);
}

static void
hash_text(GChecksum *sum, const char *text)
{
  /* With its length before it: no two lists of texts are one. */
  g_autofree char *length = g_strdup_printf("%" G_GSIZE_FORMAT ":", strlen(text));

  g_checksum_update(sum, (const guchar *)length, (gssize)strlen(length));
  g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text));
}

void
app_teacher_key(const AppTeacher *teacher, const AppTeacherRequest *request, char key[65])
{
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  const AppSampling *s = &teacher->options.sampling;
  char temperature[G_ASCII_DTOSTR_BUF_SIZE], top_p[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *rest = g_strdup_printf("%" G_GUINT64_FORMAT " %u", s->seed, s->max_tokens);

  hash_text(sum, teacher->identity);
  hash_text(sum, g_ascii_dtostr(temperature, sizeof temperature, s->temperature));
  hash_text(sum, g_ascii_dtostr(top_p, sizeof top_p, s->top_p));
  hash_text(sum, rest);
  for (guint i = 0; request->messages && i < request->messages->len; i++) {
    const AppTeacherMessage *m = &g_array_index(request->messages, AppTeacherMessage, i);
    hash_text(sum, m->role);
    hash_text(sum, m->text);
  }
  g_strlcpy(key, g_checksum_get_string(sum), 65);
}

/* ---- what it costs -------------------------------------------------------------------------- */

double
app_teacher_cost(const AppTeacher *teacher, guint64 tokens_in, guint64 tokens_out)
{
  return ((double)tokens_in * teacher->options.price_in +
          (double)tokens_out * teacher->options.price_out) /
         1e6;
}

void
app_teacher_most(const AppTeacher *teacher, const AppTeacherRequest *request, guint64 *tokens_in,
                 guint64 *tokens_out)
{
  /* Text in English has about four bytes to a token; at two, most other languages have room. */
  guint64 n = 8;

  for (guint i = 0; request->messages && i < request->messages->len; i++) {
    n += strlen(g_array_index(request->messages, AppTeacherMessage, i).text) / 2 + 8;
  }
  *tokens_in = n;
  *tokens_out = teacher->options.sampling.max_tokens;
}

void
app_teacher_end(AppTeacher *teacher, const char *reason, const char *text)
{
  if (!teacher->counts.ended) {
    teacher->counts.ended = reason;
    teacher->ended_text = g_strdup(text);
  }
  g_cond_broadcast(&teacher->changed);
}

/* ---- life ----------------------------------------------------------------------------------- */

static gboolean
refuse(GError **error, const char *what)
{
  g_set_error_literal(error, APP_ERROR, APP_ERROR_ARGUMENT, what);
  return FALSE;
}

static gboolean
check_options(AppTeacherOptions *o, GError **error)
{
  const gboolean remote = o->remote.url != NULL;

  if (!o->journal) {
    return refuse(error, "a teacher needs a journal");
  }
  if (o->n_parallel > APP_TEACHER_MAX_PARALLEL) {
    return refuse(error, "at most 64 questions can be under way at once");
  }
  if (o->most_cost > 0 && o->price_in <= 0 && o->price_out <= 0) {
    return refuse(error, "a limit of cost goes with the prices of tokens");
  }
  if (!(o->price_in >= 0 && o->price_out >= 0 && o->most_cost >= 0)) {
    return refuse(error, "prices and limits of cost are not negative");
  }
  o->n_parallel = !remote ? 1 : o->n_parallel > 0 ? o->n_parallel : 4;
  o->n_tries = o->n_tries > 0 ? o->n_tries : 5;
  o->wait_ms = o->wait_ms > 0 ? o->wait_ms : 1000;
  o->sampling.max_tokens =
      o->sampling.max_tokens > 0 ? o->sampling.max_tokens : APP_TEACHER_MAX_TOKENS;
  return TRUE;
}

static gboolean
open_remote(AppTeacher *teacher, GError **error)
{
  const AppRemoteOptions *remote = &teacher->options.remote;
  g_autofree char *host = app_remote_host(remote, error);

  if (!host || !app_remote_address_parse(remote, &teacher->address, error) ||
      !app_remote_key(remote, &teacher->bearer, error)) {
    return FALSE;
  }
  teacher->is_remote = TRUE;
  teacher->name = g_strdup_printf("%s on %s", remote->model, host);
  /* The same model is the same wherever it is served from. */
  teacher->identity = g_strdup(remote->model);
  return TRUE;
}

AppTeacher *
app_teacher_new(const AppTeacherOptions *options, GError **error)
{
  g_autoptr(AppTeacher) teacher = g_new0(AppTeacher, 1);

  g_mutex_init(&teacher->lock);
  g_cond_init(&teacher->changed);
  teacher->options = *options;
  if (!check_options(&teacher->options, error) ||
      !(options->remote.url ? open_remote(teacher, error)
                            : app_teacher_local_open(teacher, error)) ||
      !(teacher->journal = app_journal_open(options->journal, &teacher->facts, error))) {
    return NULL;
  }
  teacher->counts.spent_tokens = teacher->facts.tokens_in + teacher->facts.tokens_out;
  teacher->counts.spent_cost =
      app_teacher_cost(teacher, teacher->facts.tokens_in, teacher->facts.tokens_out);
  return g_steal_pointer(&teacher);
}

void
app_teacher_free(AppTeacher *teacher)
{
  if (!teacher) {
    return;
  }
  g_clear_pointer(&teacher->journal, app_journal_free);
  g_clear_pointer(&teacher->backend, app_backend_free);
  g_clear_pointer(&teacher->recited, g_ptr_array_unref);
  app_remote_address_clear(&teacher->address);
  g_free(teacher->bearer);
  g_free(teacher->name);
  g_free(teacher->identity);
  g_free(teacher->ended_text);
  g_cond_clear(&teacher->changed);
  g_mutex_clear(&teacher->lock);
  g_free(teacher);
}

const char *
app_teacher_name(const AppTeacher *teacher)
{
  return teacher->name;
}

gboolean
app_teacher_leaves(const AppTeacher *teacher)
{
  return teacher->is_remote && !teacher->address.loopback;
}

guint
app_teacher_damaged(const AppTeacher *teacher, gboolean *torn)
{
  *torn = teacher->facts.torn;
  return teacher->facts.damaged;
}

void
app_teacher_counts(AppTeacher *teacher, AppTeacherCounts *counts)
{
  g_mutex_lock(&teacher->lock);
  *counts = teacher->counts;
  /* Others wait their turn. */
  counts->under_way = MIN(counts->under_way, teacher->options.n_parallel);
  counts->waits_us = MAX(teacher->not_before - g_get_monotonic_time(), 0);
  g_mutex_unlock(&teacher->lock);
}

const char *
app_teacher_ended(const AppTeacher *teacher)
{
  return teacher->ended_text;
}
