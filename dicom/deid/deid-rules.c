/* deid-rules.c - what happens to an element: PS3.15 table E.1-1, the options, the dictionary. */
#include "deid.h"

#include "dicom/bridge/dictionary.h"

#include <string.h>

static gboolean
is(const char *vr, const char *other)
{
  return strcmp(vr, other) == 0;
}

static gboolean
is_date(const char *vr)
{
  return is(vr, "DA") || is(vr, "DT") || is(vr, "TM");
}

/* Identifiers that the copies of one patient, one request and one study must share. */
static gboolean
has_pseudonym(guint32 tag)
{
  return tag == 0x00080050 || tag == 0x00100010 || tag == 0x00100020 || tag == 0x00120040 ||
         tag == 0x00200010;
}

/* Sequences whose codes name a person or an institution: VerifyingObserverSequence,
 * PersonIdentificationCodeSequence, OperatorIdentificationSequence, InstitutionCodeSequence. */
static gboolean
names_a_person(guint32 tag)
{
  return tag == 0x0040a073 || tag == 0x00401101 || tag == 0x00081072 || tag == 0x00080082;
}

/* X in the table, and yet Type 1 in the only objects that have them (PS3.3 C.11.10):
 * PresentationCreationDate and -Time. */
static gboolean
must_have_value(guint32 tag)
{
  return tag == 0x00700082 || tag == 0x00700083;
}

/* X/Z, and never Type 2 in a composite object: ReferencedStudySequence, which PS3.3 C.7.2.1 wants
 * with items or not at all. */
static gboolean
must_not_be_empty(guint32 tag)
{
  return tag == 0x00081110;
}

/* The action of the basic profile. Where the table leaves a choice by the type of the attribute in
 * its object, which no file tells, the last one is taken, with which the object is valid whatever
 * the type; a value that is empty stays so. */
static DicomDeidAct
basic_act(const DicomDeidRow *row, const char *vr)
{
  switch ((DicomDeidCode)row->code) {
  case DICOM_DEID_X:
    return must_have_value(row->tag) ? DICOM_DEID_ACT_DUMMY : DICOM_DEID_ACT_REMOVE;
  case DICOM_DEID_XZ:
    if (must_not_be_empty(row->tag)) {
      return DICOM_DEID_ACT_REMOVE;
    }
    G_GNUC_FALLTHROUGH;
  case DICOM_DEID_Z:
    return has_pseudonym(row->tag) ? DICOM_DEID_ACT_PSEUDONYM : DICOM_DEID_ACT_EMPTY;
  case DICOM_DEID_U:
    return DICOM_DEID_ACT_UID;
  case DICOM_DEID_XZU:
    return DICOM_DEID_ACT_KEEP;
  default:
    break;
  }
  if (has_pseudonym(row->tag)) {
    return DICOM_DEID_ACT_PSEUDONYM;
  }
  if (is(vr, "SQ")) {
    return DICOM_DEID_ACT_KEEP;
  }
  return is(vr, "UI") ? DICOM_DEID_ACT_UID : DICOM_DEID_ACT_DUMMY;
}

/* C of Retain Device is for AE titles, which name a place in a network; they go by the basic
 * profile. */
static DicomDeidAct
row_act(const DicomDeidOptions *options, const DicomDeidRow *row, const char *vr,
        DicomDeidMode *mode)
{
  gboolean dates = options->modified_dates && row->options & DICOM_DEID_DATES;

  if (dates && is_date(vr)) {
    return is(vr, "TM") ? DICOM_DEID_ACT_KEEP : DICOM_DEID_ACT_SHIFT;
  }
  if (options->retain_device && row->options & DICOM_DEID_DEVICE) {
    return DICOM_DEID_ACT_KEEP;
  }
  if (options->clean_descriptors && row->options & DICOM_DEID_DESC) {
    if (is(vr, "SQ")) {
      *mode = MAX(*mode, DICOM_DEID_CLEANED);
      return DICOM_DEID_ACT_KEEP;
    }
    if (dicom_deid_vr_is_free_text(vr)) {
      return DICOM_DEID_ACT_CLEAN;
    }
  }
  DicomDeidAct act = basic_act(row, vr);
  if (act == DICOM_DEID_ACT_KEEP && is(vr, "SQ") && row->code != DICOM_DEID_XZU) {
    *mode = names_a_person(row->tag) ? DICOM_DEID_PERSON : MAX(*mode, DICOM_DEID_STRICT);
  }
  return act;
}

