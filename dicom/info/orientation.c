/* orientation.c - letters of the edges, and what a length is worth: only what the data say. */
#include "dicom_gate.h"

#include <math.h>
#include <string.h>

/* A direction's share of an axis below which its letter is left out: 11.5 degrees off the plane,
 * the threshold that viewers commonly use lies between 0.0001 (every tilt gets a letter) and this.
 */
#define SMALLEST_SHARE 0.2

/* Letters of where DIRECTION leads, the strongest axis first (PS3.3 C.7.6.1.1.1). The patient's
 * axes run to the left, to the back and to the head. */
static void
letters_of(const double direction[3], double sign, char out[4])
{
  static const char positive[] = "LPH", negative[] = "RAF";
  double left[3];
  guint n = 0;

  memset(out, 0, 4);
  for (guint i = 0; i < 3; i++) {
    left[i] = direction[i] * sign;
    if (!isfinite(left[i])) {
      return;
    }
  }
  for (guint round = 0; round < 3; round++) {
    guint best = 0;

    for (guint i = 1; i < 3; i++) {
      best = fabs(left[i]) > fabs(left[best]) ? i : best;
    }
    if (fabs(left[best]) < SMALLEST_SHARE) {
      return;
    }
    out[n++] = left[best] > 0 ? positive[best] : negative[best];
    left[best] = 0;
  }
}

/* The other end of the same line; empty for letters that are none. */
static void
opposite(const char *letters, char out[4])
{
  static const char pairs[] = "LRRLAPPAHFFH"; /* each letter and its opposite */
  gsize n = strlen(letters);

  memset(out, 0, 4);
  for (gsize i = 0; i < n; i++) {
    for (gsize k = 0; pairs[k]; k += 2) {
      if (pairs[k] == letters[i]) {
        out[i] = pairs[k + 1];
      }
    }
  }
}

/* PatientOrientation: where the rows and the columns lead, in letters already. Quadrupeds have
 * letters of two (LE, RT, D, V ...), which are left out rather than misread. */
static gboolean
from_patient_orientation(const DicomInfo *info, DicomLetters *letters)
{
  g_auto(GStrv) values = g_strsplit(info->patient_orientation, "\\", 3);
  char *row, *column;

  if (g_strv_length(values) != 2) {
    return FALSE;
  }
  row = g_strstrip(values[0]);
  column = g_strstrip(values[1]);
  for (guint i = 0; i < 2; i++) {
    gsize n = strlen(values[i]);

    if (n == 0 || n > 3 || strspn(values[i], "LRAPHF") != n) {
      return FALSE;
    }
  }
  g_strlcpy(letters->right, row, sizeof letters->right);
  g_strlcpy(letters->bottom, column, sizeof letters->bottom);
  opposite(row, letters->left);
  opposite(column, letters->top);
  return TRUE;
}

DicomLetters
dicom_info_letters(const DicomInfo *info, guint frame)
{
  DicomLetters letters = {0};
  DicomPlane plane = dicom_info_plane(info, frame);

  if (plane.has_orientation) {
    letters_of(plane.orientation, 1, letters.right);
    letters_of(plane.orientation, -1, letters.left);
    letters_of(plane.orientation + 3, 1, letters.bottom);
    letters_of(plane.orientation + 3, -1, letters.top);
  } else {
    from_patient_orientation(info, &letters);
  }
  return letters;
}

/* A projection casts a shadow that is larger than the patient: its pixels are measured at the
 * detector, unless something in the picture or the geometry was used to correct that. */
static gboolean
is_projection(const DicomInfo *info)
{
  static const char *const modalities[] = {"CR", "DX", "RG", "MG", "XA", "RF", "IO", "PX", NULL};

  return g_strv_contains(modalities, info->modality);
}

const char *
dicom_info_calibration(const DicomInfo *info)
{
  if (!info->has_spacing || strcmp(info->spacing_source, "NominalScannedPixelSpacing") == 0) {
    return "none";
  }
  if (strcmp(info->spacing_source, "UltrasoundRegion") == 0) {
    return "patient";
  }
  if (strcmp(info->spacing_source, "ImagerPixelSpacing") == 0) {
    return "detector";
  }
  if (!is_projection(info)) {
    /* PixelSpacing of a secondary capture or a photograph is a length only when it was set so. */
    return info->has_orientation || info->planes->len > 0 || info->spacing_calibration[0] ||
                   strcmp(info->modality, "CT") == 0 || strcmp(info->modality, "MR") == 0 ||
                   strcmp(info->modality, "PT") == 0 || strcmp(info->modality, "NM") == 0
               ? "patient"
               : "none";
  }
  /* PS3.3 10.7.1.3: without a calibration type, PixelSpacing of a projection is what the detector
   * measured, whatever its writer thought. */
  return info->spacing_calibration[0] ? "patient" : "detector";
}
