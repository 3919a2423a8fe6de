/* write.h - a single-frame object from plain attributes, through DCMTK. Private to the dicom room.
 */
#ifndef HILUM_DICOM_BRIDGE_WRITE_H
#define HILUM_DICOM_BRIDGE_WRITE_H

#include <glib.h>

G_BEGIN_DECLS

/* TAG is 0xGGGGEEEE; VALUE as it stands in a file, several values joined by backslashes; binary
 * numbers in decimal; UTF-8 (SpecificCharacterSet is the caller's to give). */
typedef struct {
  guint32 tag;
  const char *value;
} DicomBridgeValue;

/* Writes N attributes and N_PIXELS words of PixelData as an explicit little-endian Part 10 file.
 * SYNC: aside, synced and renamed; else plainly. A failure leaves nothing behind. */
gboolean dicom_bridge_write(const char *path, const DicomBridgeValue *values, guint n,
                            const guint16 *pixels, gsize n_pixels, gboolean sync, GError **error);

G_END_DECLS
#endif
