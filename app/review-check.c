/* review-check.c - asking the same again, in a conversation of its own, while nobody asks anything
 * else.
 *
 * 1. `work` is held while the turn is copied and while the result is kept, and not while answers
 * are computed: who goes back or begins anew need not wait.
 * 2. It stops at the next layer or word when a question comes, its cancellable is cancelled, or the
 *    review is closed; then nothing of it is kept.
 */
#include <string.h>

#include "review.h"
#include "trust.h"

#define MOST_SEEDS 16u
#define DEFAULT_SEEDS 3u
/* A greedy answer has no seed: what is drawn beside it is drawn as LLaVA-Med's own demo does. */
#define TEMPERATURE 0.2
#define TOP_P 0.7

typedef struct {
  guint turn, n;
  AppCheck check;
} Order;

typedef struct {
  AppReview *review;
  GCancellable *cancellable;
  const Order *order;
  AppBackend *backend; /* the other conversation */
  GPtrArray *said;     /* of AppSaid: the turn, and all before it */
  GPtrArray *shots;    /* of AppShot */
  GPtrArray *answers;  /* of char * */
  GArray *rows;        /* of StoreCheckAnswer, whose texts are those of ANSWERS */
} Check;

/* ---- what is the same --------------------------------------------------------------------- */

char *
app_check_words(const char *text)
{
  GString *words = g_string_new(NULL);

  for (const char *c = text; *c; c = g_utf8_next_char(c)) {
    const gunichar letter = g_utf8_get_char(c);
    if (g_unichar_isalnum(letter)) {
      g_string_append_unichar(words, g_unichar_tolower(letter));
    } else if (g_unichar_isspace(letter) && words->len > 0 && words->str[words->len - 1] != ' ') {
      g_string_append_c(words, ' ');
    }
  }
  return g_strchomp(g_string_free(words, FALSE));
}

static GHashTable *
set_of(const char *words)
{
  GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_auto(GStrv) parts = g_strsplit(words, " ", -1);

  for (char **part = parts; *part; part++) {
    if (**part) {
      g_hash_table_add(set, g_strdup(*part));
    }
  }
  return set;
}

/* Jaccard's index of two sets of words; 1 for two empty ones. */
static double
similarity(const char *a, const char *b)
{
  g_autoptr(GHashTable) first = set_of(a), second = set_of(b);
  GHashTableIter iter;
  gpointer word;
  guint both = 0, all;

  g_hash_table_iter_init(&iter, first);
  while (g_hash_table_iter_next(&iter, &word, NULL)) {
    both += g_hash_table_contains(second, word);
  }
  all = g_hash_table_size(first) + g_hash_table_size(second) - both;
  return all > 0 ? (double)both / all : 1;
}

double
app_check_agreement(const char *const *texts, gboolean *same)
{
  const guint n = g_strv_length((char **)texts);
  g_auto(GStrv) words = g_new0(char *, n + 1);
  double sum = 0;
  guint pairs = 0;

  *same = TRUE;
  for (guint i = 0; i < n; i++) {
    words[i] = app_check_words(texts[i]);
    *same = *same && strcmp(words[i], words[0]) == 0;
  }
  for (guint i = 0; i < n; i++) {
    for (guint k = i + 1; k < n; k++, pairs++) {
      sum += similarity(words[i], words[k]);
    }
  }
  return pairs > 0 ? sum / pairs : 1;
}

/* ---- the copy of the conversation --------------------------------------------------------- */

static AppSaid *
said_copy(const AppSaid *said)
{
  AppSaid *copy = g_new0(AppSaid, 1);

  *copy = *said;
  copy->question = g_strdup(said->question);
  copy->answer = g_strdup(said->answer);
  copy->ids = g_memdup2(said->ids, said->n_ids * sizeof *said->ids);
  copy->id = said->id ? app_turn_id_ref(said->id) : NULL;
  return copy;
}

