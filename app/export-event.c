/* export-event.c - events of the log as an audit gets them: what they were about, and never what
 * was asked and answered. */
#include <math.h>
#include <string.h>

#include "export-private.h"
#include "private.h"
#include "trust.h"

typedef struct {
  StoreLog *log;
  const StoreMask *mask;
  AppExport *choice;
  AppAuditFunc func;
  gpointer user;
  AppExportCache cache;
  char *host;
} Reading;

/* Of one event: what StoreAudit borrows. */
typedef struct {
  GArray *details; /* of StoreField */
  GArray *images;  /* of StoreAuditImage */
  GStringChunk *strings;
  StoreMasked *masked;
} Draft;

static void
draft_clear(Draft *draft)
{
  g_array_unref(draft->details);
  g_array_unref(draft->images);
  g_string_chunk_free(draft->strings);
  store_masked_free(draft->masked);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Draft, draft_clear)

void
app_export_cache_clear(AppExportCache *cache)
{
  g_clear_pointer(&cache->rows, g_ptr_array_unref);
  g_clear_pointer(&cache->conversation, store_conversation_free);
  cache->id = 0;
}

static gboolean
cache_read(AppExportCache *cache, StoreLog *log, gint64 id, GError **error)
{
  if (cache->id == id) {
    return TRUE;
  }
  app_export_cache_clear(cache);
  cache->conversation = store_log_get(log, id, error);
  cache->rows = cache->conversation ? store_log_show(log, id, error) : NULL;
  cache->id = cache->rows ? id : 0;
  return cache->rows != NULL;
}

static void
add_detail(Draft *draft, const char *name, const char *text)
{
  if (text) {
    StoreField field = {name, g_string_chunk_insert(draft->strings, text)};
    g_array_append_val(draft->details, field);
  }
}

static void G_GNUC_PRINTF(3, 4)
    add_formatted(Draft *draft, const char *name, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start(args, format);
  text = g_strdup_vprintf(format, args);
  va_end(args);
  add_detail(draft, name, text);
}

/* A short text can be guessed from its bare hash. */
static void
add_keyed(Draft *draft, const Reading *reading, const char *name, const char *text)
{
  g_autofree char *hash = text ? reading->mask->pseudonym(text, reading->mask->user) : NULL;

  add_detail(draft, name, hash);
}

static void
add_image(Draft *draft, const StoreImage *image)
{
  char center[G_ASCII_DTOSTR_BUF_SIZE], width[G_ASCII_DTOSTR_BUF_SIZE];
  const StoreAuditImage entry = {image->sop_class, image->sop_instance_uid};

  g_array_append_val(draft->images, entry);
  add_formatted(draft, "Frame", "%u", image->frame);
  if (image->has_window) {
    add_formatted(draft, "Window", "%s/%s",
                  g_ascii_dtostr(center, sizeof center, image->window_center),
                  g_ascii_dtostr(width, sizeof width, image->window_width));
  }
  if (image->region_width > 0) {
    add_formatted(draft, "Region", "%u,%u,%u,%u", image->region_x, image->region_y,
                  image->region_width, image->region_height);
  }
  add_detail(draft, "PixelsSHA256", image->pixels_sha256);
  add_detail(draft, "PictureSHA256", image->sent_sha256);
}

/* ---- of a turn ---------------------------------------------------------------------------- */

static const StoreTurnRow *
find_turn(const GPtrArray *rows, gint64 id)
{
  for (guint i = 0; i < rows->len; i++) {
    const StoreTurnRow *row = rows->pdata[i];
    if (row->id == id) {
      return row;
    }
  }
  return NULL;
}

static void
draft_turn(Draft *draft, const Reading *reading, const StoreTurnRow *real, StoreAudit *audit)
{
  const StoreTurnRow *row = store_masked_turn(draft->masked)->row;
  const StoreTurn *turn = &row->turn;

  if (turn->image != 0) {
    audit->study_instance_uid = row->image.study_instance_uid;
    audit->patient_id = row->image.patient_id;
    audit->patient_name = row->image.patient_name;
    add_image(draft, &row->image);
  }
  for (gsize i = 0; i < turn->n_earlier_images; i++) {
    /* One patient, one study to a message (A.5.3.6): earlier images of others are not named. */
    if (g_strcmp0(row->earlier[i].study_instance_uid, row->image.study_instance_uid) == 0) {
      add_image(draft, &row->earlier[i]);
    }
  }
  audit->model = row->model.name;
  audit->model_sha256 = row->model.sha256;
  audit->program_version = store_masked_turn(draft->masked)->conversation->program_version;
  if (strcmp(audit->kind, "turn") == 0) {
    add_formatted(draft, "Seed", "%" G_GUINT64_FORMAT, turn->seed);
    add_formatted(draft, "MaxTokens", "%u", turn->max_tokens);
    add_keyed(draft, reading, "QuestionHMAC", real->turn.question);
  }
  add_keyed(draft, reading, "AnswerHMAC", real->turn.answer);
  add_detail(draft, "Engine", row->model.engine);
}

/* ---- of any event ------------------------------------------------------------------------- */

/* Members of the event's readable body, which names nobody. */
static void
draft_body(Draft *draft, const StoreEventRow *event, StoreAudit *audit)
{
  g_autoptr(JsonObject) body = app_json_object_read(event->body, strlen(event->body), NULL);
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (!body) {
    return;
  }
  json_object_iter_init_ordered(&iter, body);
  while (json_object_iter_next_ordered(&iter, &name, &node)) {
    g_autofree char *text =
        JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
            ? json_node_dup_string(node)
            : app_json_text(node);
    if (strcmp(name, "out") == 0 || strcmp(name, "folder") == 0) {
      audit->place = g_string_chunk_insert(draft->strings, text);
    } else if (!JSON_NODE_HOLDS_NULL(node)) {
      add_detail(draft, g_string_chunk_insert_const(draft->strings, name), text);
    }
  }
}

