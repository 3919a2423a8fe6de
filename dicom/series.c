/* series.c - a folder becomes series, each sorted by geometry (PS3.3 C.7.6.2). */
#include "dicom.h"
#include "limits.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

/* Two images lie in one stack when their normals differ by less than about a degree. */
#define SAME_DIRECTION 0.9998
/* Closer positions than this are one place: mm, far below any slice spacing. */
#define SAME_PLACE 1e-3

static void
item_free(DicomSeriesItem *item)
{
  g_free(item->path);
  g_free(item->sop_instance_uid);
  g_free(item);
}

void
dicom_series_free(DicomSeries *series)
{
  if (series) {
    g_free(series->series_instance_uid);
    g_free(series->study_instance_uid);
    g_free(series->modality);
    g_free(series->series_description);
    g_free(series->study_description);
    g_free(series->patient_name);
    g_free(series->patient_id);
    g_free(series->study_date);
    g_ptr_array_unref(series->items);
    g_free(series);
  }
}

void
dicom_scan_free(DicomScan *scan)
{
  if (scan) {
    g_ptr_array_unref(scan->series);
    g_ptr_array_unref(scan->refused);
    g_free(scan);
  }
}

/* ---- the walk ----------------------------------------------------------------------------------
 */

typedef struct {
  GPtrArray *files;   /* of char * */
  GPtrArray *refused; /* of char * */
  char *root;         /* canonical, for links */
  DicomScanProgress progress;
  gpointer user;
} Walk;

static void
refuse(GPtrArray *refused, const char *path, const char *reason)
{
  g_autofree char *name = g_filename_display_name(path);

  g_ptr_array_add(refused, g_strdup_printf("%s: %s", name, reason));
}

/* Links to files inside the folder are as good as files; links to folders are never followed, so
 * that the walk cannot run in a circle. */
static gboolean
link_is_fine(const Walk *walk, const char *path)
{
  char *target = realpath(path, NULL);
  gsize n = strlen(walk->root);
  gboolean inside = target && strncmp(target, walk->root, n) == 0 &&
                    (target[n] == '/' || (n > 0 && walk->root[n - 1] == '/'));

  free(target);
  return inside && !g_file_test(path, G_FILE_TEST_IS_DIR);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The folder's entries, in the order of their names; empty when it cannot be read. */
static GPtrArray *
list_folder(Walk *walk, const char *folder)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GError) problem = NULL;
  GDir *dir = g_dir_open(folder, 0, &problem);
  const char *name;

  if (!dir) {
    refuse(walk->refused, folder, problem->message);
    return g_steal_pointer(&names);
  }
  while ((name = g_dir_read_name(dir))) {
    g_ptr_array_add(names, g_build_filename(folder, name, NULL));
  }
  g_dir_close(dir);
  g_ptr_array_sort(names, compare_names);
  return g_steal_pointer(&names);
}

typedef struct {
  char *path;
  guint depth;
} Folder;

static void
visit(Walk *walk, const char *path, guint depth, GQueue *folders)
{
  struct stat st;

  if (g_lstat(path, &st) != 0) {
    refuse(walk->refused, path, g_strerror(errno));
  } else if (S_ISDIR(st.st_mode)) {
    if (depth >= DICOM_MAX_FOLDER_DEPTH) {
      refuse(walk->refused, path, "folders are nested too deeply");
      return;
    }
    Folder *folder = g_new0(Folder, 1);
    folder->path = g_strdup(path);
    folder->depth = depth + 1;
    g_queue_push_tail(folders, folder);
  } else if (S_ISREG(st.st_mode) || (S_ISLNK(st.st_mode) && link_is_fine(walk, path))) {
    g_ptr_array_add(walk->files, g_strdup(path));
  } else {
    refuse(walk->refused, path,
           S_ISLNK(st.st_mode) ? "is a link that leads out of the folder"
                               : "is not a regular file");
  }
}

static gboolean
cancelled(GError **error)
{
  g_set_error_literal(error, DICOM_ERROR, DICOM_ERROR_IO, "the scan was cancelled");
  return FALSE;
}

