/* bridge.h - DCMTK behind a C header. Private to the dicom room.
 *
 * No C++ type and no DCMTK type crosses this line, and no exception does: every entry catches
 * everything, running out of memory too. Nothing here judges a file; the caller has walked it with
 * dicom_prescan() before.
 *
 * Thread rule: distinct bridges may be used from distinct threads; one bridge from one at a time.
 */
#ifndef HILUM_DICOM_BRIDGE_H
#define HILUM_DICOM_BRIDGE_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct _DicomBridge DicomBridge;
/* A data set or a sequence item, borrowed from its bridge. */
typedef struct _DicomItem DicomItem;

/* Registers the codecs, silences DCMTK's log and checks its dictionary, once per process. */
gboolean dicom_bridge_init(GError **error);

/* Parses the data set of PATH that begins at byte START and is encoded in the transfer syntax UID.
 * Large values stay on disk. NAME is for messages. */
DicomBridge *dicom_bridge_open(const char *path, const char *name, guint64 start, const char *uid,
                               GError **error);
void dicom_bridge_free(DicomBridge *bridge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomBridge, dicom_bridge_free)

const DicomItem *dicom_bridge_root(const DicomBridge *bridge);
/* "CT Image Storage" for its UID; NULL when unknown. Static. */
const char *dicom_bridge_uid_name(const char *uid);

/* ---- attributes (attributes.cc); TAG is 0xGGGGEEEE --------------------------------------------
 */

/* Present and not empty. */
gboolean dicom_item_has(const DicomItem *item, guint32 tag);
/* Value as UTF-8, several values joined by backslashes, "" when absent; never NULL, g_free(). */
char *dicom_item_text(const DicomItem *item, guint32 tag);
/* Numbers of a DS, IS or binary element. Returns how many of the at most MAX are well formed, up to
 * the first that is not; 0 when absent. */
guint dicom_item_numbers(const DicomItem *item, guint32 tag, double *values, guint max);
/* The value's bytes as little-endian 16-bit words; NULL when absent or larger than MAX_WORDS. */
guint16 *dicom_item_words(const DicomItem *item, guint32 tag, gsize max_words, gsize *n_words);
/* Items of a sequence; 0 when absent. */
guint dicom_item_count(const DicomItem *item, guint32 tag);
/* Item INDEX of a sequence, NULL when there is none. */
const DicomItem *dicom_item_nested(const DicomItem *item, guint32 tag, guint index);

/* ---- pixels (pixels.cc) ------------------------------------------------------------------------
 */

/* TRUE when PixelData (7FE0,0010) holds fragments. */
gboolean dicom_bridge_is_encapsulated(const DicomBridge *bridge);
/* N bytes of the uncompressed value of element TAG from OFFSET on, its words little-endian. */
gboolean dicom_bridge_native(DicomBridge *bridge, guint32 tag, guint64 offset, void *out, gsize n,
                             GError **error);
/* The fragment (1 is the first after the offset table) in which frame FRAME of N_FRAMES begins. */
gboolean dicom_bridge_first_fragment(DicomBridge *bridge, guint frame, guint n_frames,
                                     guint *fragment, GError **error);
/* The fragments FIRST to LAST joined, at most MAX bytes; g_free(). */
guint8 *dicom_bridge_join_fragments(DicomBridge *bridge, guint first, guint last, gsize max,
                                    gsize *n, GError **error);
/* Up to N bytes from the beginning of a fragment. */
gboolean dicom_bridge_peek_fragment(DicomBridge *bridge, guint fragment, guint8 *out, gsize n,
                                    gsize *got, gsize *length, GError **error);
/* Decodes one frame, samples interleaved, words in the machine's order, into OUT of N bytes (one
 * more than the frame if that is odd). PHOTOMETRIC receives the colour model of the result. */
gboolean dicom_bridge_decode(DicomBridge *bridge, guint frame, guint fragment, void *out, gsize n,
                             char photometric[17], GError **error);

G_END_DECLS
#endif
