/* balance.c - captions chosen so that frequent things do not drown the others.
 *
 * Invariants:
 * 1. A phrase is its number, 0 aside; slots are found by it, and N is at most half of ROOM.
 * 2. After data_phrases_settle() the table is not changed but for the heaps of offered numbers.
 * 3. A caption is drawn for a phrase when its number there is not above the largest of the MOST
 *    smallest ones that were offered: these are all in the heap once everything was offered.
 */
#include "dataset.h"

#include <string.h>

#include "dataset/chance.h"
#include "dataset/scan.h"
#include "dataset/verbs.h"

#define MOST_PHRASES 64u /* of one caption */

typedef struct {
  guint64 phrase;
  guint32 count;
  guint32 heap; /* 1 + its number among the heaps; 0: none */
} Slot;

struct _DataPhrases {
  guint least, most;
  guint64 seed;
  Slot *slots;
  gsize n, room;
  guint64 *heaps; /* MOST numbers each, the largest first */
  guint *filled;
  guint n_heaps;
};

DataPhrases *
data_phrases_new(guint least, guint most, guint64 seed)
{
  DataPhrases *phrases = g_new0(DataPhrases, 1);

  phrases->least = least;
  phrases->most = MAX(most, 1);
  phrases->seed = seed;
  phrases->room = 1u << 16;
  phrases->slots = g_new0(Slot, phrases->room);
  return phrases;
}

void
data_phrases_free(DataPhrases *phrases)
{
  if (phrases) {
    g_free(phrases->slots);
    g_free(phrases->heaps);
    g_free(phrases->filled);
    g_free(phrases);
  }
}

/* Where PHRASE is, or would be. */
static Slot *
slot_of(const DataPhrases *phrases, guint64 phrase)
{
  gsize at = (gsize)phrase & (phrases->room - 1);

  while (phrases->slots[at].phrase != 0 && phrases->slots[at].phrase != phrase) {
    at = (at + 1) & (phrases->room - 1);
  }
  return &phrases->slots[at];
}

static void
grow(DataPhrases *phrases)
{
  Slot *old = phrases->slots;
  const gsize room = phrases->room;

  phrases->room *= 2;
  phrases->slots = g_new0(Slot, phrases->room);
  for (gsize i = 0; i < room; i++) {
    if (old[i].phrase != 0) {
      *slot_of(phrases, old[i].phrase) = old[i];
    }
  }
  g_free(old);
}

/* ---- one caption -------------------------------------------------------------------------------
 */

typedef struct {
  guint64 phrases[MOST_PHRASES], number; /* each once; the pair's own number */
  guint n;
} Caption;

static void
on_phrase(const char *phrase, gsize n, gpointer user)
{
  Caption *caption = user;
  const guint64 number = data_chance_text(0, phrase, n) | 1;

  for (guint i = 0; i < caption->n; i++) {
    if (caption->phrases[i] == number) {
      return;
    }
  }
  if (caption->n < MOST_PHRASES) {
    caption->phrases[caption->n++] = number;
  }
}

static gboolean
read_caption(const char *line, gsize n, guint64 seed, GString *scratch, Caption *caption)
{
  static const char *const names[] = {"pair_id", "id", "fig_caption", "caption", NULL};
  DataValue v[4];
  const DataValue *id, *text;
  const char *why;
  gsize at;

  caption->n = 0;
  if (!data_scan(line, n, names, v, &why, &at)) {
    return FALSE;
  }
  id = &v[v[0].kind == DATA_VALUE_STRING ? 0 : 1];
  text = &v[v[2].kind == DATA_VALUE_STRING ? 2 : 3];
  if (id->kind != DATA_VALUE_STRING || text->kind != DATA_VALUE_STRING) {
    return FALSE;
  }
  caption->number = data_chance_text(seed, id->text, id->n);
  g_string_truncate(scratch, 0);
  data_value_decode(text, scratch);
  data_noun_phrases(scratch->str, on_phrase, caption);
  return TRUE;
}

typedef void (*OnCaption)(const Caption *caption, const char *line, gsize n, gpointer user);

static void
each_caption(guint64 seed, const char *bytes, gsize n, OnCaption on_caption, gpointer user)
{
  g_autoptr(GString) scratch = g_string_new(NULL);
  const char *end = bytes + n;
  Caption caption;

  while (bytes < end) {
    const char *stop = memchr(bytes, '\n', (gsize)(end - bytes));
    const gsize length = (gsize)((stop ? stop : end) - bytes);

    if (read_caption(bytes, length, seed, scratch, &caption)) {
      on_caption(&caption, bytes, length, user);
    }
    bytes += length + (stop != NULL);
  }
}

/* ---- counting ----------------------------------------------------------------------------------
 */

static void
put_phrases(const Caption *caption, const char *line, gsize n, gpointer user)
{
  g_byte_array_append(user, (const guint8 *)caption->phrases,
                      (guint)(caption->n * sizeof caption->phrases[0]));
}

void
data_phrases_find(const char *bytes, gsize n, GByteArray *found)
{
  each_caption(0, bytes, n, put_phrases, found);
}

