/* bench-images.c - our end of the image benchmarks: does what images.py asks, as often as it asks,
 * and says how long that took. The other end is dcmtk-peer.cc. */
#include "image-worker.h"

#include "app/decoder.h"
#include "dicom.h"

/* Files read in order, by one thread or by several. */
typedef struct {
  const WorkerList *list;
  gsize n;    /* how often a file is read in all */
  gint next;  /* atomic */
  gint wrong; /* atomic */
} Series;

typedef gboolean (*Operation)(const WorkerRequest *request, const WorkerList *list, GError **error);

static double
pixels_of(const DicomInfo *info)
{
  return (double)info->rows * info->columns * info->frames;
}

/* ---- verifying ------------------------------------------------------------------------------- */

/* stored LIST OUT: the stored values of every frame of every file. */
static gboolean
do_stored(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  FILE *out = fopen(request->words[2], "wb");
  gboolean ok = out != NULL;

  for (gsize i = 0; i < list->n && ok; i++) {
    g_autoptr(DicomFile) file = dicom_file_open(list->paths[i], error);
    guint n_frames = file ? dicom_file_info(file)->frames : 0;

    ok = n_frames > 0;
    for (guint k = 0; k < n_frames && ok; k++) {
      g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, k, error);
      gsize n = 0;
      const guint8 *bytes = frame ? dicom_frame_stored(frame, &n) : NULL;

      ok = bytes && fwrite(bytes, 1, n, out) == n;
    }
  }
  ok = out && fclose(out) == 0 && ok;
  if (ok) {
    worker_done("");
  }
  return ok;
}

static DicomWindow
window_of(const WorkerRequest *request)
{
  return (DicomWindow){.voi = DICOM_VOI_LINEAR,
                       .center = g_ascii_strtod(request->words[4], NULL),
                       .width = g_ascii_strtod(request->words[5], NULL)};
}

static DicomFrame *
first_frame(const char *path, GError **error)
{
  g_autoptr(DicomFile) file = dicom_file_open(path, error);

  return file ? dicom_file_read_frame(file, 0, error) : NULL;
}

/* grey LIST OUT - CENTER WIDTH: the first frame of each file through a window, 8 bits. */
static gboolean
do_grey(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  FILE *out = fopen(request->words[2], "wb");
  DicomWindow window = window_of(request);
  gboolean ok = out != NULL;

  for (gsize i = 0; i < list->n && ok; i++) {
    g_autoptr(DicomFrame) frame = first_frame(list->paths[i], error);
    gsize n = frame ? (gsize)dicom_frame_width(frame) * dicom_frame_height(frame) : 0;
    g_autofree guint8 *grey = g_malloc(n + 1);

    ok = frame && dicom_frame_render_grey8(frame, &window, grey, error) &&
         fwrite(grey, 1, n, out) == n;
  }
  ok = out && fclose(out) == 0 && ok;
  if (ok) {
    worker_done("");
  }
  return ok;
}

/* images LIST: how many files below the paths a scan through the helpers takes for images, and how
 * many series they are. */
static gboolean
do_images(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  g_autoptr(DicomScan) scan =
      app_decoder_scan((const char *const *)list->paths, NULL, NULL, NULL, error);

  if (scan) {
    g_autofree char *text = g_strdup_printf("%u\t%u", scan->n_images, scan->series->len);

    worker_done(text);
  }
  return scan != NULL;
}

/* ---- measuring, in this process -------------------------------------------------------------- */

/* headers LIST ROUNDS */
static gboolean
do_headers(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  guint rounds = worker_number(request->words[2]);
  WorkerClock start = worker_clock();
  gsize rows = 0;

  for (guint r = 0; r < rounds; r++) {
    for (gsize i = 0; i < list->n; i++) {
      g_autoptr(DicomFile) file = dicom_file_open(list->paths[i], error);

      if (!file) {
        return FALSE;
      }
      rows += dicom_file_info(file)->rows;
    }
  }
  worker_measured(start, rows > 0 ? (double)rounds * (double)list->n : 0, 0);
  return TRUE;
}

