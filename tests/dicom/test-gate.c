/* test-gate.c - what an image is, its letters, and what its lengths are worth. */
#include "dicom_gate.h"

#include "dicom/info/gate-words.h"
#include "dicom/info/info-fields.h"

#include <math.h>
#include <string.h>

static DicomInfo *
info_new(const char *modality)
{
  DicomInfo *info = g_new0(DicomInfo, 1);

  dicom_info_init(info, "made.dcm");
  g_free(info->modality);
  info->modality = g_strdup(modality);
  return info;
}

static void
set(char **slot, const char *text)
{
  g_free(*slot);
  *slot = g_strdup(text);
}

static void
assert_flags(const DicomInfo *info, guint32 expected)
{
  g_autoptr(DicomGate) gate = dicom_gate_judge(info);
  guint bits = 0;

  for (guint i = 0; i < 32; i++) {
    bits += gate->flags >> i & 1;
    if ((gate->flags ^ expected) >> i & 1) {
      g_test_message("flag %s is %s", dicom_gate_flag_name((DicomGateFlag)i),
                     gate->flags >> i & 1 ? "set" : "missing");
    }
  }
  g_assert_cmphex(gate->flags, ==, expected);
  g_assert_cmpuint(gate->warnings->len, ==, bits);
}

#define FLAG(name) (1u << DICOM_GATE_##name)

static void
test_ordinary_images_pass(void)
{
  g_autoptr(DicomInfo) ct = info_new("CT");
  g_autoptr(DicomInfo) dx = info_new("DX");

  set(&ct->image_type, "ORIGINAL\\PRIMARY\\AXIAL");
  assert_flags(ct, 0);
  /* What a detector's software made ready for viewing. */
  set(&dx->image_type, "DERIVED\\PRIMARY");
  set(&dx->presentation_intent, "FOR PRESENTATION");
  set(&dx->patient_species, "Homo sapiens");
  set(&dx->burned_in_annotation, "NO");
  assert_flags(dx, 0);
}

static void
test_each_flag(void)
{
  g_autoptr(DicomInfo) info = info_new("");

  assert_flags(info, FLAG(UNKNOWN_MODALITY));
  set(&info->modality, "PT");
  assert_flags(info, FLAG(OTHER_MODALITY));
  set(&info->modality, "SEG");
  assert_flags(info, FLAG(SEGMENTATION));
  set(&info->modality, "US");
  assert_flags(info, FLAG(OTHER_MODALITY) | FLAG(BURNED_IN));
  set(&info->burned_in_annotation, "NO");
  assert_flags(info, FLAG(OTHER_MODALITY));
  set(&info->modality, "CT");
  set(&info->burned_in_annotation, "YES");
  assert_flags(info, FLAG(BURNED_IN));
  set(&info->burned_in_annotation, "");
  set(&info->image_type, "ORIGINAL\\PRIMARY\\LOCALIZER");
  assert_flags(info, FLAG(LOCALIZER));
  set(&info->image_type, "DERIVED\\SECONDARY\\SCREEN SAVE");
  assert_flags(info, FLAG(DERIVED));
  set(&info->sop_class, "1.2.840.10008.5.1.4.1.1.7");
  assert_flags(info, FLAG(SECONDARY_CAPTURE));
  set(&info->sop_class, "1.2.840.10008.5.1.4.1.1.77.1.6"); /* whole slide, no capture */
  set(&info->image_type, "");
  assert_flags(info, 0);
  set(&info->presentation_intent, "FOR PROCESSING");
  assert_flags(info, FLAG(FOR_PROCESSING));
  set(&info->presentation_intent, "");
  info->lossy = TRUE;
  assert_flags(info, FLAG(LOSSY));
  info->lossy = FALSE;
  set(&info->patient_species, "Canis lupus familiaris");
  assert_flags(info, FLAG(NON_HUMAN));
  set(&info->patient_species, "");
  set(&info->animal_hint, "ProtocolName says CANINE");
  assert_flags(info, FLAG(NON_HUMAN));
  info->kind = DICOM_KIND_PNG;
  assert_flags(info, FLAG(NOT_DICOM));
}

/* Whatever a header holds in the place of a term, a warning does not repeat it. */
static void
test_warnings_hold_no_text_of_the_file(void)
{
  g_autoptr(DicomInfo) info = info_new("Doe^Jane 1970-01-01");

  set(&info->patient_species, "Rex of Jane Doe");
  g_autoptr(DicomGate) gate = dicom_gate_judge(info);
  for (guint i = 0; i < gate->warnings->len; i++) {
    g_assert_null(strstr(gate->warnings->pdata[i], "Jane"));
  }
  g_assert_cmpuint(gate->warnings->len, ==, 2);
}

