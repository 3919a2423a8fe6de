/* test-phantom-text.c - captions, questions and data sets of phantoms. */
#include <string.h>

#include <glib/gstdio.h>

#include "app_phantom.h"
#include "app_slice.h"

#define N_SAMPLE 20000

static guint
words(const char *text)
{
  guint n = 0;
  g_auto(GStrv) parts = g_strsplit_set(text, " \t\n", -1);
  for (guint i = 0; parts[i]; i++) {
    n += *parts[i] != 0;
  }
  return n;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void
check_sentence(const char *text)
{
  g_assert_null(strpbrk(text, "{}%"));
  g_assert_null(strstr(text, "  "));
  g_assert_null(strstr(text, "(null)"));
  g_assert_true(g_ascii_isupper(text[0]));
  g_assert_true(g_str_has_suffix(text, ".") || g_str_has_suffix(text, "?"));
}

static void
test_captions(void)
{
  guint longest = 0, shortest = G_MAXUINT;
  for (guint64 i = 0; i < N_SAMPLE; i++) {
    g_autofree char *brief = app_phantom_caption(4, i, FALSE);
    g_autofree char *detailed = app_phantom_caption(4, i, TRUE);
    check_sentence(brief);
    check_sentence(detailed);
    longest = MAX(longest, words(brief));
    shortest = MIN(shortest, words(detailed));
  }
  g_test_message("brief captions have up to %u words, detailed ones at least %u", longest,
                 shortest);
  g_assert_cmpuint(longest, <, 30);
  g_assert_cmpuint(shortest, >=, 30);
}

static void
test_questions(void)
{
  g_autoptr(GHashTable) kinds = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GHashTable) texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint64 i = 0; i < N_SAMPLE / 4; i++) {
    g_autoptr(GPtrArray) questions = app_phantom_questions(4, i);
    g_autoptr(GHashTable) keys = g_hash_table_new(g_str_hash, g_str_equal);
    g_assert_cmpuint(questions->len, >=, 7);
    for (guint k = 0; k < questions->len; k++) {
      const AppPhantomQuestion *q = questions->pdata[k];
      check_sentence(q->question);
      g_assert_cmpuint(q->answer, <, q->n_answers);
      g_assert_cmpint(q->closed, ==, strcmp(q->answers[0], "Yes") == 0);
      /* One picture is never asked one thing twice. */
      g_assert_true(g_hash_table_add(keys, (gpointer)q->key));
      g_hash_table_add(kinds, (gpointer)q->kind);
      g_hash_table_add(texts, g_strdup(q->question));
    }
  }
  g_test_message("%u kinds of questions, %u texts", g_hash_table_size(kinds),
                 g_hash_table_size(texts));
  g_assert_cmpuint(g_hash_table_size(kinds), >=, 7);
  g_assert_cmpuint(g_hash_table_size(texts), >, 200);
}

static void
test_repeatable(void)
{
  for (guint64 i = 0; i < 50; i++) {
    g_autofree char *a = app_phantom_caption(4, i, i & 1);
    g_autofree char *b = app_phantom_caption(4, i, i & 1);
    g_autoptr(GPtrArray) first = app_phantom_questions(4, i);
    g_autoptr(GPtrArray) again = app_phantom_questions(4, i);
    g_assert_cmpstr(a, ==, b);
    g_assert_cmpuint(first->len, ==, again->len);
    for (guint k = 0; k < first->len; k++) {
      const AppPhantomQuestion *q = first->pdata[k], *r = again->pdata[k];
      g_assert_cmpstr(q->question, ==, r->question);
      g_assert_cmpuint(q->answer, ==, r->answer);
    }
  }
}

/* ---- folders --------------------------------------------------------------------------------- */

typedef struct {
  char *dir;
  AppPhantomOptions options;
} Set;

static void
set_up(Set *set, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  set->dir = g_dir_make_tmp("hilum-phantom-XXXXXX", &error);
  g_assert_no_error(error);
  app_phantom_options_init(&set->options);
  set->options.out = set->dir;
  set->options.size = 32;
  set->options.seed = 21;
}

