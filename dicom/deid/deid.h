/* deid.h - what the files of de-identification share. Private to the room.
 *
 * The method: the data set is walked element by element in the order of the file and written anew
 * at once, so that memory is bounded whatever the size of the file. What happens to an element is
 * decided by the row of PS3.15 table E.1-1 for its tag (deid-table.c), by the options, and, where
 * the table has no row, by the standard's dictionary: what that does not know goes.
 */
#ifndef HILUM_DICOM_DEID_PRIVATE_H
#define HILUM_DICOM_DEID_PRIVATE_H

#include "dicom/dataset/dataset.h"
#include "dicom_deid.h"

/* ---- deid-table.c: PS3.15 table E.1-1 ---------------------------------------------------------
 */

/* Actions of the basic profile, as the table writes them. */
typedef enum {
  DICOM_DEID_X,   /* remove */
  DICOM_DEID_Z,   /* empty, or a dummy */
  DICOM_DEID_D,   /* a dummy */
  DICOM_DEID_U,   /* another UID, always the same */
  DICOM_DEID_XZ,  /* X unless the object must have it, then Z */
  DICOM_DEID_XD,  /* X unless the object must have a value, then D */
  DICOM_DEID_XZD, /* X, Z or D likewise */
  DICOM_DEID_ZD,
  DICOM_DEID_XZU, /* X, Z, or U for the UIDs in its items */
} DicomDeidCode;

/* Columns of the table for the options that are offered here. */
enum {
  DICOM_DEID_DATES = 1 << 0,    /* Retain Longitudinal, modified dates: C */
  DICOM_DEID_DEVICE = 1 << 1,   /* Retain Device Identity: K */
  DICOM_DEID_DEVICE_C = 1 << 2, /* the same: C */
  DICOM_DEID_DESC = 1 << 3,     /* Clean Descriptors: C */
  DICOM_DEID_GRAPH = 1 << 4,    /* Clean Graphics: C */
  DICOM_DEID_CONTENT = 1 << 5,  /* Clean Structured Content: C; not offered, but said */
};

typedef struct {
  guint32 tag; /* sorted by it */
  char vr[3];
  guint8 code, options;
  const char *keyword; /* PS3.6, without "RETIRED_" */
} DicomDeidRow;

/* All rows of one tag each. */
const DicomDeidRow *dicom_deid_rows(guint *n);
/* Rows for groups of tags: curves, overlays, private elements. */
const DicomDeidRow *dicom_deid_patterns(guint *n);
/* The row that covers TAG, NULL when none does. */
const DicomDeidRow *dicom_deid_row(guint32 tag);
/* "X/Z/U*". Static. */
const char *dicom_deid_code_name(DicomDeidCode code);

/* ---- deid-value.c: values in the place of others -----------------------------------------------
 */

/* The UID that stands for UID under KEY: 2.25. and 128 bits of HMAC-SHA256 in decimal (PS3.5 B.2),
 * made a version 8 UUID (RFC 9562). */
void dicom_deid_uid(const guint8 key[32], const char *uid, char out[65]);
/* Whether the UIDs in this element name a class of things and not a thing: SOP classes, transfer
 * syntaxes, coding schemes. */
gboolean dicom_deid_uid_is_class(guint32 tag);
/* UIDs joined by backslashes, with those that the standard itself defines left alone. g_free(). */
char *dicom_deid_uids(const guint8 key[32], const char *uids);
/* Sixteen letters and digits for VALUE, always the same under KEY; WHAT keeps patient, accession
 * and study numbers apart. */
void dicom_deid_pseudonym(const guint8 key[32], const char *what, const char *value, char out[17]);
/* By how many days the dates of PATIENT go back: 30 to 3679, always the same. */
guint dicom_deid_days(const guint8 key[32], const char *patient);
/* DA or DT values, joined by backslashes, DAYS earlier; the time of day stays. NULL when one is no
 * date that can be shifted. g_free(). */
char *dicom_deid_shift(const char *text, guint days);
/* What is left of a free text: the words of a fixed vocabulary of modalities, body parts,
 * directions and techniques, and small numbers beside them. g_free(). */
