/* phantom-balance.c - which of the possible questions about a set of phantoms are asked.
 *
 * 1. Within a key no answer is ever ahead of the rarest by more than the slack (and the one that is
 *    being added), so that the question's text alone does not tell the answer.
 * 2. Kinds of questions get even shares as far as the pictures allow.
 * 3. Taken questions lie in the order of their pictures.
 */
#include "phantom.h"

#include <string.h>

#define MAX_ANSWERS 5

typedef struct {
  guint counts[MAX_ANSWERS]; /* of each answer */
} Tally;

struct _PhantomBalance {
  guint slack, per_image, easy_weight;
  GHashTable *tallies; /* key -> Tally * */
  GHashTable *by_kind; /* report kind -> count, for even shares */
  GArray *taken;       /* of PhantomTaken */
};

static void
taken_clear(gpointer data)
{
  app_phantom_question_free(((PhantomTaken *)data)->question);
}

PhantomBalance *
phantom_balance_new(guint slack, guint per_image, guint easy_weight)
{
  PhantomBalance *balance = g_new0(PhantomBalance, 1);
  balance->slack = slack;
  balance->per_image = per_image;
  balance->easy_weight = easy_weight;
  balance->tallies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  balance->by_kind = g_hash_table_new(g_str_hash, g_str_equal);
  balance->taken = g_array_new(FALSE, FALSE, sizeof(PhantomTaken));
  g_array_set_clear_func(balance->taken, taken_clear);
  return balance;
}

void
phantom_balance_free(PhantomBalance *balance)
{
  if (balance) {
    g_hash_table_unref(balance->tallies);
    g_hash_table_unref(balance->by_kind);
    g_array_unref(balance->taken);
    g_free(balance);
  }
}

static Tally *
tally_of(PhantomBalance *b, const AppPhantomQuestion *q)
{
  Tally *tally = g_hash_table_lookup(b->tallies, q->key);
  if (!tally) {
    tally = g_new0(Tally, 1);
    g_hash_table_insert(b->tallies, g_strdup(q->key), tally);
  }
  return tally;
}

static guint
rarest(const Tally *tally, guint n_answers)
{
  guint low = tally->counts[0];
  for (guint i = 1; i < n_answers; i++) {
    low = MIN(low, tally->counts[i]);
  }
  return low;
}

/* How soon a kind of question gets its turn: the share that it has so far, times its weight. */
static guint
cost_of(PhantomBalance *b, const AppPhantomQuestion *q)
{
  gboolean easy = g_str_has_prefix(q->kind, "modality") || g_str_has_prefix(q->kind, "region");
  guint share = GPOINTER_TO_UINT(g_hash_table_lookup(b->by_kind, q->kind));
  return easy ? share * b->easy_weight : share;
}

static void
shuffle(GPtrArray *questions, PhantomWords *words)
{
  for (guint i = questions->len; i > 1; i--) {
    guint j = phantom_words_below(words, i);
    gpointer swap = questions->pdata[i - 1];
    questions->pdata[i - 1] = questions->pdata[j];
    questions->pdata[j] = swap;
  }
}

/* TRUE when this picture's questions, from FROM on, have one of Q's key or, with ABOUT, subject. */
static gboolean
already(const PhantomBalance *b, guint from, const AppPhantomQuestion *q, gboolean about)
{
  for (guint i = from; i < b->taken->len; i++) {
    const AppPhantomQuestion *other = g_array_index(b->taken, PhantomTaken, i).question;
    if (strcmp(about ? other->about : other->key, about ? q->about : q->key) == 0) {
      return TRUE;
    }
  }
  return FALSE;
}

static void
take(PhantomBalance *b, GPtrArray *questions, guint at, guint picture, guint64 index)
{
  AppPhantomQuestion *q = questions->pdata[at];
  questions->pdata[at] = NULL;
  tally_of(b, q)->counts[q->answer]++;
  guint share = GPOINTER_TO_UINT(g_hash_table_lookup(b->by_kind, q->kind));
  g_hash_table_insert(b->by_kind, (gpointer)q->kind, GUINT_TO_POINTER(share + 1));
  PhantomTaken taken = {.question = q, .index = index, .picture = picture};
  g_array_append_val(b->taken, taken);
}

/* The best next question: in balance, of the kind with the smallest share so far, and of a new
 * subject rather than of one that this picture was asked about. -1 when none is left. */
static gint
next_question(PhantomBalance *b, GPtrArray *questions, guint from)
{
  gint best = -1;
  guint64 best_cost = G_MAXUINT64;
  for (guint i = 0; i < questions->len; i++) {
    AppPhantomQuestion *q = questions->pdata[i];
    if (!q || already(b, from, q, FALSE)) {
      continue;
    }
    Tally *tally = tally_of(b, q);
    if (tally->counts[q->answer] > rarest(tally, q->n_answers) + b->slack) {
      continue;
    }
    guint64 cost = cost_of(b, q);
    cost += already(b, from, q, TRUE) ? (guint64)1 << 40 : 0;
    if (cost < best_cost) {
      best_cost = cost;
      best = (gint)i;
    }
  }
  return best;
}

void
phantom_balance_choose(PhantomBalance *b, const PhantomTruth *truth, guint picture)
{
  PhantomWords words = phantom_words(truth->seed, truth->index, 4);
  g_autoptr(GPtrArray) questions = app_phantom_questions_of(truth);
  shuffle(questions, &words);
  guint from = b->taken->len;
  while (b->taken->len - from < b->per_image) {
    gint at = next_question(b, questions, from);
    if (at < 0) {
      break;
    }
    take(b, questions, (guint)at, picture, truth->index);
  }
  /* In what order they were found says something about their answers: mix once more. */
  for (guint n = b->taken->len - from; n > 1; n--) {
    guint j = phantom_words_below(&words, n);
    PhantomTaken *first = &g_array_index(b->taken, PhantomTaken, from + j);
    PhantomTaken *last = &g_array_index(b->taken, PhantomTaken, from + n - 1);
    PhantomTaken swap = *first;
    *first = *last;
    *last = swap;
  }
}

void
phantom_balance_cut(PhantomBalance *b)
{
  for (guint i = b->taken->len; i-- > 0;) {
    const AppPhantomQuestion *q = g_array_index(b->taken, PhantomTaken, i).question;
    Tally *tally = tally_of(b, q);
    if (tally->counts[q->answer] > rarest(tally, q->n_answers)) {
      tally->counts[q->answer]--;
      g_array_remove_index(b->taken, i);
    }
  }
}

guint
phantom_balance_count(const PhantomBalance *b)
{
  return b->taken->len;
}

const PhantomTaken *
phantom_balance_get(const PhantomBalance *b, guint i)
{
  return i < b->taken->len ? &g_array_index(b->taken, PhantomTaken, i) : NULL;
}
