/* collect.c - headers of many files, kept short until all are known. */
#include "collect.h"
#include "directory.h"
#include "dicom/limits.h"
#include "names.h"

#include <string.h>

typedef struct {
  char *path; /* NULL: it is in the text, before ": " */
  char *text; /* "path: reason" */
  const char *kind;
} Refusal;

struct _DicomCollector {
  GStringChunk *texts;
  GPtrArray *records;  /* of DicomRecord * */
  GPtrArray *refusals; /* of Refusal * */
  GHashTable *asked;   /* paths that dicom_collector_wanted() gave */
  DicomDirectory *directory;
};

static void
frame_stack_free(gpointer data)
{
  DicomFrameStack *own = data;

  dicom_stack_free(own->stack);
  g_clear_pointer(&own->order, g_array_unref);
  g_clear_pointer(&own->alongs, g_array_unref);
  g_free(own);
}

static void
record_free(gpointer data)
{
  DicomRecord *record = data;

  if (record) {
    g_free(record->path);
    g_clear_pointer(&record->frame_stacks, g_ptr_array_unref);
    g_clear_pointer(&record->named, g_ptr_array_unref);
    dicom_document_free(record->document);
    g_free(record);
  }
}

static void
refusal_free(gpointer data)
{
  Refusal *refusal = data;

  g_free(refusal->path);
  g_free(refusal->text);
  g_free(refusal);
}

DicomCollector *
dicom_collector_new(void)
{
  DicomCollector *collector = g_new0(DicomCollector, 1);

  collector->texts = g_string_chunk_new(4096);
  collector->records = g_ptr_array_new_with_free_func(record_free);
  collector->refusals = g_ptr_array_new_with_free_func(refusal_free);
  collector->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  collector->directory = dicom_directory_new();
  return collector;
}

void
dicom_collector_free(DicomCollector *collector)
{
  if (collector) {
    g_ptr_array_unref(collector->records);
    g_ptr_array_unref(collector->refusals);
    g_hash_table_unref(collector->asked);
    dicom_directory_free(collector->directory);
    g_string_chunk_free(collector->texts);
    g_free(collector);
  }
}

/* ---- one file ----------------------------------------------------------------------------- */

static gpointer
copy_text(gconstpointer text, gpointer unused)
{
  (void)unused;
  return g_strdup(text);
}

static GPtrArray *
copy_texts(GPtrArray *from)
{
  GPtrArray *texts = g_ptr_array_copy(from, copy_text, NULL);

  g_ptr_array_set_free_func(texts, g_free);
  return texts;
}

static DicomDocument *
document_new(const DicomInfo *info)
{
  const char *const titles[] = {info->document_title, info->content_description,
                                info->content_label, info->series_description};
  DicomDocument *document = g_new0(DicomDocument, 1);
  const char *title = "";

  for (guint i = 0; i < G_N_ELEMENTS(titles) && !*title; i++) {
    title = titles[i];
  }
  document->path = g_strdup(info->path);
  document->title = g_strdup(title);
  document->content_name = g_strdup(info->content_name);
  document->study_instance_uid = g_strdup(info->study_instance_uid);
  document->series_instance_uid = g_strdup(info->series_instance_uid);
  document->patient_id = g_strdup(info->patient_id);
  document->content = info->content;
  document->sop_class = g_strdup(info->sop_class);
  document->creator = g_strdup(info->content_creator);
  document->date = g_strdup(info->presentation_date);
  document->referenced_instances = copy_texts(info->referenced_instances);
  document->referenced_frames = copy_texts(info->referenced_frames);
  return document;
}

static DicomSlice
slice_of(const DicomInfo *info, guint frame, gboolean is_localizer)
{
  DicomPlane plane = dicom_info_plane(info, frame);
  DicomSlice slice = {.index = frame,
                      .number = info->instance_number,
                      .is_localizer = is_localizer,
                      .rows = info->rows,
                      .columns = info->columns,
                      .temporal_position = info->temporal_position,
                      .acquisition = info->acquisition_number,
                      .echo_time = info->echo_time,
                      .has_tilt = info->has_gantry_tilt,
                      .tilt = info->gantry_tilt};

  dicom_slice_place(&slice, &plane);
  return slice;
}