static gboolean
copy_locked(Check *check, GError **error)
{
  AppReview *review = check->review;
  const guint turn = check->order->turn;
  const AppShot *first = NULL;
  const AppSaid *last;

  if (turn >= review->said->len) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "there is no turn %u to ask again; the conversation has %u", turn,
                review->said->len);
    return FALSE;
  }
  last = review->said->pdata[turn];
  for (guint i = 0; i <= turn; i++) {
    g_ptr_array_add(check->said, said_copy(review->said->pdata[i]));
  }
  for (guint i = 0; i < last->n_shots; i++) {
    g_ptr_array_add(check->shots, app_shot_ref(review->shots->pdata[i]));
  }
  if (check->order->check == APP_CHECK_BLANK && last->n_shots == 0) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_ARGUMENT,
                        "the question was about no image: there is nothing to blank");
    return FALSE;
  }
  /* A greedy answer beside a blank one is there already: nothing more is asked of the picture. */
  if (last->n_shots > 0 &&
      (check->order->check == APP_CHECK_SEEDS || last->sampling.temperature > 0)) {
    first = check->shots->pdata[0];
  }
  check->backend =
      review->backend->class->another(review->backend, first, last->sampling.max_tokens, error);
  return check->backend != NULL;
}

/* ---- answers ------------------------------------------------------------------------------ */

static gboolean
is_over(const Check *check)
{
  return g_cancellable_is_cancelled(check->cancellable) ||
         app_worker_must_stop(check->review->worker);
}

static void
on_progress(const char *phase, guint done, guint total, gpointer user)
{
  const Check *check = user;

  if (is_over(check)) {
    check->backend->class->stop(check->backend);
  }
}

static gboolean
on_text(const char *bytes, gsize length, gpointer user)
{
  return !is_over(user);
}

static gboolean
fail_stopped(GError **error)
{
  g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, "stopped before it was done");
  return FALSE;
}

/* The picture that joined with turn TURN, or its blank. */
static AppShot *
shot_of(const Check *check, guint turn, gboolean blank)
{
  const AppSaid *said = check->said->pdata[turn];
  const guint before = turn > 0 ? ((const AppSaid *)check->said->pdata[turn - 1])->n_shots : 0;
  AppShot *shot = said->n_shots > before ? check->shots->pdata[said->n_shots - 1] : NULL;

  return !shot ? NULL : blank ? app_shot_blank(shot) : app_shot_ref(shot);
}

