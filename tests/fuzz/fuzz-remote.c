/* fuzz-remote.c - what a server may say: a stream of events in pieces of any size, chunks of chat
 * completions, error pages, and messages made fit to be shown. */
#include "fuzz.h"

#include <string.h>

#include "remote.h"

static gboolean
on_event(const char *data, gsize length, gpointer text)
{
  g_auto(AppRemoteChunk) chunk = {0};
  g_autoptr(GError) error = NULL;
  gboolean ok;

  g_assert(strlen(data) <= length && data[length] == '\0');
  ok = app_remote_chunk_read(data, length, &chunk, &error);
  fuzz_check_error(ok, error);
  g_assert(!chunk.text || g_utf8_validate(chunk.text, -1, NULL));
  if (chunk.text) {
    g_string_append(text, chunk.text);
  }
  return TRUE;
}

/* The stream's text, taken in pieces of STEP bytes. */
static char *
hear(const uint8_t *data, size_t n, size_t step)
{
  g_autoptr(GString) text = g_string_new(NULL);
  AppSse sse;
  AppSseState state = APP_SSE_MORE;

  app_sse_init(&sse);
  for (size_t i = 0; i < n && state == APP_SSE_MORE; i += step) {
    state = app_sse_feed(&sse, (const char *)data + i, MIN(step, n - i), on_event, text);
  }
  if (state == APP_SSE_MORE) {
    app_sse_end(&sse, on_event, text);
  }
  app_sse_clear(&sse);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  static const char *const sent[] = {"What was asked?", NULL};
  g_autofree char *whole = NULL, *parts = NULL, *complaint = NULL, *shown = NULL;

  fuzz_start();
  whole = hear(data, n, MAX(n, 1));
  parts = hear(data, n, 1 + n % 7);
  g_assert_cmpstr(whole, ==, parts);
  complaint = app_remote_complaint((const char *)data, n, n % 2 ? "text/plain" : "");
  shown = complaint ? app_remote_repeatable(complaint, "sk-key", sent) : NULL;
  if (shown) {
    fuzz_check_message(shown);
    g_assert(g_utf8_strlen(shown, -1) <= APP_REMOTE_MAX_MESSAGE + 1);
    g_assert(!strstr(shown, "sk-key") && !strstr(shown, sent[0]));
  }
  return 0;
}