/* Takes STACK. */
static DicomFrameStack *
frame_stack_new(DicomStack *stack, guint n_frames)
{
  DicomFrameStack *own = g_new0(DicomFrameStack, 1);
  GArray *slices = stack->slices;
  gboolean as_stored = slices->len == n_frames;

  own->stack = stack;
  own->n_frames = slices->len;
  own->order = g_array_sized_new(FALSE, FALSE, sizeof(guint), slices->len);
  if (stack->has_normal) {
    own->alongs = g_array_sized_new(FALSE, FALSE, sizeof(double), slices->len);
  }
  for (guint i = 0; i < slices->len; i++) {
    guint frame = g_array_index(slices, DicomSlice, i).index;

    as_stored = as_stored && frame == i;
    g_array_append_val(own->order, frame);
    if (own->alongs) {
      g_array_append_val(own->alongs, g_array_index(slices, DicomSlice, i).along);
    }
  }
  if (as_stored) {
    g_clear_pointer(&own->order, g_array_unref);
  }
  stack->slices = g_array_sized_new(FALSE, FALSE, sizeof(DicomSlice), 1);
  g_array_append_vals(stack->slices, slices->data, 1);
  g_array_unref(slices);
  return own;
}

/* The frames of one object, sorted out at once, so that their planes need not be kept. */
static GPtrArray *
sort_frames(const DicomInfo *info, gboolean is_localizer)
{
  GPtrArray *result = g_ptr_array_new_with_free_func(frame_stack_free);
  g_autoptr(GArray) slices = g_array_new(FALSE, FALSE, sizeof(DicomSlice));
  g_autoptr(GPtrArray) stacks = NULL;
  const DicomStackFacts facts = {strcmp(info->modality, "CT") == 0, TRUE};
  guint n = info->planes->len == info->frames ? info->frames : 1;

  for (guint i = 0; i < n; i++) {
    DicomSlice slice = slice_of(info, i, is_localizer);

    slice.number = (gint)i + 1;
    g_array_append_val(slices, slice);
  }
  stacks = dicom_stacks_make(slices, &facts);
  for (guint i = 0; i < stacks->len; i++) {
    DicomFrameStack *own = frame_stack_new(stacks->pdata[i], n);

    stacks->pdata[i] = NULL;
    own->n_frames = n == info->frames ? own->n_frames : info->frames;
    g_ptr_array_add(result, own);
  }
  return result;
}

static void
keep_texts(DicomCollector *collector, DicomRecord *record, const DicomInfo *info)
{
  const struct {
    const char **to;
    const char *from;
  } texts[] = {
      {&record->sop_instance_uid, info->sop_instance_uid},
      {&record->series_instance_uid, info->series_instance_uid},
      {&record->study_instance_uid, info->study_instance_uid},
      {&record->patient_id, info->patient_id},
      {&record->patient_name, info->patient_name},
      {&record->patient_birth_date, info->patient_birth_date},
      {&record->patient_sex, info->patient_sex},
      {&record->study_date, info->study_date},
      {&record->study_description, info->study_description},
      {&record->accession_number, info->accession_number},
      {&record->modality, info->modality},
      {&record->series_description, info->series_description},
      {&record->sop_class, info->sop_class},
      {&record->image_type, info->image_type},
      {&record->body_part, info->body_part_examined},
      {&record->view_position, info->view_position},
      {&record->laterality, info->laterality},
      {&record->burned_in, info->burned_in_annotation},
      {&record->frame_of_reference_uid, info->frame_of_reference_uid},
  };

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    *texts[i].to = g_string_chunk_insert_const(collector->texts, texts[i].from);
  }
}

void
dicom_collector_add(DicomCollector *collector, const DicomInfo *info)
{
  DicomRecord *record = g_new0(DicomRecord, 1);
  gboolean is_localizer = dicom_is_localizer(info->image_type);

  record->path = g_strdup(info->path);
  record->content = info->content;
  record->is_dicom = info->kind == DICOM_KIND_DICOM;
  record->series_number = info->series_number;
  record->frame_time_ms = info->frame_time_ms;
  record->frames = MAX(info->frames, 1);
  keep_texts(collector, record, info);
  if (info->content != DICOM_CONTENT_IMAGE) {
    record->document = document_new(info);
  } else if (info->frames > 1) {
    record->frame_stacks = sort_frames(info, is_localizer);
    record->slice.number = info->instance_number;
  } else {
    record->slice = slice_of(info, 0, is_localizer);
  }
  if (info->content == DICOM_CONTENT_DIRECTORY) {
    record->named = copy_texts(info->referenced_files);
  }
  g_ptr_array_add(collector->records, record);
}