static gboolean
walk_folders(Walk *walk, const char *root, GError **error)
{
  GQueue folders = G_QUEUE_INIT;
  gboolean ok = TRUE;

  g_queue_push_tail(&folders, g_new0(Folder, 1));
  ((Folder *)folders.head->data)->path = g_strdup(root);
  while (!g_queue_is_empty(&folders)) {
    Folder *folder = g_queue_pop_head(&folders);

    if (ok && walk->files->len < DICOM_MAX_SCAN_FILES) {
      g_autoptr(GPtrArray) names = list_folder(walk, folder->path);

      for (guint i = 0; i < names->len && walk->files->len < DICOM_MAX_SCAN_FILES; i++) {
        visit(walk, names->pdata[i], folder->depth, &folders);
      }
      ok = !walk->progress || walk->progress(0, walk->files->len, walk->user) || cancelled(error);
      if (walk->files->len >= DICOM_MAX_SCAN_FILES) {
        refuse(walk->refused, root, "holds more files than one scan takes; the rest is left out");
      }
    }
    g_free(folder->path);
    g_free(folder);
  }
  return ok;
}

/* ---- grouping and order ------------------------------------------------------------------------
 */

/* What an item needs while it is sorted; lives beside the DicomSeriesItem. */
typedef struct {
  DicomSeriesItem *item;
  gboolean has_geometry;
  double position[3], normal[3];
  char *path_key;
} Entry;

typedef struct {
  DicomSeries *series;
  GArray *entries; /* of Entry */
} Group;

static void
group_free(Group *group)
{
  dicom_series_free(group->series);
  for (guint i = 0; i < group->entries->len; i++) {
    g_free(g_array_index(group->entries, Entry, i).path_key);
  }
  g_array_unref(group->entries);
  g_free(group);
}

static Group *
group_new(const DicomInfo *info)
{
  Group *group = g_new0(Group, 1);
  DicomSeries *series = g_new0(DicomSeries, 1);

  series->series_instance_uid = g_strdup(info->series_instance_uid);
  series->study_instance_uid = g_strdup(info->study_instance_uid);
  series->modality = g_strdup(info->modality);
  series->series_description = g_strdup(info->series_description);
  series->study_description = g_strdup(info->study_description);
  series->patient_name = g_strdup(info->patient_name);
  series->patient_id = g_strdup(info->patient_id);
  series->study_date = g_strdup(info->study_date);
  series->series_number = info->series_number;
  series->items = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);
  group->series = series;
  group->entries = g_array_new(FALSE, TRUE, sizeof(Entry));
  return group;
}

static double
dot(const double a[3], const double b[3])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Normal of the image plane: row direction times column direction. FALSE when they are no
 * directions. */
static gboolean
find_normal(const double o[6], double normal[3])
{
  normal[0] = o[1] * o[5] - o[2] * o[4];
  normal[1] = o[2] * o[3] - o[0] * o[5];
  normal[2] = o[0] * o[4] - o[1] * o[3];
  double length = sqrt(dot(normal, normal));
  if (!(length > 0.5 && length < 2)) {
    return FALSE;
  }
  for (guint i = 0; i < 3; i++) {
    normal[i] /= length;
  }
  return TRUE;
}

static void
add_item(Group *group, const DicomInfo *info)
{
  Entry entry = {0};

  entry.item = g_new0(DicomSeriesItem, 1);
  entry.item->path = g_strdup(info->path);
  entry.item->frames = info->frames;
  entry.item->sop_instance_uid = g_strdup(info->sop_instance_uid);
  entry.item->instance_number = info->instance_number;
  entry.item->has_position = info->has_position;
  entry.has_geometry =
      info->has_position && info->has_orientation && find_normal(info->orientation, entry.normal);
  memcpy(entry.position, info->position, sizeof entry.position);
  g_autofree char *name = g_filename_display_name(info->path);
  entry.path_key = g_utf8_collate_key_for_filename(name, -1);
  g_array_append_val(group->entries, entry);
}

static gint
by_number(const Entry *a, const Entry *b)
{
  gint x = a->item->instance_number, y = b->item->instance_number;

  return x != y ? (x < y ? -1 : 1) : strcmp(a->path_key, b->path_key);
}

static gint
compare_number(gconstpointer a, gconstpointer b)
{
  return by_number(a, b);
}

static gint
compare_place(gconstpointer a, gconstpointer b)
{
  double x = ((const Entry *)a)->item->along, y = ((const Entry *)b)->item->along;

  return x < y ? -1 : x > y ? 1 : by_number(a, b);
}