static void
remove_tree(const char *path)
{
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *child = g_build_filename(path, name, NULL);
    if (g_file_test(child, G_FILE_TEST_IS_DIR)) {
      remove_tree(child);
    } else {
      g_assert_cmpint(g_unlink(child), ==, 0);
    }
  }
  g_assert_cmpint(g_rmdir(path), ==, 0);
}

static void
tear_down(Set *set, gconstpointer data)
{
  remove_tree(set->dir);
  g_free(set->dir);
}

static JsonNode *
write_set(const AppPhantomOptions *options)
{
  g_autoptr(GError) error = NULL;
  JsonNode *report = app_phantom_write(options, NULL, NULL, &error);
  g_assert_no_error(error);
  return report;
}

static char *
read_text(const Set *set, const char *name)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(set->dir, name, NULL);
  char *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, &error));
  g_assert_no_error(error);
  return text;
}

/* An array of the lines' or the array's objects. */
static JsonNode *
read_json(const Set *set, const char *name)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *text = read_text(set, name);
  g_autoptr(GString) array = g_string_new(text);
  if (g_str_has_suffix(name, ".jsonl")) {
    g_strchomp(text);
    g_string_printf(array, "[%s]", text);
    g_string_replace(array, "}\n{", "},{", 0);
  }
  JsonNode *node = json_from_string(array->str, &error);
  g_assert_no_error(error);
  g_assert_true(JSON_NODE_HOLDS_ARRAY(node));
  return node;
}

static const char *
text_of(JsonObject *object, const char *member)
{
  return json_object_get_string_member(object, member);
}

/* The findings of one line of truth.jsonl called NAME, on SIDE unless it is "". */
static guint
count_in_truth(JsonObject *truth, const char *name, const char *side)
{
  JsonArray *findings = json_object_get_array_member(truth, "findings");
  guint n = 0;
  for (guint i = 0; i < json_array_get_length(findings); i++) {
    JsonObject *f = json_array_get_object_element(findings, i);
    const char *where = text_of(f, "side");
    n += strstr(text_of(f, "name"), name) &&
         (!*side || strcmp(where, side) == 0 || strcmp(where, "both") == 0);
  }
  return n;
}

/* Answers what can be computed from truth.jsonl alone; NULL for other kinds of questions. */
static const char *
expected_answer(JsonObject *truth, const char *key)
{
  static const char *const numbers[] = {"None", "One", "Two", "Three"};
  g_auto(GStrv) parts = g_strsplit(key, "/", -1);
  const char *kind = parts[0], *about = parts[1], *detail = parts[2];
  const char *body = text_of(truth, "body_part");
  gboolean ct = strcmp(text_of(truth, "modality"), "CT") == 0;
  if (strcmp(kind, "presence") == 0 || strcmp(kind, "device") == 0 ||
      strcmp(kind, "side-presence") == 0) {
    return count_in_truth(truth, about, detail) ? "Yes" : "No";
  }
  if (strcmp(kind, "count") == 0) {
    return numbers[count_in_truth(truth, strcmp(about, "nodule") ? "liver" : about, "")];
  }
  if (strcmp(kind, "modality-closed") == 0) {
    return ct == (strcmp(detail, "ct") == 0) ? "Yes" : "No";
  }
  if (strcmp(kind, "modality") == 0) {
    return ct ? "CT" : "X-ray";
  }
  if (strcmp(kind, "region-closed") == 0) {
    return g_ascii_strcasecmp(detail, body) == 0 ? "Yes" : "No";
  }
  if (strcmp(kind, "enlarged") == 0) {
    gboolean heart = strcmp(about, "heart") == 0;
    return json_object_get_boolean_member(truth, heart ? "heart_enlarged" : "ventricles_enlarged")
               ? "Yes"
               : "No";
  }
  return NULL;
}

