/* deid.c - copies without the patient (PS3.15 annex E): what is refused, what is said. */
#include "deid.h"

#include "dicom/frame.h"
#include "dicom/tags.h"

#include <string.h>

enum {
  DEID_TAG_PatientIdentityRemoved = 0x00120062,
  DEID_TAG_DeidentificationMethod = 0x00120063,
  DEID_TAG_MethodCodes = 0x00120064,
  DEID_TAG_TimeInformationModified = 0x00280303,
  DEID_TAG_ContentSequence = 0x0040a730,
  DEID_TAG_EncapsulatedDocument = 0x00420011,
};

void
dicom_deid_report_free(DicomDeidReport *report)
{
  GPtrArray *lists[] = {report->removed, report->replaced, report->kept,
                        report->cleaned, report->blanked,  report->unsure};

  for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
    if (lists[i]) {
      g_ptr_array_unref(lists[i]);
    }
  }
  g_free(report->sop_instance_uid);
  g_free(report->path);
  g_free(report);
}

static void
deid_clear(DicomDeid *deid)
{
  g_clear_pointer(&deid->removed, g_hash_table_unref);
  g_clear_pointer(&deid->replaced, g_hash_table_unref);
  g_clear_pointer(&deid->kept, g_hash_table_unref);
  g_clear_pointer(&deid->cleaned, g_hash_table_unref);
  dicom_deid_pixels_clear(&deid->pixels);
  g_clear_pointer(&deid->out, dicom_deid_out_free);
  g_clear_pointer(&deid->dataset, dicom_dataset_free);
  g_clear_pointer(&deid->given, g_array_unref);
  g_clear_pointer(&deid->unsure, g_ptr_array_unref);
  g_clear_pointer(&deid->needles, g_ptr_array_unref);
  g_free(deid->name);
  g_free(deid->patient);
  g_free(deid->patient_name);
  g_free(deid->patient_id);
  g_free(deid->study);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DicomDeid, deid_clear)

static gboolean
refuse(GError **error, const DicomDeid *deid, const char *why)
{
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED, "%s: %s", deid->name, why);
  return FALSE;
}

static GHashTable *
new_set(void)
{
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void
deid_init(DicomDeid *deid, const char *in, const DicomDeidOptions *options)
{
  deid->name = g_filename_display_name(in);
  deid->options = options;
  deid->removed = new_set();
  deid->replaced = new_set();
  deid->kept = new_set();
  deid->cleaned = new_set();
  deid->unsure = g_ptr_array_new_with_free_func(g_free);
  deid->needles = g_ptr_array_new_with_free_func(g_free);
  deid->given = g_array_new(FALSE, TRUE, sizeof(DicomDeidGiven));
  g_array_set_clear_func(deid->given, (GDestroyNotify)dicom_deid_given_clear);
}

enum { LEAST_NEEDLE = 4 /* shorter words stand in every text */ };

static void
add_needle(DicomDeid *deid, const char *word)
{
  if (strlen(word) >= LEAST_NEEDLE) {
    g_ptr_array_add(deid->needles, g_strdup(word));
  }
}

/* As bytes of the file, since that is what they are compared with. */
static void
find_needles(DicomDeid *deid, const DicomItem *root)
{
  enum { MOST = 1024 };
  gsize n = 0;
  g_autofree guint8 *id = dicom_item_bytes(root, TAG_PatientID, MOST, &n);
  g_autofree char *whole = id ? g_strchomp(g_strndup((const char *)id, n)) : NULL;
  g_autofree guint8 *name = dicom_item_bytes(root, TAG_PatientName, MOST, &n);
  g_autofree char *words = name ? g_strndup((const char *)name, n) : NULL;
  g_auto(GStrv) parts = g_strsplit_set(words ? words : "", "^=\\ ,", -1);

  if (whole) {
    add_needle(deid, whole);
  }
  for (char **part = parts; *part; part++) {
    add_needle(deid, *part);
  }
}

/* Which patient it is: by PatientID, else by name, else each study counts as one. */
static void
find_patient(DicomDeid *deid, const DicomItem *root)
{
  deid->patient_id = g_strstrip(dicom_item_text(root, TAG_PatientID));
  deid->patient_name = g_strstrip(dicom_item_text(root, TAG_PatientName));
  deid->study = dicom_item_text(root, TAG_StudyInstanceUID);
  deid->patient = *deid->patient_id     ? g_strconcat("id\n", deid->patient_id, NULL)
                  : *deid->patient_name ? g_strconcat("name\n", deid->patient_name, NULL)
                                        : g_strconcat("study\n", deid->study, NULL);
  find_needles(deid, root);
}

/* What cannot be cleaned is not copied. */
static gboolean
check_kind(const DicomDeid *deid, const DicomMeta *meta, const DicomItem *root, GError **error)
{
  g_autofree char *sop_class = dicom_item_text(root, TAG_SOPClassUID);

  if (strcmp(sop_class, "1.2.840.10008.1.3.10") == 0 ||
      strcmp(meta->media_sop_class, "1.2.840.10008.1.3.10") == 0) {
    return refuse(error, deid, "is a DICOMDIR, which names files; the files themselves are copied");
  }
  if (dicom_item_has(root, DEID_TAG_EncapsulatedDocument) ||
      g_str_has_prefix(sop_class, "1.2.840.10008.5.1.4.1.1.104.")) {
    return refuse(error, deid,
                  "holds a document of another kind (EncapsulatedDocument), which cannot be "
                  "searched for the patient");
  }
  if (!dicom_item_has(root, TAG_SOPInstanceUID)) {
    return refuse(error, deid, "has no SOPInstanceUID, by which copies are told apart");
  }
  return TRUE;
}

static void
give(DicomDeid *deid, guint32 tag, const char *vr, const char *text, guint number)
{
  DicomDeidGiven given = {.tag = tag, .vr = vr, .text = g_strdup(text), .number = number};
  guint at = 0;

  while (at < deid->given->len && g_array_index(deid->given, DicomDeidGiven, at).tag < tag) {
    at++;
  }
  g_array_insert_val(deid->given, at, given);
}

/* (0012,0062) to (0012,0064), and what became of time (PS3.3 C.7.1.1, C.12.1). */
static void
give_method(DicomDeid *deid)
{
  const DicomDeidOptions *o = deid->options;
  g_autoptr(GString) method = g_string_new("Hilum: PS3.15 2024b basic profile");
  const struct {
    gboolean done;
    const char *words;
  } steps[] = {{deid->pixels.rewrite, "declared pixel regions blanked"},
               {o->clean_graphics, "graphics cleaned"},
               {o->clean_descriptors, "descriptors reduced to a vocabulary"},
               {o->modified_dates, "dates shifted, times of day kept"},
               {o->retain_device, "device kept"}};

  for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
    if (steps[i].done) {
      g_string_append_printf(method, "\\%s", steps[i].words);
    }
  }
  give(deid, DEID_TAG_PatientIdentityRemoved, "CS", "YES", 0);
  give(deid, DEID_TAG_DeidentificationMethod, "LO", method->str, 0);
  give(deid, DEID_TAG_MethodCodes, "SQ", NULL, 0);
  give(deid, DEID_TAG_TimeInformationModified, "CS", o->modified_dates ? "MODIFIED" : "REMOVED", 0);
}

