/* remote-hearing.c - a server's answer as it comes. */
#include <string.h>

#include "remote-hearing.h"

/* Bytes of blanks between two words that are kept. */
#define MAX_BLANKS 1024u

void
app_remote_hearing_init(AppRemoteHearing *hearing)
{
  app_sse_init(&hearing->sse);
  hearing->text = g_string_new(NULL);
  hearing->blanks = g_string_new(NULL);
  hearing->complaint = g_string_new(NULL);
  app_remote_tokens_init(&hearing->tokens);
}

void
app_remote_hearing_clear(AppRemoteHearing *hearing)
{
  app_sse_clear(&hearing->sse);
  g_string_free(hearing->text, TRUE);
  g_string_free(hearing->blanks, TRUE);
  g_string_free(hearing->complaint, TRUE);
  app_remote_tokens_clear(&hearing->tokens);
  app_remote_chunk_clear(&hearing->last);
  g_clear_error(&hearing->failure);
  g_free(hearing->model);
}

void
app_remote_hearing_fail(AppRemoteHearing *hearing, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start(args, format);
  what = g_strdup_vprintf(format, args);
  va_end(args);
  g_clear_error(&hearing->failure);
  g_set_error(&hearing->failure, APP_ERROR, APP_ERROR_FAILED, "%s: %s", hearing->host, what);
}

/* An answer begins and ends with a word, as those of the model here do. */
static void
take_text(AppRemoteHearing *hearing, const char *piece)
{
  g_autofree char *text = g_strconcat(hearing->blanks->str, piece, NULL);
  gsize length = strlen(text);

  if (hearing->text->len == 0) {
    g_strchug(text);
    length = strlen(text);
  }
  while (length > 0 && g_ascii_isspace(text[length - 1])) {
    length--;
  }
  g_string_assign(hearing->blanks, text + length);
  g_string_truncate(hearing->blanks, MIN(hearing->blanks->len, MAX_BLANKS));
  if (hearing->text->len + length + hearing->blanks->len > APP_REMOTE_MAX_ANSWER) {
    app_remote_hearing_fail(hearing, "the answer is over %u bytes long", APP_REMOTE_MAX_ANSWER);
    return;
  }
  if (length == 0) {
    return;
  }
  hearing->latest = g_get_monotonic_time();
  if (hearing->first == 0) {
    hearing->first = hearing->latest;
    hearing->listener->progress("answer", 0, 0, hearing->listener->user);
  }
  g_string_append_len(hearing->text, text, (gssize)length);
  hearing->stopped = !hearing->listener->text(text, length, hearing->listener->user);
}

/* What the server called the model in its newest event, and the newest end and counts. */
static void
keep_facts(AppRemoteHearing *hearing, AppRemoteChunk *chunk)
{
  AppRemoteChunk *last = &hearing->last;

  if (chunk->model && *chunk->model) {
    g_free(hearing->model);
    hearing->model = app_remote_printable(chunk->model);
  }
  if (chunk->finish) {
    g_free(last->finish);
    last->finish = g_steal_pointer(&chunk->finish);
  }
  if (chunk->has_usage) {
    last->has_usage = TRUE;
    last->prompt_tokens = chunk->prompt_tokens;
    last->answer_tokens = chunk->answer_tokens;
  }
}

gboolean
app_remote_hearing_event(const char *data, gsize length, gpointer user)
{
  AppRemoteHearing *hearing = user;
  g_auto(AppRemoteChunk) chunk = {0};
  g_autoptr(GError) error = NULL;

  if (strcmp(data, "[DONE]") == 0) {
    hearing->done = TRUE;
    return FALSE;
  }
  if (!app_remote_chunk_read(data, length, &chunk, &error)) {
    app_remote_hearing_fail(hearing, "sent what is no piece of a chat completion (%s)",
                            error->message);
    return FALSE;
  }
  if (chunk.failure) {
    hearing->last.failure = g_steal_pointer(&chunk.failure);
    return FALSE;
  }
  keep_facts(hearing, &chunk);
  app_remote_tokens_append(&hearing->tokens, &chunk.tokens);
  if (chunk.text) {
    take_text(hearing, chunk.text);
  }
  return !hearing->failure && !hearing->stopped;
}

gboolean
app_remote_is_stream(const AppHttpHead *head)
{
  return head->status == 200 && strcmp(head->content_type, "application/json") != 0 &&
         strcmp(head->content_type, "text/html") != 0;
}

gboolean
app_remote_hearing_data(const AppHttpHead *head, const char *bytes, gsize n, gpointer user)
{
  AppRemoteHearing *hearing = user;
  AppSseState state;

  if (!app_remote_is_stream(head)) {
    gsize room = APP_REMOTE_MAX_COMPLAINT - hearing->complaint->len;
    g_string_append_len(hearing->complaint, bytes, (gssize)MIN(n, room));
    return n < room;
  }
  hearing->received += n;
  if (hearing->received > APP_REMOTE_MAX_STREAM) {
    app_remote_hearing_fail(hearing, "the stream is over %u bytes long", APP_REMOTE_MAX_STREAM);
    return FALSE;
  }
  state = app_sse_feed(&hearing->sse, bytes, n, app_remote_hearing_event, hearing);
  if (state == APP_SSE_TOO_LONG) {
    app_remote_hearing_fail(hearing, "sent a piece of over %u bytes", APP_REMOTE_MAX_EVENT);
  }
  return state == APP_SSE_MORE;
}

void
app_remote_hearing_sent(gsize done, gsize total, gpointer user)
{
  AppRemoteHearing *hearing = user;
  guint percent = total > 0 ? (guint)(done / (total / 100 + 1)) : 100;

  if (done >= total) {
    hearing->listener->progress("waiting", 0, 0, hearing->listener->user);
  } else if (percent != hearing->percent) {
    hearing->percent = percent;
    hearing->listener->progress("sending", percent, 100, hearing->listener->user);
  }
}