static gboolean
is_of_turn(const char *kind)
{
  return strcmp(kind, "turn") == 0 || strcmp(kind, "verdict") == 0 || strcmp(kind, "check") == 0;
}

static gboolean
is_chosen(const Reading *reading, const StoreEventRow *event, const StoreExportTurn *turn)
{
  const AppExportOptions *options = reading->choice ? reading->choice->options : NULL;
  gboolean found = !options || options->n_conversations == 0;

  if (!options) {
    return TRUE;
  }
  for (gsize i = 0; !found && i < options->n_conversations; i++) {
    found = event->conversation == options->conversations[i];
  }
  return found && app_export_is_in_time(reading->choice, event->time) &&
         (!options->studies || (turn && app_export_is_chosen(reading->choice, turn)));
}

static gboolean
give(Reading *reading, const StoreEventRow *event, const StoreTurnRow *row, GError **error)
{
  const StoreExportTurn turn = {reading->cache.conversation, row, NULL, NULL};
  g_auto(Draft) draft = {.details = g_array_new(FALSE, FALSE, sizeof(StoreField)),
                         .images = g_array_new(FALSE, FALSE, sizeof(StoreAuditImage)),
                         .strings = g_string_chunk_new(512)};
  StoreAudit audit = {.number = event->number,
                      .time = event->time,
                      .kind = event->kind,
                      .action = event->action,
                      .failed = event->failed,
                      .user_name = event->user_name,
                      .real_name = event->real_name,
                      .person = event->person,
                      .host = reading->host,
                      .program_version = app_version(),
                      .sha256 = event->sha256};

  if (!is_chosen(reading, event, row ? &turn : NULL)) {
    return TRUE;
  }
  if (row) {
    draft.masked = store_mask_turn(reading->mask, &turn);
    draft_turn(&draft, reading, row, &audit);
  } else {
    draft_body(&draft, event, &audit);
  }
  audit.images = (const StoreAuditImage *)(gconstpointer)draft.images->data;
  audit.n_images = draft.images->len;
  audit.details = (const StoreField *)(gconstpointer)draft.details->data;
  audit.n_details = draft.details->len;
  return reading->func(&audit, reading->user, error);
}

static gboolean
on_event(const StoreEventRow *event, gpointer user, GError **error)
{
  Reading *reading = user;
  const StoreTurnRow *row = NULL;

  if (strcmp(event->kind, "image") == 0 || strcmp(event->kind, "conversation") == 0) {
    return TRUE; /* the turns tell of them */
  }
  if (is_of_turn(event->kind)) {
    if (!cache_read(&reading->cache, reading->log, event->conversation, error)) {
      return FALSE;
    }
    row = find_turn(reading->cache.rows, event->turn);
  }
  return give(reading, event, row, error);
}

static gboolean each_event(StoreLog *log, gint64 first, StoreEventFunc func, gpointer user,
                           GError **error);

gboolean
app_export_each_audit(StoreLog *log, const StoreMask *mask, AppExport *choice, gint64 first,
                      AppAuditFunc func, gpointer user, GError **error)
{
  Reading reading = {.log = log,
                     .mask = mask,
                     .choice = choice,
                     .func = func,
                     .user = user,
                     .host = g_strdup(g_get_host_name())};
  const gboolean done = each_event(log, first, on_event, &reading, error);

  app_export_cache_clear(&reading.cache);
  g_free(reading.host);
  return done;
}

/* ---- until the log tells its events itself ------------------------------------------------ */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreConversation, store_conversation_free)

static gboolean
each_of_turn(StoreLog *log, StoreEventRow *event, const StoreTurnRow *row, gint64 first,
             StoreEventFunc func, gpointer user, GError **error)
{
  g_autoptr(GPtrArray) verdicts = store_log_verdicts(log, row->id, error);
  gboolean done = verdicts != NULL;

  event->kind = "turn";
  event->time = row->time;
  event->turn = row->id;
  event->user_name = g_get_user_name();
  event->number++;
  done = done && (event->number < first || func(event, user, error));
  for (guint i = 0; done && i < verdicts->len; i++) {
    const StoreVerdictRow *verdict = verdicts->pdata[i];
    event->kind = "verdict";
    event->time = verdict->time;
    event->user_name = verdict->verdict.user_name;
    event->real_name = verdict->verdict.real_name;
    event->number++;
    done = event->number < first || func(event, user, error);
    event->real_name = NULL;
  }
  return done;
}

static gboolean
each_event(StoreLog *log, gint64 first, StoreEventFunc func, gpointer user, GError **error)
{
  g_autoptr(GPtrArray) list = store_log_list(log, 0, error);
  StoreEventRow event = {.body = "{}"};

  for (guint i = 0; list && i < list->len; i++) {
    const StoreConversation *conversation = list->pdata[list->len - 1 - i];
    g_autoptr(GPtrArray) rows = store_log_show(log, conversation->id, error);
    if (!rows) {
      return FALSE;
    }
    event.conversation = conversation->id;
    for (guint j = 0; j < rows->len; j++) {
      if (!each_of_turn(log, &event, rows->pdata[j], first, func, user, error)) {
        return FALSE;
      }
    }
  }
  return list != NULL;
}
