/* phantom.c - folders of phantoms with captions, questions and answers.
 *
 * 1. The JSON files are written last, each aside, synced and renamed, after one sync of the file
 *    system has put the pictures on the disk: a folder that has captions.json is whole.
 * 2. Which questions are taken depends on the seed and the order of the phantoms alone.
 * 3. Within a key no answer is ever ahead of the rarest by more than the slack: none in an
 * evaluation set (where leftovers are cut at the end), a few in a training set.
 */
#include "private.h"
#include "phantom.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "model_prompt.h"

#define MAX_COUNT 1000000
#define MAX_QUESTIONS 40
/* A training set may be off balance by this many answers within a key. */
#define TRAIN_SLACK 4
/* Questions about modality and region are learnt at once and seldom needed by a trainer. */
#define TRAIN_EASY_WEIGHT 4

gboolean
app_phantom_picture(guint64 seed, guint64 index, guint side, guint8 *rgb)
{
  if (side < PHANTOM_MIN_SIZE || side > PHANTOM_MAX_SIZE) {
    return FALSE;
  }
  PhantomTruth truth;
  phantom_truth(seed, index, &truth);
  phantom_resize(&truth, side);
  g_autoptr(DicomPicture) picture = phantom_render(&truth, NULL);
  if (!picture) {
    return FALSE;
  }
  memcpy(rgb, picture->pixels, (gsize)side * side * 3);
  return TRUE;
}

void
app_phantom_options_init(AppPhantomOptions *options)
{
  *options = (AppPhantomOptions){.seed = 1,
                                 .count = 100,
                                 .format = APP_PHANTOM_PNG,
                                 .split = APP_PHANTOM_TRAIN,
                                 .questions_per_image = 6,
                                 .size = PHANTOM_DEFAULT_SIZE};
}

typedef struct {
  const AppPhantomOptions *options;
  guint64 first;
  PhantomKind kinds[PHANTOM_N_KINDS];
  guint n_kinds; /* 0: the demo model's mix */
  PhantomBalance *balance;
  GString *truths, *captions, *instruct, *eval;
  guint n_turns;
  gint64 start;
} Writer;

/* ---- JSON ------------------------------------------------------------------------------------ */

static char *
image_name(const Writer *w, guint picture)
{
  return g_strdup_printf("images/%06u.%s", picture,
                         w->options->format == APP_PHANTOM_DICOM ? "dcm" : "png");
}

static char *
phantom_id(const Writer *w, guint64 index)
{
  return g_strdup_printf("phantom-%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, w->options->seed,
                         index);
}

static void
append_line(GString *out, JsonObject *object, const char *end)
{
  g_autoptr(JsonNode) node = app_json_node(object);
  g_autofree char *text = app_json_text(node);
  g_string_append(out, text);
  g_string_append(out, end);
}

static const char *
side_text(PhantomSide side)
{
  static const char *const names[] = {"", "left", "right", "both"};
  return names[side];
}

static JsonObject *
truth_object(const Writer *w, const PhantomTruth *t, const char *image)
{
  JsonObject *object = json_object_new();
  JsonArray *findings = json_array_new();
  g_autofree char *id = phantom_id(w, t->index);
  json_object_set_string_member(object, "id", id);
  json_object_set_string_member(object, "image", image);
  json_object_set_string_member(object, "kind", phantom_kind_name(t->kind));
  json_object_set_string_member(object, "modality", t->modality);
  json_object_set_string_member(object, "body_part", t->body_part);
  json_object_set_int_member(object, "size", t->rows);
  json_object_set_double_member(object, "spacing_mm", t->spacing_mm);
  json_object_set_boolean_member(object, "heart_enlarged", t->heart_enlarged);
  json_object_set_boolean_member(object, "ventricles_enlarged", t->ventricles_enlarged);
  for (guint i = 0; i < t->n_findings; i++) {
    const PhantomFinding *f = &t->findings[i];
    JsonObject *finding = json_object_new();
    json_object_set_string_member(finding, "name", f->name);
    json_object_set_string_member(finding, "organ", f->organ);
    json_object_set_string_member(finding, "side", side_text(f->side));
    json_object_set_string_member(finding, "zone", f->zone);
    json_object_set_boolean_member(finding, "large", f->large);
    json_object_set_double_member(finding, "size_mm", f->size_mm);
    json_object_set_double_member(finding, "x_mm", f->x_mm);
    json_object_set_double_member(finding, "y_mm", f->y_mm);
    json_array_add_object_element(findings, finding);
  }
  json_object_set_array_member(object, "findings", findings);
  return object;
}