/* CodeValue, CodingSchemeDesignator, -Version, CodeMeaning, LongCodeValue, URNCodeValue. */
gboolean
dicom_deid_is_code(guint32 tag)
{
  return (tag >= 0x00080100 && tag <= 0x00080104) || tag == 0x00080119 || tag == 0x00080120;
}

/* An attribute that the table does not list. Beyond the table go what can only be a person, a date
 * or an address on a network. */
static DicomDeidAct
unlisted_act(guint32 tag, const char *vr, DicomDeidMode *mode, gboolean public_code)
{
  if (is(vr, "UI")) {
    return dicom_deid_uid_is_class(tag) ? DICOM_DEID_ACT_KEEP : DICOM_DEID_ACT_UID;
  }
  if (is_date(vr) || is(vr, "PN") || is(vr, "AE") || is(vr, "AS")) {
    return DICOM_DEID_ACT_REMOVE;
  }
  if (dicom_deid_is_code(tag)) {
    gboolean keep = *mode == DICOM_DEID_NORMAL || (*mode != DICOM_DEID_PERSON && public_code);
    return keep ? DICOM_DEID_ACT_KEEP : DICOM_DEID_ACT_DUMMY;
  }
  if (is(vr, "UR") && tag != 0x0008010e) {
    return DICOM_DEID_ACT_REMOVE;
  }
  if (tag == 0x0040b020) { /* WaveformAnnotationSequence: notes of a reader */
    *mode = MAX(*mode, DICOM_DEID_STRICT);
    return DICOM_DEID_ACT_KEEP;
  }
  if (*mode == DICOM_DEID_NORMAL || !dicom_deid_vr_is_free_text(vr)) {
    return DICOM_DEID_ACT_KEEP;
  }
  return *mode == DICOM_DEID_CLEANED ? DICOM_DEID_ACT_CLEAN : DICOM_DEID_ACT_DUMMY;
}

/* Text, numbers, sequences: an element whose VR is of another kind than the standard's hides
 * something, or is damaged. */
static guint
kind_of(const char *vr)
{
  return is(vr, "SQ") ? 1 : dicom_deid_vr_is_text(vr) ? 2 : 3;
}

/* The VR to act by. FALSE: the element cannot be trusted to be what its tag says. */
static gboolean
find_vr(const DicomElementInfo *info, const char *standard, DicomDeidRule *rule)
{
  if (is(standard, "SQ") && info->is_sequence) {
    /* Whatever VR it was written with: UN by who does not know it, OB by who is wrong. */
    g_strlcpy(rule->vr, standard, sizeof rule->vr);
    return TRUE;
  }
  /* A VR that the standard does not have is a slip of the writer, and readers go by the tag. */
  gboolean stated = info->explicit_vr && dicom_vr_is_standard(info->vr) && !is(info->vr, "UN");

  g_strlcpy(rule->vr, stated ? info->vr : standard, sizeof rule->vr);
  if (stated && kind_of(info->vr) != kind_of(standard)) {
    return FALSE;
  }
  if (is(standard, "SQ") != info->is_sequence && info->length > 0) {
    return FALSE;
  }
  return !info->is_fragments || info->tag == 0x7fe00010;
}

static gboolean
is_bookkeeping(guint32 tag)
{
  return tag >> 16 < 0x0008 || (tag & 0xffff) == 0 || tag == 0x00080001 || tag == 0xfffcfffc;
}

DicomDeidRule
dicom_deid_rule(const DicomDeidOptions *options, const DicomElementInfo *info, DicomDeidMode mode,
                gboolean public_code)
{
  const DicomDeidRow *row = dicom_deid_row(info->tag);
  DicomDeidRule rule = {.act = DICOM_DEID_ACT_REMOVE, .mode = mode};
  char vr[3] = "";

  if (is_bookkeeping(info->tag)) {
    rule.act = DICOM_DEID_ACT_DROP;
    return rule;
  }
  if (info->tag >> 16 & 1) {
    return rule;
  }
  if (row) {
    rule.keyword = row->keyword;
    g_strlcpy(vr, row->vr, sizeof vr);
  } else if (!dicom_bridge_attribute(info->tag, vr, &rule.keyword)) {
    return rule;
  }
  if ((info->tag & 0xff000000) == 0x60000000 || !find_vr(info, vr, &rule)) {
    return rule;
  }
  rule.act = row ? row_act(options, row, rule.vr, &rule.mode)
                 : unlisted_act(info->tag, rule.vr, &rule.mode, public_code);
  rule.otherwise = row ? basic_act(row, rule.vr) : DICOM_DEID_ACT_REMOVE;
  return rule;
}