static void
test_eval(Set *set, gconstpointer data)
{
  set->options.split = APP_PHANTOM_EVAL;
  set->options.count = 600;
  set->options.questions_per_image = 3;
  g_autoptr(JsonNode) report = write_set(&set->options);
  g_autoptr(JsonNode) truth_node = read_json(set, "truth.jsonl");
  g_autoptr(JsonNode) eval_node = read_json(set, "eval.jsonl");
  JsonArray *truths = json_node_get_array(truth_node), *eval = json_node_get_array(eval_node);
  guint n = json_array_get_length(eval), checked = 0;
  g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GHashTable) keys = g_hash_table_new(g_str_hash, g_str_equal);
  g_assert_cmpuint(json_array_get_length(truths), ==, 600);
  g_assert_cmpuint(n, >, 1500);
  g_assert_cmpint(json_object_get_int_member(json_node_get_object(report), "turns"), ==, n);
  for (guint i = 0; i < n; i++) {
    JsonObject *q = json_array_get_object_element(eval, i);
    const char *image = text_of(q, "image"), *answer = text_of(q, "answer");
    const char *key = text_of(q, "key");
    gboolean closed = strcmp(text_of(q, "answer_type"), "CLOSED") == 0;
    g_assert_cmpint(closed, ==, strcmp(answer, "Yes") == 0 || strcmp(answer, "No") == 0);
    g_assert_cmpint(json_object_get_int_member(q, "question_id"), ==, i + 1);
    JsonObject *truth = json_array_get_object_element(
        truths, (guint)g_ascii_strtoull(image + strlen("images/"), NULL, 10));
    g_assert_cmpstr(text_of(truth, "image"), ==, image);
    const char *expected = expected_answer(truth, key);
    if (expected) {
      g_assert_cmpstr(answer, ==, expected);
      checked++;
    }
    char *cell = g_strconcat(key, "=", answer, NULL);
    gpointer had = g_hash_table_lookup(counts, cell);
    g_hash_table_insert(counts, cell, GUINT_TO_POINTER(GPOINTER_TO_UINT(had) + 1));
    g_hash_table_insert(keys, (gpointer)key, GUINT_TO_POINTER(closed));
  }
  g_assert_cmpuint(checked, >, n / 2);
  /* Exactly as many Yes as No within every key, and so within every kind. */
  GHashTableIter iter;
  gpointer key, closed;
  g_hash_table_iter_init(&iter, keys);
  while (g_hash_table_iter_next(&iter, &key, &closed)) {
    if (closed) {
      g_autofree char *yes = g_strconcat(key, "=Yes", NULL);
      g_autofree char *no = g_strconcat(key, "=No", NULL);
      g_assert_cmpuint(GPOINTER_TO_UINT(g_hash_table_lookup(counts, yes)), ==,
                       GPOINTER_TO_UINT(g_hash_table_lookup(counts, no)));
    }
  }
}

/* Every kind's answers are even in an evaluation set, open ones within each key too. */
static void
test_eval_open(Set *set, gconstpointer data)
{
  static const char *const even[] = {"count", "zone", "size", "modality", "region"};
  set->options.split = APP_PHANTOM_EVAL;
  set->options.count = 600;
  set->options.questions_per_image = 3;
  g_autoptr(JsonNode) report = write_set(&set->options);
  JsonObject *balance = json_object_get_object_member(json_node_get_object(report), "balance");
  g_assert_cmpuint(json_object_get_size(balance), >=, 7);
  for (guint i = 0; i < G_N_ELEMENTS(even); i++) {
    JsonObject *answers = json_object_get_object_member(balance, even[i]);
    g_autoptr(GList) names = json_object_get_members(answers);
    gint64 first = json_object_get_int_member(answers, names->data);
    g_assert_cmpuint(g_list_length(names), >=, 2);
    g_assert_cmpint(first, >=, 3);
    for (GList *l = names; l; l = l->next) {
      g_assert_cmpint(json_object_get_int_member(answers, l->data), ==, first);
    }
  }
}

static void
check_conversation(const Set *set, JsonObject *object, guint max_turns)
{
  JsonArray *turns = json_object_get_array_member(object, "conversations");
  guint n = json_array_get_length(turns);
  g_autofree char *path = g_build_filename(set->dir, text_of(object, "image"), NULL);
  g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
  g_assert_cmpuint(n % 2, ==, 0);
  g_assert_cmpuint(n, >=, 2);
  g_assert_cmpuint(n, <=, 2 * max_turns);
  g_assert_nonnull(json_object_get_object_member(object, "domain"));
  for (guint i = 0; i < n; i++) {
    JsonObject *turn = json_array_get_object_element(turns, i);
    const char *value = text_of(turn, "value");
    g_assert_cmpstr(text_of(turn, "from"), ==, i % 2 ? "gpt" : "human");
    g_assert_cmpint(strstr(value, "<image>") != NULL, ==, i == 0);
    if (i == 0) {
      g_assert_true(g_str_has_prefix(value, "<image>\n") || g_str_has_suffix(value, "\n<image>"));
    }
  }
}