/* What was said before the turn, on pictures or blanks. */
static gboolean
recite(Check *check, gboolean blank, GError **error)
{
  const AppBackendClass *class = check->backend->class;

  class->rewind(check->backend, 0, NULL);
  for (guint i = 0; i < check->order->turn; i++) {
    const AppSaid *said = check->said->pdata[i];
    g_autoptr(AppShot) shot = shot_of(check, i, blank);
    if (!class->recite(check->backend, shot, said->question, said->answer, said->ids, said->n_ids,
                       error)) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
add_answer(Check *check, const char *text, guint64 seed, gboolean blank)
{
  const StoreCheckAnswer row = {g_strdup(text), seed, blank};

  g_ptr_array_add(check->answers, (gpointer)row.answer);
  g_array_append_val(check->rows, row);
  return TRUE;
}

static gboolean
ask(Check *check, const AppSampling *sampling, gboolean blank, GError **error)
{
  const AppBackendClass *class = check->backend->class;
  const guint turn = check->order->turn;
  const AppSaid *said = check->said->pdata[turn];
  const AppBackendListener listener = {on_progress, on_text, check};
  g_autoptr(AppShot) shot = shot_of(check, turn, blank);
  const AppBackendQuestion question = {shot, said->question, *sampling};
  g_autofree char *why = NULL;
  ModelAnswer answer = {0};
  gboolean ok;

  if (is_over(check)) {
    return fail_stopped(error);
  }
  ok = class->ask(check->backend, &question, &listener, &answer, &why, error);
  if (ok && (strcmp(answer.stop, "cancelled") == 0 || is_over(check))) {
    ok = fail_stopped(error);
  } else if (ok && why) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s", why);
    ok = FALSE;
  }
  ok = ok && add_answer(check, answer.text ? answer.text : "", sampling->seed, blank) &&
       class->rewind(check->backend, turn, error);
  model_answer_clear(&answer);
  return ok;
}

static gboolean
check_blank(Check *check, GError **error)
{
  const AppSaid *said = check->said->pdata[check->order->turn];
  AppSampling greedy = said->sampling;

  greedy.temperature = 0;
  greedy.top_p = 1;
  if (said->sampling.temperature == 0) { /* it was asked so already */
    add_answer(check, said->answer, said->sampling.seed, FALSE);
  } else if (!recite(check, FALSE, error) || !ask(check, &greedy, FALSE, error)) {
    return FALSE;
  }
  return recite(check, TRUE, error) && ask(check, &greedy, TRUE, error);
}

static gboolean
check_seeds(Check *check, GError **error)
{
  const AppSaid *said = check->said->pdata[check->order->turn];
  const guint n = MIN(check->order->n > 0 ? check->order->n : DEFAULT_SEEDS, MOST_SEEDS);
  AppSampling sampling = said->sampling;

  if (sampling.temperature == 0) {
    sampling.temperature = TEMPERATURE;
    sampling.top_p = TOP_P;
  }
  if (!recite(check, FALSE, error)) {
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    sampling.seed++;
    if (!ask(check, &sampling, FALSE, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- the result --------------------------------------------------------------------------- */

static JsonNode *
result(Check *check)
{
  static const char *const names[] = {"blank", "seeds"};
  const AppSaid *said = check->said->pdata[check->order->turn];
  g_autoptr(GPtrArray) texts = g_ptr_array_new();
  StoreCheck row = {.kind = names[check->order->check],
                    .answers = (const StoreCheckAnswer *)(gpointer)check->rows->data,
                    .n_answers = check->rows->len};

  if (check->order->check == APP_CHECK_SEEDS) {
    g_ptr_array_add(texts, said->answer);
  }
  for (guint i = 0; i < check->answers->len; i++) {
    g_ptr_array_add(texts, check->answers->pdata[i]);
  }
  g_ptr_array_add(texts, NULL);
  row.agreement = app_check_agreement((const char *const *)texts->pdata, &row.same);
  g_mutex_lock(&check->review->work);
  if (said->id) {
    app_logbook_add_check(check->review->logbook, said->id, &row);
    app_review_save_locked(check->review, NULL); /* else it waits in line */
  }
  g_mutex_unlock(&check->review->work);
  return app_json_node(app_check_object(&row));
}

static void
check_clear(Check *check)
{
  g_clear_pointer(&check->backend, app_backend_free);
  g_mutex_lock(&check->review->work); /* which guards the count of AppTurnId's references */
  g_ptr_array_unref(check->said);
  g_mutex_unlock(&check->review->work);
  g_ptr_array_unref(check->shots);
  g_ptr_array_unref(check->answers);
  g_array_unref(check->rows);
}

static void
on_cancelled(GCancellable *cancellable, gpointer backend)
{
  ((AppBackend *)backend)->class->stop(backend);
}

static gboolean
run(Check *check, GError **error)
{
  gulong handler = 0;
  gboolean ok;

  g_mutex_lock(&check->review->work);
  ok = copy_locked(check, error);
  g_mutex_unlock(&check->review->work);
  if (!ok) {
    return FALSE;
  }
  app_worker_set_checking(check->review->worker, check->backend);
  if (check->cancellable) {
    handler =
        g_cancellable_connect(check->cancellable, G_CALLBACK(on_cancelled), check->backend, NULL);
  }
  ok = check->order->check == APP_CHECK_BLANK ? check_blank(check, error)
                                              : check_seeds(check, error);
  g_cancellable_disconnect(check->cancellable, handler);
  app_worker_set_checking(check->review->worker, NULL);
  return ok;
}

static void
json_node_release(gpointer node)
{
  json_node_unref(node);
}

void
app_review_run_check(AppReview *review, GTask *task)
{
  Check check = {.review = review,
                 .cancellable = g_task_get_cancellable(task),
                 .order = g_task_get_task_data(task),
                 .said = g_ptr_array_new_with_free_func(app_said_free),
                 .shots = g_ptr_array_new_with_free_func((GDestroyNotify)app_shot_unref),
                 .answers = g_ptr_array_new_with_free_func(g_free),
                 .rows = g_array_new(FALSE, FALSE, sizeof(StoreCheckAnswer))};
  GError *error = NULL;

  if (is_over(&check)) {
    fail_stopped(&error);
  } else if (run(&check, &error)) {
    g_task_return_pointer(task, result(&check), json_node_release);
  }
  check_clear(&check);
  if (error) {
    g_task_return_error(task, error);
  }
}

void
app_review_check_async(AppReview *review, guint turn, AppCheck check, guint n,
                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
  GTask *task = g_task_new(NULL, cancellable, callback, user);
  Order *order = g_new(Order, 1);

  *order = (Order){turn, n, check};
  g_task_set_source_tag(task, app_review_check_async);
  g_task_set_task_data(task, order, g_free);
  g_task_set_check_cancellable(task, FALSE); /* the error says what happened */
  app_worker_push(review, task);
}

JsonNode *
app_review_check_finish(AppReview *review, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
