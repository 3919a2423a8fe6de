/* imatrix.c - which columns of a model's products count: prompts are asked, and the inputs watched.
 */
#include <string.h>

#include "private.h"

#define MAX_PROMPT_BYTES (64u << 20) /* of the prompts file */
#define MOST_TOKENS 64u              /* of an answer, unless told otherwise */

typedef struct {
  char *text, *image; /* IMAGE: path, or NULL */
  guint line;
} Prompt;

static void
prompt_free(Prompt *prompt)
{
  g_free(prompt->text);
  g_free(prompt->image);
  g_free(prompt);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Prompt, prompt_free)

static gboolean
parse_object(Prompt *prompt, const char *line, gsize length, const char *images, GError **error)
{
  g_autoptr(JsonObject) object = app_json_object_read(line, length, error);
  const char *image;

  if (!object) {
    return FALSE;
  }
  prompt->text = g_strdup(app_json_get_text(object, "text"));
  image = app_json_get_text(object, "image");
  if (!prompt->text) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_FAILED, "has no text (a string)");
    return FALSE;
  }
  if (image && !images) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_FAILED,
                        "names an image, but no folder of images was given");
    return FALSE;
  }
  prompt->image = image ? app_file_below(images, image, error) : NULL;
  return !image || prompt->image;
}

static gboolean
parse_line(GPtrArray *prompts, const char *line, gsize length, guint number, const char *images,
           GError **error)
{
  g_autoptr(Prompt) prompt = g_new0(Prompt, 1);

  while (length > 0 && app_json_is_blank(*line)) {
    line++;
    length--;
  }
  while (length > 0 && app_json_is_blank(line[length - 1])) {
    length--;
  }
  if (!length) {
    return TRUE;
  }
  prompt->line = number;
  if (*line == '{') {
    if (!parse_object(prompt, line, length, images, error)) {
      return FALSE;
    }
  } else if (g_utf8_validate_len(line, length, NULL)) {
    prompt->text = g_strndup(line, length);
  } else {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_FAILED, "is not UTF-8 text");
    return FALSE;
  }
  g_ptr_array_add(prompts, g_steal_pointer(&prompt));
  return TRUE;
}

static GPtrArray *
read_prompts(const AppImatrixOptions *options, GError **error)
{
  g_autoptr(GMappedFile) file = g_mapped_file_new(options->prompts, FALSE, error);
  g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func((GDestroyNotify)prompt_free);
  const char *at, *end;
  gsize size;

  if (!file) {
    return NULL;
  }
  size = g_mapped_file_get_length(file);
  if (size > MAX_PROMPT_BYTES) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %" G_GSIZE_FORMAT " bytes; at most %u",
                options->prompts, size, MAX_PROMPT_BYTES);
    return NULL;
  }
  at = g_mapped_file_get_contents(file);
  end = at ? at + size : NULL;
  for (guint number = 1; at < end && (!options->limit || prompts->len < options->limit); number++) {
    const char *stop = memchr(at, '\n', (gsize)(end - at));

    stop = stop ? stop : end;
    if (!parse_line(prompts, at, (gsize)(stop - at), number, options->images, error)) {
      g_prefix_error(error, "%s: line %u: ", options->prompts, number);
      return NULL;
    }
    at = stop < end ? stop + 1 : end;
  }
  if (!prompts->len) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no prompts in it", options->prompts);
    return NULL;
  }
  return g_steal_pointer(&prompts);
}

/* ---- asking ------------------------------------------------------------------------------- */

typedef struct {
  ModelSession *session;
  ModelImatrix *imatrix;
  const AppImatrixOptions *options;
  AppProgress progress;
  gpointer user;
} Run;

static gboolean
ask(Run *run, const Prompt *prompt, const AppShot *shot, GError **error)
{
  const ModelImage image = shot ? app_shot_image(shot) : (ModelImage){0};
  const ModelSampling sampling = {
      .top_p = 1, .max_tokens = run->options->max_tokens ? run->options->max_tokens : MOST_TOKENS};
  ModelAnswer answer = {0};
  ModelError failure = {0};

  if (!model_session_rewind(run->session, 0, &failure) ||
      !model_session_ask(run->session, shot ? &image : NULL, prompt->text, &sampling, NULL, &answer,
                         &failure)) {
    app_error_from_model(error, &failure);
    g_prefix_error(error, "%s: line %u: ", run->options->prompts, prompt->line);
    return FALSE;
  }
  model_answer_clear(&answer);
  model_imatrix_count_prompt(run->imatrix);
  return TRUE;
}

static gboolean
ask_all(Run *run, GPtrArray *prompts, GError **error)
{
  g_autoptr(AppShot) shot = NULL;
  const char *shown = NULL;

  for (guint i = 0; i < prompts->len; i++) {
    const Prompt *prompt = g_ptr_array_index(prompts, i);

    if (run->progress && !run->progress(i, prompts->len, run->user)) {
      g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled after %u of %u prompts", i,
                  prompts->len);
      return FALSE;
    }
    if (g_strcmp0(shown, prompt->image) != 0) {
      g_clear_pointer(&shot, app_shot_unref);
      shot = prompt->image ? app_shot_new(&(AppImageChoice){.path = prompt->image}, error) : NULL;
      if (prompt->image && !shot) {
        return FALSE;
      }
      shown = prompt->image;
    }
    if (!ask(run, prompt, shot, error)) {
      return FALSE;
    }
  }
  if (run->progress) {
    run->progress(prompts->len, prompts->len, run->user);
  }
  return TRUE;
}

static JsonNode *
report_node(const Run *run, const ModelEngine *engine, guint n_prompts, double seconds)
{
  JsonObject *object = json_object_new();

  app_json_set_text(object, "out", run->options->out);
  app_json_set_text(object, "model", model_engine_info(engine)->name);
  json_object_set_int_member(object, "prompts", n_prompts);
  json_object_set_int_member(object, "tensors", model_imatrix_tensors(run->imatrix));
  json_object_set_int_member(object, "rows", (gint64)model_imatrix_rows(run->imatrix));
  json_object_set_double_member(object, "seconds", seconds);
  return app_json_node(object);
}

JsonNode *
app_model_imatrix(const AppModelOptions *model, const AppImatrixOptions *options,
                  AppProgress progress, gpointer user, GError **error)
{
  const gint64 began = g_get_monotonic_time();
  Run run = {.options = options, .progress = progress, .user = user};
  const ModelSessionOptions session = app_session_options(model);
  g_autoptr(GPtrArray) prompts = NULL;
  g_autoptr(ModelEngine) engine = NULL;
  ModelError failure = {0};
  JsonNode *node = NULL;
  gboolean ok;

  if (!app_file_has_folder(options->out, error) ||
      !app_file_is_another(options->out, options->prompts, error) ||
      !(prompts = read_prompts(options, error)) || !(engine = app_engine_open(model, error))) {
    return NULL;
  }
  run.imatrix = model_imatrix_gather(engine, &failure);
  run.session = run.imatrix ? model_session_new(engine, &session, &failure) : NULL;
  ok = run.session ? ask_all(&run, prompts, error) : app_error_from_model(error, &failure);
  if (run.imatrix) {
    model_imatrix_stop(engine);
  }
  ok = ok && !app_engine_is_lost(engine, error);
  if (ok && !model_imatrix_write(run.imatrix, options->out, &failure)) {
    ok = app_error_from_model(error, &failure);
  }
  if (ok) {
    node = report_node(&run, engine, prompts->len,
                       (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC);
  }
  model_session_free(run.session);
  model_imatrix_free(run.imatrix);
  return node;
}
