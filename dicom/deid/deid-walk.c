/* deid-walk.c - the data set, element by element, into the copy. No recursion. */
#include "deid.h"

#include <string.h>

enum { DEID_TAG_MethodCodes = 0x00120064, DEID_TAG_CodingSchemeDesignator = 0x00080102 };

/* An item that is being written, and the sequence that it is in. */
typedef struct {
  const DicomItem *parent; /* NULL for the root */
  guint sequence, n_items, item_index;
  const DicomItem *item;
  guint n_elements, index;
  DicomDeidMode mode;
  gboolean public_code;
} Level;

void
dicom_deid_given_clear(DicomDeidGiven *given)
{
  g_free(given->text);
}

static void
note(GHashTable *set, const DicomElementInfo *info, const DicomDeidRule *rule)
{
  g_hash_table_add(set, rule->keyword
                            ? g_strdup(rule->keyword)
                            : g_strdup_printf("(%04X,%04X)", info->tag >> 16, info->tag & 0xffff));
}

static void
write_code(DicomDeidOut *out, const char *value, const char *meaning)
{
  dicom_deid_out_header(out, DICOM_TAG_ITEM, NULL, DICOM_UNDEFINED);
  dicom_deid_out_text(out, 0x00080100, "SH", value);
  dicom_deid_out_text(out, DEID_TAG_CodingSchemeDesignator, "SH", "DCM");
  dicom_deid_out_text(out, 0x00080104, "LO", meaning);
  dicom_deid_out_header(out, DICOM_TAG_ITEM_END, NULL, 0);
}

/* DeidentificationMethodCodeSequence (PS3.16 CID 7050). */
static void
write_codes(const DicomDeid *deid)
{
  const DicomDeidOptions *o = deid->options;
  const struct {
    gboolean done;
    const char *value, *meaning;
  } codes[] = {
      {TRUE, "113100", "Basic Application Confidentiality Profile"},
      {deid->pixels.rewrite, "113101", "Clean Pixel Data Option"},
      {o->clean_graphics, "113103", "Clean Graphics Option"},
      {o->clean_descriptors, "113105", "Clean Descriptors Option"},
      {o->modified_dates, "113107",
       "Retain Longitudinal Temporal Information Modified Dates Option"},
      {o->retain_device, "113109", "Retain Device Identity Option"},
  };

  dicom_deid_out_header(deid->out, DEID_TAG_MethodCodes, "SQ", DICOM_UNDEFINED);
  for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
    if (codes[i].done) {
      write_code(deid->out, codes[i].value, codes[i].meaning);
    }
  }
  dicom_deid_out_header(deid->out, DICOM_TAG_SEQUENCE_END, NULL, 0);
}

/* What is given for tags up to and with LAST. */
static void
write_given(DicomDeid *deid, guint32 last)
{
  while (deid->next_given < deid->given->len) {
    const DicomDeidGiven *given = &g_array_index(deid->given, DicomDeidGiven, deid->next_given);

    if (given->tag > last) {
      return;
    }
    if (given->tag == DEID_TAG_MethodCodes) {
      write_codes(deid);
    } else if (given->text) {
      dicom_deid_out_text(deid->out, given->tag, given->vr, given->text);
    } else {
      dicom_deid_out_us(deid->out, given->tag, given->number);
    }
    deid->next_given++;
  }
}

static gboolean
is_given(const DicomDeid *deid, guint32 tag)
{
  for (guint i = 0; i < deid->given->len; i++) {
    if (g_array_index(deid->given, DicomDeidGiven, i).tag == tag) {
      return TRUE;
    }
  }
  return FALSE;
}

static void
begin_item(DicomDeid *deid, Level *level)
{
  g_autofree char *scheme = NULL;

  level->item = dicom_item_element_item(level->parent, level->sequence, level->item_index);
  level->n_elements = level->item ? dicom_item_n_elements(level->item) : 0;
  level->index = 0;
  level->public_code = FALSE;
  if (level->item && level->mode != DICOM_DEID_NORMAL) {
    scheme = dicom_item_text(level->item, DEID_TAG_CodingSchemeDesignator);
    level->public_code = dicom_deid_scheme_is_public(scheme);
  }
  dicom_deid_out_header(deid->out, DICOM_TAG_ITEM, NULL, DICOM_UNDEFINED);
}

