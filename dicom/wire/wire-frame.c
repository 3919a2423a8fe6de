/* wire-frame.c - DicomFrame as bytes, and what must hold of one: a new field is one line here. */
#include "wire.h"

#include "dicom_remote.h"
#include "dicom/limits.h"

#include <string.h>

#define F(type, member, max)                                                                       \
  {                                                                                                \
#member, WIRE_##type, G_STRUCT_OFFSET(DicomWindow, member), max, NULL                          \
  }
static const WireField window_fields[] = {
    F(UINT, voi, DICOM_VOI_NONE),    F(DOUBLE, center, 1), F(DOUBLE, width, 1),
    F(UINT, lut, DICOM_MAX_WINDOWS), F(BOOL, invert, 0),
};
#undef F
static const WireLayout window = WIRE_LAYOUT("window", DicomWindow, window_fields);

#define F(type, member, max)                                                                       \
  {                                                                                                \
#member, WIRE_##type, G_STRUCT_OFFSET(DicomFrame, member), max, NULL                           \
  }
static const WireField mark_fields[] = {
    {"start", WIRE_UINT, G_STRUCT_OFFSET(DicomMark, start), G_MAXUINT32, NULL},
    {"length", WIRE_UINT, G_STRUCT_OFFSET(DicomMark, length), G_MAXUINT32, NULL},
    {"kind", WIRE_UINT, G_STRUCT_OFFSET(DicomMark, kind), MARK_SHUTTER | MARK_STROKE, NULL},
};
static const WireLayout mark = WIRE_LAYOUT("mark", DicomMark, mark_fields);

static const WireField frame_fields[] = {
    F(UINT, width, G_MAXUINT16),
    F(UINT, height, G_MAXUINT16),
    F(UINT, samples, 4),
    F(UINT, type, SAMPLE_F64),
    F(UINT, colour, COLOUR_PALETTE),
    F(UINT, bits_stored, 64),
    F(UINT, shift, 31),
    F(BOOL, is_signed, 0),
    F(LUT, modality, 0),
    F(DOUBLE, slope, 1),
    F(DOUBLE, intercept, 1),
    F(BOOL, has_padding, 0),
    F(DOUBLE, padding_low, 1),
    F(DOUBLE, padding_high, 1),
    F(BOOL, ready_8bit, 0),
    {"windows", WIRE_ITEMS, G_STRUCT_OFFSET(DicomFrame, windows), DICOM_MAX_WINDOWS, &window},
    F(LUTS, voi_luts, DICOM_MAX_WINDOWS),
    F(BOOL, inverse, 0),
    F(LUT, palette[0], 0),
    F(LUT, palette[1], 0),
    F(LUT, palette[2], 0),
    F(LUT, presentation, 0),
    F(UINT, turns, 3),
    F(BOOL, flip, 0),
    {"marks", WIRE_ITEMS, G_STRUCT_OFFSET(DicomFrame, marks), DICOM_MAX_MARKS, &mark},
    F(UINT, shutter_grey, 255),
    {"covers", WIRE_ITEMS, G_STRUCT_OFFSET(DicomFrame, covers), DICOM_MAX_MARKS, &mark},
    F(UINT, cover_grey, 255),
    F(TEXTS, texts, DICOM_MAX_GRAPHIC_TEXTS),
    F(NUMBERS, text_points, 2 * DICOM_MAX_GRAPHIC_TEXTS),
    F(UINT, left_out, DICOM_LEFT_OUT_ALL),
    F(BOOL, has_area, 0),
    F(DOUBLE, area, 4),
    F(DOUBLE, low, 1),
    F(DOUBLE, high, 1),
    F(BOOL, raw_known, 0),
    F(BOOL, raw_signed, 0),
    F(INT, raw_low, 0),
    F(INT, raw_high, 0),
};
#undef F
static const WireLayout layout = WIRE_LAYOUT("frame", DicomFrame, frame_fields);

#if GLIB_SIZEOF_VOID_P == 8
/* As in wire-info.c; the fields that do not travel are refs, stored, n_bytes, owner, ranged and
 * sha256. */
G_STATIC_ASSERT(sizeof(DicomFrame) == 320);
G_STATIC_ASSERT(sizeof(DicomWindow) == 32);
#endif

static gboolean
shape_is_sound(const DicomFrame *frame)
{
  guint64 n = (guint64)frame->width * frame->height * frame->samples;

  return frame->width > 0 && frame->height > 0 && frame->samples > 0 &&
         n <= DICOM_MAX_FRAME_BYTES / dicom_sample_bytes(frame->type) &&
         frame->n_bytes == n * dicom_sample_bytes(frame->type) && frame->stored;
}