char *dicom_deid_clean(const char *text);
/* Whether WORD stands in TEXT, whole and in capitals or not. */
gboolean dicom_deid_has_word(const char *text, const char *word);
/* A value without meaning for a VR; NULL for binary ones. Static. */
const char *dicom_deid_dummy(const char *vr);
gboolean dicom_deid_vr_is_text(const char *vr);
gboolean dicom_deid_vr_is_free_text(const char *vr);
/* Bytes of the unit that is swapped between byte orders: 1, 2, 4 or 8. */
guint dicom_deid_vr_unit(const char *vr);
/* A CodingSchemeDesignator of PS3.16 chapter 8 whose codes cannot name a person or a place. */
gboolean dicom_deid_scheme_is_public(const char *designator);

/* ---- deid-write.c: the copy -------------------------------------------------------------------
 */

typedef struct _DicomDeidOut DicomDeidOut;

/* Opens a file aside in FOLDER, which is made. */
DicomDeidOut *dicom_deid_out_new(const char *folder, GError **error);
/* Removes the file aside if it was not finished. */
void dicom_deid_out_free(DicomDeidOut *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomDeidOut, dicom_deid_out_free)
/* Preamble, file meta information, and from here on the encoding of the transfer syntax. */
void dicom_deid_out_begin(DicomDeidOut *out, const char *sop_class, const char *sop_instance,
                          const char *syntax_uid, const DicomSyntax *syntax);
gboolean dicom_deid_out_big_endian(const DicomDeidOut *out);
/* A failure is remembered, and told by finish(); FALSE after one. */
gboolean dicom_deid_out_bytes(DicomDeidOut *out, const void *bytes, gsize n);
/* VR NULL for items and delimiters. A short VR with a long value is written as UN. */
gboolean dicom_deid_out_header(DicomDeidOut *out, guint32 tag, const char *vr, guint32 length);
/* A whole element, padded to an even length. */
gboolean dicom_deid_out_text(DicomDeidOut *out, guint32 tag, const char *vr, const char *text);
gboolean dicom_deid_out_us(DicomDeidOut *out, guint32 tag, guint value);
/* Ends the file, syncs it and gives it the name PATH (in a folder that is made), which must be
 * free. */
/* Why a write failed, as an error number; 0 when none did. */
int dicom_deid_out_errno(const DicomDeidOut *out);
gboolean dicom_deid_out_finish(DicomDeidOut *out, const char *path, GError **error);

/* ---- deid-pixels.c: what is burned in -----------------------------------------------------------
 */

typedef struct {
  gboolean rewrite;  /* frames are decoded, blanked and written as they are */
  gboolean whole;    /* no region: only BLANK is blanked */
  DicomRect *region; /* everything outside of all of these is blanked */
  guint n_regions;
  const DicomRect *blank; /* the caller's */
  guint n_blank;
  guint rows, columns, frames;
  DicomFrame *first; /* frame 0, which says how the others look */
} DicomDeidPixels;

void dicom_deid_pixels_clear(DicomDeidPixels *pixels);
/* Decides from the header. FALSE: the object must not be copied. UNSURE receives sentences. */
gboolean dicom_deid_pixels_plan(const DicomItem *root, const char *name,
                                const DicomDeidOptions *options, DicomDeidPixels *pixels,
                                GPtrArray *unsure, GError **error);
/* Decodes frame 0. */
gboolean dicom_deid_pixels_begin(DicomDeidPixels *pixels, const char *name, DicomDeidFrame frame,
                                 gpointer user, GError **error);
/* The element of PixelData, explicit VR little endian. */
gboolean dicom_deid_pixels_write(const DicomDeidPixels *pixels, const char *name,
                                 DicomDeidFrame frame, gpointer user, DicomDeidOut *out,
                                 GError **error);
/* Blanks in N bytes of stored values. */
void dicom_deid_pixels_blank(const DicomDeidPixels *pixels, const DicomFrame *frame, guint8 *bytes);
/* "YBR_FULL" */
const char *dicom_deid_pixels_photometric(const DicomFrame *frame);

/* deid-comments.c: ranges of comments and application data in the beginning of a JPEG or JPEG 2000
 * code stream, which are overwritten; offsets from BYTES. GArray of DicomDeidRange. */
