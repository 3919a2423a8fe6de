/* wire-info.c - DicomInfo as bytes, by the table of info-fields.c. */
#include "wire.h"

#include "dicom_remote.h"
#include "dicom/info/info-fields.h"
#include "dicom/limits.h"

/* A DICOMDIR names as many files as a scan may have. */
#define MAX_NAMES DICOM_MAX_SCAN_FILES

#define F(type, member, max)                                                                       \
  {                                                                                                \
#member, WIRE_##type, G_STRUCT_OFFSET(DicomPlane, member), max, NULL                           \
  }
static const WireField plane_fields[] = {
    F(BOOL, has_position, 0), F(BOOL, has_orientation, 0), F(BOOL, has_spacing, 0),
    F(DOUBLE, position, 3),   F(DOUBLE, orientation, 6),   F(DOUBLE, spacing, 2),
    F(UINT, stack, G_MAXINT),
};
#undef F
static const WireLayout plane = WIRE_LAYOUT("plane", DicomPlane, plane_fields);

#if GLIB_SIZEOF_VOID_P == 8
/* A field that is in dicom.h and not in the table would silently stay empty: whoever adds one comes
 * by here. */
G_STATIC_ASSERT(sizeof(DicomPlane) == 112);
#endif

static WireField
field_of(const DicomInfoField *from)
{
  static const struct {
    WireType type;
    guint max;
  } types[] = {
      [DICOM_FIELD_TEXT] = {WIRE_TEXT, 0},
      [DICOM_FIELD_ENUM] = {WIRE_UINT, 0},
      [DICOM_FIELD_UINT] = {WIRE_UINT, G_MAXINT},
      [DICOM_FIELD_INT] = {WIRE_INT, 0},
      [DICOM_FIELD_BOOLEAN] = {WIRE_BOOL, 0},
      [DICOM_FIELD_DOUBLE] = {WIRE_DOUBLE, 0},
      [DICOM_FIELD_DOUBLES] = {WIRE_NUMBERS, DICOM_MAX_WINDOWS},
      [DICOM_FIELD_TEXTS] = {WIRE_TEXTS, MAX_NAMES},
      [DICOM_FIELD_PLANES] = {WIRE_ITEMS, DICOM_MAX_FRAMES},
  };
  WireField field = {from->name, types[from->kind].type, from->offset, types[from->kind].max,
                     from->kind == DICOM_FIELD_PLANES ? &plane : NULL};

  if (from->kind == DICOM_FIELD_ENUM) {
    field.max = from->n - 1;
  } else if (from->kind == DICOM_FIELD_DOUBLE) {
    field.max = from->n;
  } else if (from->offset == G_STRUCT_OFFSET(DicomInfo, path)) {
    field.type = WIRE_PATH; /* names of files need not be UTF-8 */
  }
  return field;
}

static const WireLayout *
info_layout(void)
{
  static gsize once = 0;

  if (g_once_init_enter(&once)) {
    WireField *fields = g_new(WireField, dicom_info_n_fields);
    WireLayout *made = g_new(WireLayout, 1);

    for (guint i = 0; i < dicom_info_n_fields; i++) {
      fields[i] = field_of(&dicom_info_fields[i]);
    }
    *made = (WireLayout){"header", sizeof(DicomInfo), fields, dicom_info_n_fields};
    g_once_init_leave(&once, (gsize)made);
  }
  return (const WireLayout *)once;
}

gboolean
dicom_info_is_sound(const DicomInfo *info, const char **why)
{
  const struct {
    const char *name;
    guint value, max;
  } bounds[] = {
      {"rows", info->rows, G_MAXUINT16},
      {"columns", info->columns, G_MAXUINT16},
      {"frames", info->frames, DICOM_MAX_FRAMES},
      {"samples", info->samples, G_MAXUINT16},
      {"planar", info->planar, 1},
      {"bits_allocated", info->bits_allocated, G_MAXUINT16},
      {"bits_stored", info->bits_stored, G_MAXUINT16},
      {"high_bit", info->high_bit, G_MAXUINT16},
      {"pixel_representation", info->pixel_representation, 1},
      {"n_voi_luts", info->n_voi_luts, DICOM_MAX_WINDOWS},
      {"window_explanation", info->window_explanation->len, DICOM_MAX_WINDOWS},
      {"lut_explanation", info->lut_explanation->len, DICOM_MAX_WINDOWS},
      {"planes", info->planes->len, info->frames},
  };

  if (!dicom_wire_check(info_layout(), info, why)) {
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS(bounds); i++) {
    if (bounds[i].value > bounds[i].max) {
      *why = bounds[i].name;
      return FALSE;
    }
  }
  *why = "regions";
  if (info->regions->len % 6 != 0) {
    return FALSE;
  }
  *why = "window_width";
  return info->window_center->len == info->window_width->len;
}

GBytes *
dicom_info_pack(const DicomInfo *info)
{
  return dicom_wire_pack(info_layout(), info);
}

DicomInfo *
dicom_info_unpack(const guint8 *bytes, gsize n, GError **error)
{
  g_autoptr(DicomInfo) info = g_new0(DicomInfo, 1);
  const char *why;

  if (!dicom_wire_unpack(info_layout(), info, bytes, n, error)) {
    return NULL;
  }
  if (!dicom_info_is_sound(info, &why)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_HELPER,
                "the decoding process answered nonsense: %s of the header cannot be", why);
    return NULL;
  }
  return g_steal_pointer(&info);
}
