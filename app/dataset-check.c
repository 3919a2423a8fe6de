/* dataset-check.c - hilum dataset check: is a file what LLaVA's trainers expect, and are its
 * pictures what they should be? */
#include <string.h>

#include "app_dataset.h"
#include "image-index.h"
#include "out.h"
#include "private.h"
#include "train-data.h"

#define MARK "<image>"
#define MOST_NAMED 20u /* of each kind; the rest is counted */

typedef enum {
  NOT_AN_OBJECT,
  NO_ID,
  SAME_ID,
  IMAGE_NOT_TEXT,
  NO_CONVERSATIONS,
  BAD_TURN,
  NOT_ALTERNATING,
  NO_ANSWER,
  EMPTY_TEXT,
  MARK_WITHOUT_IMAGE,
  IMAGE_WITHOUT_MARK,
  MARK_MISPLACED,
  MARK_TWICE,
  IMAGE_MISSING,
  IMAGE_UNREADABLE,
  N_KINDS,
} Kind;

static const struct {
  const char *name, *text;
} kinds[N_KINDS] = {
    [NOT_AN_OBJECT] = {"not_an_object", "is no JSON object that can be read"},
    [NO_ID] = {"no_id", "has no id"},
    [SAME_ID] = {"same_id", "has the id of an earlier record"},
    [IMAGE_NOT_TEXT] = {"image_not_text", "image: expected a string"},
    [NO_CONVERSATIONS] = {"no_conversations", "conversations: expected an array with turns in it"},
    [BAD_TURN] = {"bad_turn", "conversations: expected objects with the texts from and value"},
    [NOT_ALTERNATING] = {"not_alternating", "conversations: expected human and gpt in turn"},
    [NO_ANSWER] = {"no_answer", "conversations: the last question has no answer"},
    [EMPTY_TEXT] = {"empty_text", "conversations: a turn says nothing"},
    [MARK_WITHOUT_IMAGE] = {"mark_without_image", "says <image>, and names none"},
    [IMAGE_WITHOUT_MARK] = {"image_without_mark", "names an image, and no turn says <image>"},
    [MARK_MISPLACED] = {"mark_misplaced", "says <image> outside of its first question"},
    [MARK_TWICE] = {"mark_twice", "says <image> more than once"},
    [IMAGE_MISSING] = {"image_missing", "its image is not in the folder"},
    [IMAGE_UNREADABLE] = {"image_unreadable", "its image cannot be read"},
};

typedef struct {
  const AppCheckOptions *options;
  const AppDatasetListener *listener;
  const char *path;
  AppImageIndex *images; /* NULL: not looked at */
  GHashTable *ids, *articles;
  guint64 records, turns, with_image, misspelt, problems[N_KINDS];
  AppOut *list;       /* what is found, by name; NULL: nobody wants it */
  GError *list_error; /* the first failure of writing it */
} Check;

/* A line of the list: that NAME is like OTHER, or shared with it. OTHER NULL: by itself. */
static void
note(Check *check, const char *kind, const char *name, const char *other)
{
  g_autoptr(JsonNode) node = NULL;
  g_autofree char *text = NULL, *line = NULL;
  JsonObject *o;

  if (!check->list || check->list_error) {
    return;
  }
  o = json_object_new();
  app_json_set_text(o, "kind", kind);
  app_json_set_text(o, "name", name);
  app_json_set_text(o, "other", other);
  node = app_json_node(o);
  text = json_to_string(node, FALSE);
  line = g_strconcat(text, "\n", NULL);
  app_out_write(check->list, line, strlen(line), &check->list_error);
}

static void
say(Check *check, Kind kind, guint64 record, const char *what)
{
  g_autofree char *name = NULL, *text = NULL;

  if (check->problems[kind]++ >= MOST_NAMED || !check->listener->problem) {
    return;
  }
  name = g_filename_display_name(check->path);
  text = g_strdup_printf("%s: record %" G_GUINT64_FORMAT " %s%s%s", name, record + 1,
                         kinds[kind].text, what ? ": " : "", what ? what : "");
  check->listener->problem(text, check->listener->user);
}