static void
test_train(Set *set, gconstpointer data)
{
  set->options.count = 400;
  set->options.questions_per_image = 5;
  g_autoptr(JsonNode) report = write_set(&set->options);
  g_autoptr(JsonNode) captions_node = read_json(set, "captions.json");
  g_autoptr(JsonNode) instruct_node = read_json(set, "instruct.json");
  JsonArray *captions = json_node_get_array(captions_node);
  JsonArray *instruct = json_node_get_array(instruct_node);
  guint brief = 0, turns = 0;
  g_assert_cmpuint(json_array_get_length(captions), ==, 400);
  for (guint i = 0; i < 400; i++) {
    JsonObject *object = json_array_get_object_element(captions, i);
    check_conversation(set, object, 1);
    JsonArray *pair = json_object_get_array_member(object, "conversations");
    const char *asked = text_of(json_array_get_object_element(pair, 0), "value");
    const char *caption = text_of(json_array_get_object_element(pair, 1), "value");
    /* The 30-word rule: what asks for detail gets 30 words and more. LLaVA-Med's requests for
     * detail are the ones without a full stop. */
    gboolean is_brief = words(caption) < 30;
    g_autofree char *bare = g_strdup(asked);
    g_autoptr(GString) text = g_string_new(bare);
    g_string_replace(text, "<image>", "", 0);
    g_strstrip(text->str);
    g_assert_cmpint(g_str_has_suffix(text->str, "."), ==, is_brief);
    brief += is_brief;
  }
  g_assert_cmpuint(brief, >, 150);
  g_assert_cmpuint(brief, <, 250);
  g_assert_cmpuint(json_array_get_length(instruct), >, 380);
  for (guint i = 0; i < json_array_get_length(instruct); i++) {
    JsonObject *object = json_array_get_object_element(instruct, i);
    check_conversation(set, object, 5);
    turns += json_array_get_length(json_object_get_array_member(object, "conversations")) / 2;
  }
  g_assert_cmpint(json_object_get_int_member(json_node_get_object(report), "turns"), ==, turns);
}

static void
test_same_bytes(Set *set, gconstpointer data)
{
  static const char *const names[] = {"captions.json", "instruct.json", "truth.jsonl",
                                      "images/000007.dcm"};
  char *first[G_N_ELEMENTS(names)];
  set->options.count = 20;
  set->options.format = APP_PHANTOM_DICOM;
  g_autoptr(JsonNode) report = write_set(&set->options);
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(set->dir, names[i], NULL);
    gsize n;
    g_assert_true(g_file_get_contents(path, &first[i], &n, NULL));
    g_autofree char *sha = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guint8 *)first[i], n);
    g_free(first[i]);
    first[i] = g_steal_pointer(&sha);
  }
  g_autoptr(JsonNode) again = write_set(&set->options);
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(set->dir, names[i], NULL);
    g_autofree char *bytes = NULL;
    gsize n;
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    g_autofree char *sha = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guint8 *)bytes, n);
    g_assert_cmpstr(sha, ==, first[i]);
    g_free(first[i]);
  }
}

/* The file of a phantom, opened as a reader opens it, is app_phantom_picture() of its number; and
 * the two splits of a seed share no picture. */
/* At one device pixel for a pixel, a slice is drawn as it is. */
static void
check_pixels(AppSlice *slice, const guint8 rgb[32 * 32 * 3])
{
  const AppPlacement placement = {.width = 32, .height = 32};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppCanvas) canvas = app_slice_draw(slice, NULL, &placement, &error);
  const guint32 *words = g_bytes_get_data(canvas->pixels, NULL);

  g_assert_no_error(error);
  for (guint i = 0; i < 32 * 32; i++) {
    guint32 expected =
        0xff000000u | (guint32)rgb[3 * i] << 16 | (guint32)rgb[3 * i + 1] << 8 | rgb[3 * i + 2];

    g_assert_cmpuint(words[i], ==, expected);
  }
}