/* decode LIST ROUNDS: opened anew each time, every frame. */
static gboolean
do_decode(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  guint rounds = worker_number(request->words[2]);
  WorkerClock start = worker_clock();
  double pixels = 0;

  for (gsize i = 0; i < rounds * list->n; i++) {
    g_autoptr(DicomFile) file = dicom_file_open(list->paths[i % list->n], error);

    if (!file) {
      return FALSE;
    }
    for (guint k = 0; k < dicom_file_info(file)->frames; k++) {
      g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, k, error);

      if (!frame) {
        return FALSE;
      }
    }
    pixels += pixels_of(dicom_file_info(file));
  }
  worker_measured(start, pixels, 0);
  return TRUE;
}

/* A window that no round before had, so that nothing can be kept from one to the next. */
static DicomWindow
another_window(const WorkerRequest *request, guint round)
{
  DicomWindow window = window_of(request);

  window.center += round % 64;
  return window;
}

/* window LIST ROUNDS - CENTER WIDTH: the first frame of the first file, decoded once. */
static gboolean
do_window(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  guint rounds = worker_number(request->words[2]);
  g_autoptr(DicomFrame) frame = first_frame(list->paths[0], error);

  if (!frame) {
    return FALSE;
  }
  g_autofree guint8 *grey = g_malloc((gsize)dicom_frame_width(frame) * dicom_frame_height(frame));
  WorkerClock start = worker_clock();
  for (guint r = 0; r < rounds; r++) {
    DicomWindow window = another_window(request, r);

    if (!dicom_frame_render_grey8(frame, &window, grey, error)) {
      return FALSE;
    }
  }
  worker_measured(start, rounds, 0);
  return TRUE;
}

/* The same in RGB, as the screen takes it. */
static gboolean
do_window_rgb(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  guint rounds = worker_number(request->words[2]);
  g_autoptr(DicomFrame) frame = first_frame(list->paths[0], error);
  WorkerClock start = worker_clock();

  for (guint r = 0; r < rounds && frame; r++) {
    DicomWindow window = another_window(request, r);
    g_autoptr(DicomPicture) picture = dicom_frame_render(frame, &window, error);

    if (!picture) {
      return FALSE;
    }
  }
  worker_measured(start, rounds, 0);
  return frame != NULL;
}

/* ---- measuring, through the helpers ---------------------------------------------------------- */

/* Seconds that the processes have run which this one started (proc(5): children, schedstat). */
static double
helpers_seconds(void)
{
  g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
  double sum = 0;
  const char *name;

  while (tasks && (name = g_dir_read_name(tasks))) {
    g_autofree char *path = g_build_filename("/proc/self/task", name, "children", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) children = NULL;

    if (g_file_get_contents(path, &text, NULL, NULL)) {
      children = g_strsplit_set(text, " \n", -1);
    }
    for (guint i = 0; children && children[i]; i++) {
      g_autofree char *file = g_build_filename("/proc", children[i], "schedstat", NULL);
      g_autofree char *times = NULL;

      if (children[i][0] && g_file_get_contents(file, &times, NULL, NULL)) {
        sum += (double)g_ascii_strtoull(times, NULL, 10) * 1e-9;
      }
    }
  }
  return sum;
}

static gpointer
read_series(gpointer data)
{
  Series *series = data;
  gsize i;

  while ((i = (gsize)g_atomic_int_add(&series->next, 1)) < series->n) {
    g_autoptr(DicomFrame) frame =
        app_decoder_frame(series->list->paths[i % series->list->n], 0, NULL, NULL, NULL);

    g_atomic_int_add(&series->wrong, frame ? 0 : 1);
  }
  return NULL;
}

