/* recover-rows.c - see recover-rows.h.
 *
 * 1. The body of an event is copied byte for byte, and members behind it say which event it was and
 *    how much of it was proved. Ids stay.
 * 2. What the tables of the new log need and the old one has lost stands there as a row that says
 *    so ("recovered_lost"), so that what refers to it can be read.
 * 3. A row that is not what its hash is of is copied only where reading it will do, and where it
 *    takes no place that a row whose hash is right has.
 */
#include "recover-rows.h"

#include "content.h"
#include "recover-place.h"
#include "seal.h"
#include "write.h"
#include <sodium.h>
#include <string.h>

#define DOING "recovering a row"
#define BATCH 256

/* ---- texts ----------------------------------------------------------------------------------- */

/* What became of the text of a row. */
typedef enum {
  TEXT_NONE, /* there was none */
  TEXT_GOOD,
  TEXT_UNPROVED, /* it opens, but what it is bound to was changed */
  TEXT_ERASED,   /* lawfully */
  TEXT_LOST,
} Text;

static const char *const text_names[] = {NULL, NULL, "unproved", "erased", "lost"};

static gboolean
is_object(const char *text, gsize n)
{
  StoreBody body = {.name = "", .kind = "", .error = NULL};
  const gboolean good = store_body_parse(&body, STORE_SEALED, text, n);

  store_body_clear(&body);
  return good;
}

/* *text is store_wipe()d by the caller. */
static gboolean
open_text(StoreKeys *old, const StoreRow *row, Text *what, char **text, gsize *n, GError **error)
{
  guint8 subject_key[STORE_KEY_BYTES], key[STORE_SEAL_KEY_BYTES];
  g_autoptr(GByteArray) bound = g_byte_array_new();
  g_autoptr(GError) local = NULL;
  gboolean there = FALSE;

  *text = NULL;
  *n = 0;
  *what = TEXT_NONE;
  if (!row->subject) {
    return TRUE;
  }
  if (!store_keys_get_subject(old, row->subject, subject_key, &there, &local)) {
    *what = TEXT_LOST;
    if (!g_error_matches(local, STORE_ERROR, STORE_ERROR_CORRUPT)) {
      g_propagate_error(error, g_steal_pointer(&local));
      return FALSE;
    }
    return TRUE;
  }
  if (!there) {
    *what = TEXT_ERASED;
    return TRUE;
  }
  store_seal_key(subject_key, row->number, key);
  store_row_bound(row, bound);
  *text = store_unseal(key, row->sealed, row->n_sealed, bound, n);
  *what = TEXT_GOOD;
  if (!*text) {
    *text = store_unseal_unproved(key, row->sealed, row->n_sealed, n);
    *what = TEXT_UNPROVED;
  }
  if (*text && !is_object(*text, *n)) {
    store_wipe(*text, *n);
    *text = NULL;
  }
  *what = *text ? *what : TEXT_LOST;
  sodium_memzero(subject_key, sizeof subject_key);
  sodium_memzero(key, sizeof key);
  return TRUE;
}

/* What stands where the text of a KIND was. */
static const char *
empty_text(StoreKind kind, StoreBody *body)
{
  const char *verdict;

  switch (kind) {
  case STORE_KIND_TURN:
    return STORE_NO_TURN;
  case STORE_KIND_VERDICT:
    verdict = store_body_text(body, STORE_CLEAR, "verdict", STORE_NULLABLE);
    return g_strcmp0(verdict, "edited") == 0 ? "{\"text\": \"\"}" : "{}";
  case STORE_KIND_CHECK:
    return "{\"answers\": []}";
  case STORE_KIND_MODEL:
  case STORE_KIND_IMAGE:
  case STORE_KIND_CONVERSATION:
  case STORE_N_KINDS:
  default:
    return "{}";
  }
}

/* ---- whether a changed row can be read ------------------------------------------------------- */

static void
try_turn(StoreBody *body, GStringChunk *strings)
{
  StoreTurn turn = {0};

  store_get_turn(body, &turn, strings);
  g_free((gpointer)turn.prompt_ids);
  g_free((gpointer)turn.answer_ids);
  g_free((gpointer)turn.earlier_images);
  g_free((gpointer)turn.pieces);
}