static void
test_picture(Set *set, gconstpointer data)
{
  set->options.count = 6;
  g_autoptr(GError) error = NULL;
  for (guint split = 1; split <= 2; split++) {
    for (guint format = 0; format < 2; format++) {
      set->options.split = (AppPhantomSplit)split;
      set->options.format = (AppPhantomFormat)format;
      g_autoptr(JsonNode) report = write_set(&set->options);
      for (guint i = 0; i < 6; i++) {
        g_autofree char *path =
            g_strdup_printf("%s/images/%06u.%s", set->dir, i, format ? "dcm" : "png");
        AppStudy *study = app_study_open(path, &error);
        g_assert_no_error(error);
        g_autoptr(AppSlice) slice = app_study_slice(study, 0, 0, NULL, &error);
        g_assert_no_error(error);
        guint8 rgb[32 * 32 * 3];
        guint64 index = (split == APP_PHANTOM_EVAL ? APP_PHANTOM_EVAL_FIRST : 0) + i;
        g_assert_true(app_phantom_picture(21, index, 32, rgb));
        check_pixels(slice, rgb);
        app_study_free(study);
      }
    }
  }
  guint8 none[3];
  g_assert_false(app_phantom_picture(1, 1, 31, none));
  g_assert_false(app_phantom_picture(1, 1, 4097, none));
}

static void
test_kinds(Set *set, gconstpointer data)
{
  set->options.count = 8;
  set->options.kinds = "head-ct,chest-cr";
  g_autoptr(JsonNode) report = write_set(&set->options);
  g_autoptr(JsonNode) node = read_json(set, "truth.jsonl");
  JsonArray *truths = json_node_get_array(node);
  for (guint i = 0; i < 8; i++) {
    JsonObject *truth = json_array_get_object_element(truths, i);
    g_assert_cmpstr(text_of(truth, "kind"), ==, i % 2 ? "chest-cr" : "head-ct");
  }
}

static void
test_stack(Set *set, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  set->options.stack = 7;
  g_autoptr(JsonNode) report = write_set(&set->options);
  AppStudy *study = app_study_open(set->dir, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(app_study_n_series(study), ==, 1);
  g_assert_cmpuint(app_study_series(study, 0)->n_images, ==, 7);
  app_study_free(study);
}

static void
test_refused(Set *set, gconstpointer data)
{
  const AppPhantomOptions good = set->options;
  AppPhantomOptions bad[6] = {good, good, good, good, good, good};
  bad[0].count = 0;
  bad[1].count = 2000000;
  bad[2].size = 31;
  bad[3].questions_per_image = 41;
  bad[4].kinds = "chest-cr,knee";
  bad[5].kinds = "chest-cr,chest-cr";
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(app_phantom_write(&bad[i], NULL, NULL, &error));
    g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
  }
}

static gboolean
stop_at_three(guint64 done, guint64 total, gpointer user)
{
  return done < 3;
}

static void
test_stopped(Set *set, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_assert_null(app_phantom_write(&set->options, stop_at_three, NULL, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_CANCELLED);
  /* A folder without captions.json is not whole. */
  g_autofree char *captions = g_build_filename(set->dir, "captions.json", NULL);
  g_assert_false(g_file_test(captions, G_FILE_TEST_EXISTS));
  g_clear_error(&error);
  g_autofree char *file = g_build_filename(set->dir, "file", NULL);
  g_assert_true(g_file_set_contents(file, "", 0, NULL));
  set->options.out = file;
  g_assert_null(app_phantom_write(&set->options, NULL, NULL, &error));
  g_assert_nonnull(error);
  g_assert_nonnull(strstr(error->message, file));
}

#define ADD(name, function) g_test_add("/app/phantom/" name, Set, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/app/phantom/captions", test_captions);
  g_test_add_func("/app/phantom/questions", test_questions);
  g_test_add_func("/app/phantom/repeatable", test_repeatable);
  ADD("eval", test_eval);
  ADD("eval-open", test_eval_open);
  ADD("train", test_train);
  ADD("same-bytes", test_same_bytes);
  ADD("picture", test_picture);
  ADD("kinds", test_kinds);
  ADD("stack", test_stack);
  ADD("refused", test_refused);
  ADD("stopped", test_stopped);
  return g_test_run();
}
