/* wire.h - plain structures as bytes and back, by tables of their fields. Private to the room.
 *
 * Both ends run on one machine and come from one build, so numbers travel as they are; but the
 * bytes may come from a helper that a hostile file has taken over, so that every length is held
 * against what is there, every number against its field's bounds, and every text against UTF-8.
 */
#ifndef HILUM_DICOM_WIRE_H
#define HILUM_DICOM_WIRE_H

#include "dicom/frame.h"

typedef enum {
  WIRE_BOOL,    /* gboolean, strictly 0 or 1 */
  WIRE_UINT,    /* guint or an enumeration, 0 to MAX */
  WIRE_INT,     /* gint */
  WIRE_DOUBLE,  /* MAX of them in a row, finite */
  WIRE_TEXT,    /* char *, never NULL, UTF-8 */
  WIRE_PATH,    /* char *, never NULL, any bytes but 0 */
  WIRE_TEXTS,   /* GPtrArray of char *, at most MAX */
  WIRE_NUMBERS, /* GArray of double, at most MAX, finite */
  WIRE_ITEMS,   /* GArray of a structure of plain fields, OF, at most MAX */
  WIRE_LUT,     /* DicomLut *, may be NULL */
  WIRE_LUTS,    /* GPtrArray of DicomLut *, at most MAX */
} WireType;

typedef struct _WireLayout WireLayout;
typedef struct {
  const char *name; /* for messages */
  WireType type;
  gsize offset;
  guint max;
  const WireLayout *of;
} WireField;

struct _WireLayout {
  const char *name;
  gsize size;
  const WireField *fields;
  guint n_fields;
};

#define WIRE_LAYOUT(name, structure, fields)                                                       \
  {                                                                                                \
    name, sizeof(structure), fields, G_N_ELEMENTS(fields)                                          \
  }

GBytes *dicom_wire_pack(const WireLayout *layout, const void *object);
/* Gives every field of OBJECT, which is all zeros, an empty value of its own; what the bytes do not
 * reach stays so. N bytes must be the object and nothing else. */
gboolean dicom_wire_unpack(const WireLayout *layout, void *object, const guint8 *bytes, gsize n,
                           GError **error);
/* Whether unpacking would take OBJECT; else the name of the field that it would not. */
gboolean dicom_wire_check(const WireLayout *layout, const void *object, const char **field);

/* What the functions that show a frame rely on; WHY is static. The helper asks before it sends, as
 * a file's nonsense must be told as such, and the asking end before it believes. */
gboolean dicom_frame_is_sound(const DicomFrame *frame, const char **why);
gboolean dicom_info_is_sound(const DicomInfo *info, const char **why);

#endif