static JsonObject *
domain_object(const PhantomTruth *t)
{
  JsonObject *domain = json_object_new();
  json_object_set_boolean_member(domain, "chest_xray", t->kind == PHANTOM_CHEST_CR);
  json_object_set_boolean_member(domain, "mri", FALSE);
  json_object_set_boolean_member(domain, "histology", FALSE);
  json_object_set_boolean_member(domain, "gross", FALSE);
  json_object_set_boolean_member(domain, "ct_scan", t->kind != PHANTOM_CHEST_CR);
  return domain;
}

static void
add_turn(JsonArray *turns, const char *from, const char *value)
{
  JsonObject *turn = json_object_new();
  json_object_set_string_member(turn, "from", from);
  json_object_set_string_member(turn, "value", value);
  json_array_add_object_element(turns, turn);
}

/* LLaVA-Med's own data hold the picture's mark before or after the first question, by one random
 * bit. */
static void
add_first_question(JsonArray *turns, const char *question, guint bit)
{
  g_autofree char *value =
      bit ? g_strdup_printf("<image>\n%s", question) : g_strdup_printf("%s\n<image>", question);
  add_turn(turns, "human", value);
}

static void
append_conversation(const Writer *w, GString *out, const PhantomTruth *t, const char *image,
                    JsonArray *turns)
{
  JsonObject *object = json_object_new();
  g_autofree char *id = phantom_id(w, t->index);
  json_object_set_string_member(object, "id", id);
  json_object_set_string_member(object, "image", image);
  json_object_set_object_member(object, "domain", domain_object(t));
  json_object_set_array_member(object, "conversations", turns);
  g_string_append(out, out->len > 2 ? ",\n" : "");
  append_line(out, object, "");
}

/* Half of the captions are brief, half detailed; the instruction follows by the 30-word rule. */
static char *
caption_for(const PhantomTruth *t)
{
  PhantomWords words = phantom_words(t->seed, t->index, 5);
  return app_phantom_caption_of(t, phantom_words_below(&words, 2));
}

static void
append_caption(Writer *w, const PhantomTruth *t, const char *image, const char *caption)
{
  PhantomWords words = phantom_words(t->seed, t->index, 6);
  ModelInstruction instruction =
      model_prompt_instruction(MODEL_LENGTH_AUTO, caption, phantom_words_below(&words, 1u << 30));
  JsonArray *turns = json_array_new();
  add_first_question(turns, instruction.text, phantom_words_below(&words, 2));
  add_turn(turns, "gpt", caption);
  append_conversation(w, w->captions, t, image, turns);
}

/* ---- the set --------------------------------------------------------------------------------- */

static void
make_truth(const Writer *w, guint picture, PhantomTruth *truth)
{
  guint64 index = w->first + picture;
  if (w->n_kinds == 0) {
    phantom_truth(w->options->seed, index, truth);
  } else {
    phantom_truth_of_kind(w->options->seed, index, w->kinds[picture % w->n_kinds], truth);
  }
  phantom_resize(truth, w->options->size);
}

static gboolean
write_picture(Writer *w, guint picture, GError **error)
{
  PhantomTruth truth;
  make_truth(w, picture, &truth);
  g_autofree char *image = image_name(w, picture);
  g_autofree char *path = g_build_filename(w->options->out, image, NULL);
  g_autofree char *caption = caption_for(&truth);
  gboolean written = w->options->format == APP_PHANTOM_DICOM
                         ? phantom_write_dicom(&truth, caption, path, FALSE, error)
                         : phantom_write_png(&truth, path, FALSE, error);
  if (!written) {
    return FALSE;
  }
  append_line(w->truths, truth_object(w, &truth, image), "\n");
  append_caption(w, &truth, image, caption);
  phantom_balance_choose(w->balance, &truth, picture);
  return TRUE;
}

