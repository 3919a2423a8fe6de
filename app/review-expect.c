/* review-expect.c - earlier answers of the log, in which a new one may be looked up.
 *
 * What one patient's report says is proposed for another's and checked by the model, which says
 * what it would have said anyway: nothing of it gets into an answer. */
#include <string.h>

#include "review.h"
#include "trust.h"

#define CONVERSATIONS 50
#define MOST_BYTES (1u << 20) /* of text; some thousand answers */

static void
expect_conversation(AppBackend *backend, StoreLog *log, gint64 id, gsize *n_bytes)
{
  g_autoptr(GPtrArray) turns = store_log_show(log, id, NULL);

  for (guint i = 0; turns && i < turns->len; i++) {
    const StoreTurnRow *row = turns->pdata[i];
    const char *text = row->turn.answer ? row->turn.answer : "";
    const gsize n = strlen(text);
    if (n > 0 && n <= MOST_BYTES - *n_bytes) {
      backend->class->expect(backend, text);
      *n_bytes += n;
    }
  }
}

void
app_review_expect_log(AppReview *review, const char *log_path)
{
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) rows = NULL;
  gsize n_bytes = 0;

  if (!review->backend->class->expect) {
    return;
  }
  /* A log that cannot be read is complained of where it is needed. */
  log = app_log_open_at(log_path, TRUE, NULL);
  rows = log ? store_log_list(log, CONVERSATIONS, NULL) : NULL;
  for (guint i = rows ? rows->len : 0; i-- > 0;) { /* the newest last: it is found first */
    expect_conversation(review->backend, log, ((StoreConversation *)rows->pdata[i])->id, &n_bytes);
  }
}
