/* study-frame.c - one image of a study: its frame from the cache or from a helper, and its header.
 */
#include "study.h"

#include "decoder.h"

#include <string.h>

/* ---- what the header says ----------------------------------------------------------------- */

static void
facts_clear(gpointer data)
{
  AppFacts *facts = data;

  dicom_info_free(facts->info);
  g_strfreev(facts->warnings);
  g_clear_pointer(&facts->frame_letters, g_array_unref);
}

void
app_facts_unref(AppFacts *facts)
{
  g_atomic_rc_box_release_full(facts, facts_clear);
}

static AppLetters
letters_of(const DicomInfo *info, guint frame)
{
  DicomLetters from = dicom_info_letters(info, frame);
  AppLetters letters = {{0}, {0}, {0}, {0}};

  g_strlcpy(letters.left, from.left, sizeof letters.left);
  g_strlcpy(letters.right, from.right, sizeof letters.right);
  g_strlcpy(letters.top, from.top, sizeof letters.top);
  g_strlcpy(letters.bottom, from.bottom, sizeof letters.bottom);
  return letters;
}

/* Takes INFO. */
static AppFacts *
facts_new(DicomInfo *info)
{
  AppFacts *facts = g_atomic_rc_box_new0(AppFacts);
  gboolean same = TRUE;

  facts->info = info;
  facts->warnings = app_gate_sentences(info);
  facts->letters = letters_of(info, 0);
  /* Only an enhanced object may turn its frames this way and that. */
  if (info->planes->len > 0) {
    facts->frame_letters = g_array_sized_new(FALSE, TRUE, sizeof(AppLetters), info->planes->len);
  }
  for (guint i = 0; i < info->planes->len; i++) {
    AppLetters letters = letters_of(info, i);

    same = same && memcmp(&letters, &facts->letters, sizeof letters) == 0;
    g_array_append_val(facts->frame_letters, letters);
  }
  if (same) {
    g_clear_pointer(&facts->frame_letters, g_array_unref);
  }
  return facts;
}

AppLetters
app_facts_letters(const AppFacts *facts, guint frame)
{
  return facts->frame_letters && frame < facts->frame_letters->len
             ? g_array_index(facts->frame_letters, AppLetters, frame)
             : facts->letters;
}

gboolean
app_study_has_facts(AppStudy *study, AppStudySeries *series, guint item)
{
  gboolean has;

  g_mutex_lock(&study->lock);
  has = series->facts[item] != NULL;
  g_mutex_unlock(&study->lock);
  return has;
}

void
app_study_take_facts(AppStudy *study, AppStudySeries *series, guint item, DicomInfo *info)
{
  AppFacts *facts = facts_new(info);

  g_mutex_lock(&study->lock);
  if (!series->facts[item]) {
    series->facts[item] = g_steal_pointer(&facts);
  }
  g_mutex_unlock(&study->lock);
  g_clear_pointer(&facts, app_facts_unref);
}

AppFacts *
app_study_ref_facts(AppStudy *study, AppStudySeries *series, guint item)
{
  AppFacts *facts;

  g_mutex_lock(&study->lock);
  facts = series->facts[item] ? g_atomic_rc_box_acquire(series->facts[item]) : NULL;
  g_mutex_unlock(&study->lock);
  return facts;
}

/* ---- frames ------------------------------------------------------------------------------- */

/* An image that is to be decoded for the screen. */
typedef struct {
  AppStudy *study;
  AppStudySeries *series;
  guint number, index; /* of the series; of the image in it */
  const DicomSeriesItem *item;
  guint at, stored;
  gboolean chosen; /* a helper was there: what comes is the file's fault */
} Wanted;

/* The last item that starts at or before INDEX. */
static guint
find_item(const AppStudySeries *series, guint index)
{
  guint low = 0, high = series->series->items->len;

  while (high - low > 1) {
    guint middle = low + (high - low) / 2;
    if (series->starts[middle] <= index) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

const DicomSeriesItem *
app_study_locate(const AppStudySeries *series, guint index, guint *item, guint *frame)
{
  const DicomSeriesItem *found;

  *item = find_item(series, index);
  found = series->series->items->pdata[*item];
  *frame = dicom_series_item_frame(found, index - series->starts[*item]);
  return found;
}

static gboolean
choose_wanted(const char **path, guint *frame, gboolean *with_info, gpointer data)
{
  Wanted *wanted = data;

  wanted->chosen = TRUE;
  *path = wanted->item->path;
  *frame = wanted->stored;
  *with_info = !app_study_has_facts(wanted->study, wanted->series, wanted->at);
  if (wanted->study->hook) {
    wanted->study->hook(wanted->number, wanted->index, FALSE, wanted->study->hook_user);
  }
  return TRUE;
}

static DicomFrame *
decode(Wanted *wanted, GCancellable *cancellable, GError **error)
{
  const AppDecoderOrder order = {FALSE, wanted->item->path, choose_wanted, wanted};
  g_autoptr(DicomInfo) info = NULL;
  g_autoptr(GError) failure = NULL;
  DicomFrame *frame;

  app_decoder_read(&order, &frame, &info, cancellable, &failure);
  if (info) {
    app_study_take_facts(wanted->study, wanted->series, wanted->at, g_steal_pointer(&info));
  }
  app_frame_group_put(wanted->series->frames, wanted->index, frame,
                      wanted->chosen && !g_cancellable_is_cancelled(cancellable) ? failure : NULL);
  app_study_note_progress(wanted->study);
  if (failure) {
    if (!wanted->chosen) {
      g_autofree char *name = g_filename_display_name(wanted->item->path);

      g_prefix_error(&failure, "%s: ", name);
    }
    g_propagate_error(error, g_steal_pointer(&failure));
  }
  return frame;
}

static DicomFrame *
find_frame(Wanted *wanted, GCancellable *cancellable, GError **error)
{
  DicomFrame *frame = NULL;

  switch (app_frame_group_get(wanted->series->frames, wanted->index, cancellable, &frame, error)) {
  case APP_FRAME_READY:
    return frame;
  case APP_FRAME_TO_DO:
    return decode(wanted, cancellable, error);
  case APP_FRAME_FAILED:
  default:
    return NULL;
  }
}

static Wanted
wanted_of(AppStudy *study, guint series, guint index)
{
  Wanted wanted = {.study = study, .number = series, .index = index};

  wanted.series = study->series->pdata[series];
  wanted.item = app_study_locate(wanted.series, index, &wanted.at, &wanted.stored);
  return wanted;
}

DicomFrame *
app_study_frame(AppStudy *study, guint series, guint index, GCancellable *cancellable,
                GError **error)
{
  Wanted wanted = wanted_of(study, series, index);

  return find_frame(&wanted, cancellable, error);
}