static void
append_questions(Writer *w)
{
  JsonArray *turns = NULL;
  for (guint i = 0; i < phantom_balance_count(w->balance); i++) {
    const PhantomTaken *taken = phantom_balance_get(w->balance, i);
    const AppPhantomQuestion *q = taken->question;
    g_autofree char *image = image_name(w, taken->picture);
    w->n_turns++;
    if (w->options->split == APP_PHANTOM_EVAL) {
      JsonObject *object = json_object_new();
      json_object_set_int_member(object, "question_id", w->n_turns);
      json_object_set_string_member(object, "image", image);
      json_object_set_string_member(object, "text", q->question);
      json_object_set_string_member(object, "answer", q->answers[q->answer]);
      json_object_set_string_member(object, "answer_type", q->closed ? "CLOSED" : "OPEN");
      json_object_set_string_member(object, "kind", q->kind);
      json_object_set_string_member(object, "key", q->key);
      append_line(w->eval, object, "\n");
      continue;
    }
    if (!turns) {
      PhantomWords words = phantom_words(w->options->seed, taken->index, 7);
      turns = json_array_new();
      add_first_question(turns, q->question, phantom_words_below(&words, 2));
    } else {
      add_turn(turns, "human", q->question);
    }
    add_turn(turns, "gpt", q->answers[q->answer]);
    const PhantomTaken *next = phantom_balance_get(w->balance, i + 1);
    if (!next || next->picture != taken->picture) {
      PhantomTruth truth;
      make_truth(w, taken->picture, &truth);
      append_conversation(w, w->instruct, &truth, image, turns);
      turns = NULL;
    }
  }
}

static JsonObject *
balance_object(const Writer *w)
{
  JsonObject *kinds = json_object_new();
  for (guint i = 0; i < phantom_balance_count(w->balance); i++) {
    const PhantomTaken *taken = phantom_balance_get(w->balance, i);
    const AppPhantomQuestion *q = taken->question;
    if (!json_object_has_member(kinds, q->kind)) {
      json_object_set_object_member(kinds, q->kind, json_object_new());
    }
    JsonObject *kind = json_object_get_object_member(kinds, q->kind);
    const char *answer = q->answers[q->answer];
    gint64 n = json_object_get_int_member_with_default(kind, answer, 0);
    json_object_set_int_member(kind, answer, n + 1);
  }
  return kinds;
}

static gboolean
write_text(const Writer *w, const char *name, const GString *text, GError **error)
{
  g_autofree char *path = g_build_filename(w->options->out, name, NULL);
  return app_file_write(path, text->str, text->len, error);
}

/* All pictures at once reach the disk before the first JSON file does. */
static gboolean
sync_pictures(const Writer *w, GError **error)
{
  int fd = open(w->options->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean done = fd >= 0 && syncfs(fd) == 0;
  int code = errno;
  if (fd >= 0) {
    close(fd);
  }
  if (!done) {
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code), "%s: cannot sync: %s",
                w->options->out, g_strerror(code));
  }
  return done;
}

static gboolean
write_texts(Writer *w, GError **error)
{
  g_string_append(w->captions, "\n]\n");
  g_string_append(w->instruct, "\n]\n");
  if (!sync_pictures(w, error) || !write_text(w, "truth.jsonl", w->truths, error)) {
    return FALSE;
  }
  gboolean train = w->options->split == APP_PHANTOM_TRAIN;
  if (!write_text(w, train ? "instruct.json" : "eval.jsonl", train ? w->instruct : w->eval,
                  error)) {
    return FALSE;
  }
  return write_text(w, "captions.json", w->captions, error);
}