const char *
dicom_refusal_kind(const GError *error)
{
  static const char *const kinds[] = {
      [DICOM_ERROR_FORMAT] = "format",   [DICOM_ERROR_UNSUPPORTED] = "unsupported",
      [DICOM_ERROR_CORRUPT] = "corrupt", [DICOM_ERROR_TOO_LARGE] = "too-large",
      [DICOM_ERROR_IO] = "unreadable",   [DICOM_ERROR_HELPER] = "helper"};

  return error && error->domain == DICOM_ERROR && error->code >= 0 &&
                 error->code < (int)G_N_ELEMENTS(kinds)
             ? kinds[error->code]
             : "other";
}

void
dicom_collector_refuse(DicomCollector *collector, const char *path, const char *message)
{
  dicom_collector_refuse_as(collector, path, message, "other");
}

void
dicom_collector_refuse_as(DicomCollector *collector, const char *path, const char *message,
                          const char *kind)
{
  Refusal *refusal = g_new0(Refusal, 1);

  refusal->kind = kind;
  refusal->path = g_strdup(path);
  if (path) {
    g_autofree char *name = g_filename_display_name(path);
    gsize n = strlen(name);
    gboolean named = strncmp(message, name, n) == 0 && message[n] == ':';

    refusal->text = named ? g_strdup(message) : g_strdup_printf("%s: %s", name, message);
  } else {
    refusal->text = g_strdup(message);
  }
  g_ptr_array_add(collector->refusals, refusal);
}

/* ---- DICOMDIR ----------------------------------------------------------------------------- */

/* Canonical, with one look at the disk per folder. FOLDERS: path -> canonical path. */
static char *
key_of(GHashTable *folders, const char *path)
{
  g_autofree char *folder = g_path_get_dirname(path);
  g_autofree char *name = g_path_get_basename(path);
  const char *canonical = g_hash_table_lookup(folders, folder);

  if (!canonical) {
    char *found = dicom_canonical_path(folder);

    canonical = found;
    g_hash_table_insert(folders, g_strdup(folder), found);
  }
  return g_build_filename(canonical, name, NULL);
}

/* Keys of all files that were added or refused. */
static GHashTable *
find_known(DicomCollector *collector, GHashTable *folders)
{
  GHashTable *known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < collector->records->len; i++) {
    const DicomRecord *record = collector->records->pdata[i];
    g_hash_table_add(known, key_of(folders, record->path));
  }
  for (guint i = 0; i < collector->refusals->len; i++) {
    const Refusal *refusal = collector->refusals->pdata[i];
    if (refusal->path) {
      g_hash_table_add(known, key_of(folders, refusal->path));
    }
  }
  return known;
}

/* FOUND NULL: WHY it is not to be read. */
typedef void (*UnknownFile)(DicomCollector *collector, const DicomRecord *directory,
                            const char *name, const char *found, const char *why,
                            GPtrArray *wanted);

/* Calls DO_ONE for each file that is named and not known, once. WANTED is NULL at the end. */
static void
each_unknown(DicomCollector *collector, UnknownFile do_one, GPtrArray *wanted)
{
  g_autoptr(GHashTable) folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(GHashTable) known = NULL;
  guint n_records = collector->records->len, n = 0;

  for (guint i = 0; i < n_records; i++) {
    const DicomRecord *record = collector->records->pdata[i];

    if (!record->named) {
      continue;
    }
    known = known ? known : find_known(collector, folders);
    for (guint f = 0; f < record->named->len && n < DICOM_MAX_SCAN_FILES; f++) {
      const char *name = record->named->pdata[f], *why = NULL;
      g_autofree char *joined = dicom_directory_join(record->path, name);
      g_autofree char *key = key_of(folders, joined);

      if (!g_hash_table_add(known, g_steal_pointer(&key))) {
        continue;
      }
      g_autofree char *found = dicom_directory_find(collector->directory, record->path, name, &why);
      if (!found || g_hash_table_add(known, key_of(folders, found)) || strcmp(found, joined) == 0) {
        do_one(collector, record, name, found, why, wanted);
        n++;
      }
    }
    if (n == DICOM_MAX_SCAN_FILES && !wanted) {
      dicom_collector_refuse(collector, record->path, "names more files than one scan takes");
      return;
    }
  }
}

