/* logbook.c - finished turns on their way into the log. */
#include "logbook.h"

#include "app.h"
#include "person.h"
#include "record-note.h"
#include "trust.h"

/* A turn, or a check of one that stands before it in line or is written. */
typedef struct {
  AppTurnId *id;
  AppConversation *conversation; /* NULL: it is a check */
  StoreTurn turn;
  StoreImage *images;
  gint64 *image_ids; /* 0: not written yet */
  gsize n_images;
  GStringChunk *strings;
  gint32 *prompt_ids, *answer_ids;
  StorePiece *pieces;
  StoreCheck check;
  StoreCheckAnswer *answers;
} Entry;

struct _AppLogbook {
  StoreLog *store;
  gboolean alone;
  gint64 model;     /* row of the newest model, 0: not written yet */
  char *model_name; /* of that row */
  GQueue unsaved;
};

AppTurnId *
app_turn_id_new(gint64 id)
{
  AppTurnId *turn = g_new0(AppTurnId, 1);

  turn->n_refs = 1;
  turn->id = id;
  return turn;
}

AppTurnId *
app_turn_id_ref(AppTurnId *id)
{
  id->n_refs++;
  return id;
}

void
app_turn_id_unref(AppTurnId *id)
{
  if (id && --id->n_refs == 0) {
    g_free(id);
  }
}

AppConversation *
app_conversation_new(AppConversation *parent, guint base)
{
  AppConversation *conversation = g_new0(AppConversation, 1);

  while (parent && parent->parent && base <= parent->base) {
    parent = parent->parent;
  }
  if (parent) {
    parent->n_refs++;
  }
  conversation->n_refs = 1;
  conversation->parent = parent;
  conversation->base = base;
  return conversation;
}

void
app_conversation_unref(AppConversation *conversation)
{
  while (conversation && --conversation->n_refs == 0) {
    AppConversation *parent = conversation->parent;
    g_free(conversation->model_name);
    g_free(conversation);
    conversation = parent;
  }
}

AppConversation *
app_conversation_answered_by(AppConversation *conversation, const char *name, guint base)
{
  AppConversation *next;

  if (conversation->model_name && g_strcmp0(conversation->model_name, name) != 0) {
    next = app_conversation_new(conversation, base);
    app_conversation_unref(conversation);
    conversation = next;
  }
  if (!conversation->model_name) {
    conversation->model_name = g_strdup(name);
  }
  return conversation;
}

static void
entry_free(gpointer data)
{
  Entry *entry = data;

  app_turn_id_unref(entry->id);
  app_conversation_unref(entry->conversation);
  g_free(entry->images);
  g_free(entry->image_ids);
  g_free(entry->pieces);
  g_free(entry->answers);
  g_string_chunk_free(entry->strings);
  g_free(entry->prompt_ids);
  g_free(entry->answer_ids);
  g_free(entry);
}

/* That the program begins or ends its work with the log. A log that cannot take it (a full disk)
 * complains when a turn is to be written, which matters more. */
static void
note_application(StoreLog *store, const char *action)
{
  const StoreField fields[] = {{"program", g_get_prgname()}, {"program_version", app_version()}};
  const StoreEvent event = {
      .kind = "application", .action = action, .fields = fields, .n_fields = G_N_ELEMENTS(fields)};

  store_log_add_event(store, &event, NULL);
}

AppLogbook *
app_logbook_open(const char *path, gboolean alone, GError **error)
{
  StoreLog *store = app_log_open_at(path, FALSE, error);
  AppLogbook *book;

  if (!store) {
    return NULL;
  }
  book = g_new0(AppLogbook, 1);
  book->store = store;
  g_queue_init(&book->unsaved);
  book->alone = alone;
  if (alone) {
    note_application(store, "start");
  }
  return book;
}

void
app_logbook_close(AppLogbook *book)
{
  if (book) {
    g_queue_clear_full(&book->unsaved, entry_free);
    if (book->alone) {
      note_application(book->store, "stop");
    }
    store_log_close(book->store);
    g_free(book->model_name);
    g_free(book);
  }
}

guint
app_logbook_n_unsaved(AppLogbook *book)
{
  return g_queue_get_length(&book->unsaved);
}

static void
keep(Entry *entry, const char **text)
{
  if (*text) {
    *text = g_string_chunk_insert_const(entry->strings, *text);
  }
}

static void
keep_image(Entry *entry, StoreImage *to)
{
  keep(entry, &to->study_instance_uid);
  keep(entry, &to->series_instance_uid);
  keep(entry, &to->patient_id);
  keep(entry, &to->patient_name);
  keep(entry, &to->study_date);
  keep(entry, &to->study_description);
  keep(entry, &to->modality);
  keep(entry, &to->path);
  keep(entry, &to->sop_instance_uid);
  keep(entry, &to->sop_class);
  keep(entry, &to->transfer_syntax);
  keep(entry, &to->voi_function);
  keep(entry, &to->pixels_sha256);
  keep(entry, &to->sent_sha256);
  keep(entry, &to->body_part);
  keep(entry, &to->view);
  keep(entry, &to->laterality);
  keep(entry, &to->warnings);
}

