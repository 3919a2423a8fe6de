/* info-pet.c - how much of the standardised uptake value (body weight) a Bq/ml is worth.
 *
 * SUVbw = value [Bq/ml] * weight [g] / dose [Bq] at the start of the series. It is told only where
 * PS3.3 C.8.9.1 says all of it and leaves no choice: one radiopharmaceutical, Units BQML,
 * CorrectedImage with ATTN and DECY, DecayCorrection START, weight, dose, half life, and both
 * times. That the series' time is the one that the values are corrected to holds when the
 * acquisition did not begin before it; a series that was made later has its own, later time, and
 * then nothing is told (the way of QIBA's FDG-PET profile, without its guesses for single makers).
 */
#include "info.h"

#include "dicom/tags.h"

#include <math.h>
#include <string.h>

static gboolean
number(const DicomItem *item, guint32 tag, double low, double high, double *value)
{
  return dicom_item_numbers(item, tag, value, 1) == 1 && *value >= low && *value <= high;
}

static gboolean
is_value(const DicomItem *item, guint32 tag, const char *wanted)
{
  g_autofree char *text = dicom_item_text(item, tag);
  g_auto(GStrv) values = g_strsplit(text, "\\", -1);

  for (guint i = 0; values[i]; i++) {
    if (strcmp(g_strstrip(values[i]), wanted) == 0) {
      return TRUE;
    }
  }
  return FALSE;
}

/* DATE, eight digits, and TIME, HHMMSS with or without a fraction: seconds of any one scale. Zones
 * are those of one machine and cancel out. */
static gboolean
seconds_of(const char *date, const char *time, double *seconds)
{
  gsize n = strspn(time, "0123456789");
  GDate day;

  if (strlen(date) != 8 || strspn(date, "0123456789") != 8 || n < 6) {
    return FALSE;
  }
  guint64 number = g_ascii_strtoull(date, NULL, 10);
  guint year = (guint)(number / 10000), month = (guint)(number / 100 % 100);
  if (!g_date_valid_dmy((GDateDay)(number % 100), (GDateMonth)month, (GDateYear)year)) {
    return FALSE;
  }
  g_date_clear(&day, 1);
  g_date_set_dmy(&day, (GDateDay)(number % 100), (GDateMonth)month, (GDateYear)year);
  g_autofree char *whole = g_strndup(time, 6);
  guint64 clock = g_ascii_strtoull(whole, NULL, 10);
  double fraction = time[6] == '.' ? g_ascii_strtod(time + 6, NULL) : 0;
  *seconds = g_date_get_julian(&day) * 86400.0 + (double)(clock / 10000 * 3600) +
             (double)(clock / 100 % 100 * 60) + (double)(clock % 100) + fraction;
  return clock / 10000 < 24 && clock / 100 % 100 < 60 && clock % 100 <= 60 && isfinite(fraction);
}

static gboolean
moment(const DicomItem *item, guint32 date_tag, guint32 time_tag, double *seconds)
{
  g_autofree char *date = dicom_item_text(item, date_tag);
  g_autofree char *time = dicom_item_text(item, time_tag);

  return seconds_of(date, time, seconds);
}

/* When the dose was given: a DT, or a TM of the day of the series. */
static gboolean
injection(const DicomItem *root, const DicomItem *drug, double *seconds)
{
  g_autofree char *both = dicom_item_text(drug, TAG_RadiopharmaceuticalStartDateTime);
  g_autofree char *time = dicom_item_text(drug, TAG_RadiopharmaceuticalStartTime);
  g_autofree char *date = dicom_item_text(root, TAG_SeriesDate);

  if (strlen(both) >= 14) {
    g_autofree char *day = g_strndup(both, 8);

    return seconds_of(day, both + 8, seconds);
  }
  return seconds_of(date, time, seconds);
}

double
dicom_info_suv_factor(const DicomItem *root)
{
  const DicomItem *drug = dicom_item_nested(root, TAG_RadiopharmaceuticalInformationSequence, 0);
  double weight, dose, half_life, given, series, acquired, factor;

  if (!drug || dicom_item_count(root, TAG_RadiopharmaceuticalInformationSequence) != 1 ||
      !is_value(root, TAG_Modality, "PT") || !is_value(root, TAG_Units, "BQML") ||
      !is_value(root, TAG_CorrectedImage, "ATTN") || !is_value(root, TAG_CorrectedImage, "DECY") ||
      !is_value(root, TAG_DecayCorrection, "START")) {
    return 0;
  }
  if (!number(root, TAG_PatientWeight, 0.01, 1000, &weight) ||
      !number(drug, TAG_RadionuclideTotalDose, 1e3, 1e12, &dose) ||
      !number(drug, TAG_RadionuclideHalfLife, 1, 1e9, &half_life) ||
      !injection(root, drug, &given) || !moment(root, TAG_SeriesDate, TAG_SeriesTime, &series) ||
      !moment(root, TAG_AcquisitionDate, TAG_AcquisitionTime, &acquired)) {
    return 0;
  }
  if (given > series || series > acquired || series - given > 20 * half_life) {
    return 0;
  }
  factor = weight * 1000 / (dose * exp2(-(series - given) / half_life));
  return isfinite(factor) ? factor : 0;
}