/* ---- one record --------------------------------------------------------------------------------
 */

static guint
count_marks(const char *text)
{
  guint n = 0;

  for (const char *at = strstr(text, MARK); at; at = strstr(at + strlen(MARK), MARK)) {
    n++;
  }
  return n;
}

/* What the turns say of pictures, in all. */
typedef struct {
  guint marks, misplaced;
} Marks;

static gboolean
check_turn(Check *check, guint64 record, JsonNode *node, guint number, Marks *marks)
{
  JsonObject *turn = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
  const char *from = turn ? app_json_get_text(turn, "from") : NULL;
  const char *value = turn ? app_json_get_text(turn, "value") : NULL;
  guint n;

  if (!from || !value) {
    say(check, BAD_TURN, record, NULL);
    return FALSE;
  }
  if (strcmp(from, number % 2 ? "gpt" : "human") != 0) {
    say(check, NOT_ALTERNATING, record, NULL);
    return FALSE;
  }
  n = count_marks(value);
  marks->marks += n;
  marks->misplaced += number > 0 ? n : 0;
  if (strspn(value, " \t\r\n") == strlen(value)) {
    say(check, EMPTY_TEXT, record, NULL);
  }
  return TRUE;
}

static void
check_turns(Check *check, guint64 record, JsonObject *object, gboolean has_image)
{
  /* Files of LLaVA-Med's own have it misspelt, and trainers read both. */
  const gboolean misspelt = !json_object_has_member(object, "conversations") &&
                            json_object_has_member(object, "conversatons");
  JsonNode *node = json_object_get_member(object, misspelt ? "conversatons" : "conversations");
  JsonArray *turns = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  const guint n = turns ? json_array_get_length(turns) : 0;
  Marks marks = {0};

  check->misspelt += misspelt;
  if (n == 0) {
    say(check, NO_CONVERSATIONS, record, NULL);
    return;
  }
  for (guint i = 0; i < n; i++) {
    if (!check_turn(check, record, json_array_get_element(turns, i), i, &marks)) {
      return;
    }
  }
  check->turns += n;
  if (n % 2) {
    say(check, NO_ANSWER, record, NULL);
  }
  if (marks.marks > 0 && !has_image) {
    say(check, MARK_WITHOUT_IMAGE, record, NULL);
  } else if (marks.marks == 0 && has_image) {
    say(check, IMAGE_WITHOUT_MARK, record, NULL);
  } else if (marks.misplaced > 0) {
    say(check, MARK_MISPLACED, record, NULL);
  } else if (marks.marks > 1) {
    say(check, MARK_TWICE, record, NULL);
  }
}

/* Of "11_F1" and "PMC22_F1" the article, "11" and "PMC22". */
static void
note_article(Check *check, const char *id)
{
  const gsize letters = g_str_has_prefix(id, "PMC") ? 3 : 0;
  const gsize digits = strspn(id + letters, "0123456789");

  if (digits > 0 && id[letters + digits] == '_') {
    g_hash_table_add(check->articles, g_strndup(id, letters + digits));
  }
}

static void
check_id(Check *check, guint64 record, JsonObject *object)
{
  JsonNode *id = json_object_get_member(object, "id");
  g_autofree char *text = NULL;

  if (id && JSON_NODE_HOLDS_VALUE(id)) {
    text = json_to_string(id, FALSE);
  }
  if (id && text && json_node_get_value_type(id) == G_TYPE_STRING) {
    note_article(check, json_node_get_string(id));
  }
  if (!text) {
    say(check, NO_ID, record, NULL);
  } else if (!g_hash_table_add(check->ids, g_strdup(text))) {
    say(check, SAME_ID, record, text);
  }
}

