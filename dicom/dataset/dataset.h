/* dataset.h - one data set as a tree of elements (PS3.5 clause 7), read without DCMTK. Private.
 *
 * One walk over the bytes builds the tree and checks everything: nesting, lengths, counts. Values
 * stay where they are and are read when they are asked for. No recursion, no dictionary: in
 * implicit VR the reader of a value says what it expects, and an element of defined length that
 * begins with an item is tried as a sequence and left as a value where it turns out to be something
 * else.
 *
 * Thread rule: one data set from one thread at a time.
 */
#ifndef HILUM_DICOM_DATASET_H
#define HILUM_DICOM_DATASET_H

#include "element.h"
#include "meta.h"

typedef struct _DicomDataset DicomDataset;
/* The data set itself or a sequence item, borrowed from its data set. */
typedef struct _DicomItem DicomItem;

/* Walks SOURCE, which stays the caller's and outlives the data set. In a deflated transfer syntax
 * the data set inflates it into memory of its own. NAME is for messages. */
DicomDataset *dicom_dataset_read(DicomSource *source, const char *name, const DicomMeta *meta,
                                 GError **error);
void dicom_dataset_free(DicomDataset *dataset);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomDataset, dicom_dataset_free)
const DicomItem *dicom_dataset_root(const DicomDataset *dataset);
/* The bytes that offsets refer to: the source itself, or what it inflated to. */
DicomSource *dicom_dataset_source(const DicomDataset *dataset);
/* What was wrong and could be lived with, for people ("ends inside element (7FE0,0010)"); "". */
const char *dicom_dataset_damage(const DicomDataset *dataset);

/* ---- elements, in file order (for de-identification, tag browsing, presentation states) --------
 */

typedef struct {
  guint32 tag, length;        /* DICOM_UNDEFINED possible for sequences and encapsulated pixels */
  char vr[3];                 /* as in the file; "" in implicit VR */
  guint64 header, value, end; /* offsets: of the element, of its value, of what follows it */
  gboolean is_sequence, is_fragments;
  gboolean explicit_vr, big_endian; /* how this element is encoded */
  guint n_items;                    /* of a sequence */
} DicomElementInfo;
guint dicom_item_n_elements(const DicomItem *item);
gboolean dicom_item_element(const DicomItem *item, guint index, DicomElementInfo *info);
const DicomItem *dicom_item_element_item(const DicomItem *item, guint index, guint item_index);

/* ---- values; TAG is 0xGGGGEEEE ------------------------------------------------------------------
 */

/* Present and not empty. */
gboolean dicom_item_has(const DicomItem *item, guint32 tag);
/* Value as UTF-8 by the SpecificCharacterSet in force (charset.c), several values joined by
 * backslashes, without padding, "" when absent; never NULL, g_free(). Numbers of binary VRs in
 * decimal. */
char *dicom_item_text(const DicomItem *item, guint32 tag);
/* Numbers of a DS, IS or binary element. Returns how many of the at most MAX are well formed, up to
 * the first that is not; 0 when absent. */
guint dicom_item_numbers(const DicomItem *item, guint32 tag, double *values, guint max);
/* The value's bytes as little-endian 16-bit words; NULL when absent or larger than MAX_WORDS. */
guint16 *dicom_item_words(const DicomItem *item, guint32 tag, gsize max_words, gsize *n_words);
/* The value's bytes as they are in the file; NULL when absent or larger than MAX. g_free(). */
guint8 *dicom_item_bytes(const DicomItem *item, guint32 tag, gsize max, gsize *n);
/* Items of a sequence; 0 when absent. */
guint dicom_item_count(const DicomItem *item, guint32 tag);
/* Item INDEX of a sequence, NULL when there is none. */
const DicomItem *dicom_item_nested(const DicomItem *item, guint32 tag, guint index);

/* charset.c: N bytes as UTF-8 by the values of SpecificCharacterSet (PS3.3 C.12.1.1.2, PS3.5 6.1),
 * "" for the default repertoire; IS_NAME: '^' and '=' reset the character set too. What is
 * illegible becomes U+FFFD. g_free(). */
char *dicom_charset_to_utf8(const char *bytes, gsize n, const char *charsets, gboolean is_name);
/* Loads every converter of the C library that this needs, and keeps it: for a process that is about
 * to lose the right to open files. */
void dicom_charset_load(void);

#endif
