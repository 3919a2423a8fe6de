/* talk-write.c - a conversation about images as a structured report (PS3.3 A.35.2, PS3.16 TID
 * 1500).
 */
#include <string.h>

#include "dicom/document/talk.h"

#define ENHANCED_SR "1.2.840.10008.5.1.4.1.1.88.22"

#define DCM(value, meaning)                                                                        \
  {                                                                                                \
    value, "DCM", meaning                                                                          \
  }
#define OWN(value, meaning)                                                                        \
  {                                                                                                \
    value, "99HILUM", meaning                                                                      \
  }

static const DicomCode report_title = DCM("126000", "Imaging Measurement Report"),
                       language = DCM("121049", "Language of Content Item and Descendants"),
                       undetermined = {"und", "RFC5646", "Undetermined"},
                       observer_type = DCM("121005", "Observer Type"),
                       device = DCM("121007", "Device"), person = DCM("121006", "Person"),
                       person_name = DCM("121008", "Person Observer Name"),
                       device_uid = DCM("121012", "Device Observer UID"),
                       device_name = DCM("121013", "Device Observer Name"),
                       procedure = DCM("121058", "Procedure reported"),
                       imaging = {"363679005", "SCT", "Imaging"},
                       measurements = DCM("126010", "Imaging Measurements"),
                       group = DCM("125007", "Measurement Group"),
                       tracking = DCM("112039", "Tracking Identifier"),
                       tracking_uid = DCM("112040", "Tracking Unique Identifier"),
                       algorithm_name = DCM("111001", "Algorithm Name"),
                       algorithm_version = DCM("111003", "Algorithm Version"),
                       algorithm_parameters = DCM("111002", "Algorithm Parameters"),
                       notice = OWN("NOTICE", "Notice about the use of this document"),
                       question = OWN("QUESTION", "Question to the algorithm"),
                       answer = OWN("ANSWER", "Machine-made answer, not verified"),
                       check = OWN("CHECK", "Check of the machine-made answer"),
                       verdict = OWN("VERDICT", "Reader's verdict on the machine-made answer"),
                       own_text = OWN("READERTEXT", "Reader's text in place of the answer"),
                       verdict_time = OWN("VERDICTTIME", "When the verdict was given (UTC)");

/* ISO 8601 in UTC, "2026-08-03T10:11:12Z", as DT; "" when it is something else. Without its offset:
 * DCMTK 3.6.7 refuses one of +0000. g_free(). */
static char *
date_time_of(const char *text)
{
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(text, utc) : NULL;
  g_autoptr(GDateTime) there = time ? g_date_time_to_timezone(time, utc) : NULL;

  return there ? g_date_time_format(there, "%Y%m%d%H%M%S") : g_strdup("");
}

/* ---- one turn ------------------------------------------------------------------------------ */

/* TID 4019. */
static void
put_algorithm(GByteArray *items, const DicomTalkTurn *turn)
{
  dicom_talk_put_text(items, "HAS CONCEPT MOD", &algorithm_name, turn->algorithm);
  dicom_talk_put_text(items, "HAS CONCEPT MOD", &algorithm_version, turn->version);
  for (const char *const *p = turn->parameters; p && *p; p++) {
    dicom_talk_put_text(items, "HAS CONCEPT MOD", &algorithm_parameters, *p);
  }
}

/* The answer, inferred from the images, by the algorithm. */
static void
put_answer(GByteArray *items, const DicomTalkTurn *turn)
{
  DicomTalkNode node = {.relationship = "CONTAINS", .type = "TEXT", .name = &answer};

  node.text = turn->answer ? turn->answer : "[left out of this document]";
  node.children = g_byte_array_new();
  put_algorithm(node.children, turn);
  for (gsize i = 0; i < turn->n_images; i++) {
    const DicomTalkNode image = {
        .relationship = "INFERRED FROM", .type = "IMAGE", .image = &turn->images[i]};

    dicom_talk_put_node(node.children, &image);
  }
  dicom_talk_put_node(items, &node);
}

static const DicomCode *
code_of_verdict(const char *name)
{
  static const DicomCode accepted = OWN("ACCEPTED", "Accepted as it is"),
                         edited = OWN("EDITED", "Replaced by the reader's own text"),
                         rejected = OWN("REJECTED", "Rejected");

  return g_strcmp0(name, "accepted") == 0 ? &accepted
         : g_strcmp0(name, "edited") == 0 ? &edited
                                          : &rejected;
}

