/* info-subject.c - what the image is of, and what a document is about. */
#include "gate-words.h"
#include "info.h"
#include "dicom/limits.h"
#include "dicom/tags.h"

#include <string.h>

#define KEY_OBJECT "1.2.840.10008.5.1.4.1.1.88.59"

/* The meaning of the first code of a sequence (PS3.3 table 8.8-1). */
static void
set_meaning(char **slot, const DicomItem *item, guint32 sequence)
{
  const DicomItem *code = dicom_item_nested(item, sequence, 0);

  if (code) {
    dicom_info_set_text(slot, code, TAG_CodeMeaning);
  }
}

/* Sets the hint when the text has a word for an animal: that word, never the text. */
static gboolean
hint_at(DicomInfo *info, const char *keyword, const char *text)
{
  const char *word = text[0] ? dicom_gate_animal(text) : NULL;

  if (word) {
    g_free(info->animal_hint);
    info->animal_hint = g_strdup_printf("%s says %s", keyword, word);
  }
  return word != NULL;
}

/* Where the departments of animal clinics say so; the names of patients are not looked at. */
static gboolean
hint_by_texts(DicomInfo *info, const DicomItem *root)
{
  static const struct {
    guint32 tag, code; /* CODE: of the first item, whose meaning is looked at */
    const char *keyword;
  } places[] = {
      {TAG_BodyPartExamined, 0, "BodyPartExamined"},
      {TAG_ProtocolName, 0, "ProtocolName"},
      {TAG_AcquisitionDeviceProcessingDescription, 0, "AcquisitionDeviceProcessingDescription"},
      {TAG_StudyDescription, 0, "StudyDescription"},
      {TAG_SeriesDescription, 0, "SeriesDescription"},
      {TAG_PerformedProcedureStepDescription, 0, "PerformedProcedureStepDescription"},
      {TAG_RequestedProcedureDescription, 0, "RequestedProcedureDescription"},
      {TAG_PerformedProtocolCodeSequence, TAG_CodeMeaning, "PerformedProtocolCodeSequence"},
      {TAG_AnatomicRegionSequence, TAG_CodeMeaning, "AnatomicRegionSequence"},
      {TAG_InstitutionName, 0, "InstitutionName"},
      {TAG_InstitutionalDepartmentName, 0, "InstitutionalDepartmentName"},
      {TAG_PatientBreedDescription, 0, "PatientBreedDescription"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
    const DicomItem *item = places[i].code ? dicom_item_nested(root, places[i].tag, 0) : root;
    g_autofree char *text =
        item ? dicom_item_text(item, places[i].code ? places[i].code : places[i].tag)
             : g_strdup("");

    if (hint_at(info, places[i].keyword, text)) {
      return TRUE;
    }
  }
  return FALSE;
}

static void
read_animal_hint(DicomInfo *info, const DicomItem *root)
{
  g_autofree char *role = dicom_item_text(root, TAG_ResponsiblePersonRole);
  const char *hint = NULL;

  if (hint_by_texts(info, root)) {
    return;
  }
  if (dicom_item_has(root, TAG_PatientBreedDescription)) {
    hint = "PatientBreedDescription is there";
  } else if (strcmp(role, "OWNER") == 0) { /* people have parents and guardians (PS3.3 C.7.1.1) */
    hint = "ResponsiblePersonRole says OWNER";
  }
  if (hint) {
    g_free(info->animal_hint);
    info->animal_hint = g_strdup(hint);
  }
}

/* ---- references --------------------------------------------------------------------------------
 */

static void
add_instances(DicomInfo *info, const DicomItem *series, guint32 sequence)
{
  guint n = dicom_item_count(series, sequence);

  for (guint i = 0; i < n && info->referenced_instances->len < DICOM_MAX_SCAN_FILES; i++) {
    const DicomItem *item = dicom_item_nested(series, sequence, i);
    g_autofree char *uid = dicom_item_text(item, TAG_ReferencedSOPInstanceUID);

    if (uid[0]) {
      g_ptr_array_add(info->referenced_instances, g_steal_pointer(&uid));
      g_ptr_array_add(info->referenced_frames, dicom_item_text(item, TAG_ReferencedFrameNumber));
    }
  }
}

/* The evidence of a key object names instances alone; which frames are meant stands in its content
 * (TID 2010). NAMED: place + 1 in the arrays by SOPInstanceUID; what was met before is there with
 * its frames, and all frames stay all. */
static void
add_frames(DicomInfo *info, GHashTable *named, GHashTable *met, const DicomItem *reference)
{
  g_autofree char *uid = dicom_item_text(reference, TAG_ReferencedSOPInstanceUID);
  g_autofree char *frames = dicom_item_text(reference, TAG_ReferencedFrameNumber);
  guint at = GPOINTER_TO_UINT(g_hash_table_lookup(named, uid));
  char **held;

  if (at == 0) {
    return;
  }
  held = (char **)&info->referenced_frames->pdata[at - 1];
  if (!g_hash_table_add(met, GUINT_TO_POINTER(at)) && (!frames[0] || !*held[0])) {
    g_free(*held);
    *held = g_strdup("");
  } else {
    char *joined = g_strconcat(*held, *held[0] ? "\\" : "", frames, NULL);

    g_free(*held);
    *held = joined;
  }
}

static void
read_key_frames(DicomInfo *info, const DicomItem *root)
{
  guint n = MIN(dicom_item_count(root, TAG_ContentSequence), DICOM_MAX_SCAN_FILES);
  g_autoptr(GHashTable) named = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GHashTable) met = g_hash_table_new(NULL, NULL);

  for (guint i = 0; i < info->referenced_instances->len; i++) {
    g_hash_table_insert(named, info->referenced_instances->pdata[i], GUINT_TO_POINTER(i + 1));
  }
  for (guint i = 0; i < n; i++) {
    const DicomItem *content = dicom_item_nested(root, TAG_ContentSequence, i);

    if (dicom_item_count(content, TAG_ReferencedSOPSequence) > 0) {
      add_frames(info, named, met, dicom_item_nested(content, TAG_ReferencedSOPSequence, 0));
    }
  }
}

