/* export-talk.c - a conversation as people read it: whose, about which picture, with which model,
 * what was asked and answered, and beside the answer what a person made of it. */
#include <string.h>

#include <glib/gi18n.h>

#include "export-talk.h"
#include "study.h"
#include "trust.h"

typedef struct {
  const AppExportTalk *talk;
  AppPaper *paper;
  GHashTable *pictures; /* of the hash of what was sent: what is shown of it */
  GHashTable *shown;    /* of the same: the turn that it is shown with */
} Writer;

/* ---- words --------------------------------------------------------------------------------- */

char *
app_export_talk_title(const StoreConversation *conversation)
{
  g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, conversation->id);

  return g_strdup_printf(_("Conversation %s"), id);
}

static char *
number(double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  return g_strdup(g_ascii_formatd(text, sizeof text, "%.6g", value));
}

/* "2026-08-03 10:11:12 UTC"; what is no time as it is. */
static char *
time_text(const char *iso)
{
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) time = iso ? g_date_time_new_from_iso8601(iso, utc) : NULL;
  g_autoptr(GDateTime) there = time ? g_date_time_to_timezone(time, utc) : NULL;

  return there ? g_date_time_format(there, "%Y-%m-%d %H:%M:%S UTC") : g_strdup(iso ? iso : "");
}

static const char *
none_if_empty(const char *text)
{
  return text && *text ? text : NULL;
}

/* "20260803" as "2026-08-03"; what is no date as it is. */
static char *
date_text(const char *date)
{
  if (date && strlen(date) == 8 && strspn(date, "0123456789") == 8) {
    return g_strdup_printf("%.4s-%.2s-%.2s", date, date + 4, date + 6);
  }
  return g_strdup(date);
}

char **
app_export_talk_parameters(const StoreTurnRow *row)
{
  const StoreTurn *turn = &row->turn;
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  g_autofree char *temperature = number(turn->temperature), *top_p = number(turn->top_p);
  g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, turn->seed);

  if (none_if_empty(row->model.template_name)) {
    g_ptr_array_add(all, g_strdup_printf(_("Template %s"), row->model.template_name));
  }
  if (none_if_empty(row->model.quantization)) {
    g_ptr_array_add(all, g_strdup_printf(_("Weights as %s"), row->model.quantization));
  }
  g_ptr_array_add(
      all, turn->temperature > 0
               ? g_strdup_printf(_("Temperature %s, top-p %s, seed %s"), temperature, top_p, seed)
               : g_strdup(_("Temperature 0: the likeliest word each time")));
  if (none_if_empty(turn->answer_form)) {
    g_ptr_array_add(all, g_strdup_printf(_("Form of the answer: %s"), turn->answer_form));
  }
  g_ptr_array_add(all, g_strdup_printf(_("At most %u tokens; stopped: %s"), turn->max_tokens,
                                       turn->stop ? turn->stop : "-"));
  g_ptr_array_add(all, NULL);
  return (char **)g_ptr_array_steal(all, NULL);
}

char *
app_export_talk_check(const StoreCheckRow *row)
{
  const StoreCheck *check = &row->check;
  g_autofree char *agreement = number(100 * check->agreement);

  if (g_strcmp0(check->kind, "blank") == 0) {
    return g_strdup(check->same ? _("Asked on a blank picture: the same answer, so this one does "
                                    "not depend on the picture.")
                                : _("Asked on a blank picture: another answer, so this one depends "
                                    "on the picture."));
  }
  return g_strdup_printf(ngettext("Asked %u time more with another seed: agreement %s %%.",
                                  "Asked %u times more with other seeds: agreement %s %%.",
                                  (gulong)check->n_answers),
                         (guint)check->n_answers, agreement);
}

const char *
app_export_talk_person(const StoreVerdictRow *row)
{
  const char *signed_in = none_if_empty(row->verdict.person);
  const char *name = signed_in ? signed_in : none_if_empty(row->verdict.real_name);

  return name ? name : row->verdict.user_name ? row->verdict.user_name : "";
}

guint
app_export_n_images(const StoreTurnRow *row)
{
  return row->turn.image ? (guint)row->turn.n_earlier_images + 1 : 0;
}

const StoreImage *
app_export_image(const StoreTurnRow *row, guint i)
{
  return i < row->turn.n_earlier_images ? &row->earlier[i] : &row->image;
}

/* What stands where TEXT is not. */
static const char *
words_or_why(const char *text, gboolean erased)
{
  return erased ? _("[erased from the log]") : text ? text : _("[left out of this export]");
}

