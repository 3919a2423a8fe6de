/* export-llava.c - answers that a person accepted or corrected, as LLaVA's training data, with
 * pictures of copies without the patient.
 *
 * Of a conversation that is what was said from its beginning on about one image, as long as each
 * answer was accepted or edited: what comes behind an answer that nobody vouched for was asked in
 * its light. A picture is rendered from a copy by the profile of `hilum image deid`; without a copy
 * of which that profile is sure there is none. Texts that hold a part of the patient's name or
 * identifier are left out; nobody can promise that the others name no one.
 */
#include <string.h>

#include <glib/gi18n.h>

#include "decoder.h"
#include "dicom_deid.h"
#include "export-formats.h"
#include "export-private.h"
#include "private.h"

#define COPIES "copies" /* below the folder while it is written */

typedef struct {
  AppExport *export;
  AppExportFile *file;
  GString *text, *record;
  DicomDeidOptions deid;
  guint64 n;
} Training;

static void
training_free(gpointer self)
{
  Training *training = self;

  app_export_abandon(training->file);
  g_string_free(training->text, TRUE);
  g_string_free(training->record, TRUE);
  g_free(training);
}

static gpointer
training_begin(AppExport *export, GError **error)
{
  gboolean given = FALSE;
  Training *training;

  if (!app_consent_is_given(app_export_log(export), &given, error)) {
    return NULL;
  }
  if (!given) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_FAILED,
                        "nobody has consented to training on this log: 'hilum log consent --give' "
                        "records that somebody does");
    return NULL;
  }
  training = g_new0(Training, 1);
  training->export = export;
  training->text = g_string_new("[");
  training->record = g_string_new(NULL);
  training->deid = (DicomDeidOptions){.clean_pixels = TRUE, .clean_graphics = TRUE};
  training->file = app_export_key(training->deid.key, error)
                       ? app_export_open(export, "training.json", error)
                       : NULL;
  if (!training->file) {
    training_free(training);
    return NULL;
  }
  return training;
}

/* ---- what may be said --------------------------------------------------------------------- */