static void
clear_answer(gpointer answer)
{
  g_free((gpointer)((StoreCheckAnswer *)answer)->answer);
}

static void
try_members(StoreBody *body, StoreKind kind, GStringChunk *strings)
{
  static const char *const texts[] = {"action", "outcome",   "user",      "user_real_name",
                                      "person", "user_name", "real_name", "program_version"};
  g_autoptr(GArray) answers = g_array_new(FALSE, TRUE, sizeof(StoreCheckAnswer));
  StoreModel model = {0};
  StoreImage image = {0};

  g_array_set_clear_func(answers, clear_answer);
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    store_body_text(body, STORE_CLEAR, texts[i], STORE_NULLABLE);
  }
  if (kind == STORE_KIND_MODEL) {
    store_get_model(body, &model, strings);
  } else if (kind == STORE_KIND_IMAGE) {
    store_get_image(body, &image, strings);
  } else if (kind == STORE_KIND_CONVERSATION) {
    store_body_uint(body, STORE_CLEAR, "rewound_turn");
  } else if (kind == STORE_KIND_TURN) {
    try_turn(body, strings);
  } else if (kind == STORE_KIND_VERDICT) {
    store_body_text(body, STORE_CLEAR, "verdict", STORE_REQUIRED);
    store_body_text(body, STORE_CLEAR, "user_name", STORE_REQUIRED);
    store_body_text(body, STORE_SEALED, "text", STORE_NULLABLE);
  } else if (kind == STORE_KIND_CHECK) {
    store_body_text(body, STORE_CLEAR, "check", STORE_REQUIRED);
    store_body_flag(body, STORE_CLEAR, "same");
    store_body_real(body, STORE_CLEAR, "agreement");
    store_body_answers(body, STORE_SEALED, "answers", answers);
  }
}

/* Parses the row's objects; FALSE: they cannot be read. */
static gboolean
parse(const StoreLeft *left, StoreKind kind, const char *text, gsize n, StoreBody *body)
{
  g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);

  if (!store_body_parse(body, STORE_CLEAR, left->row.body, left->row.n_body) ||
      !store_body_parse(body, STORE_SEALED, text, n)) {
    return FALSE;
  }
  if (left->proof == STORE_PROOF_NONE) {
    try_members(body, kind, strings);
  }
  return !body->failed;
}

/* ---- one row --------------------------------------------------------------------------------- */

/* The body without what an earlier recovery put behind it. */
static gsize
own_length(const StoreRow *row)
{
  const char *mark = g_str_has_suffix(row->body, STORE_MARK_END)
                         ? g_strrstr(row->body, ", \"recovered_event\": ")
                         : NULL;

  if (mark) {
    return (gsize)(mark - row->body);
  }
  return row->n_body > 0 && row->body[row->n_body - 1] == '}' ? row->n_body - 1 : 0;
}

static gboolean
make_draft(const StoreLeft *left, StoreProof proof, Text what, const char *text, gsize n,
           const char *instead, StoreDraft *draft)
{
  const gsize length = own_length(&left->row);

  if (length == 0) {
    return FALSE;
  }
  draft->json[STORE_CLEAR] = g_string_new_len(left->row.body, (gssize)length);
  if (length > 1) { /* "{" alone has no member before */
    g_string_append(draft->json[STORE_CLEAR], ", ");
  }
  g_string_append_printf(draft->json[STORE_CLEAR],
                         "\"recovered_event\": %" G_GINT64_FORMAT ", \"recovered_proof\": \"%s\"",
                         left->row.number, store_proof_name(proof));
  if (text_names[what]) {
    g_string_append_printf(draft->json[STORE_CLEAR], ", \"recovered_text\": \"%s\"",
                           text_names[what]);
  }
  g_string_append(draft->json[STORE_CLEAR], STORE_MARK_END);
  draft->json[STORE_SEALED] = text ? g_string_new_len(text, (gssize)n) : g_string_new(instead);
  draft->numbers = g_byte_array_new(); /* those of TEXT are in it */
  draft->erased = TRUE;
  return TRUE;
}

