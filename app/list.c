/* list.c - `hilum image list`: what folders and discs hold. */

#include <string.h>

#include "decoder.h"
#include "private.h"

typedef struct {
  AppProgress progress;
  gpointer user;
} Listener;

static gboolean
on_header(guint done, guint total, gpointer user)
{
  const Listener *listener = user;

  return !listener->progress || listener->progress(done, total, listener->user);
}

static DicomScan *
scan(const char *const *paths, Listener *listener, GError **error)
{
  g_autoptr(GError) problem = NULL;
  DicomScan *found = app_decoder_scan(paths, on_header, listener, NULL, &problem);

  if (g_error_matches(problem, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, problem->message);
  } else if (!found) {
    g_propagate_error(error, g_steal_pointer(&problem));
  }
  return found;
}

/* ---- one line each ------------------------------------------------------------------------ */

static JsonObject *
line_new(GPtrArray *lines, const char *type)
{
  JsonObject *object = json_object_new();

  json_object_set_string_member(object, "type", type);
  g_ptr_array_add(lines, app_json_node(object));
  return object;
}

static void
set_positive(JsonObject *object, const char *member, double value)
{
  if (value > 0) {
    json_object_set_double_member(object, member, value);
  } else {
    json_object_set_null_member(object, member);
  }
}

/* Paths are bytes; JSON is UTF-8. */
static void
set_path(JsonObject *object, const char *member, const char *path)
{
  g_autofree char *name = g_filename_display_name(path);

  json_object_set_string_member(object, member, name);
}

/* What ordered the images: without a geometry, the numbers, unless these are all alike. */
static const char *
sorted_by(const DicomSeries *series)
{
  const DicomSeriesItem *first = series->items->pdata[0];
  gboolean by_number = series->items->len == 1 && first->instance_number != 0;

  for (guint i = 1; i < series->items->len && !by_number; i++) {
    const DicomSeriesItem *item = series->items->pdata[i];
    by_number = item->instance_number != first->instance_number;
  }
  return series->sorted_by_geometry ? "geometry" : by_number ? "instance-number" : "name";
}

static JsonArray *
items_array(const DicomSeries *series)
{
  JsonArray *items = json_array_sized_new(series->items->len);

  for (guint i = 0; i < series->items->len; i++) {
    const DicomSeriesItem *item = series->items->pdata[i];
    JsonObject *object = json_object_new();

    set_path(object, "file", item->path);
    json_object_set_int_member(object, "images", item->frames);
    if (item->frame_order) {
      JsonArray *order = json_array_sized_new(item->frames);
      for (guint f = 0; f < item->frames; f++) {
        json_array_add_int_element(order, dicom_series_item_frame(item, f));
      }
      json_object_set_array_member(object, "frames", order);
    } else {
      json_object_set_null_member(object, "frames");
    }
    json_array_add_object_element(items, object);
  }
  return items;
}

/* Where a line is in the tree: patients and series are counted over all, studies too. */
typedef struct {
  GPtrArray *lines;
  guint patient, study, series;
  gboolean files;
} Place;

static void
add_series(Place *place, const DicomSeries *series)
{
  JsonObject *object = line_new(place->lines, "series");
  JsonArray *notes = json_array_sized_new(series->notes->len);
  gint64 n_images = 0;

  for (guint i = 0; i < series->items->len; i++) {
    n_images += ((const DicomSeriesItem *)series->items->pdata[i])->frames;
  }
  for (guint i = 0; i < series->notes->len; i++) {
    json_array_add_string_element(notes, series->notes->pdata[i]);
  }
  json_object_set_int_member(object, "patient", place->patient);
  json_object_set_int_member(object, "study", place->study);
  json_object_set_int_member(object, "series", ++place->series);
  app_json_set_text(object, "series_instance_uid", series->series_instance_uid);
  app_json_set_text(object, "modality", series->modality);
  app_json_set_text(object, "description", series->series_description);
  json_object_set_int_member(object, "number", series->series_number);
  json_object_set_int_member(object, "stack", series->stack);
  json_object_set_int_member(object, "n_stacks", series->n_stacks);
  json_object_set_int_member(object, "images", n_images);
  json_object_set_int_member(object, "files", series->items->len);
  json_object_set_string_member(object, "sorted_by", sorted_by(series));
  set_positive(object, "spacing_mm", series->spacing);
  set_positive(object, "frame_rate", series->frame_time_ms > 0 ? 1000 / series->frame_time_ms : 0);
  json_object_set_boolean_member(object, "localizer", series->is_localizer);
  json_object_set_array_member(object, "notes", notes);
  if (place->files) {
    json_object_set_array_member(object, "items", items_array(series));
  }
}

