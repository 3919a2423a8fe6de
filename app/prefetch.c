/* prefetch.c - decoding ahead of the hands, on all helpers.
 *
 * Each thread first waits for a helper that nobody else wants and only then picks the image, the
 * nearest one to where somebody looks at that moment: a jump costs at most the frames in work, and
 * a request for the screen waits for one of them at most. The study that was looked at last comes
 * first. Threads end when nothing is left to do; a focus starts them again.
 *
 * `lock` guards the list of studies and the number of threads. It is taken before the lock of the
 * frame cache, never after it. */
#include "study.h"

#include "decoder.h"

#define TELL_MS 100

typedef struct {
  GMutex lock;
  GQueue studies; /* borrowed, the one looked at last first */
  guint n_threads, max_threads;
} Ahead;

static Ahead *
the_ahead(void)
{
  static gsize once = 0;

  if (g_once_init_enter(&once)) {
    Ahead *ahead = g_new0(Ahead, 1);

    g_mutex_init(&ahead->lock);
    g_queue_init(&ahead->studies);
    g_once_init_leave(&once, (gsize)ahead);
  }
  return (Ahead *)once;
}

static AppStudySeries *
focused_series(AppStudy *study, guint *number)
{
  g_mutex_lock(&study->lock);
  *number = study->focus;
  g_mutex_unlock(&study->lock);
  return study->series->pdata[*number];
}

/* ---- progress ----------------------------------------------------------------------------- */

static gboolean
tell(gpointer data)
{
  AppStudy *study = data;
  AppStudyProgress progress = {0};
  AppStudySeries *series = focused_series(study, &progress.series);
  AppFrameCount count;
  AppStudyListener listener;
  gpointer user;

  g_mutex_lock(&study->lock);
  g_clear_pointer(&study->telling, g_source_unref);
  listener = study->listener;
  user = study->listener_user;
  g_mutex_unlock(&study->lock);
  /* Counted after that, so that what changes from now on is told once more. */
  count = app_frame_group_count(series->frames);
  progress.n_images = series->info.n_images;
  progress.n_ready = count.n_ready;
  progress.n_failed = count.n_failed;
  progress.is_loading = count.has_next || count.n_in_work > 0;
  if (listener) {
    listener(&progress, user);
  }
  return G_SOURCE_REMOVE;
}

void
app_study_note_progress(AppStudy *study)
{
  g_mutex_lock(&study->lock);
  if (study->listener && !study->telling) {
    study->telling = g_timeout_source_new(TELL_MS);
    g_source_set_callback(study->telling, tell, app_study_ref(study),
                          (GDestroyNotify)app_study_unref);
    g_source_attach(study->telling, study->context);
  }
  g_mutex_unlock(&study->lock);
}

void
app_study_set_listener(AppStudy *study, AppStudyListener listener, gpointer user)
{
  GSource *telling;

  g_mutex_lock(&study->lock);
  study->listener = listener;
  study->listener_user = user;
  if (!study->context) {
    study->context = g_main_context_ref_thread_default();
  }
  telling = g_steal_pointer(&study->telling);
  g_mutex_unlock(&study->lock);
  if (telling) {
    g_source_destroy(telling);
    g_source_unref(telling);
  }
}

/* ---- threads ------------------------------------------------------------------------------ */

/* An image that is to be decoded ahead. */
typedef struct {
  AppStudy *study; /* NULL: nothing was left */
  AppStudySeries *series;
  guint number, index, item;
} Work;

static gboolean
pick(const char **path, guint *frame, gboolean *with_info, gpointer data)
{
  Ahead *ahead = the_ahead();
  Work *work = data;

  g_mutex_lock(&ahead->lock);
  for (GList *l = ahead->studies.head; l && !work->study; l = l->next) {
    work->series = focused_series(l->data, &work->number);
    if (app_frame_group_next(work->series->frames, &work->index)) {
      work->study = app_study_ref(l->data);
    }
  }
  g_mutex_unlock(&ahead->lock);
  if (!work->study) {
    return FALSE;
  }
  *path = app_study_locate(work->series, work->index, &work->item, frame)->path;
  *with_info = !app_study_has_facts(work->study, work->series, work->item);
  if (work->study->hook) {
    work->study->hook(work->number, work->index, TRUE, work->study->hook_user);
  }
  return TRUE;
}

/* FALSE: no helper can be had. */
static gboolean
decode_one(void)
{
  Work work = {0};
  const AppDecoderOrder order = {TRUE, NULL, pick, &work};
  g_autoptr(DicomFrame) frame = NULL;
  g_autoptr(DicomInfo) info = NULL;
  g_autoptr(GError) error = NULL;
  gboolean done = app_decoder_read(&order, &frame, &info, NULL, &error);

  if (!work.study) {
    return done;
  }
  if (info) {
    app_study_take_facts(work.study, work.series, work.item, g_steal_pointer(&info));
  }
  app_frame_group_put(work.series->frames, work.index, frame, error);
  app_study_note_progress(work.study);
  app_study_unref(work.study);
  return TRUE;
}

/* Called under the lock. */
static gboolean
has_work(Ahead *ahead)
{
  for (GList *l = ahead->studies.head; l; l = l->next) {
    guint number;

    if (app_frame_group_count(focused_series(l->data, &number)->frames).has_next) {
      return TRUE;
    }
  }
  return FALSE;
}

static gpointer
work_ahead(gpointer data)
{
  Ahead *ahead = data;
  gboolean go_on = TRUE;

  while (go_on) {
    gboolean can_read = decode_one();

    g_mutex_lock(&ahead->lock);
    go_on = can_read && has_work(ahead);
    if (!go_on) {
      ahead->n_threads--;
    }
    g_mutex_unlock(&ahead->lock);
  }
  return NULL;
}

/* Called under the lock. */
static void
start_threads(Ahead *ahead)
{
  guint max = ahead->max_threads ? ahead->max_threads : app_decoder_n_helpers();

  while (ahead->n_threads < max && has_work(ahead)) {
    GThread *thread = g_thread_try_new("hilum-ahead", work_ahead, ahead, NULL);

    if (!thread) {
      return; /* images are decoded when they are asked for */
    }
    g_thread_unref(thread);
    ahead->n_threads++;
  }
}

void
app_study_focus(AppStudy *study, guint series, guint index, int direction)
{
  Ahead *ahead = the_ahead();
  AppStudySeries *old, *new;
  guint number;

  g_return_if_fail(series < study->series->len);
  new = study->series->pdata[series];
  g_return_if_fail(index < new->info.n_images);
  g_mutex_lock(&ahead->lock);
  g_queue_remove(&ahead->studies, study);
  g_queue_push_head(&ahead->studies, study);
  old = focused_series(study, &number);
  if (old != new) {
    app_frame_group_leave(old->frames);
    g_mutex_lock(&study->lock);
    study->focus = series;
    g_mutex_unlock(&study->lock);
  }
  app_frame_group_focus(new->frames, index, direction);
  start_threads(ahead);
  g_mutex_unlock(&ahead->lock);
  app_study_note_progress(study);
}

void
app_prefetch_forget(AppStudy *study)
{
  Ahead *ahead = the_ahead();
  guint number;

  g_mutex_lock(&ahead->lock);
  if (g_queue_remove(&ahead->studies, study)) {
    app_frame_group_leave(focused_series(study, &number)->frames);
  }
  g_mutex_unlock(&ahead->lock);
}

void
app_prefetch_set_threads(guint n)
{
  Ahead *ahead = the_ahead();

  g_mutex_lock(&ahead->lock);
  ahead->max_threads = n;
  g_mutex_unlock(&ahead->lock);
}
