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
  const char *host;
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

static void
add_fields(Draft *draft, JsonObject *fields, StoreAudit *audit)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered(&iter, fields);
  while (json_object_iter_next_ordered(&iter, &name, &node)) {
    const char *text =
        JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
            ? json_node_get_string(node)
            : NULL;
    if (text && (strcmp(name, "out") == 0 || strcmp(name, "folder") == 0)) {
      audit->place = g_string_chunk_insert(draft->strings, text);
    } else {
      add_detail(draft, g_string_chunk_insert_const(draft->strings, name), text);
    }
  }
}

/* A member of the sealed object, masked; borrowed from DRAFT. */
static const char *
sealed_text(Draft *draft, const StoreMask *mask, JsonObject *sealed, const char *name,
            char *(*masked)(const StoreMask *mask, const char *value))
{
  const char *text = sealed ? app_json_get_text(sealed, name) : NULL;
  g_autofree char *shown = text ? masked(mask, text) : NULL;

  return shown ? g_string_chunk_insert(draft->strings, shown) : NULL;
}

static char *
only_in_full(const StoreMask *mask, const char *value)
{
  return mask->patient == STORE_PATIENT_FULL ? g_strdup(value) : NULL;
}

/* Where something was written to, or came from, which a folder named for a patient may tell. */
static const char *
sealed_place(Draft *draft, const StoreMask *mask, JsonObject *sealed)
{
  JsonNode *node = sealed ? json_object_get_member(sealed, "fields") : NULL;
  JsonObject *fields = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
  const char *out = sealed_text(draft, mask, fields, "out", only_in_full);

  return out ? out : sealed_text(draft, mask, fields, "from", only_in_full);
}

/* What the event was about, and its fields, which name nobody. Of what is sealed only who and which
 * images are told. */
static void
draft_body(Draft *draft, const StoreMask *mask, const StoreEventRow *event, StoreAudit *audit)
{
  g_autoptr(JsonObject) body = app_json_object_read(event->body, strlen(event->body), NULL);
  g_autoptr(JsonObject) sealed =
      event->text ? app_json_object_read(event->text, strlen(event->text), NULL) : NULL;
  JsonNode *fields = body ? json_object_get_member(body, "fields") : NULL;
  const char *class = body ? app_json_get_text(body, "sop_class") : NULL;

  if (fields && JSON_NODE_HOLDS_OBJECT(fields)) {
    add_fields(draft, json_node_get_object(fields), audit);
  }
  if (!audit->place) {
    audit->place = sealed_place(draft, mask, sealed);
  }
  audit->study_instance_uid =
      sealed_text(draft, mask, sealed, "study_instance_uid", store_mask_uid);
  audit->patient_id = sealed_text(draft, mask, sealed, "patient_id", store_mask_id);
  audit->patient_name = sealed_text(draft, mask, sealed, "patient_name", only_in_full);
  if (class) {
    const StoreAuditImage image = {
        g_string_chunk_insert(draft->strings, class),
        sealed_text(draft, mask, sealed, "sop_instance_uid", store_mask_uid)};
    g_array_append_val(draft->images, image);
  }
}

static gboolean
is_of_turn(const char *kind)
{
  return strcmp(kind, "turn") == 0 || strcmp(kind, "verdict") == 0 || strcmp(kind, "check") == 0;
}

/* Studies that were opened and shown are chosen as turns are. */
static gboolean
is_of_study(const AppExportOptions *options, const StoreEventRow *event)
{
  g_autoptr(JsonObject) sealed =
      event->text ? app_json_object_read(event->text, strlen(event->text), NULL) : NULL;
  const char *uid = sealed ? app_json_get_text(sealed, "study_instance_uid") : NULL;

  return uid && g_strv_contains(options->studies, uid);
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
         (!options->studies ||
          (turn ? app_export_is_chosen(reading->choice, turn) : is_of_study(options, event)));
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
                      .log_id = store_log_id(reading->log),
                      .program_version = app_version(),
                      .sha256 = event->sha256};

  if (!is_chosen(reading, event, row ? &turn : NULL)) {
    return TRUE;
  }
  if (row) {
    draft.masked = store_mask_turn(reading->mask, &turn);
    draft_turn(&draft, reading, row, &audit);
  } else {
    draft_body(&draft, reading->mask, event, &audit);
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

gboolean
app_export_each_audit(StoreLog *log, const StoreMask *mask, AppExport *choice, gint64 first,
                      AppAuditFunc func, gpointer user, GError **error)
{
  Reading reading = {.log = log,
                     .mask = mask,
                     .choice = choice,
                     .func = func,
                     .user = user,
                     .host = g_get_host_name()};
  const gboolean done = store_log_each_event(log, first, 0, on_event, &reading, error);

  app_export_cache_clear(&reading.cache);
  return done;
}