void
data_phrases_count(DataPhrases *phrases, const GByteArray *found)
{
  for (guint at = 0; at + sizeof(guint64) <= found->len; at += sizeof(guint64)) {
    guint64 phrase;
    Slot *slot;

    memcpy(&phrase, found->data + at, sizeof phrase);
    slot = slot_of(phrases, phrase);
    if (slot->phrase == 0) {
      if (2 * (phrases->n + 1) > phrases->room) {
        grow(phrases);
        slot = slot_of(phrases, phrase);
      }
      slot->phrase = phrase;
      phrases->n++;
    }
    slot->count += slot->count < G_MAXUINT32;
  }
}

void
data_phrases_settle(DataPhrases *phrases)
{
  for (gsize i = 0; i < phrases->room; i++) {
    if (phrases->slots[i].count > phrases->most && phrases->slots[i].count >= phrases->least) {
      phrases->slots[i].heap = ++phrases->n_heaps;
    }
  }
  phrases->heaps = g_new0(guint64, (gsize)MAX(phrases->n_heaps, 1) * phrases->most);
  phrases->filled = g_new0(guint, MAX(phrases->n_heaps, 1));
}

void
data_phrases_sizes(const DataPhrases *phrases, guint64 *all, guint64 *drawn, guint64 *rare)
{
  *all = phrases->n;
  *drawn = phrases->n_heaps;
  *rare = 0;
  for (gsize i = 0; i < phrases->room; i++) {
    *rare += phrases->slots[i].phrase != 0 && phrases->slots[i].count < phrases->least;
  }
}

/* ---- drawing -----------------------------------------------------------------------------------
 */

/* Chance numbers of one caption, another for each phrase. */
static guint64
number_for(const Caption *caption, guint64 phrase)
{
  return data_chance_for(caption->number, phrase);
}

typedef struct {
  const DataPhrases *phrases;
  GByteArray *out;
  guint64 *tally;
} Pass;

static void
put_numbers(const Caption *caption, const char *line, gsize n, gpointer user)
{
  const Pass *pass = user;

  for (guint i = 0; i < caption->n; i++) {
    const Slot *slot = slot_of(pass->phrases, caption->phrases[i]);
    if (slot->heap > 0) {
      const guint64 pair[2] = {slot->heap - 1, number_for(caption, slot->phrase)};
      g_byte_array_append(pass->out, (const guint8 *)pair, sizeof pair);
    }
  }
}

void
data_phrases_draw(const DataPhrases *phrases, const char *bytes, gsize n, GByteArray *found)
{
  Pass pass = {phrases, found, NULL};

  each_caption(phrases->seed, bytes, n, put_numbers, &pass);
}

static void
sift(guint64 *heap, guint n, guint at)
{
  for (;;) {
    guint largest = at;
    for (guint child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++) {
      largest = heap[child] > heap[largest] ? child : largest;
    }
    if (largest == at) {
      return;
    }
    const guint64 swap = heap[at];
    heap[at] = heap[largest];
    heap[largest] = swap;
    at = largest;
  }
}

static void
offer(guint64 *heap, guint *filled, guint most, guint64 number)
{
  if (*filled == most) {
    if (number < heap[0]) {
      heap[0] = number;
      sift(heap, most, 0);
    }
    return;
  }
  heap[(*filled)++] = number;
  if (*filled == most) {
    for (guint i = most / 2 + 1; i-- > 0;) {
      sift(heap, most, i);
    }
  }
}

void
data_phrases_offer(DataPhrases *phrases, const GByteArray *found)
{
  for (guint at = 0; at + 2 * sizeof(guint64) <= found->len; at += 2 * sizeof(guint64)) {
    guint64 pair[2];

    memcpy(pair, found->data + at, sizeof pair);
    offer(phrases->heaps + pair[0] * phrases->most, &phrases->filled[pair[0]], phrases->most,
          pair[1]);
  }
}

/* ---- choosing ----------------------------------------------------------------------------------
 */

static void
put_chosen(const Caption *caption, const char *line, gsize n, gpointer user)
{
  const Pass *pass = user;
  const DataPhrases *phrases = pass->phrases;
  DataChoice choice = DATA_ALL_RARE;

  for (guint i = 0; i < caption->n && choice != DATA_CHOSEN; i++) {
    const Slot *slot = slot_of(phrases, caption->phrases[i]);

    if (slot->phrase == 0 || slot->count < phrases->least) {
      continue;
    }
    choice = slot->heap == 0 || number_for(caption, slot->phrase) <=
                                    phrases->heaps[(gsize)(slot->heap - 1) * phrases->most]
                 ? DATA_CHOSEN
                 : DATA_NOT_DRAWN;
  }
  pass->tally[choice]++;
  if (choice == DATA_CHOSEN) {
    g_byte_array_append(pass->out, (const guint8 *)line, (guint)n);
    g_byte_array_append(pass->out, (const guint8 *)"\n", 1);
  }
}

void
data_phrases_choose(const DataPhrases *phrases, const char *bytes, gsize n, GByteArray *out,
                    guint64 tally[DATA_N_CHOICES])
{
  Pass pass = {phrases, out, tally};

  each_caption(phrases->seed, bytes, n, put_chosen, &pass);
}