/* A container of its own, for the observer of it is a person and no device (PS3.16 TID 1003). */
static void
put_verdict(GByteArray *items, const DicomTalkVerdict *from)
{
  static const DicomCode container = OWN("JUDGEMENT", "A reader's judgement of the answer");
  g_autofree char *time = date_time_of(from->time);
  DicomTalkNode node = {.relationship = "CONTAINS", .type = "CONTAINER", .name = &container};

  node.children = g_byte_array_new();
  dicom_talk_put_code(node.children, "HAS OBS CONTEXT", &observer_type, &person);
  dicom_talk_put_node(node.children,
                      &(DicomTalkNode){.relationship = "HAS OBS CONTEXT",
                                       .type = "PNAME",
                                       .name = &person_name,
                                       .person = from->person ? from->person : "Not^Said"});
  dicom_talk_put_code(node.children, "CONTAINS", &verdict, code_of_verdict(from->verdict));
  if (from->text) {
    dicom_talk_put_text(node.children, "CONTAINS", &own_text, from->text);
  }
  if (*time) {
    dicom_talk_put_node(node.children, &(DicomTalkNode){.relationship = "CONTAINS",
                                                        .type = "DATETIME",
                                                        .name = &verdict_time,
                                                        .time = time});
  }
  dicom_talk_put_node(items, &node);
}

static void
put_turn(GByteArray *items, const DicomTalk *talk, gsize i)
{
  const DicomTalkTurn *turn = &talk->turns[i];
  g_autofree char *name = g_strdup_printf("%s, turn %" G_GSIZE_FORMAT "%s%s", talk->name, i + 1,
                                          turn->time ? ", " : "", turn->time ? turn->time : "");
  g_autofree char *seed = g_strconcat(name, turn->question, turn->answer, NULL);
  g_autofree char *uid = dicom_uid_of(seed, strlen(seed));
  DicomTalkNode node = {.relationship = "CONTAINS", .type = "CONTAINER", .name = &group};

  node.children = g_byte_array_new();
  dicom_talk_put_text(node.children, "HAS OBS CONTEXT", &tracking, name);
  dicom_talk_put_uid(node.children, &tracking_uid, uid);
  dicom_talk_put_text(node.children, "CONTAINS", &question,
                      turn->question ? turn->question : "[left out of this document]");
  put_answer(node.children, turn);
  for (const char *const *c = turn->checks; c && *c; c++) {
    dicom_talk_put_text(node.children, "CONTAINS", &check, *c);
  }
  for (gsize k = 0; k < turn->n_verdicts; k++) {
    put_verdict(node.children, &turn->verdicts[k]);
  }
  dicom_talk_put_node(items, &node);
}

/* ---- the document -------------------------------------------------------------------------- */

static GArray *
images_of(const DicomTalk *talk)
{
  GArray *images = g_array_new(FALSE, FALSE, sizeof(DicomTalkImage));
  g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);

  for (gsize t = 0; t < talk->n_turns; t++) {
    for (gsize i = 0; i < talk->turns[t].n_images; i++) {
      const DicomTalkImage *image = &talk->turns[t].images[i];

      if (!image->sop_instance_uid || g_hash_table_add(done, (gpointer)image->sop_instance_uid)) {
        g_array_append_val(images, *image);
      }
    }
  }
  return images;
}

#define IMAGE(images, i) (&g_array_index(images, DicomTalkImage, i))

static GByteArray *
series_new(const GArray *images, guint of)
{
  GByteArray *series = g_byte_array_new(), *instances = g_byte_array_new();

  for (guint i = of; i < images->len; i++) {
    if (strcmp(IMAGE(images, i)->series_instance_uid, IMAGE(images, of)->series_instance_uid) ==
        0) {
      dicom_put_item(instances, dicom_talk_reference(IMAGE(images, i), FALSE));
    }
  }
  dicom_put_sequence(series, 0x00081199, instances);
  dicom_put_text(series, 0x0020000e, "UI", IMAGE(images, of)->series_instance_uid);
  return series;
}