/* PS3.3 C.11.11 (presentation states) and C.17.2.3 (evidence of a report or key object). */
static void
read_references(DicomInfo *info, const DicomItem *root)
{
  guint n = dicom_item_count(root, TAG_ReferencedSeriesSequence);

  for (guint i = 0; i < n; i++) {
    add_instances(info, dicom_item_nested(root, TAG_ReferencedSeriesSequence, i),
                  TAG_ReferencedImageSequence);
  }
  n = dicom_item_count(root, TAG_CurrentRequestedProcedureEvidenceSequence);
  for (guint i = 0; i < n; i++) {
    const DicomItem *study =
        dicom_item_nested(root, TAG_CurrentRequestedProcedureEvidenceSequence, i);
    guint n_series = dicom_item_count(study, TAG_ReferencedSeriesSequence);

    for (guint k = 0; k < n_series; k++) {
      add_instances(info, dicom_item_nested(study, TAG_ReferencedSeriesSequence, k),
                    TAG_ReferencedSOPSequence);
    }
  }
  if (strcmp(info->sop_class, KEY_OBJECT) == 0) {
    read_key_frames(info, root);
  }
}

/* PS3.10 clause 8.2: the parts of a file's path, joined by '/'; NULL when one of them would lead
 * out of the folder of the DICOMDIR. */
static char *
file_path(const char *id)
{
  g_auto(GStrv) parts = g_strsplit(id, "\\", -1);

  for (guint i = 0; parts[i]; i++) {
    const char *part = parts[i];

    if (!part[0] || strcmp(part, ".") == 0 || strcmp(part, "..") == 0 || strchr(part, '/')) {
      return NULL;
    }
  }
  return parts[0] ? g_strjoinv("/", parts) : NULL;
}

static void
read_directory(DicomInfo *info, const DicomItem *root)
{
  guint n = dicom_item_count(root, TAG_DirectoryRecordSequence);

  for (guint i = 0; i < n && info->referenced_files->len < DICOM_MAX_SCAN_FILES; i++) {
    g_autofree char *id = dicom_item_text(dicom_item_nested(root, TAG_DirectoryRecordSequence, i),
                                          TAG_ReferencedFileID);
    char *path = id[0] ? file_path(id) : NULL;

    if (path) {
      g_ptr_array_add(info->referenced_files, path);
    }
  }
}

void
dicom_info_read_subject(DicomInfo *info, const DicomItem *root)
{
  dicom_info_set_text(&info->patient_species, root, TAG_PatientSpeciesDescription);
  if (!info->patient_species[0]) {
    set_meaning(&info->patient_species, root, TAG_PatientSpeciesCodeSequence);
  }
  read_animal_hint(info, root);
  if (info->content == DICOM_CONTENT_IMAGE) {
    return;
  }
  dicom_info_set_text(&info->content_label, root, TAG_ContentLabel);
  dicom_info_set_text(&info->content_description, root, TAG_ContentDescription);
  dicom_info_set_text(&info->content_creator, root, TAG_ContentCreatorName);
  dicom_info_set_text(&info->presentation_date, root, TAG_PresentationCreationDate);
  dicom_info_set_text(&info->document_title, root, TAG_DocumentTitle);
  if (!info->document_title[0]) {
    set_meaning(&info->document_title, root, TAG_ConceptNameCodeSequence);
  }
  if (info->content == DICOM_CONTENT_DIRECTORY) {
    read_directory(info, root);
  } else {
    read_references(info, root);
  }
}
