/* gate.c - what an image is, judged from its header alone, by rules that name the attribute.
 *
 * LLaVA-Med was trained on figures of articles: radiographs, CT, MRI, histology and gross pathology
 * of people. Whatever is something else gets a warning before a question is put to the model.
 */
#include "dicom_gate.h"

#include "gate-words.h"

#include <glib/gi18n.h>
#include <string.h>

static const struct {
  DicomGateFlag flag;
  const char *name;
} flag_names[] = {
    {DICOM_GATE_UNKNOWN_MODALITY, "unknown-modality"},
    {DICOM_GATE_OTHER_MODALITY, "other-modality"},
    {DICOM_GATE_LOCALIZER, "localizer"},
    {DICOM_GATE_SECONDARY_CAPTURE, "secondary-capture"},
    {DICOM_GATE_DERIVED, "derived"},
    {DICOM_GATE_BURNED_IN, "burned-in-annotation"},
    {DICOM_GATE_LOSSY, "lossy"},
    {DICOM_GATE_NON_HUMAN, "non-human"},
    {DICOM_GATE_FOR_PROCESSING, "for-processing"},
    {DICOM_GATE_SEGMENTATION, "segmentation"},
    {DICOM_GATE_NOT_DICOM, "not-dicom"},
};

const char *
dicom_gate_flag_name(DicomGateFlag flag)
{
  for (gsize i = 0; i < G_N_ELEMENTS(flag_names); i++) {
    if (flag_names[i].flag == flag) {
      return flag_names[i].name;
    }
  }
  return "unknown";
}

void
dicom_gate_free(DicomGate *gate)
{
  if (gate) {
    g_free(gate->modality);
    g_free(gate->body_part);
    g_free(gate->view);
    g_free(gate->laterality);
    g_ptr_array_unref(gate->warnings);
    g_free(gate);
  }
}

static void G_GNUC_PRINTF(3, 4) warn(DicomGate *gate, DicomGateFlag flag, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  g_ptr_array_add(gate->warnings, g_strdup_vprintf(format, args));
  va_end(args);
  gate->flags |= 1u << flag;
}

/* ---- the rules ---------------------------------------------------------------------------------
 */

/* A defined term of CS is at most 16 capitals, digits, blanks and underscores; anything else in its
 * place could be anybody's words and is not repeated in a warning. */
static gboolean
is_term(const char *text)
{
  gsize n = strlen(text);

  return n > 0 && n <= 16 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _") == n;
}

static gboolean
is_any_of(const char *text, const char *const *list)
{
  return text[0] && g_strv_contains(list, text);
}

static void
judge_modality(DicomGate *gate, const DicomInfo *info)
{
  /* The models' own modalities; OP, ES and the like are colour photographs of other things. */
  static const char *const known[] = {"CR", "DX", "CT", "MR", "RG", "SM", "GM", NULL};

  if (!info->modality[0]) {
    warn(gate, DICOM_GATE_UNKNOWN_MODALITY, _("The file does not say its Modality."));
  } else if (strcmp(info->modality, "SEG") == 0) {
    warn(gate, DICOM_GATE_SEGMENTATION, _("This is a segmentation: labels, not a picture."));
  } else if (!is_any_of(info->modality, known)) {
    warn(gate, DICOM_GATE_OTHER_MODALITY,
         _("Modality is %s; the model was trained on radiographs, CT, MRI and pathology."),
         is_term(info->modality) ? info->modality : _("no defined term"));
  }
}

static gboolean
type_has(const DicomInfo *info, guint index, const char *const *wanted)
{
  g_auto(GStrv) values = g_strsplit(info->image_type, "\\", 16);

  return g_strv_length(values) > index && is_any_of(g_strstrip(values[index]), wanted);
}

