/* export-object.c - conversations as objects of the study that they are about: a structured report,
 * and a PDF in an envelope.
 *
 * They go where the patient's images are, so all of the patient's data are in them, as the image's
 * own file says; where it is gone, as the log does.
 */
#include <string.h>

#include <glib/gi18n.h>

#include "decoder.h"
#include "dicom_talk.h"
#include "export-formats.h"
#include "export-talk.h"

/* Everything of a conversation that its objects point at. */
typedef struct {
  const AppExportConversation *of;
  GDateTime *created;
  DicomInfo *header; /* of the first image's file, or NULL */
  DicomTalkStudy study;
  GStringChunk *strings;
  GArray *images;    /* of DicomTalkImage: of all turns, one behind the other */
  GPtrArray *arrays; /* what turns borrow */
} Objects;

static void
objects_clear(Objects *objects)
{
  g_clear_pointer(&objects->created, g_date_time_unref);
  g_clear_pointer(&objects->header, dicom_info_free);
  g_clear_pointer(&objects->strings, g_string_chunk_free);
  g_clear_pointer(&objects->images, g_array_unref);
  g_clear_pointer(&objects->arrays, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Objects, objects_clear)

static const StoreTurnRow *
real_row(const AppExportConversation *of, guint i)
{
  return ((const StoreExportTurn *)of->real->pdata[i])->row;
}

static gboolean
is_of_dicom(const StoreImage *image)
{
  return image->sop_instance_uid && *image->sop_instance_uid && image->study_instance_uid &&
         *image->study_instance_uid && image->series_instance_uid && *image->series_instance_uid;
}

/* ---- whose it is --------------------------------------------------------------------------- */

/* The first image that a study has; NULL with *WHY: nowhere to put an object. */
static const StoreImage *
first_image(const AppExportConversation *of, const char **why)
{
  const StoreImage *first = NULL;

  for (guint t = 0; t < of->real->len; t++) {
    const StoreTurnRow *row = real_row(of, t);

    for (guint i = 0; i < app_export_n_images(row); i++) {
      const StoreImage *image = app_export_image(row, i);

      if (!is_of_dicom(image)) {
        *why = "a picture of it is of no DICOM study";
        return NULL;
      }
      if (first && g_strcmp0(first->patient_id, image->patient_id) != 0) {
        *why = "its images are of more than one patient";
        return NULL;
      }
      first = first ? first : image;
    }
  }
  *why = first ? NULL : "it is about no image";
  return first;
}

/* As the file says, if it is still that image's. */
static void
read_study(Objects *objects, const StoreImage *image)
{
  DicomInfo *header = image->path ? app_decoder_info(image->path, NULL, NULL) : NULL;

  if (header && strcmp(header->sop_instance_uid, image->sop_instance_uid) == 0 &&
      strcmp(header->study_instance_uid, image->study_instance_uid) == 0) {
    objects->header = header;
    objects->study = dicom_talk_study(header);
    return;
  }
  dicom_info_free(header);
  objects->study = (DicomTalkStudy){.patient_name = image->patient_name,
                                    .patient_id = image->patient_id,
                                    .study_instance_uid = image->study_instance_uid,
                                    .study_date = image->study_date,
                                    .study_description = image->study_description};
}

/* Whether objects of this class have one frame each (PS3.4 B.5); then none is named. */
static gboolean
has_one_frame(const StoreImage *image)
{
  static const char *const classes[] = {
      "1.2.840.10008.5.1.4.1.1.1",      "1.2.840.10008.5.1.4.1.1.1.1",
      "1.2.840.10008.5.1.4.1.1.1.1.1",  "1.2.840.10008.5.1.4.1.1.1.2",
      "1.2.840.10008.5.1.4.1.1.1.2.1",  "1.2.840.10008.5.1.4.1.1.2",
      "1.2.840.10008.5.1.4.1.1.4",      "1.2.840.10008.5.1.4.1.1.6.1",
      "1.2.840.10008.5.1.4.1.1.7",      "1.2.840.10008.5.1.4.1.1.128",
      "1.2.840.10008.5.1.4.1.1.77.1.4", "1.2.840.10008.5.1.4.1.1.1.3"};

  for (guint i = 0; i < G_N_ELEMENTS(classes); i++) {
    if (g_strcmp0(image->sop_class, classes[i]) == 0) {
      return image->frame == 0;
    }
  }
  return FALSE;
}

static void
collect_images(Objects *objects)
{
  for (guint t = 0; t < objects->of->real->len; t++) {
    const StoreTurnRow *row = real_row(objects->of, t);

    for (guint i = 0; i < app_export_n_images(row); i++) {
      const StoreImage *from = app_export_image(row, i);
      const DicomTalkImage image = {from->sop_class,
                                    from->sop_instance_uid,
                                    from->series_instance_uid,
                                    from->study_instance_uid,
                                    has_one_frame(from) ? 0 : from->frame + 1,
                                    from->modality};

      g_array_append_val(objects->images, image);
    }
  }
}

/* FALSE: no object can be made, and that was said. */
static gboolean
open_objects(Objects *objects, AppExport *export, const AppExportConversation *of)
{
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  const char *why = NULL;
  const StoreImage *image = first_image(of, &why);

  if (!image) {
    g_autofree char *what = g_strdup_printf("conversation %" G_GINT64_FORMAT, of->conversation->id);

    app_export_leave_out(export, what, why);
    return FALSE;
  }
  objects->of = of;
  objects->created = g_date_time_new_from_iso8601(app_export_time(export), utc);
  objects->strings = g_string_chunk_new(1024);
  objects->images = g_array_new(FALSE, FALSE, sizeof(DicomTalkImage));
  objects->arrays = g_ptr_array_new_with_free_func(g_free);
  read_study(objects, image);
  collect_images(objects);
  return TRUE;
}

static char *
name_of(const AppExportConversation *of)
{
  return g_strdup_printf("conversation-%" G_GINT64_FORMAT ".dcm", of->conversation->id);
}

/* ---- the report ---------------------------------------------------------------------------- */

/* Names of persons as the system has them are of no DICOM form: nobody knows which part is the
 * family name, so all of it stands there. */
static const char *
person_name(Objects *objects, const StoreVerdictRow *row)
{
  g_autofree char *name = g_strdelimit(g_strdup(app_export_talk_person(row)), "^=\\", ' ');
  g_autofree char *whole = g_strconcat(name, "^", NULL);

  return g_string_chunk_insert_const(objects->strings, whole);
}

static const DicomTalkVerdict *
verdicts_of(Objects *objects, const StoreExportTurn *turn)
{
  const guint n = turn->verdicts ? turn->verdicts->len : 0;
  DicomTalkVerdict *verdicts = g_new0(DicomTalkVerdict, n + 1);

  for (guint i = 0; i < n; i++) {
    const StoreVerdictRow *row = turn->verdicts->pdata[i];

    verdicts[i] = (DicomTalkVerdict){row->verdict.verdict, row->verdict.text,
                                     person_name(objects, row), row->time};
  }
  g_ptr_array_add(objects->arrays, verdicts);
  return verdicts;
}

static const char *const *
checks_of(Objects *objects, const StoreExportTurn *turn)
{
  const guint n = turn->checks ? turn->checks->len : 0;
  const char **checks = g_new0(const char *, n + 1);

  for (guint i = 0; i < n; i++) {
    g_autofree char *check = app_export_talk_check(turn->checks->pdata[i]);

    checks[i] = g_string_chunk_insert_const(objects->strings, check);
  }
  g_ptr_array_add(objects->arrays, checks);
  return checks;
}

static void
add_parameter(Objects *objects, GPtrArray *all, const char *format, const char *value)
{
  if (value && *value) {
    g_autofree char *text = g_strconcat(format, value, NULL);

    g_ptr_array_add(all, g_string_chunk_insert(objects->strings, text));
  }
}

/* How it was sampled, and of which picture exactly. */
static const char *const *
parameters_of(Objects *objects, const StoreTurnRow *row)
{
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  g_auto(GStrv) sampling = app_export_talk_parameters(row);
  gpointer list;

  for (char **at = sampling; *at; at++) {
    add_parameter(objects, all, "", *at);
  }
  for (guint i = 0; i < app_export_n_images(row); i++) {
    const StoreImage *image = app_export_image(row, i);
    g_autofree char *window = app_export_talk_window(image);
    g_autofree char *part = app_export_talk_part(image);

    add_parameter(objects, all, _("Window: "), window);
    add_parameter(objects, all, _("Part: "), part);
    add_parameter(objects, all, _("SHA-256 of the picture sent: "), image->sent_sha256);
    add_parameter(objects, all, _("SHA-256 of the stored pixels: "), image->pixels_sha256);
  }
  g_ptr_array_add(all, NULL);
  list = g_ptr_array_steal(all, NULL);
  g_ptr_array_add(objects->arrays, list);
  return list;
}

static const char *
version_of(Objects *objects, const StoreModel *model)
{
  g_autofree char *text = model->sha256 && *model->sha256
                              ? g_strconcat("sha256:", model->sha256, NULL)
                          : model->engine ? g_strdup(_("not known: it answered on a server"))
                                          : g_strdup(_("not known"));

  return g_string_chunk_insert_const(objects->strings, text);
}

/* TURN: the I-th, masked; IMAGES: its own. */
static DicomTalkTurn
talk_turn(Objects *objects, guint i, const DicomTalkImage *images)
{
  const StoreExportTurn *turn = objects->of->turns->pdata[i];
  const StoreTurnRow *row = turn->row;

  return (DicomTalkTurn){.time = row->time,
                         .question = row->erased ? NULL : row->turn.question,
                         .answer = row->erased ? NULL : row->turn.answer,
                         .algorithm = row->model.name ? row->model.name : "-",
                         .version = version_of(objects, &row->model),
                         .parameters = parameters_of(objects, row),
                         .checks = checks_of(objects, turn),
                         .images = images,
                         .n_images = app_export_n_images(real_row(objects->of, i)),
                         .verdicts = verdicts_of(objects, turn),
                         .n_verdicts = turn->verdicts ? turn->verdicts->len : 0};
}

static gboolean
write_report(Objects *objects, const char *path, GError **error)
{
  const DicomTalkImage *images = (const DicomTalkImage *)(gconstpointer)objects->images->data;
  const guint n = objects->of->turns->len;
  g_autofree DicomTalkTurn *turns = g_new0(DicomTalkTurn, n);
  g_autofree char *name = app_export_talk_title(objects->of->conversation);
  const DicomTalk talk = {name, _(APP_NOTICE), app_version(), objects->created, turns, n};

  for (guint i = 0; i < n; i++) {
    turns[i] = talk_turn(objects, i, images);
    images += turns[i].n_images;
  }
  return dicom_talk_write(path, &objects->study, &talk, error);
}

static gboolean
report(gpointer self, const AppExportConversation *of, GError **error)
{
  AppExport *export = self;
  g_auto(Objects) objects = {0};
  g_autofree char *name = name_of(of), *path = NULL;

  if (!open_objects(&objects, export, of)) {
    return TRUE;
  }
  path = app_export_path(export, name, error);
  return path && write_report(&objects, path, error) && app_export_add(export, name, error);
}

/* ---- the PDF ------------------------------------------------------------------------------- */

static gboolean
write_pdf(Objects *objects, AppExport *export, const char *path, GError **error)
{
  const AppExportTalk talk = {objects->of, app_export_options(export)->text, TRUE,
                              app_export_head(export), app_export_time(export)};
  g_autofree char *title = app_export_talk_title(objects->of->conversation);
  const DicomTalkPdf about = {title,
                              app_version(),
                              objects->created,
                              TRUE,
                              (const DicomTalkImage *)(gconstpointer)objects->images->data,
                              objects->images->len};
  g_autoptr(GBytes) pdf = app_export_talk_pdf(&talk, error);

  return pdf && dicom_talk_write_pdf(path, &objects->study, &about, pdf, error);
}

static gboolean
envelope(gpointer self, const AppExportConversation *of, GError **error)
{
  AppExport *export = self;
  g_auto(Objects) objects = {0};
  g_autofree char *name = name_of(of), *path = NULL;

  if (!open_objects(&objects, export, of)) {
    return TRUE;
  }
  path = app_export_path(export, name, error);
  return path && write_pdf(&objects, export, path, error) && app_export_add(export, name, error);
}

static gboolean
page(gpointer self, const AppExportConversation *of, GError **error)
{
  AppExport *export = self;
  const AppExportOptions *options = app_export_options(export);
  const AppExportTalk talk = {of, options->text, options->patient == APP_PATIENT_FULL,
                              app_export_head(export), app_export_time(export)};
  g_autofree char *name =
      g_strdup_printf("conversation-%" G_GINT64_FORMAT ".pdf", of->conversation->id);
  g_autoptr(GBytes) pdf = app_export_talk_pdf(&talk, error);
  AppExportFile *file = pdf ? app_export_open(export, name, error) : NULL;

  if (!file) {
    return FALSE;
  }
  if (!app_export_write(file, g_bytes_get_data(pdf, NULL), g_bytes_get_size(pdf), error)) {
    app_export_abandon(file);
    return FALSE;
  }
  return app_export_close(file, error);
}

/* ---- the formats --------------------------------------------------------------------------- */

static gpointer
begin(AppExport *export, GError **error)
{
  return export;
}

static gboolean
end(gpointer self, GError **error)
{
  return TRUE;
}

static void
leave(gpointer self)
{
}

const AppExportFormat app_export_pdf = {
    .name = "pdf",
    .summary = N_("each conversation as a PDF to read, with its pictures"),
    .begin = begin,
    .conversation = page,
    .end = end,
    .free = leave,
};

const AppExportFormat app_export_sr = {
    .name = "sr",
    .summary = N_("each conversation as a DICOM structured report of its study"),
    .needs_patient = TRUE,
    .begin = begin,
    .conversation = report,
    .end = end,
    .free = leave,
};

const AppExportFormat app_export_encapsulated_pdf = {
    .name = "encapsulated-pdf",
    .summary = N_("the same PDF as a DICOM object of the study"),
    .needs_patient = TRUE,
    .begin = begin,
    .conversation = envelope,
    .end = end,
    .free = leave,
};