/* The picture as it was decoded. */
static void
give_pixels(DicomDeid *deid, const DicomSyntax *syntax)
{
  const DicomFrame *frame = deid->pixels.first;
  const char *photometric = dicom_deid_pixels_photometric(frame);

  give(deid, TAG_SamplesPerPixel, "US", NULL, frame->samples);
  if (photometric) {
    give(deid, TAG_PhotometricInterpretation, "CS", photometric, 0);
  }
  if (frame->samples > 1) {
    give(deid, TAG_PlanarConfiguration, "US", NULL, 0);
  }
  give(deid, TAG_BitsAllocated, "US", NULL, (guint)dicom_sample_bytes(frame->type) * 8);
  give(deid, TAG_BitsStored, "US", NULL, frame->bits_stored);
  give(deid, TAG_HighBit, "US", NULL, frame->bits_stored + frame->shift - 1);
  give(deid, TAG_PixelRepresentation, "US", NULL, frame->is_signed ? 1 : 0);
  if (deid->pixels.n_blank > 0) {
    give(deid, TAG_BurnedInAnnotation, "CS", "NO", 0);
  }
  if (syntax->lossy) {
    give(deid, TAG_LossyImageCompression, "CS", "01", 0);
  }
}

static void
add_doubts(DicomDeid *deid, const DicomItem *root)
{
  const char *damage = dicom_dataset_damage(deid->dataset);

  if (*damage) {
    g_ptr_array_add(deid->unsure, g_strdup_printf("the file is damaged (%s)", damage));
  }
  if (dicom_item_has(root, DEID_TAG_ContentSequence)) {
    g_ptr_array_add(deid->unsure,
                    g_strdup("the texts of the structured content were replaced, but its codes, "
                             "numbers and references stay: read it"));
  }
}

static char *
mapped_uid(const DicomDeid *deid, const DicomItem *root, guint32 tag, const char *otherwise)
{
  g_autofree char *uid = dicom_item_text(root, tag);
  g_autofree char *mapped = dicom_deid_uids(deid->options->key, uid);

  /* A file with two instance UIDs, or with one of the standard's, is not to choose its own name. */
  if (!*mapped || strspn(mapped, "0123456789.") != strlen(mapped)) {
    return g_strdup(otherwise);
  }
  return g_steal_pointer(&mapped);
}