/* One stack: all images have a place, face the same way, and are not all at the same spot. */
static gboolean
is_stack(GArray *entries)
{
  const Entry *first = &g_array_index(entries, Entry, 0);
  double low = INFINITY, high = -INFINITY;

  for (guint i = 0; i < entries->len; i++) {
    const Entry *entry = &g_array_index(entries, Entry, i);

    if (!entry->has_geometry || dot(entry->normal, first->normal) < SAME_DIRECTION) {
      return FALSE;
    }
    entry->item->along = dot(entry->position, first->normal);
    low = MIN(low, entry->item->along);
    high = MAX(high, entry->item->along);
  }
  return high - low > SAME_PLACE;
}

static DicomSeries *
finish_group(Group *group)
{
  DicomSeries *series = g_steal_pointer(&group->series);

  series->sorted_by_geometry = is_stack(group->entries);
  g_array_sort(group->entries, series->sorted_by_geometry ? compare_place : compare_number);
  for (guint i = 0; i < group->entries->len; i++) {
    Entry *entry = &g_array_index(group->entries, Entry, i);

    if (entry->has_geometry && !series->sorted_by_geometry) {
      entry->item->along = dot(entry->position, entry->normal);
    }
    g_ptr_array_add(series->items, entry->item);
  }
  return series;
}

/* ---- the scan ----------------------------------------------------------------------------------
 */

typedef struct {
  DicomScan *scan;
  GHashTable *groups; /* key -> Group, borrowed from order */
  GPtrArray *order;   /* of Group, as first seen */
  GHashTable *seen;   /* SOPInstanceUID -> path */
} Collect;

static void
collect_file(Collect *collect, const char *path)
{
  g_autoptr(GError) problem = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &problem);

  if (!file) {
    g_ptr_array_add(collect->scan->refused, g_strdup(problem->message));
    return;
  }
  const DicomInfo *info = dicom_file_info(file);
  if (info->content != DICOM_CONTENT_IMAGE) {
    g_autoptr(DicomFrame) none = dicom_file_read_frame(file, 0, &problem);

    g_ptr_array_add(collect->scan->refused, g_strdup(problem->message));
    return;
  }
  if (info->sop_instance_uid[0]) {
    const char *twin = g_hash_table_lookup(collect->seen, info->sop_instance_uid);

    if (twin) {
      g_autofree char *name = g_filename_display_name(twin);
      g_autofree char *reason = g_strdup_printf("has the same SOPInstanceUID as %s", name);

      refuse(collect->scan->refused, path, reason);
      return;
    }
    g_hash_table_insert(collect->seen, g_strdup(info->sop_instance_uid), g_strdup(path));
  }
  /* Pictures, and objects without a series, stand alone. */
  const char *uid = info->series_instance_uid[0] ? info->series_instance_uid : path;
  Group *group = g_hash_table_lookup(collect->groups, uid);
  if (!group) {
    group = group_new(info);
    g_ptr_array_add(collect->order, group);
    g_hash_table_insert(collect->groups, g_strdup(uid), group);
  }
  add_item(group, info);
}

static gboolean
collect_files(Collect *collect, const Walk *walk, GError **error)
{
  guint total = walk->files->len;

  collect->scan->n_files = total;
  for (guint i = 0; i < total; i++) {
    collect_file(collect, walk->files->pdata[i]);
    if (walk->progress && !walk->progress(i + 1, total, walk->user)) {
      return cancelled(error);
    }
  }
  return TRUE;
}

DicomScan *
dicom_scan(const char *path, DicomScanProgress progress, gpointer user, GError **error)
{
  g_autoptr(DicomScan) scan = g_new0(DicomScan, 1);
  scan->series = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_series_free);
  scan->refused = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  char *canonical = realpath(path, NULL);
  g_autofree char *root = g_strdup(canonical ? canonical : path);
  free(canonical);
  Walk walk = {
      .files = files, .refused = scan->refused, .root = root, .progress = progress, .user = user};

  if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
    if (!walk_folders(&walk, path, error)) {
      return NULL;
    }
  } else if (g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_ptr_array_add(files, g_strdup(path));
  } else {
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: there is no such file or folder", name);
    return NULL;
  }
  g_autoptr(GHashTable) groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func((GDestroyNotify)group_free);
  Collect collect = {.scan = scan, .groups = groups, .order = order, .seen = seen};
  gboolean ok = collect_files(&collect, &walk, error);
  /* Items change hands here, also after a cancel, so that each has one owner. */
  for (guint i = 0; i < order->len; i++) {
    g_ptr_array_add(scan->series, finish_group(order->pdata[i]));
  }
  return ok ? g_steal_pointer(&scan) : NULL;
}
