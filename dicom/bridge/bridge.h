/* bridge.h - DCMTK behind a C header. Private to the dicom room.
 *
 * What is left of DCMTK in reading: one code stream of the JPEG family at a time, given as bytes,
 * and names of UIDs. No C++ type and no DCMTK type crosses this line, and no exception does: every
 * entry catches everything, running out of memory too.
 *
 * DCMTK starts (some 10 ms for its dictionary) when something of it is first needed, not before.
 *
 * Thread rule: any function from any thread.
 */
#ifndef HILUM_DICOM_BRIDGE_H
#define HILUM_DICOM_BRIDGE_H

#include <glib.h>

G_BEGIN_DECLS

/* Registers the codecs, silences DCMTK's log and checks its dictionary, once per process. Every
 * other entry calls it. */
gboolean dicom_bridge_init(GError **error);

/* "CTImageStorage" for its UID; NULL when unknown. Static. */
const char *dicom_bridge_uid_name(const char *uid);

typedef struct {
  const guint8 *bytes;
  gsize n;
  const char *syntax_uid; /* of the JPEG or JPEG-LS transfer syntax */
  guint rows, columns, samples, bits_allocated, bits_stored;
  gboolean is_signed;
  const char *photometric;
  char wrong[160]; /* room for the phrase */
} DicomBridgeJpeg;

/* Decodes one whole code stream, samples interleaved, words in the machine's order, 8 bits wide
 * where the stream has at most 8, into OUT of N_OUT bytes (one more than the frame if that is odd).
 * PHOTOMETRIC receives the colour model of the result. NULL, or what is wrong, as a phrase for a
 * message. */
const char *dicom_bridge_decode_jpeg(DicomBridgeJpeg *job, void *out, gsize n_out,
                                     char photometric[17]);

G_END_DECLS
#endif