static gboolean
check_options(Writer *w, GError **error)
{
  const AppPhantomOptions *o = w->options;
  if (o->count < 1 || o->count > MAX_COUNT) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT, "count is %u; expected 1 to %d", o->count,
                MAX_COUNT);
    return FALSE;
  }
  if (o->size < PHANTOM_MIN_SIZE || o->size > PHANTOM_MAX_SIZE) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT, "size is %u; expected %d to %d", o->size,
                PHANTOM_MIN_SIZE, PHANTOM_MAX_SIZE);
    return FALSE;
  }
  if (o->questions_per_image > MAX_QUESTIONS) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "questions per image are %u; expected 0 to %d", o->questions_per_image,
                MAX_QUESTIONS);
    return FALSE;
  }
  g_auto(GStrv) names = g_strsplit(o->kinds ? o->kinds : "", ",", -1);
  for (guint i = 0; names[i]; i++) {
    PhantomKind kind;
    if (!phantom_kind_parse(names[i], &kind)) {
      g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                  "kind '%s' is not known; expected chest-cr, chest-ct, abdomen-ct or head-ct",
                  names[i]);
      return FALSE;
    }
    for (guint k = 0; k < w->n_kinds; k++) {
      if (w->kinds[k] == kind) {
        g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT, "kind '%s' is given twice", names[i]);
        return FALSE;
      }
    }
    w->kinds[w->n_kinds++] = kind;
  }
  return TRUE;
}

static gboolean
make_folder(const char *path, GError **error)
{
  if (g_mkdir_with_parents(path, 0777) == 0) {
    return TRUE;
  }
  int code = errno;
  g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code), "%s: cannot make the folder: %s",
              path, g_strerror(code));
  return FALSE;
}

static JsonNode *
write_set(Writer *w, AppProgress progress, gpointer user, GError **error)
{
  const AppPhantomOptions *o = w->options;
  for (guint i = 0; i < o->count; i++) {
    if (!write_picture(w, i, error)) {
      return NULL;
    }
    if (progress && !progress(i + 1, o->count, user)) {
      g_set_error(error, APP_ERROR, APP_ERROR_CANCELLED, "%s: cancelled after %u pictures", o->out,
                  i + 1);
      return NULL;
    }
  }
  if (o->split == APP_PHANTOM_EVAL) {
    phantom_balance_cut(w->balance);
  }
  append_questions(w);
  if (!write_texts(w, error)) {
    return NULL;
  }
  JsonObject *report = json_object_new();
  json_object_set_string_member(report, "out", o->out);
  json_object_set_string_member(report, "split", o->split == APP_PHANTOM_EVAL ? "eval" : "train");
  json_object_set_int_member(report, "images", o->count);
  json_object_set_int_member(report, "captions", o->count);
  json_object_set_int_member(report, "turns", w->n_turns);
  json_object_set_double_member(report, "seconds",
                                (double)(g_get_monotonic_time() - w->start) / 1e6);
  json_object_set_object_member(report, "balance", balance_object(w));
  return app_json_node(report);
}

static JsonNode *
write_stack(const AppPhantomOptions *o, GError **error)
{
  PhantomTruth truth;
  if (!phantom_write_stack(o->seed, o->stack, o->size, o->out, &truth, error)) {
    return NULL;
  }
  Writer w = {.options = o};
  JsonObject *report = json_object_new();
  json_object_set_string_member(report, "out", o->out);
  json_object_set_int_member(report, "images", o->stack);
  json_object_set_object_member(report, "truth", truth_object(&w, &truth, "slice-0001.dcm"));
  return app_json_node(report);
}

JsonNode *
app_phantom_write(const AppPhantomOptions *options, AppProgress progress, gpointer user,
                  GError **error)
{
  Writer w = {.options = options, .start = g_get_monotonic_time()};
  w.first = options->split == APP_PHANTOM_EVAL ? APP_PHANTOM_EVAL_FIRST : 0;
  g_autofree char *images = g_build_filename(options->out, "images", NULL);
  if (!check_options(&w, error) || !make_folder(options->stack ? options->out : images, error)) {
    return NULL;
  }
  if (options->stack) {
    return write_stack(options, error);
  }
  gboolean eval = options->split == APP_PHANTOM_EVAL;
  w.balance = phantom_balance_new(eval ? 0 : TRAIN_SLACK, options->questions_per_image,
                                  eval ? 1 : TRAIN_EASY_WEIGHT);
  w.truths = g_string_new(NULL);
  w.captions = g_string_new("[\n");
  w.instruct = g_string_new("[\n");
  w.eval = g_string_new(NULL);
  JsonNode *report = write_set(&w, progress, user, error);
  g_string_free(w.truths, TRUE);
  g_string_free(w.captions, TRUE);
  g_string_free(w.instruct, TRUE);
  g_string_free(w.eval, TRUE);
  phantom_balance_free(w.balance);
  return report;
}