/* helper LIST ROUNDS N: the first frame of each file, by N threads, each with a helper. */
static gboolean
do_helper(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  guint rounds = worker_number(request->words[2]);
  guint n_threads = worker_number(request->words[3]);
  GThread *threads[16];
  Series series = {list, (gsize)rounds * list->n, 0, 0};
  double before = helpers_seconds(), pixels = 0;
  WorkerClock start = worker_clock();

  n_threads = CLAMP(n_threads, 1, MIN(app_decoder_n_helpers(), G_N_ELEMENTS(threads)));
  for (guint i = 0; i < n_threads; i++) {
    threads[i] = g_thread_new("bench", read_series, &series);
  }
  for (guint i = 0; i < n_threads; i++) {
    g_thread_join(threads[i]);
  }
  if (series.wrong > 0) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT, "%d frames were not read", series.wrong);
    return FALSE;
  }
  WorkerClock end = worker_clock();
  double children = helpers_seconds() - before;
  g_autoptr(DicomInfo) info = app_decoder_info(list->paths[0], NULL, error);
  if (!info) {
    return FALSE;
  }
  pixels = (double)info->rows * info->columns * rounds * (double)list->n;
  printf("ok\t%.9g\t%.9f\t%.9f\n", pixels, end.wall - start.wall, end.cpu - start.cpu + children);
  fflush(stdout);
  return TRUE;
}

/* scan LIST ROUNDS: headers of all below the paths, what `hilum image list` does, with helpers that
 * run already. */
static gboolean
do_scan(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  guint rounds = worker_number(request->words[2]);
  double before = helpers_seconds(), files = 0;
  WorkerClock start = worker_clock();

  for (guint r = 0; r < rounds; r++) {
    g_autoptr(DicomScan) scan =
        app_decoder_scan((const char *const *)list->paths, NULL, NULL, NULL, error);

    if (!scan) {
      return FALSE;
    }
    files += scan->n_files;
  }
  worker_measured(start, files, helpers_seconds() - before);
  return TRUE;
}

/* first LIST ROUNDS - CENTER WIDTH: from the names of files to the picture in the middle of what is
 * scrolled through. */
static gboolean
do_first(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  guint rounds = worker_number(request->words[2]);
  double before = helpers_seconds();
  WorkerClock start = worker_clock();
  DicomWindow window = window_of(request);

  for (guint r = 0; r < rounds; r++) {
    g_autoptr(DicomScan) scan =
        app_decoder_scan((const char *const *)list->paths, NULL, NULL, NULL, error);
    const DicomSeries *series = scan && scan->series->len > 0 ? scan->series->pdata[0] : NULL;
    const DicomSeriesItem *item = series ? series->items->pdata[series->items->len / 2] : NULL;
    g_autoptr(DicomFrame) frame = item ? app_decoder_frame(item->path, 0, NULL, NULL, error) : NULL;
    g_autoptr(DicomPicture) picture = frame ? dicom_frame_render(frame, &window, error) : NULL;

    if (!picture) {
      return FALSE;
    }
  }
  worker_measured(start, rounds, helpers_seconds() - before);
  return TRUE;
}

/* cold LIST ROUNDS: the same with helpers that have yet to start. */
static gboolean
do_cold(const WorkerRequest *request, const WorkerList *list, GError **error)
{
  app_decoder_stop();
  return do_first(request, list, error);
}

int
main(void)
{
  static const struct {
    const char *name;
    Operation operation;
  } operations[] = {
      {"stored", do_stored},         {"grey", do_grey},     {"images", do_images},
      {"headers", do_headers},       {"decode", do_decode}, {"window", do_window},
      {"window-rgb", do_window_rgb}, {"helper", do_helper}, {"scan", do_scan},
      {"first", do_first},           {"cold", do_cold},
  };
  WorkerRequest request = {0};

  while (worker_next(&request)) {
    Operation operation = NULL;
    g_autoptr(GError) error = NULL;
    WorkerList list;

    for (guint i = 0; i < G_N_ELEMENTS(operations); i++) {
      if (strcmp(operations[i].name, request.words[0]) == 0) {
        operation = operations[i].operation;
      }
    }
    if (!operation || !worker_list_read(request.words[1], &list)) {
      worker_error("no such request, or no such files", request.words[0]);
      continue;
    }
    if (!operation(&request, &list, &error)) {
      worker_error(error ? error->message : "failed", request.words[0]);
    }
    worker_list_free(&list);
  }
  app_decoder_stop();
  return 0;
}