static void
judge_origin(DicomGate *gate, const DicomInfo *info)
{
  static const char *const localizer[] = {"LOCALIZER", "SCOUT", "TOPOGRAM", NULL};
  static const char *const derived[] = {"DERIVED", NULL}, *const secondary[] = {"SECONDARY", NULL};
  gboolean is_capture = g_str_has_prefix(info->sop_class, "1.2.840.10008.5.1.4.1.1.7") &&
                        (info->sop_class[25] == '\0' || info->sop_class[25] == '.');

  if (type_has(info, 2, localizer)) {
    warn(gate, DICOM_GATE_LOCALIZER,
         _("ImageType says that this is a localizer, made for planning and not for reading."));
  }
  if (is_capture || info->conversion_type[0]) {
    warn(gate, DICOM_GATE_SECONDARY_CAPTURE,
         _("This is a secondary capture: a copy of a screen, a film or another program's result."));
  }
  /* Radiographs that a detector's own software made ready are DERIVED\PRIMARY, the usual case. */
  if (type_has(info, 0, derived) && type_has(info, 1, secondary) && !is_capture) {
    warn(gate, DICOM_GATE_DERIVED,
         _("ImageType is DERIVED\\SECONDARY: computed after the examination, not acquired."));
  }
  if (strcmp(info->presentation_intent, "FOR PROCESSING") == 0) {
    warn(gate, DICOM_GATE_FOR_PROCESSING,
         _("PresentationIntentType is FOR PROCESSING: raw detector data, not meant for viewing."));
  }
}

static void
judge_burned_in(DicomGate *gate, const DicomInfo *info)
{
  static const char *const usual[] = {"US", "SC", "OT", "ES", "XC", "IVUS", NULL};

  if (strcmp(info->burned_in_annotation, "YES") == 0) {
    warn(gate, DICOM_GATE_BURNED_IN,
         _("BurnedInAnnotation is YES: text in the picture may name the patient and mislead the "
           "model."));
  } else if (!info->burned_in_annotation[0] && is_any_of(info->modality, usual)) {
    warn(gate, DICOM_GATE_BURNED_IN,
         _("Images of Modality %s often have text burned in, and BurnedInAnnotation does not say."),
         info->modality);
  }
}

static void
judge_species(DicomGate *gate, const DicomInfo *info)
{
  static const char *const human[] = {"HOMO SAPIENS", "HUMAN", "HOMO SAPIENS (ORGANISM)", NULL};
  g_autofree char *species = g_ascii_strup(info->patient_species, -1);

  if (species[0] && !is_any_of(g_strstrip(species), human)) {
    const char *word = dicom_gate_animal(species);

    warn(gate, DICOM_GATE_NON_HUMAN,
         _("PatientSpecies is %s: the model was trained on images of people."),
         word ? word : _("not human"));
  } else if (info->animal_hint[0]) {
    warn(gate, DICOM_GATE_NON_HUMAN,
         _("%s: this seems to be an animal, and the model was trained on images of people."),
         info->animal_hint);
  }
}

static void
judge_lossy(DicomGate *gate, const DicomInfo *info)
{
  char *end = NULL;
  double ratio = g_ascii_strtod(info->lossy_ratio, &end);

  if (!info->lossy) {
    return;
  }
  if (end != info->lossy_ratio && ratio > 1 && ratio < 100000) {
    warn(gate, DICOM_GATE_LOSSY, _("The image was compressed with loss, by %.3g to 1."), ratio);
  } else {
    warn(gate, DICOM_GATE_LOSSY, _("The image was compressed with loss at some time."));
  }
}

DicomGate *
dicom_gate_judge(const DicomInfo *info)
{
  DicomGate *gate = g_new0(DicomGate, 1);

  gate->modality = g_strdup(info->modality);
  gate->body_part = g_strdup(info->body_part_examined);
  gate->view = g_strdup(info->view_position);
  gate->laterality = g_strdup(info->laterality);
  gate->warnings = g_ptr_array_new_with_free_func(g_free);
  if (info->kind != DICOM_KIND_DICOM) {
    warn(gate, DICOM_GATE_NOT_DICOM,
         _("This is a %s picture: nothing is known of how it was made, its sides or its size."),
         info->kind == DICOM_KIND_JPEG ? "JPEG" : "PNG");
    return gate;
  }
  judge_species(gate, info);
  judge_modality(gate, info);
  judge_origin(gate, info);
  judge_burned_in(gate, info);
  judge_lossy(gate, info);
  return gate;
}