static void
count(StoreRecovery *recovery, StoreKind kind, StoreProof proof, Text what)
{
  recovery->events_recovered++;
  recovery->events_unproved += proof == STORE_PROOF_NONE || proof == STORE_PROOF_OWN;
  recovery->texts_lost += what == TEXT_LOST;
  recovery->texts_erased += what == TEXT_ERASED;
  recovery->conversations += kind == STORE_KIND_CONVERSATION;
  recovery->turns += kind == STORE_KIND_TURN;
}

static gboolean
write_row(StorePlacer *placer, const StoreLeft *left, StoreProof proof, StoreBody *body,
          const char *text, gsize n, Text what, StoreRecovery *recovery, GError **error)
{
  const StoreKind kind = store_kind_of(left->row.kind);
  const char *time = store_is_time(left->row.time) ? left->row.time : STORE_NO_TIME;
  g_auto(StoreDraft) draft = {.name = placer->log->name, .what = "events", .error = error};
  StoreNeed need = {.time = time};
  gboolean fits = FALSE;
  gint64 event;

  if (!store_place_look(placer, kind, left->proof == STORE_PROOF_NONE, body, &need, &fits, error)) {
    return FALSE;
  }
  if (!fits || !make_draft(left, proof, what, text, n, empty_text(kind, body), &draft)) {
    recovery->events_unreadable++;
    return TRUE;
  }
  event = store_row_add(placer->log, left->row.kind, time, left->row.subject, &draft, DOING, error);
  if (!event || !store_place_set(placer, kind, event, &need, error)) {
    return FALSE;
  }
  count(recovery, kind, proof, what);
  return TRUE;
}

static gboolean
copy_row(StorePlacer *placer, StoreKeys *old, const StoreLeft *left, const StoreFound *found,
         StoreRecovery *recovery, GError **error)
{
  const StoreKind kind = store_kind_of(left->row.kind);
  const StoreProof proof = left->row.number <= found->proved ? STORE_PROOF_SIGNED : left->proof;
  g_auto(StoreBody)
      body = {.name = placer->log->name, .kind = left->row.kind, .number = left->row.number};
  Text what = TEXT_NONE;
  char *text = NULL;
  gsize n = 0;
  gboolean good;

  if (!open_text(old, &left->row, &what, &text, &n, error)) {
    return FALSE;
  }
  if (!parse(left, kind, text, n, &body)) {
    recovery->events_unreadable++;
    good = TRUE;
  } else {
    good = write_row(placer, left, proof, &body, text, n, what, recovery, error);
  }
  store_wipe(text, n);
  return good;
}

/* ---- all rows -------------------------------------------------------------------------------- */

static gboolean
copy_batch(StorePlacer *placer, StoreKeys *old, const StoreFound *found, StoreRecovery *recovery,
           gboolean *more, GError **error)
{
  StoreLeft left;

  *more = TRUE;
  for (guint i = 0; *more && i < BATCH; i++) {
    if (!store_scan_next(placer->scan, &left, more, error) ||
        (*more && !copy_row(placer, old, &left, found, recovery, error))) {
      return FALSE;
    }
    recovery->events_read += *more;
  }
  return *more || store_place_fill(placer, error);
}

gboolean
store_recover_rows(StoreLog *log, StoreKeys *old, StoreScan *scan, const StoreFound *found,
                   StoreRecovery *recovery, StoreProgress progress, gpointer user, GError **error)
{
  g_auto(StorePlacer) placer = {.log = log, .scan = scan};
  gboolean good = store_placer_init(&placer, found, error);

  for (gboolean more = TRUE; good && more;) {
    if (progress && !progress(found->rows + recovery->events_read, 2 * found->rows, user)) {
      return store_fail(error, STORE_ERROR_CANCELLED, log->name, "recovering: cancelled");
    }
    if (!store_begin(log, DOING, error)) {
      return FALSE;
    }
    good = copy_batch(&placer, old, found, recovery, &more, error);
    good = store_finish(log, DOING, good, error) != 0;
  }
  recovery->placeholders = placer.placeholders;
  return good;
}