static void
begin_sequence(DicomDeid *deid, GArray *levels, const DicomElementInfo *info, DicomDeidMode mode)
{
  const Level *above = &g_array_index(levels, Level, levels->len - 1);
  /* The index was moved on before the element was written. */
  Level level = {
      .parent = above->item, .sequence = above->index - 1, .n_items = info->n_items, .mode = mode};

  dicom_deid_out_header(deid->out, info->tag, "SQ", DICOM_UNDEFINED);
  if (info->n_items == 0) {
    dicom_deid_out_header(deid->out, DICOM_TAG_SEQUENCE_END, NULL, 0);
    return;
  }
  begin_item(deid, &level);
  g_array_append_val(levels, level);
}

static void
end_item(DicomDeid *deid, GArray *levels)
{
  Level *level = &g_array_index(levels, Level, levels->len - 1);

  if (level->parent) {
    dicom_deid_out_header(deid->out, DICOM_TAG_ITEM_END, NULL, 0);
    level->item_index++;
    if (level->item_index < level->n_items) {
      begin_item(deid, level);
      return;
    }
    dicom_deid_out_header(deid->out, DICOM_TAG_SEQUENCE_END, NULL, 0);
  }
  g_array_set_size(levels, levels->len - 1);
}

/* Patients by what tells them apart, requests by their number, studies by their UID too, since
 * StudyID is often 1. A nested patient may be another one. */
static void
find_pseudonym(const DicomDeid *deid, guint32 tag, const char *text, guint depth, char out[17])
{
  const guint8 *key = deid->options->key;
  gboolean same =
      depth == 1 || strcmp(text, deid->patient_id) == 0 || strcmp(text, deid->patient_name) == 0;

  if (tag == 0x00080050) {
    dicom_deid_pseudonym(key, "accession", text, out);
  } else if (tag == 0x00200010) {
    g_autofree char *both = g_strconcat(deid->study, "\\", text, NULL);
    dicom_deid_pseudonym(key, "study", both, out);
  } else {
    dicom_deid_pseudonym(key, "patient", same ? deid->patient : text, out);
  }
}

/* The text that stands for TEXT; NULL when there is none. */
static char *
other_text(const DicomDeid *deid, const DicomElementInfo *info, const DicomDeidRule *rule,
           const char *text, guint depth)
{
  char pseudonym[17];

  switch (rule->act) {
  case DICOM_DEID_ACT_UID:
    return dicom_deid_uids(deid->options->key, text);
  case DICOM_DEID_ACT_SHIFT:
    return dicom_deid_shift(text, dicom_deid_days(deid->options->key, deid->patient));
  case DICOM_DEID_ACT_PSEUDONYM:
    find_pseudonym(deid, info->tag, text, depth, pseudonym);
    return g_strdup(pseudonym);
  case DICOM_DEID_ACT_CLEAN: {
    g_autofree char *left = dicom_deid_clean(text);
    return *left ? g_steal_pointer(&left) : NULL;
  }
  default:
    return NULL;
  }
}

/* Fixed acts: nothing of the value is looked at. */
static gboolean
write_fixed(DicomDeid *deid, const DicomElementInfo *info, const DicomDeidRule *rule,
            DicomDeidAct act)
{
  const char *dummy = dicom_deid_dummy(rule->vr);
  const char *vr = dicom_deid_copy_vr(deid, info, rule);

  if (act == DICOM_DEID_ACT_REMOVE) {
    note(deid->removed, info, rule);
    return TRUE;
  }
  if (info->length == 0) {
    /* Nothing is kept, and nothing replaced. */
    return dicom_deid_out_header(deid->out, info->tag, vr, 0);
  }
  note(deid->replaced, info, rule);
  if (act == DICOM_DEID_ACT_EMPTY) {
    return dicom_deid_out_header(deid->out, info->tag, vr, 0);
  }
  return dummy ? dicom_deid_out_text(deid->out, info->tag, vr, dummy)
               : dicom_deid_copy_zeros(deid, info, rule);
}

static gboolean
write_other(DicomDeid *deid, const DicomElementInfo *info, const DicomDeidRule *rule, guint depth)
{
  g_autofree char *text = dicom_deid_copy_text(deid, info);
  g_autofree char *other = NULL;

  if (text && *text) {
    other = other_text(deid, info, rule, text, depth);
  }
  if (!other) {
    /* A UID or a pseudonym of nothing is nothing, and one that is too long for either goes. */
    gboolean fixed =
        rule->otherwise == DICOM_DEID_ACT_EMPTY || rule->otherwise == DICOM_DEID_ACT_DUMMY;
    return write_fixed(deid, info, rule,
                       fixed            ? rule->otherwise
                       : text && !*text ? DICOM_DEID_ACT_EMPTY
                                        : DICOM_DEID_ACT_REMOVE);
  }
  if (strcmp(other, text) == 0) {
    note(deid->kept, info, rule);
  } else {
    note(rule->act == DICOM_DEID_ACT_CLEAN ? deid->cleaned : deid->replaced, info, rule);
  }
  return dicom_deid_out_text(deid->out, info->tag, dicom_deid_copy_vr(deid, info, rule), other);
}