/* ---- facts --------------------------------------------------------------------------------- */

static void
put_conversation(Writer *writer, const StoreTurnRow *first)
{
  const StoreConversation *conversation = writer->talk->of->conversation;
  const StoreImage *image = &first->image;
  g_autofree char *started = time_text(conversation->started);
  g_autofree char *exported = time_text(writer->talk->time);
  g_autofree char *from = g_strdup_printf("%" G_GINT64_FORMAT, conversation->rewound_from);
  g_autofree char *branch =
      conversation->rewound_from
          ? g_strdup_printf(_("conversation %s, after turn %u"), from, conversation->rewound_turn)
          : NULL;
  g_autofree char *patient = image->patient_name ? app_person_text(image->patient_name) : NULL;
  g_autofree char *date = date_text(image->study_date);
  const char *const facts[] = {_("Started"),
                               started,
                               _("Exported"),
                               exported,
                               _("Patient"),
                               none_if_empty(patient),
                               _("Patient ID"),
                               none_if_empty(image->patient_id),
                               _("Study"),
                               none_if_empty(image->study_description),
                               _("Study date"),
                               none_if_empty(date),
                               _("Study Instance UID"),
                               none_if_empty(image->study_instance_uid),
                               _("Model"),
                               none_if_empty(first->model.name),
                               _("SHA-256 of the model"),
                               none_if_empty(first->model.sha256),
                               _("Answered by"),
                               none_if_empty(first->model.engine),
                               _("Branches off"),
                               branch,
                               _("Program"),
                               none_if_empty(conversation->program_version),
                               NULL};

  app_paper_table(writer->paper, facts);
}

char *
app_export_talk_window(const StoreImage *image)
{
  g_autofree char *center = number(image->window_center), *width = number(image->window_width);
  g_autofree char *table =
      image->has_voi_lut ? g_strdup_printf(_("table %u of the file"), image->voi_lut + 1) : NULL;
  g_autofree char *window = table ? g_steal_pointer(&table)
                            : image->has_window
                                ? g_strdup_printf(_("centre %s, width %s%s%s"), center, width,
                                                  image->voi_function ? ", " : "",
                                                  image->voi_function ? image->voi_function : "")
                                : NULL;

  if (image->inverted) {
    return window ? g_strdup_printf(_("%s, inverted"), window) : g_strdup(_("inverted"));
  }
  return g_steal_pointer(&window);
}

char *
app_export_talk_part(const StoreImage *image)
{
  GString *text = g_string_new(NULL);

  if (image->region_width > 0) {
    g_string_append_printf(text, _("%u × %u pixels from %u, %u"), image->region_width,
                           image->region_height, image->region_x, image->region_y);
  }
  if (image->turns > 0) {
    g_string_append_printf(text, _("%sturned by %u°"), text->len > 0 ? ", " : "",
                           90 * (image->turns % 4));
  }
  if (image->flip) {
    g_string_append_printf(text, _("%smirrored"), text->len > 0 ? ", " : "");
  }
  if (image->blank) {
    g_string_append_printf(text, _("%sa blank picture in its place"), text->len > 0 ? ", " : "");
  }
  return g_string_free(text, text->len == 0);
}

/* IMAGE: masked. */
static void
put_image(Writer *writer, const StoreImage *image, const AppExportPicture *picture)
{
  g_autofree char *window = app_export_talk_window(image), *part = app_export_talk_part(image);
  g_autofree char *frame = g_strdup_printf("%u", image->frame + 1);
  g_autofree char *file = image->path ? g_filename_display_name(image->path) : NULL;
  g_autofree char *size =
      picture->picture.words
          ? g_strdup_printf(picture->width > picture->picture.width
                                ? _("%u × %u pixels, as the model was given it; printed smaller")
                                : _("%u × %u pixels, as the model was given it"),
                            picture->width, picture->height)
          : NULL;
  const char *const facts[] = {_("Picture"),
                               size,
                               _("Modality"),
                               none_if_empty(image->modality),
                               _("Body part"),
                               none_if_empty(image->body_part),
                               _("View"),
                               none_if_empty(image->view),
                               _("Side"),
                               none_if_empty(image->laterality),
                               _("Frame"),
                               frame,
                               _("Window"),
                               window,
                               _("Part"),
                               part,
                               _("Warnings"),
                               none_if_empty(image->warnings),
                               _("File"),
                               file,
                               _("SOP Instance UID"),
                               none_if_empty(image->sop_instance_uid),
                               _("SHA-256 of the stored pixels"),
                               none_if_empty(image->pixels_sha256),
                               _("SHA-256 of what was sent"),
                               none_if_empty(image->sent_sha256),
                               NULL};

  if (picture->picture.words) {
    app_paper_picture(writer->paper, &picture->picture, facts);
    return;
  }
  app_paper_text(writer->paper, APP_PAPER_LABEL, picture->why);
  app_paper_space(writer->paper, 3);
  app_paper_table(writer->paper, facts);
  app_paper_space(writer->paper, 10);
}