static void
check_record(Check *check, guint64 record, const char *text, gsize n)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) object = app_json_object_read(text, n, &error);
  const char *image;

  check->records++;
  if (!object) {
    say(check, NOT_AN_OBJECT, record, error->message);
    return;
  }
  check_id(check, record, object);
  image = app_json_get_text(object, "image");
  if (!image && json_object_has_member(object, "image") &&
      !json_object_get_null_member(object, "image")) {
    say(check, IMAGE_NOT_TEXT, record, NULL);
  }
  check->with_image += image != NULL;
  if (image && check->images) {
    app_image_index_add(check->images, image);
  }
  check_turns(check, record, object, image != NULL);
}

/* ---- files -------------------------------------------------------------------------------------
 */

static gboolean
cancelled(GError **error)
{
  g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, "stopped");
  return FALSE;
}

static gboolean
check_file(Check *check, GError **error)
{
  g_autoptr(AppTrainData) data = app_train_data_open(check->path, error);
  const guint64 n = data ? app_train_data_count(data) : 0;

  for (guint64 i = 0; i < n; i++) {
    gsize length;
    const char *text = app_train_data_text(data, i, &length);

    check_record(check, i, text, length);
    if (i % 1024 == 0 && check->listener->go_on &&
        !check->listener->go_on(i, n, check->listener->user)) {
      return cancelled(error);
    }
  }
  return data != NULL;
}

typedef struct {
  const AppDatasetListener *listener;
} Going;

static gboolean
images_go_on(guint done, guint total, gpointer user)
{
  const AppDatasetListener *listener = ((Going *)user)->listener;

  return !listener->go_on || listener->go_on(done, total, listener->user);
}

static gboolean
look_at_images(Check *check, GError **error)
{
  Going going = {check->listener};

  return !check->images || app_image_index_look(check->images, images_go_on, &going) ||
         cancelled(error);
}

static void
say_of_image(Check *check, Kind kind, const AppIndexed *image)
{
  g_autofree char *text = NULL;

  if (check->problems[kind]++ >= MOST_NAMED || !check->listener->problem) {
    return;
  }
  text = kind == IMAGE_UNREADABLE
             ? g_strdup(image->problem)
             : g_strdup_printf("image \"%s\" is not in the folder", image->name);
  check->listener->problem(text, check->listener->user);
}

/* ---- the report --------------------------------------------------------------------------------
 */

static JsonObject *
image_report(Check *check)
{
  JsonObject *o = json_object_new();
  guint same = 0, alike = 0;

  for (guint i = 0; i < app_image_index_size(check->images); i++) {
    const AppIndexed *image = app_image_index_at(check->images, i);

    const AppIndexed *other;

    if (!image->content) {
      say_of_image(check, IMAGE_MISSING, image);
      note(check, "missing", image->name, NULL);
    } else if (image->problem) {
      say_of_image(check, IMAGE_UNREADABLE, image);
      note(check, "unreadable", image->name, NULL);
    }
    if ((other = app_image_index_same(check->images, image, image))) {
      same++;
      note(check, "duplicate", image->name, other->name);
    } else if ((other = app_image_index_alike(check->images, image, image))) {
      alike++;
      note(check, "near_duplicate", image->name, other->name);
    }
  }
  json_object_set_int_member(o, "distinct", app_image_index_size(check->images));
  json_object_set_int_member(o, "duplicates", same);
  json_object_set_int_member(o, "near_duplicates", alike);
  return o;
}

static guint
count_shared(Check *check, const char *kind, GHashTable *one, GHashTable *other)
{
  GHashTableIter iter;
  gpointer key;
  guint n = 0;

  g_hash_table_iter_init(&iter, one);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    if (g_hash_table_contains(other, key)) {
      note(check, kind, key, NULL);
      n++;
    }
  }
  return n;
}