/* The value is BITS_STORED bits above SHIFT; a frame of real numbers has neither. */
static gboolean
bits_are_sound(const DicomFrame *frame)
{
  guint bits = (guint)dicom_sample_bytes(frame->type) * 8;

  return frame->bits_stored > 0 && frame->shift + frame->bits_stored <= bits;
}

static gboolean
colour_is_sound(const DicomFrame *frame)
{
  gboolean palette = frame->colour == COLOUR_PALETTE;

  for (guint i = 0; i < 3; i++) {
    if ((frame->palette[i] != NULL) != palette || (palette && frame->palette[i]->bits < 8)) {
      return FALSE;
    }
  }
  if (palette && frame->type >= SAMPLE_F32) {
    return FALSE;
  }
  return frame->samples == (frame->colour == COLOUR_GREY || palette ? 1u : 3u);
}

/* A value that is no number must not become a place in a table. */
static gboolean
rescale_is_sound(const DicomFrame *frame)
{
  return frame->slope != 0 && (!frame->modality || frame->type < SAMPLE_F32);
}

static gboolean
windows_are_sound(const DicomFrame *frame)
{
  for (guint i = 0; i < frame->windows->len; i++) {
    const DicomWindow *w = &g_array_index(frame->windows, DicomWindow, i);

    if (w->width <= 0 || (w->voi == DICOM_VOI_LUT && w->lut >= frame->voi_luts->len)) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
raw_is_sound(const DicomFrame *frame)
{
  gint first = frame->raw_signed ? G_MININT16 : 0;
  gint last = frame->raw_signed ? G_MAXINT16 : G_MAXUINT16;

  return !frame->raw_known || (dicom_sample_bytes(frame->type) <= 2 && frame->raw_low >= first &&
                               frame->raw_low <= frame->raw_high && frame->raw_high <= last);
}

/* Ascending and inside the picture. */
static gboolean
marks_are_sound(const DicomFrame *frame, const GArray *marks)
{
  guint64 n = (guint64)frame->width * frame->height, at = 0;

  for (guint i = 0; i < marks->len; i++) {
    const DicomMark *m = &g_array_index(marks, DicomMark, i);

    if (m->start < at || (guint64)m->start + m->length > n) {
      return FALSE;
    }
    at = (guint64)m->start + m->length;
  }
  return TRUE;
}

/* A state's covers replace the image's own. */
static gboolean
covers_are_sound(const DicomFrame *frame)
{
  return marks_are_sound(frame, frame->covers) &&
         (frame->covers->len == 0 || (frame->turns == 0 && !frame->flip));
}

/* Only grey has any of this. */
static gboolean
presentation_is_sound(const DicomFrame *frame)
{
  gboolean any = frame->presentation || frame->turns || frame->flip || frame->marks->len > 0;

  return marks_are_sound(frame, frame->marks) && frame->text_points->len == 2 * frame->texts->len &&
         (!any || frame->colour == COLOUR_GREY);
}

gboolean
dicom_frame_is_sound(const DicomFrame *frame, const char **why)
{
  const struct {
    gboolean (*holds)(const DicomFrame *frame);
    const char *what;
  } rules[] = {{shape_is_sound, "the size"},
               {bits_are_sound, "bits_stored"},
               {colour_is_sound, "the colour"},
               {rescale_is_sound, "the rescale"},
               {windows_are_sound, "a window"},
               {raw_is_sound, "the range of the samples"},
               {covers_are_sound, "an overlay or shutter"},
               {presentation_is_sound, "the presentation state"}};

  if (!dicom_wire_check(&layout, frame, why)) {
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
    if (!rules[i].holds(frame)) {
      *why = rules[i].what;
      return FALSE;
    }
  }
  dicom_frame_need_range(frame);
  *why = "the range";
  return frame->low <= frame->high;
}

GBytes *
dicom_frame_pack(const DicomFrame *frame)
{
  dicom_frame_need_range(frame);
  return dicom_wire_pack(&layout, frame);
}

DicomFrame *
dicom_frame_unpack(const guint8 *bytes, gsize n, GBytes *pixels, GError **error)
{
  g_autoptr(DicomFrame) frame = g_new0(DicomFrame, 1);
  const char *why;

  frame->refs = 1;
  frame->ranged = TRUE;
  frame->owner = g_bytes_ref(pixels);
  /* Nobody writes to the stored values of a finished frame. */
  frame->stored = (guint8 *)g_bytes_get_data(pixels, &frame->n_bytes);
  if (!dicom_wire_unpack(&layout, frame, bytes, n, error)) {
    return NULL;
  }
  if (!dicom_frame_is_sound(frame, &why)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_HELPER,
                "the decoding process answered nonsense: %s of the frame cannot be", why);
    return NULL;
  }
  return g_steal_pointer(&frame);
}