/* ---- a turn -------------------------------------------------------------------------------- */

static void
free_picture(gpointer picture)
{
  app_export_picture_free(picture);
}

/* Read once, for the counting and the drawing. */
static const AppExportPicture *
picture_of(Writer *writer, const StoreImage *real, guint number)
{
  const char *key = real->sent_sha256 ? real->sent_sha256 : "";
  AppExportPicture *picture = g_hash_table_lookup(writer->pictures, key);

  if (!picture) {
    picture = app_export_picture_new(real, number, writer->talk->patient);
    g_hash_table_insert(writer->pictures, g_strdup(key), picture);
  }
  return picture;
}

static void
put_images(Writer *writer, guint turn, const StoreTurnRow *masked, const StoreTurnRow *real)
{
  for (guint i = 0; i < app_export_n_images(real); i++) {
    const StoreImage *image = app_export_image(real, i);
    const char *key = image->sent_sha256 ? image->sent_sha256 : "";
    const guint before = GPOINTER_TO_UINT(g_hash_table_lookup(writer->shown, key));

    if (before == 0) {
      put_image(writer, app_export_image(masked, i), picture_of(writer, image, i + 1));
      g_hash_table_insert(writer->shown, g_strdup(key), GUINT_TO_POINTER(turn));
    } else if (i + 1 == app_export_n_images(real)) {
      g_autofree char *text = g_strdup_printf(_("About the picture of turn %u."), before);

      app_paper_text(writer->paper, APP_PAPER_SMALL, text);
      app_paper_space(writer->paper, 6);
    }
  }
}

/* One verdict: by whom and when, and the person's own words. */
static char *
verdict_text(const StoreVerdictRow *row, gboolean counts)
{
  const char *name = row->verdict.verdict;
  const char *what = g_strcmp0(name, "accepted") == 0 ? _("Accepted")
                     : g_strcmp0(name, "edited") == 0 ? _("Replaced by own words")
                                                      : _("Rejected");
  g_autofree char *time = time_text(row->time);

  return g_strdup_printf(counts ? _("%s by %s\n%s") : _("%s by %s\n%s, superseded"), what,
                         app_export_talk_person(row), time);
}

static void
put_answer(Writer *writer, const StoreExportTurn *turn)
{
  const StoreTurn *of = &turn->row->turn;
  const guint n = turn->verdicts ? turn->verdicts->len : 0;
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GArray) verdicts = g_array_new(FALSE, FALSE, sizeof(AppPaperSpan));
  const AppPaperSpan answer[] = {{APP_PAPER_LABEL, _("Answer: machine-made, not verified")},
                                 {APP_PAPER_BODY, words_or_why(of->answer, turn->row->erased)}};
  AppPaperSpan span = {APP_PAPER_LABEL, _("Verdict")};

  g_array_append_val(verdicts, span);
  for (guint i = 0; i < n; i++) {
    const StoreVerdictRow *row = turn->verdicts->pdata[i];
    const gboolean is_edit = g_strcmp0(row->verdict.verdict, "edited") == 0;

    if (i > 0) {
      span = (AppPaperSpan){APP_PAPER_SMALL, " "};
      g_array_append_val(verdicts, span);
    }
    g_ptr_array_add(texts, verdict_text(row, i + 1 == n));
    span = (AppPaperSpan){APP_PAPER_SMALL, texts->pdata[texts->len - 1]};
    g_array_append_val(verdicts, span);
    if (is_edit) {
      span = (AppPaperSpan){APP_PAPER_BODY, words_or_why(row->verdict.text, turn->row->erased)};
      g_array_append_val(verdicts, span);
    }
  }
  if (n == 0) {
    span = (AppPaperSpan){APP_PAPER_SMALL, _("Nobody has judged this answer.")};
    g_array_append_val(verdicts, span);
  }
  const AppPaperColumn columns[] = {{answer, G_N_ELEMENTS(answer), APP_PAPER_MACHINE, 0.58},
                                    {(const AppPaperSpan *)(gconstpointer)verdicts->data,
                                     verdicts->len, n > 0 ? APP_PAPER_PERSON : APP_PAPER_WARNING,
                                     0.42}};
  app_paper_columns(writer->paper, columns, 2);
}