/* Pictures of the one that the other has, too. */
static JsonObject *
leak_report(Check *check, const Check *other)
{
  JsonObject *o = json_object_new();
  guint names = 0, same = 0, alike = 0;

  for (guint i = 0; check->images && i < app_image_index_size(check->images); i++) {
    const AppIndexed *image = app_image_index_at(check->images, i);

    const AppIndexed *twin;

    names += app_image_index_named(other->images, image->name) != NULL;
    if ((twin = app_image_index_same(other->images, image, NULL))) {
      same++;
      note(check, "shared", image->name, twin->name);
    } else if ((twin = app_image_index_alike(other->images, image, NULL))) {
      alike++;
      note(check, "nearly_shared", image->name, twin->name);
    }
  }
  app_json_set_text(o, "file", other->path);
  json_object_set_int_member(o, "records", (gint64)other->records);
  json_object_set_int_member(o, "same_ids",
                             count_shared(check, "shared_id", check->ids, other->ids));
  json_object_set_int_member(
      o, "same_articles", count_shared(check, "shared_article", check->articles, other->articles));
  json_object_set_int_member(o, "same_names", names);
  json_object_set_int_member(o, "same_images", same);
  json_object_set_int_member(o, "near_images", alike);
  return o;
}

static JsonNode *
report(Check *check, const Check *other)
{
  JsonObject *o = json_object_new(), *problems = json_object_new();
  JsonObject *images = check->images ? image_report(check) : NULL;
  guint64 all = 0;

  app_json_set_text(o, "file", check->path);
  json_object_set_int_member(o, "records", (gint64)check->records);
  json_object_set_int_member(o, "turns", (gint64)check->turns);
  json_object_set_int_member(o, "with_image", (gint64)check->with_image);
  json_object_set_int_member(o, "conversatons", (gint64)check->misspelt);
  for (guint i = 0; i < N_KINDS; i++) {
    json_object_set_int_member(problems, kinds[i].name, (gint64)check->problems[i]);
    all += check->problems[i];
  }
  app_json_set_object(o, "problems", problems);
  if (images) {
    app_json_set_object(o, "images", images);
  } else {
    json_object_set_null_member(o, "images");
  }
  if (other) {
    app_json_set_object(o, "against", leak_report(check, other));
  } else {
    json_object_set_null_member(o, "against");
  }
  json_object_set_boolean_member(o, "ok", all == 0);
  return app_json_node(o);
}

static void
check_init(Check *check, const AppCheckOptions *options, const AppDatasetListener *listener,
           const char *path, const char *folder)
{
  *check = (Check){.options = options,
                   .listener = listener,
                   .path = path,
                   .images = folder ? app_image_index_new(folder) : NULL,
                   .ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                   .articles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
}

static void
check_clear(Check *check)
{
  g_clear_pointer(&check->images, app_image_index_free);
  g_clear_pointer(&check->ids, g_hash_table_unref);
  g_clear_pointer(&check->articles, g_hash_table_unref);
  g_clear_pointer(&check->list, app_out_abandon);
  g_clear_error(&check->list_error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Check, check_clear)

static JsonNode *
check_all(Check *check, Check *other, GError **error)
{
  const AppCheckOptions *options = check->options;

  if (!check_file(check, error) || !look_at_images(check, error)) {
    return NULL;
  }
  if (options->against && (!check_file(other, error) || !look_at_images(other, error))) {
    return NULL;
  }
  return report(check, options->against ? other : NULL);
}

JsonNode *
app_dataset_check(const AppCheckOptions *options, const AppDatasetListener *listener,
                  GError **error)
{
  const AppDatasetListener quiet = {.go_on = listener->go_on, .user = listener->user};
  const char *other_folder = options->against_images ? options->against_images : options->images;
  g_auto(Check) check = {0}, other = {0};
  g_autoptr(JsonNode) node = NULL;

  if (options->images && !g_file_test(options->images, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no such folder", options->images);
    return NULL;
  }
  check_init(&check, options, listener, options->file, options->images);
  if (options->list && !(check.list = app_out_new(options->list, error))) {
    return NULL;
  }
  check_init(&other, options, &quiet, options->against, options->images ? other_folder : NULL);
  node = check_all(&check, &other, error);
  if (node && check.list_error) {
    g_propagate_error(error, g_steal_pointer(&check.list_error));
    return NULL;
  }
  if (node && check.list && !app_out_finish(g_steal_pointer(&check.list), error)) {
    return NULL;
  }
  return g_steal_pointer(&node);
}