static void
want(DicomCollector *collector, const DicomRecord *directory, const char *name, const char *found,
     const char *why, GPtrArray *wanted)
{
  if (found && g_hash_table_add(collector->asked, g_strdup(found))) {
    g_ptr_array_add(wanted, g_strdup(found));
  }
}

GPtrArray *
dicom_collector_wanted(DicomCollector *collector)
{
  GPtrArray *wanted = g_ptr_array_new_with_free_func(g_free);

  each_unknown(collector, want, wanted);
  g_ptr_array_sort(wanted, dicom_compare_name_pointers);
  return wanted;
}

static void
miss(DicomCollector *collector, const DicomRecord *directory, const char *name, const char *found,
     const char *why, GPtrArray *wanted)
{
  g_autofree char *path = found ? g_strdup(found) : dicom_directory_join(directory->path, name);
  g_autofree char *base = g_path_get_basename(directory->path);
  g_autofree char *shown = g_filename_display_name(base), *valid = g_utf8_make_valid(name, -1);
  g_autofree char *reason =
      g_strdup_printf("%s names %s, which %s", shown, valid, found ? "was not read" : why);

  dicom_collector_refuse(collector, path, reason);
}

/* ---- the end ------------------------------------------------------------------------------ */

static gint
compare_records(gconstpointer a, gconstpointer b)
{
  const DicomRecord *x = *(DicomRecord *const *)a, *y = *(DicomRecord *const *)b;

  return dicom_compare_names(x->path, y->path);
}

static gint
compare_refusals(gconstpointer a, gconstpointer b)
{
  const Refusal *x = *(Refusal *const *)a, *y = *(Refusal *const *)b;
  gint order = dicom_compare_names(x->path ? x->path : x->text, y->path ? y->path : y->text);

  return order != 0 ? order : strcmp(x->text, y->text);
}

/* Records in the order of their names; of several with one SOPInstanceUID only the first. */
static GPtrArray *
without_twins(DicomCollector *collector)
{
  GPtrArray *kept = g_ptr_array_new();
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal); /* UID -> record */
  const char *last_path = NULL;

  g_ptr_array_sort(collector->records, compare_records);
  for (guint i = 0; i < collector->records->len; i++) {
    DicomRecord *record = collector->records->pdata[i];
    gboolean unique = *record->sop_instance_uid && record->content != DICOM_CONTENT_DIRECTORY;
    const DicomRecord *twin = g_hash_table_lookup(seen, record->sop_instance_uid);

    if (last_path && strcmp(last_path, record->path) == 0) {
      continue; /* the same file, added twice */
    }
    last_path = record->path;
    if (unique && twin) {
      g_autofree char *name = g_filename_display_name(twin->path);
      g_autofree char *reason = g_strdup_printf("has the same SOPInstanceUID as %s", name);

      dicom_collector_refuse(collector, record->path, reason);
      continue;
    }
    if (unique) {
      g_hash_table_insert(seen, (gpointer)record->sop_instance_uid, record);
    }
    g_ptr_array_add(kept, record);
  }
  return kept;
}

static void
take_refusals(DicomCollector *collector, DicomScan *scan)
{
  g_ptr_array_sort(collector->refusals, compare_refusals);
  for (guint i = 0; i < collector->refusals->len; i++) {
    Refusal *refusal = collector->refusals->pdata[i];
    const char *colon = strstr(refusal->text, ": ");
    gsize n = colon ? (gsize)(colon - refusal->text) : strlen(refusal->text);

    g_ptr_array_add(scan->refused_paths, refusal->path ? g_filename_display_name(refusal->path)
                                                       : g_strndup(refusal->text, n));
    g_ptr_array_add(scan->refused, g_steal_pointer(&refusal->text));
    g_ptr_array_add(scan->refused_kinds, (gpointer)refusal->kind);
  }
}

DicomScan *
dicom_collector_finish(DicomCollector *collector)
{
  DicomScan *scan = g_new0(DicomScan, 1);
  g_autoptr(GPtrArray) records = NULL;

  scan->refused = g_ptr_array_new_with_free_func(g_free);
  scan->refused_paths = g_ptr_array_new_with_free_func(g_free);
  scan->refused_kinds = g_ptr_array_new();
  each_unknown(collector, miss, NULL);
  records = without_twins(collector);
  dicom_tree_grow(scan, records);
  take_refusals(collector, scan);
  scan->n_files = scan->n_images + scan->documents->len + scan->refused->len;
  dicom_collector_free(collector);
  return scan;
}