static Entry *
entry_new(AppTurnId *id)
{
  Entry *entry = g_new0(Entry, 1);

  entry->id = id;
  entry->strings = g_string_chunk_new(1024);
  return entry;
}

StoreLog *
app_logbook_store(AppLogbook *book)
{
  return book->store;
}

void
app_logbook_add_check(AppLogbook *book, AppTurnId *turn, const StoreCheck *check)
{
  Entry *entry = entry_new(app_turn_id_ref(turn));

  entry->check = *check;
  keep(entry, &entry->check.kind);
  entry->answers = g_memdup2(check->answers, check->n_answers * sizeof *check->answers);
  entry->check.answers = entry->answers;
  for (gsize i = 0; i < check->n_answers; i++) {
    keep(entry, &entry->answers[i].answer);
  }
  g_queue_push_tail(&book->unsaved, entry);
}

AppTurnId *
app_logbook_add(AppLogbook *book, AppConversation *conversation, const StoreTurn *turn,
                const StoreImage *images, gsize n_images)
{
  Entry *entry = entry_new(app_turn_id_new(0));
  StoreTurn *to = &entry->turn;

  conversation->n_refs++;
  entry->conversation = conversation;
  *to = *turn;
  keep(entry, &to->question);
  keep(entry, &to->answer);
  keep(entry, &to->stop);
  keep(entry, &to->answer_form);
  keep(entry, &to->instruction_rule);
  keep(entry, &to->instruction_list);
  keep(entry, &to->instruction_text);
  entry->prompt_ids = g_memdup2(turn->prompt_ids, turn->n_prompt_ids * sizeof(gint32));
  entry->answer_ids = g_memdup2(turn->answer_ids, turn->n_answer_ids * sizeof(gint32));
  to->prompt_ids = entry->prompt_ids;
  to->answer_ids = entry->answer_ids;
  entry->pieces = g_memdup2(turn->pieces, turn->n_pieces * sizeof *turn->pieces);
  to->pieces = entry->pieces;
  entry->images = g_memdup2(images, n_images * sizeof *images);
  entry->image_ids = g_new0(gint64, n_images + 1);
  entry->n_images = n_images;
  for (gsize i = 0; i < n_images; i++) {
    keep_image(entry, &entry->images[i]);
  }
  g_queue_push_tail(&book->unsaved, entry);
  return app_turn_id_ref(entry->id);
}

static gboolean
save_model(AppLogbook *book, const AppConversation *conversation, const StoreModel *model,
           GError **error)
{
  StoreModel row = *model;

  if (book->model != 0 && g_strcmp0(book->model_name, conversation->model_name) == 0) {
    return TRUE;
  }
  row.name = conversation->model_name;
  if (book->alone) {
    AppNote *note = app_note_new_model(&row, NULL);
    app_note_write(note, book->store, NULL);
    app_note_free(note);
  }
  book->model = store_log_add_model(book->store, &row, error);
  g_free(book->model_name);
  book->model_name = g_strdup(row.name);
  return book->model != 0;
}

static gboolean
save_images(AppLogbook *book, Entry *entry, GError **error)
{
  for (gsize i = 0; i < entry->n_images; i++) {
    if (entry->image_ids[i] == 0) {
      entry->image_ids[i] = store_log_add_image(book->store, &entry->images[i], error);
    }
    if (entry->image_ids[i] == 0) {
      return FALSE;
    }
  }
  if (entry->n_images > 0) {
    entry->turn.image = entry->image_ids[entry->n_images - 1];
    entry->turn.earlier_images = entry->image_ids;
    entry->turn.n_earlier_images = entry->n_images - 1;
  }
  return TRUE;
}

static gboolean
save_entry(AppLogbook *book, Entry *entry, const StoreModel *model, GError **error)
{
  AppConversation *conversation = entry->conversation;

  if (!conversation) {
    return store_log_add_check(book->store, entry->id->id, &entry->check, error) != 0;
  }
  if (!save_model(book, conversation, model, error)) {
    return FALSE;
  }
  if (!save_images(book, entry, error)) {
    return FALSE;
  }
  if (conversation->id == 0) {
    /* The parent's turns come earlier in the queue, so its row is there. */
    const AppConversation *parent = conversation->parent;
    conversation->id =
        store_log_add_conversation(book->store, book->model, app_version(), parent ? parent->id : 0,
                                   parent ? conversation->base - parent->base : 0, error);
    if (conversation->id == 0) {
      return FALSE;
    }
  }
  entry->id->id = store_log_add_turn(book->store, conversation->id, &entry->turn, error);
  return entry->id->id != 0;
}

gboolean
app_logbook_save(AppLogbook *book, const StoreModel *model, GError **error)
{
  Entry *entry;

  app_person_apply(book->store);
  while ((entry = g_queue_peek_head(&book->unsaved))) {
    if (!save_entry(book, entry, model, error)) {
      return FALSE;
    }
    entry_free(g_queue_pop_head(&book->unsaved));
  }
  return TRUE;
}
