/* deid-words.c - the words that a cleaned free text may keep.
 *
 * No program can tell a surname from a body part in every language, so that cleaning works the
 * other way round: only words that are known to say nothing about a person stay. */
#include "deid.h"

#include <string.h>

/* Sorted, in capitals. Words that are surnames too (Head, Long, Short, Foot) stay out unless a
 * study cannot be described without them. */
static const char *const words[] = {
    "2D",          "3D",       "4D",        "ABD",         "ABDOMEN",     "ABDOMINAL",
    "ACQ",         "ADC",      "ADRENAL",   "ANGIO",       "ANGIOGRAPHY", "ANKLE",
    "AORTA",       "AP",       "APPENDIX",  "ARM",         "ARTERIAL",    "ARTERY",
    "AX",          "AXIAL",    "B0",        "BILATERAL",   "BLADDER",     "BOLD",
    "BONE",        "BOWEL",    "BRAIN",     "BREAST",      "BREATH",      "C",
    "CALCIUM",     "CALF",     "CARDIAC",   "CAROTID",     "CBCT",        "CC",
    "CEREBRAL",    "CERVICAL", "CHEST",     "CINE",        "CLAVICLE",    "COLON",
    "CONTRAST",    "COR",      "CORONAL",   "CORONARY",    "CR",          "CSPINE",
    "CT",          "CTA",      "DCE",       "DELAYED",     "DERIVED",     "DIFFUSION",
    "DIXON",       "DSA",      "DUAL",      "DWI",         "DX",          "DYNAMIC",
    "ECHO",        "ELBOW",    "ENERGY",    "ENHANCED",    "EPI",         "ERECT",
    "EXPIRATION",  "FAT",      "FDG",       "FEMUR",       "FIESTA",      "FINGER",
    "FLAIR",       "FLASH",    "FOOT",      "FOREARM",     "FRONTAL",     "FS",
    "FSE",         "FULL",     "GAD",       "GALLBLADDER", "GRADIENT",    "GRE",
    "HAND",        "HASTE",    "HEAD",      "HEART",       "HELICAL",     "HIGH",
    "HIP",         "HUMERUS",  "IMAGE",     "IMAGES",      "IN",          "INSPIRATION",
    "INVERSION",   "IR",       "IV",        "JOINT",       "KIDNEY",      "KIDNEYS",
    "KNEE",        "KUB",      "L",         "LAT",         "LATERAL",     "LEFT",
    "LEG",         "LIVER",    "LOCALISER", "LOCALIZER",   "LOWER",       "LT",
    "LUMBAR",      "LUNG",     "LUNGS",     "MAMMO",       "MAMMOGRAM",   "MANDIBLE",
    "MEDIASTINUM", "MG",       "MIP",       "MLO",         "MPR",         "MPRAGE",
    "MR",          "MRA",      "MRI",       "MRV",         "NECK",        "NM",
    "NON",         "OBLIQUE",  "OPPOSED",   "ORBIT",       "ORBITS",      "OUT",
    "PA",          "PANCREAS", "PD",        "PELVIS",      "PERFUSION",   "PET",
    "PHANTOM",     "PHASE",    "PLAIN",     "PORTABLE",    "PORTAL",      "POST",
    "POSTERIOR",   "PRE",      "PRONE",     "PROSTATE",    "PT",          "PULMONARY",
    "R",           "RENAL",    "RF",        "RIGHT",       "RT",          "SACRUM",
    "SAG",         "SAGITTAL", "SCAN",      "SCAPULA",     "SCOUT",       "SE",
    "SERIES",      "SHOULDER", "SINUS",     "SINUSES",     "SKULL",       "SOFT",
    "SPACE",       "SPINE",    "SPLEEN",    "STANDING",    "STERNUM",     "STIR",
    "STOMACH",     "STUDY",    "SUPINE",    "SURVEY",      "SWI",         "T1",
    "T1W",         "T2",       "T2W",       "TEMPORAL",    "THICK",       "THIGH",
    "THIN",        "THORACIC", "THORAX",    "THYROID",     "TIBIA",       "TISSUE",
    "TOF",         "TOPOGRAM", "TRA",       "TRANSVERSE",  "TSE",         "ULTRASOUND",
    "UPPER",       "UPRIGHT",  "US",        "UTERUS",      "VENOUS",      "VIEW",
    "VIEWS",       "VOLUME",   "W",         "WHOLE",       "WITH",        "WITHOUT",
    "WO",          "WRIST",    "XA",        "XRAY",
};

static gboolean
is_word(const char *text, gsize n)
{
  guint low = 0, high = G_N_ELEMENTS(words);
  char upper[16];

  if (n >= sizeof upper) {
    return FALSE;
  }
  for (gsize i = 0; i < n; i++) {
    upper[i] = g_ascii_toupper(text[i]);
  }
  upper[n] = '\0';
  while (low < high) {
    guint middle = low + (high - low) / 2;
    int order = strcmp(words[middle], upper);

    if (order == 0) {
      return TRUE;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return FALSE;
}

/* Bytes over 127 belong to words: one that is cut in two at an umlaut must not leave half a word.
 */
static gboolean
is_letter(char c)
{
  return g_ascii_isalnum(c) || (c & 0x80);
}

char *
dicom_deid_clean(const char *text)
{
  g_autoptr(GString) out = g_string_new(NULL);

  for (const char *p = text; *p;) {
    gsize n = 0;

    while (is_letter(p[n])) {
      n++;
    }
    if (n == 0) {
      p++;
      continue;
    }
    if (is_word(p, n)) {
      g_string_append_printf(out, "%s%.*s", out->len ? " " : "", (int)n, p);
    }
    p += n;
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

gboolean
dicom_deid_has_word(const char *text, const char *word)
{
  gsize n = strlen(word);

  for (const char *p = text; *p; p++) {
    if ((p == text || !is_letter(p[-1])) && g_ascii_strncasecmp(p, word, n) == 0 &&
        !is_letter(p[n])) {
      return TRUE;
    }
  }
  return FALSE;
}