static GPtrArray *
sorted_list(GHashTable *set)
{
  GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(set), (GCompareFunc)strcmp);

  for (GList *l = keys; l; l = l->next) {
    g_ptr_array_add(list, g_strdup(l->data));
  }
  return list;
}

static GPtrArray *
blanked_list(const DicomDeidPixels *pixels)
{
  GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

  for (guint i = 0; pixels->rewrite && i < pixels->n_regions + pixels->n_blank; i++) {
    gboolean outside = i < pixels->n_regions;
    const DicomRect *r = outside ? &pixels->region[i] : &pixels->blank[i - pixels->n_regions];
    g_ptr_array_add(list, g_strdup_printf("%s%u,%u,%u,%u", outside ? "outside " : "", r->x, r->y,
                                          r->width, r->height));
  }
  return list;
}

static DicomDeidReport *
make_report(DicomDeid *deid, const char *uid, const char *path)
{
  DicomDeidReport *report = g_new0(DicomDeidReport, 1);

  report->removed = sorted_list(deid->removed);
  report->replaced = sorted_list(deid->replaced);
  report->kept = sorted_list(deid->kept);
  report->cleaned = sorted_list(deid->cleaned);
  report->blanked = blanked_list(&deid->pixels);
  report->unsure = g_steal_pointer(&deid->unsure);
  report->sop_instance_uid = g_strdup(uid);
  report->path = g_strdup(path);
  return report;
}

/* Decides on the pixels and opens the copy, in whose encoding the walk then writes. */
static gboolean
begin(DicomDeid *deid, const DicomMeta *meta, const char *folder, const char *uid, GError **error)
{
  const DicomItem *root = dicom_dataset_root(deid->dataset);
  const DicomSyntax *syntax = meta->syntax;
  g_autofree char *sop_class = dicom_item_text(root, TAG_SOPClassUID);
  double sign = 0;

  if (!dicom_deid_pixels_plan(root, deid->name, deid->options, &deid->pixels, deid->unsure,
                              error)) {
    return FALSE;
  }
  add_doubts(deid, root);
  give_method(deid);
  if (deid->pixels.rewrite) {
    if (!dicom_deid_pixels_begin(&deid->pixels, deid->name, deid->frame, deid->user, error)) {
      return FALSE;
    }
    give_pixels(deid, syntax);
    syntax = dicom_syntax_find(DICOM_SYNTAX_EXPLICIT);
  }
  deid->is_signed = dicom_item_numbers(root, TAG_PixelRepresentation, &sign, 1) == 1 && sign == 1;
  deid->out = dicom_deid_out_new(folder, error);
  if (!deid->out) {
    return FALSE;
  }
  dicom_deid_out_begin(deid->out, *sop_class ? sop_class : meta->media_sop_class, uid, syntax->uid,
                       syntax);
  return TRUE;
}

gboolean
dicom_deid_file(const char *in, const char *folder, const DicomDeidOptions *options,
                DicomDeidFrame frame, gpointer user, DicomDeidReport **report, GError **error)
{
  g_auto(DicomDeid) deid = {.frame = frame, .user = user};
  g_autoptr(DicomSource) source = dicom_source_open(in, error);
  DicomMeta meta;

  deid_init(&deid, in, options);
  if (!source || !dicom_meta_read(source, deid.name, &meta, error)) {
    return FALSE;
  }
  if (!meta.syntax) {
    return refuse(error, &deid,
                  "is in a transfer syntax that is not known here, and cannot be "
                  "walked with certainty");
  }
  deid.dataset = dicom_dataset_read(source, deid.name, &meta, error);
  if (!deid.dataset) {
    return FALSE;
  }
  const DicomItem *root = dicom_dataset_root(deid.dataset);
  find_patient(&deid, root);
  if (!check_kind(&deid, &meta, root, error)) {
    return FALSE;
  }
  g_autofree char *uid = mapped_uid(&deid, root, TAG_SOPInstanceUID, "instance");
  g_autofree char *study = mapped_uid(&deid, root, TAG_StudyInstanceUID, "study");
  g_autofree char *series = mapped_uid(&deid, root, TAG_SeriesInstanceUID, "series");
  g_autofree char *name = g_strconcat(uid, ".dcm", NULL);
  g_autofree char *path = g_build_filename(folder, study, series, name, NULL);
  if (!begin(&deid, &meta, folder, uid, error) || !dicom_deid_walk(&deid, error)) {
    return FALSE;
  }
  if (!dicom_deid_out_finish(deid.out, path, error)) {
    g_prefix_error(error, "%s: ", deid.name);
    return FALSE;
  }
  if (report) {
    *report = make_report(&deid, uid, path);
  }
  return TRUE;
}