/* STUDY 0: the document belongs to none. */
static void
add_document(GPtrArray *lines, guint study, const DicomDocument *document)
{
  JsonObject *object = line_new(lines, "document");

  if (study > 0) {
    json_object_set_int_member(object, "study", study);
  } else {
    json_object_set_null_member(object, "study");
  }
  json_object_set_string_member(object, "kind", dicom_content_name(document->content));
  app_json_set_text(object, "name", document->content_name);
  app_json_set_text(object, "title", document->title);
  set_path(object, "file", document->path);
}

static void
add_study(Place *place, const DicomStudy *study)
{
  JsonObject *object = line_new(place->lines, "study");

  json_object_set_int_member(object, "patient", place->patient);
  json_object_set_int_member(object, "study", ++place->study);
  app_json_set_text(object, "study_instance_uid", study->study_instance_uid);
  app_json_set_text(object, "date", study->date);
  app_json_set_text(object, "description", study->description);
  app_json_set_text(object, "accession_number", study->accession_number);
  for (guint i = 0; i < study->series->len; i++) {
    add_series(place, study->series->pdata[i]);
  }
  for (guint i = 0; i < study->documents->len; i++) {
    add_document(place->lines, place->study, study->documents->pdata[i]);
  }
}

static void
add_patient(Place *place, const DicomPatient *patient)
{
  JsonObject *object = line_new(place->lines, "patient");

  json_object_set_int_member(object, "patient", ++place->patient);
  app_json_set_text(object, "name", patient->name);
  app_json_set_text(object, "patient_id", patient->patient_id);
  app_json_set_text(object, "birth_date", patient->birth_date);
  app_json_set_text(object, "sex", patient->sex);
  for (guint i = 0; i < patient->studies->len; i++) {
    add_study(place, patient->studies->pdata[i]);
  }
}

static void
add_refused(GPtrArray *lines, const DicomScan *found)
{
  for (guint i = 0; i < found->refused->len; i++) {
    const char *path = found->refused_paths->pdata[i], *text = found->refused->pdata[i];
    g_autofree char *start = g_strdup_printf("%s: ", path);
    JsonObject *object = line_new(lines, "refused");

    json_object_set_string_member(object, "file", path);
    json_object_set_string_member(object, "reason",
                                  g_str_has_prefix(text, start) ? text + strlen(start) : text);
  }
}

static void
add_summary(GPtrArray *lines, const DicomScan *found)
{
  JsonObject *object = line_new(lines, "summary");
  guint n = found->documents->len;
  g_autoptr(GString) text = g_string_new(NULL);

  g_string_printf(text, "%u of %u shown, %u refused", found->n_images, found->n_files,
                  found->refused->len);
  if (n > 0) {
    g_string_append_printf(text, ", %u listed as no %s", n, n > 1 ? "images" : "image");
  }
  json_object_set_int_member(object, "files", found->n_files);
  json_object_set_int_member(object, "images", found->n_images);
  json_object_set_int_member(object, "documents", n);
  json_object_set_int_member(object, "refused", found->refused->len);
  json_object_set_string_member(object, "text", text->str);
}

GPtrArray *
app_image_list(const char *const *paths, gboolean files, AppProgress progress, gpointer user,
               GError **error)
{
  Listener listener = {progress, user};
  g_autoptr(DicomScan) found = scan(paths, &listener, error);
  GPtrArray *lines;
  Place place = {.files = files};

  if (!found) {
    return NULL;
  }
  lines = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
  place.lines = lines;
  for (guint i = 0; i < found->patients->len; i++) {
    add_patient(&place, found->patients->pdata[i]);
  }
  for (guint i = 0; i < found->documents->len; i++) {
    const DicomDocument *document = found->documents->pdata[i];

    if (document->content == DICOM_CONTENT_DIRECTORY) {
      add_document(lines, 0, document);
    }
  }
  add_refused(lines, found);
  add_summary(lines, found);
  return lines;
}