static void
test_animal_words(void)
{
  g_assert_cmpstr(dicom_gate_animal("canine lateral thorax 0-15cm"), ==, "CANINE");
  g_assert_cmpstr(dicom_gate_animal("Veterinary Clinic"), ==, "VETERINARY");
  g_assert_cmpstr(dicom_gate_animal("THORAX (DOG)"), ==, "DOG");
  g_assert_null(dicom_gate_animal("CAT scan of the right canines"));
  g_assert_null(dicom_gate_animal("HORSESHOE KIDNEY"));
  g_assert_null(dicom_gate_animal("Dogma"));
  g_assert_null(dicom_gate_animal(""));
}

static void
assert_letters(const DicomInfo *info, const char *left, const char *right, const char *top,
               const char *bottom)
{
  DicomLetters letters = dicom_info_letters(info, 0);

  g_assert_cmpstr(letters.left, ==, left);
  g_assert_cmpstr(letters.right, ==, right);
  g_assert_cmpstr(letters.top, ==, top);
  g_assert_cmpstr(letters.bottom, ==, bottom);
}

static void
test_letters(void)
{
  g_autoptr(DicomInfo) info = info_new("CT");
  const double axial[6] = {1, 0, 0, 0, 1, 0}, sagittal[6] = {0, 1, 0, 0, 0, -1};
  const double oblique[6] = {0.8, 0.6, 0, 0, 0, -1}, tilted[6] = {1, 0, 0, 0, 0.99, -0.14};
  const double broken[6] = {NAN, 0, 0, 0, INFINITY, 0};

  assert_letters(info, "", "", "", ""); /* no tag, no letters */
  info->has_orientation = TRUE;
  memcpy(info->orientation, axial, sizeof axial);
  assert_letters(info, "R", "L", "A", "P");
  memcpy(info->orientation, sagittal, sizeof sagittal);
  assert_letters(info, "A", "P", "H", "F");
  memcpy(info->orientation, oblique, sizeof oblique);
  assert_letters(info, "RA", "LP", "H", "F");
  memcpy(info->orientation, tilted, sizeof tilted);
  assert_letters(info, "R", "L", "A", "P");
  memcpy(info->orientation, broken, sizeof broken);
  assert_letters(info, "", "", "", "");
}

static void
test_letters_of_a_projection(void)
{
  g_autoptr(DicomInfo) info = info_new("DX");

  set(&info->patient_orientation, "L\\F");
  assert_letters(info, "R", "L", "H", "F");
  set(&info->patient_orientation, "PR \\F");
  assert_letters(info, "AL", "PR", "H", "F");
  set(&info->patient_orientation, "L");
  assert_letters(info, "", "", "", "");
  set(&info->patient_orientation, "LE\\V"); /* a quadruped's */
  assert_letters(info, "", "", "", "");
  set(&info->patient_orientation, "\\");
  assert_letters(info, "", "", "", "");
}

static void
test_calibration(void)
{
  g_autoptr(DicomInfo) info = info_new("DX");

  g_assert_cmpstr(dicom_info_calibration(info), ==, "none");
  info->has_spacing = TRUE;
  set(&info->spacing_source, "ImagerPixelSpacing");
  g_assert_cmpstr(dicom_info_calibration(info), ==, "detector");
  set(&info->spacing_source, "PixelSpacing");
  g_assert_cmpstr(dicom_info_calibration(info), ==, "detector");
  set(&info->spacing_calibration, "FIDUCIAL");
  g_assert_cmpstr(dicom_info_calibration(info), ==, "patient");
  set(&info->spacing_calibration, "");
  set(&info->modality, "CT");
  g_assert_cmpstr(dicom_info_calibration(info), ==, "patient");
  set(&info->modality, "OT");
  g_assert_cmpstr(dicom_info_calibration(info), ==, "none");
  set(&info->spacing_source, "NominalScannedPixelSpacing");
  g_assert_cmpstr(dicom_info_calibration(info), ==, "none");
  set(&info->spacing_source, "UltrasoundRegion");
  g_assert_cmpstr(dicom_info_calibration(info), ==, "patient");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/gate/ordinary", test_ordinary_images_pass);
  g_test_add_func("/gate/flags", test_each_flag);
  g_test_add_func("/gate/privacy", test_warnings_hold_no_text_of_the_file);
  g_test_add_func("/gate/animals", test_animal_words);
  g_test_add_func("/orientation/letters", test_letters);
  g_test_add_func("/orientation/projection", test_letters_of_a_projection);
  g_test_add_func("/orientation/calibration", test_calibration);
  return g_test_run();
}