typedef struct {
  gsize start, n;
} DicomDeidRange;
GArray *dicom_deid_comments(const guint8 *bytes, gsize n);

/* ---- deid-rules.c: what happens to an element ---------------------------------------------------
 */

typedef enum {
  DICOM_DEID_ACT_KEEP,
  DICOM_DEID_ACT_DROP, /* nothing to be reported: group lengths, padding */
  DICOM_DEID_ACT_REMOVE,
  DICOM_DEID_ACT_EMPTY,
  DICOM_DEID_ACT_DUMMY,
  DICOM_DEID_ACT_PSEUDONYM,
  DICOM_DEID_ACT_UID,
  DICOM_DEID_ACT_SHIFT,
  DICOM_DEID_ACT_CLEAN,
} DicomDeidAct;

/* How the elements of an item are looked at, beside their own rows. */
typedef enum {
  DICOM_DEID_NORMAL,
  DICOM_DEID_CLEANED, /* free text is cleaned */
  DICOM_DEID_STRICT,  /* free text and local codes become dummies */
  DICOM_DEID_PERSON,  /* all codes too */
} DicomDeidMode;

typedef struct {
  DicomDeidAct act;
  DicomDeidAct otherwise; /* where nothing is left of a cleaned text, or a date cannot be shifted */
  DicomDeidMode mode;     /* of the items of a sequence that is kept */
  char vr[3];             /* of the element, "" when nobody knows */
  const char *keyword;    /* NULL: by tag */
} DicomDeidRule;

/* CodeValue, CodeMeaning and the like, which a code item is made of. */
gboolean dicom_deid_is_code(guint32 tag);
/* PUBLIC_CODE: the element lies in a code item whose scheme is public. */
DicomDeidRule dicom_deid_rule(const DicomDeidOptions *options, const DicomElementInfo *info,
                              DicomDeidMode mode, gboolean public_code);

/* ---- deid-walk.c: from the data set to the copy
 * -------------------------------------------------- */

/* What is written at its place in the root whatever the file has there. */
typedef struct {
  guint32 tag;
  const char *vr;
  char *text; /* owned; NULL: NUMBER, or the sequence of method codes */
  guint number;
} DicomDeidGiven;
void dicom_deid_given_clear(DicomDeidGiven *given);

typedef struct {
  const DicomDeidOptions *options;
  char *name; /* for messages */
  DicomDataset *dataset;
  DicomDeidOut *out;
  DicomDeidPixels pixels;
  DicomDeidFrame frame;
  gpointer user;
  GArray *given; /* of DicomDeidGiven, by tag */
  guint next_given;
  char *patient;                           /* what tells one patient from another; never "" */
  char *patient_name, *patient_id, *study; /* as in the file, "" when absent */
  GPtrArray *needles; /* of char *: words of PatientName and PatientID, as they are in the file */
  gboolean is_signed; /* PixelRepresentation, for "US or SS" in implicit VR */
  GHashTable *removed, *replaced, *kept, *cleaned; /* sets of char * */
  GPtrArray *unsure;                               /* of char * */
} DicomDeid;

/* Writes the whole data set. */
gboolean dicom_deid_walk(DicomDeid *deid, GError **error);
/* deid-copy.c: the value of INFO as it is, in the encoding of the copy, its header before it. */
gboolean dicom_deid_copy(DicomDeid *deid, const DicomElementInfo *info, const DicomDeidRule *rule,
                         GError **error);
gboolean dicom_deid_copy_fragments(DicomDeid *deid, const DicomElementInfo *info, GError **error);
/* N zero bytes under INFO's header. */
gboolean dicom_deid_copy_zeros(DicomDeid *deid, const DicomElementInfo *info,
                               const DicomDeidRule *rule);
/* The VR in the copy. Static. */
const char *dicom_deid_copy_vr(const DicomDeid *deid, const DicomElementInfo *info,
                               const DicomDeidRule *rule);
/* The text of INFO without padding; NULL when it is too long or cannot be read. g_free(). */
char *dicom_deid_copy_text(DicomDeid *deid, const DicomElementInfo *info);

#endif