/* Whether a text or a number that the profile keeps repeats the patient's name or ID: sequences are
 * found named after patients, and series numbered so. */
static gboolean
names_patient(DicomDeid *deid, const DicomElementInfo *info, const DicomDeidRule *rule)
{
  gboolean is_text = dicom_deid_vr_is_free_text(rule->vr) || strcmp(rule->vr, "IS") == 0;

  if (deid->needles->len == 0 || !is_text || info->length == 0 || dicom_deid_is_code(info->tag)) {
    return FALSE;
  }
  g_autofree char *text = dicom_deid_copy_text(deid, info);
  for (guint i = 0; text && i < deid->needles->len; i++) {
    if (dicom_deid_has_word(text, deid->needles->pdata[i])) {
      return TRUE;
    }
  }
  /* A text too long to be looked at stays out. */
  return text == NULL;
}

static gboolean
write_pixels(DicomDeid *deid, const DicomElementInfo *info, const DicomDeidRule *rule,
             GError **error)
{
  if (deid->pixels.rewrite) {
    g_hash_table_add(deid->cleaned, g_strdup("PixelData"));
    return dicom_deid_pixels_write(&deid->pixels, deid->name, deid->frame, deid->user, deid->out,
                                   error);
  }
  note(deid->kept, info, rule);
  return info->is_fragments ? dicom_deid_copy_fragments(deid, info, error)
                            : dicom_deid_copy(deid, info, rule, error);
}

static gboolean
write_element(DicomDeid *deid, GArray *levels, const DicomElementInfo *info, GError **error)
{
  const Level *level = &g_array_index(levels, Level, levels->len - 1);
  DicomDeidRule rule = dicom_deid_rule(deid->options, info, level->mode, level->public_code);
  guint depth = levels->len;

  if (depth == 1) {
    write_given(deid, info->tag);
    if (is_given(deid, info->tag)) {
      note(deid->replaced, info, &rule);
      return TRUE;
    }
  }
  switch (rule.act) {
  case DICOM_DEID_ACT_DROP:
    return TRUE;
  case DICOM_DEID_ACT_REMOVE:
  case DICOM_DEID_ACT_EMPTY:
  case DICOM_DEID_ACT_DUMMY:
    write_fixed(deid, info, &rule, rule.act);
    return TRUE;
  case DICOM_DEID_ACT_KEEP:
    break;
  default:
    write_other(deid, info, &rule, depth);
    return TRUE;
  }
  if (info->tag == 0x7fe00010) {
    if (depth == 1) {
      return write_pixels(deid, info, &rule, error);
    }
    /* A picture within a picture is not looked at, so it does not stay. */
    note(deid->removed, info, &rule);
    return TRUE;
  }
  if (!info->is_sequence && names_patient(deid, info, &rule)) {
    write_fixed(deid, info, &rule, DICOM_DEID_ACT_DUMMY);
    return TRUE;
  }
  if (info->length > 0) {
    note(deid->kept, info, &rule);
  }
  if (info->is_sequence) {
    begin_sequence(deid, levels, info, rule.mode);
    return TRUE;
  }
  return dicom_deid_copy(deid, info, &rule, error);
}

gboolean
dicom_deid_walk(DicomDeid *deid, GError **error)
{
  g_autoptr(GArray) levels = g_array_new(FALSE, TRUE, sizeof(Level));
  const DicomItem *root = dicom_dataset_root(deid->dataset);
  Level first = {.item = root, .n_elements = dicom_item_n_elements(root)};

  g_array_append_val(levels, first);
  while (levels->len > 0) {
    Level *level = &g_array_index(levels, Level, levels->len - 1);
    DicomElementInfo info;

    if (level->index >= level->n_elements) {
      end_item(deid, levels);
    } else if (dicom_item_element(level->item, level->index++, &info) &&
               !write_element(deid, levels, &info, error)) {
      return FALSE;
    }
  }
  write_given(deid, G_MAXUINT32);
  return TRUE;
}