static GByteArray *
study_new(const GArray *images, guint of)
{
  GByteArray *study = g_byte_array_new(), *all = g_byte_array_new();
  const char *uid = IMAGE(images, of)->study_instance_uid;
  g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);

  for (guint i = of; i < images->len; i++) {
    if (strcmp(IMAGE(images, i)->study_instance_uid, uid) == 0 &&
        g_hash_table_add(done, (gpointer)IMAGE(images, i)->series_instance_uid)) {
      dicom_put_item(all, series_new(images, i));
    }
  }
  dicom_put_sequence(study, 0x00081115, all);
  dicom_put_text(study, 0x0020000d, "UI", uid);
  return study;
}

/* CurrentRequestedProcedureEvidenceSequence (PS3.3 C.17.2). */
static void
put_evidence(GByteArray *to, const GArray *images)
{
  GByteArray *studies = g_byte_array_new();
  g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);

  for (guint i = 0; i < images->len; i++) {
    if (g_hash_table_add(done, (gpointer)IMAGE(images, i)->study_instance_uid)) {
      dicom_put_item(studies, study_new(images, i));
    }
  }
  dicom_put_sequence(to, 0x0040a375, studies);
}

static GByteArray *
tree_new(const DicomTalk *talk, const GArray *images)
{
  GByteArray *tree = g_byte_array_new(), *turns = g_byte_array_new();
  g_autofree char *program = g_strconcat("Hilum ", talk->software_version, NULL);
  g_autofree char *uid = dicom_uid_of(program, strlen(program));

  dicom_talk_put_code(tree, "HAS CONCEPT MOD", &language, &undetermined);
  dicom_talk_put_code(tree, "HAS OBS CONTEXT", &observer_type, &device);
  dicom_talk_put_uid(tree, &device_uid, uid);
  dicom_talk_put_text(tree, "HAS OBS CONTEXT", &device_name, program);
  dicom_talk_put_code(tree, "HAS CONCEPT MOD", &procedure, &imaging);
  dicom_talk_put_library(tree, IMAGE(images, 0), images->len);
  dicom_talk_put_text(tree, "CONTAINS", &notice, talk->notice);
  for (gsize i = 0; i < talk->n_turns; i++) {
    put_turn(turns, talk, i);
  }
  dicom_talk_put_node(tree, &(DicomTalkNode){.relationship = "CONTAINS",
                                             .type = "CONTAINER",
                                             .name = &measurements,
                                             .children = turns});
  return tree;
}

/* SR Document General and SR Document Content; tags are in order. */
static GByteArray *
content_new(const DicomTalk *talk, const GArray *images)
{
  GByteArray *content = g_byte_array_new(), *template = g_byte_array_new();

  dicom_put_text(content, 0x0040a040, "CS", "CONTAINER");
  dicom_put_code(content, 0x0040a043, &report_title);
  dicom_put_text(content, 0x0040a050, "CS", "SEPARATE");
  dicom_put_sequence(content, 0x0040a372, g_byte_array_new()); /* PerformedProcedureCodeSequence */
  put_evidence(content, images);
  dicom_put_text(content, 0x0040a491, "CS", "COMPLETE");
  dicom_put_text(content, 0x0040a493, "CS", "UNVERIFIED");
  dicom_put_text(content, 0x0040a496, "CS", "PRELIMINARY");
  dicom_put_text(template, 0x00080105, "CS", "DCMR");
  dicom_put_text(template, 0x0040db00, "CS", "1500");
  dicom_put_single(content, 0x0040a504, template);
  dicom_put_sequence(content, 0x0040a730, tree_new(talk, images));
  return content;
}

gboolean
dicom_talk_write(const char *path, const DicomTalkStudy *study, const DicomTalk *talk,
                 GError **error)
{
  const DicomTalkKind kind = {.sop_class = ENHANCED_SR,
                              .modality = "SR",
                              .series_description = "Questions to a machine (research)",
                              .series_number = "9001",
                              .software_version = talk->software_version,
                              .created = talk->created,
                              .has_schemes = TRUE};
  g_autoptr(GArray) images = images_of(talk);
  g_autoptr(GByteArray) content = NULL;

  if (images->len == 0 || talk->n_turns == 0) {
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: a report cannot be made: there is no %s", name,
                talk->n_turns == 0 ? "turn" : "image that was asked about");
    return FALSE;
  }
  if (!dicom_talk_check(path, study, &g_array_index(images, DicomTalkImage, 0), images->len,
                        error)) {
    return FALSE;
  }
  content = content_new(talk, images);
  return dicom_talk_set_write(path, study, &kind, content, error);
}