static void
put_small_print(Writer *writer, const StoreExportTurn *turn)
{
  g_auto(GStrv) parameters = app_export_talk_parameters(turn->row);
  g_autofree char *sampling = g_strjoinv(" · ", parameters);

  app_paper_space(writer->paper, 6);
  for (guint i = 0; turn->checks && i < turn->checks->len; i++) {
    g_autofree char *check = app_export_talk_check(turn->checks->pdata[i]);

    app_paper_text(writer->paper, APP_PAPER_SMALL, check);
  }
  app_paper_text(writer->paper, APP_PAPER_SMALL, sampling);
}

static void
put_turn(Writer *writer, guint i)
{
  const StoreExportTurn *turn = writer->talk->of->turns->pdata[i];
  const StoreExportTurn *real = writer->talk->of->real->pdata[i];
  const StoreTurn *of = &turn->row->turn;
  g_autofree char *name = g_strdup_printf(_("Turn %u"), turn->row->number);
  g_autofree char *time = time_text(turn->row->time);
  const AppPaperSpan question[] = {{APP_PAPER_LABEL, _("Question")},
                                   {APP_PAPER_BODY, words_or_why(of->question, turn->row->erased)}};
  const AppPaperColumn column = {question, 2, APP_PAPER_PLAIN, 1};

  app_paper_part(writer->paper, name, time);
  put_images(writer, turn->row->number, turn->row, real->row);
  app_paper_columns(writer->paper, &column, 1);
  app_paper_space(writer->paper, 8);
  put_answer(writer, turn);
  put_small_print(writer, turn);
}

/* ---- the document -------------------------------------------------------------------------- */

/* "Log of 42 events, Merkle root ...": a note's second and third line (c2sp.org/tlog-checkpoint).
 */
static char *
foot_of(const AppExportTalk *talk)
{
  g_auto(GStrv) lines = g_strsplit(talk->head ? talk->head : "", "\n", 4);
  g_autofree char *time = time_text(talk->time);

  if (g_strv_length(lines) < 3) {
    return g_strdup_printf(_("The log had no signed head on %s."), time);
  }
  return g_strdup_printf(_("Head of the log on %s: %s events, root %s"), time, lines[1], lines[2]);
}

static void
put_all(Writer *writer, const AppPaperLook *look)
{
  const AppExportTalk *talk = writer->talk;
  const StoreExportTurn *first = talk->of->turns->len > 0 ? talk->of->turns->pdata[0] : NULL;

  app_paper_text(writer->paper, APP_PAPER_TITLE, look->title);
  app_paper_text(writer->paper, APP_PAPER_LABEL, look->notice);
  app_paper_space(writer->paper, 12);
  if (first) {
    put_conversation(writer, first->row);
  }
  for (guint i = 0; i < talk->of->turns->len; i++) {
    put_turn(writer, i);
  }
  if (talk->head) {
    app_paper_part(writer->paper, _("Head of the log"), NULL);
    app_paper_text(writer->paper, APP_PAPER_SMALL,
                   _("Signed over all events of the log up to this export. Whoever has the log and "
                     "its public key can prove with it that nothing was changed since."));
    app_paper_space(writer->paper, 6);
    app_paper_text(writer->paper, APP_PAPER_MONO, talk->head);
  }
}

GBytes *
app_export_talk_pdf(const AppExportTalk *talk, GError **error)
{
  g_autofree char *title = app_export_talk_title(talk->of->conversation);
  g_autofree char *foot = foot_of(talk);
  const AppPaperLook look = {.title = title,
                             .notice = _(APP_NOTICE),
                             .subject = _("Questions about medical images, answered by a machine"),
                             .foot = foot,
                             .created = talk->time};
  g_autoptr(GHashTable) pictures =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_picture);
  GBytes *pdf = NULL;
  guint n_pages = 0;

  for (guint pass = 0; pass < 2; pass++) {
    g_autoptr(GHashTable) shown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Writer writer = {talk, app_paper_new(&look, n_pages), pictures, shown};

    g_clear_pointer(&pdf, g_bytes_unref);
    put_all(&writer, &look);
    n_pages = app_paper_n_pages(writer.paper);
    pdf = app_paper_finish(writer.paper, error);
    if (!pdf) {
      return NULL;
    }
  }
  return pdf;
}