/* Whether TEXT holds a word of WORDS of three letters or more. Both without case. */
static gboolean
holds_part(const char *text, const char *words)
{
  g_autofree char *where = g_utf8_casefold(text, -1);
  g_autofree char *folded = words ? g_utf8_casefold(words, -1) : NULL;
  g_auto(GStrv) parts = folded ? g_strsplit_set(folded, "^= ,.-\\/", -1) : NULL;

  for (char **part = parts; part && *part; part++) {
    if (g_utf8_strlen(*part, -1) >= 3 && strstr(where, *part)) {
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
names_patient(const StoreImage *image, const char *text)
{
  return holds_part(text, image->patient_name) || holds_part(text, image->patient_id);
}

/* The answer as a person left it; NULL: nobody vouched for it. */
static const char *
vouched(const StoreExportTurn *turn)
{
  const guint n = turn->verdicts->len;
  const StoreVerdictRow *last = n > 0 ? turn->verdicts->pdata[n - 1] : NULL;

  if (!last || strcmp(last->verdict.verdict, "rejected") == 0) {
    return NULL;
  }
  return strcmp(last->verdict.verdict, "edited") == 0 ? last->verdict.text : turn->row->turn.answer;
}

static const char *
why_not(const StoreExportTurn *turn, const StoreExportTurn *first, guint expected)
{
  const StoreTurnRow *row = turn->row;
  const char *answer = vouched(turn);

  if (row->erased) {
    return "its key was erased";
  }
  if (row->number != expected) {
    return "what was said before it is not in this conversation, or was not chosen";
  }
  if (!answer) {
    return "its answer was neither accepted nor edited";
  }
  if (row->turn.image == 0 || row->turn.n_earlier_images > 0 || row->image.blank ||
      row->turn.image != first->row->turn.image) {
    return "it was not asked about one image";
  }
  if (names_patient(&row->image, row->turn.question) || names_patient(&row->image, answer)) {
    return "its text holds a part of the patient's name or identifier";
  }
  return NULL;
}

static void
leave_out(Training *training, const StoreExportTurn *turn, const char *why)
{
  g_autofree char *what = g_strdup_printf("conversation %" G_GINT64_FORMAT ", turn %u",
                                          turn->conversation->id, turn->row->number);

  app_export_leave_out(training->export, what, why);
}

/* ---- the picture -------------------------------------------------------------------------- */

static DicomFrame *
read_frame(guint frame, gpointer user, GError **error)
{
  return app_decoder_frame(user, frame, NULL, NULL, error);
}

/* The picture of IMAGE from a copy without the patient; NULL with a WHY. */
static AppShot *
render_copy(Training *training, const StoreImage *image, const char *folder, const char **why)
{
  g_autoptr(DicomDeidReport) report = NULL;
  g_autoptr(AppShot) shot = NULL;
  AppImageChoice choice = app_choice_of_logged(image);

  *why = "its image cannot be copied without the patient";
  if (!image->path || !dicom_deid_file(image->path, folder, &training->deid, read_frame,
                                       (gpointer)image->path, &report, NULL)) {
    return NULL;
  }
  if (report->unsure->len > 0) {
    *why = "it is not sure that its image shows no patient";
    return NULL;
  }
  choice.path = report->path;
  shot = app_shot_new(&choice, NULL);
  if (shot && report->blanked->len == 0 && g_strcmp0(shot->sent_sha256, image->sent_sha256) != 0 &&
      choice.window.set) {
    /* The file's own window may be of a kind that numbers alone do not ask for. */
    g_clear_pointer(&shot, app_shot_unref);
    choice.window.set = FALSE;
    shot = app_shot_new(&choice, NULL);
  }
  if (!shot ||
      (report->blanked->len == 0 && g_strcmp0(shot->sent_sha256, image->sent_sha256) != 0)) {
    *why = "its image is no longer the one that was asked about";
    return NULL;
  }
  return g_steal_pointer(&shot);
}

/* FALSE with *error set; without a picture *WHY is. */
static gboolean
write_picture(Training *training, const StoreImage *image, const char *name, const char **why,
              GError **error)
{
  g_autofree char *copies = app_export_path(training->export, COPIES "/x", error);
  g_autofree char *folder = copies ? g_path_get_dirname(copies) : NULL;
  g_autofree char *path = folder ? app_export_path(training->export, name, error) : NULL;
  g_autoptr(AppShot) shot = NULL;

  if (!path) {
    return FALSE;
  }
  shot = render_copy(training, image, folder, why);
  app_export_remove_tree(folder);
  if (shot) {
    *why = NULL;
  }
  return !shot || (dicom_picture_write_png(shot->picture, path, error) &&
                   app_export_add(training->export, name, error));
}

/* ---- records ------------------------------------------------------------------------------ */

static void
append_said(GString *record, const char *from, const char *before, const char *text)
{
  g_autofree char *value = g_strconcat(before, text, NULL);
  JsonObject *said = json_object_new();
  g_autoptr(JsonNode) node = app_json_node(said);
  g_autofree char *json = NULL;

  json_object_set_string_member(said, "from", from);
  json_object_set_string_member(said, "value", value);
  json = app_json_text(node);
  g_string_append_printf(record, "%s%s", record->len > 0 ? ", " : "", json);
}

static gboolean
finish_record(Training *training, const StoreExportTurn *first, GError **error)
{
  g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, first->conversation->id);
  g_autofree char *name = g_strdup_printf("images/%s.png", id);
  const char *why = NULL;

  if (!write_picture(training, &first->row->image, name, &why, error)) {
    return FALSE;
  }
  if (why) {
    leave_out(training, first, why);
    return TRUE;
  }
  g_string_append_printf(training->text,
                         "%s\n{\"id\": \"%s\", \"image\": \"%s.png\", \"conversations\": [",
                         training->n++ > 0 ? "," : "", id, id);
  g_string_append_len(training->text, training->record->str, (gssize)training->record->len);
  g_string_append(training->text, "]}");
  return app_export_write_text(training->file, training->text, error);
}

static gboolean
training_conversation(gpointer self, const AppExportConversation *conversation, GError **error)
{
  Training *training = self;
  const GPtrArray *turns = conversation->real;
  const StoreExportTurn *first = turns->pdata[0];
  const gboolean branch =
      first->conversation->rewound_from != 0 && first->conversation->rewound_turn > 0;
  const char *why = branch ? "it goes on from another conversation" : NULL;
  guint n = 0;

  g_string_truncate(training->record, 0);
  for (guint i = 0; i < turns->len; i++) {
    const StoreExportTurn *turn = turns->pdata[i];

    why = why ? why : why_not(turn, first, i + 1);
    if (why) {
      leave_out(training, turn, why);
      why = branch ? why : "what was said before it was left out";
      continue;
    }
    append_said(training->record, "human", i == 0 ? "<image>\n" : "", turn->row->turn.question);
    append_said(training->record, "gpt", "", vouched(turn));
    n++;
  }
  return n == 0 || finish_record(training, first, error);
}

static gboolean
training_end(gpointer self, GError **error)
{
  Training *training = self;

  g_string_append(training->text, "\n]\n");
  return app_export_write_text(training->file, training->text, error) &&
         app_export_close(g_steal_pointer(&training->file), error);
}

const AppExportFormat app_export_llava = {
    .name = "llava",
    .summary = N_("accepted and corrected answers as LLaVA's training data; needs consent"),
    .needs_text = TRUE,
    .begin = training_begin,
    .conversation = training_conversation,
    .end = training_end,
    .free = training_free,
};
