/* dicom.h - from a file to a picture.
 *
 * What this room does: opens DICOM Part 10 files (and data sets without the preamble) through the
 * DCMTK bridge, and JPEG and PNG pictures; decodes frames; applies modality LUT, VOI LUT or window
 * and presentation LUT shape; makes THE 8-bit RGB picture for a frame and window, once, for screen,
 * model and exports alike; sorts a folder into series by geometry; writes PNG and phantoms.
 * What it does not do: show anything, know the model, log, use the network.
 *
 * Thread rule: functions are synchronous; distinct objects may be used from distinct threads, one
 * object from one thread at a time. DicomInfo and DicomPicture are plain data.
 * Errors: GError of domain DICOM_ERROR; NULL or FALSE if and only if it is set. Messages name the
 * file, the attribute by its keyword, what was found and what was expected - never patient data.
 */
#ifndef HILUM_DICOM_H
#define HILUM_DICOM_H

#include <glib.h>

G_BEGIN_DECLS

#define DICOM_ERROR (dicom_error_quark())
GQuark dicom_error_quark(void);
typedef enum {
  DICOM_ERROR_FORMAT,      /* not DICOM, JPEG or PNG */
  DICOM_ERROR_UNSUPPORTED, /* known, not read here (names the transfer syntax or object kind) */
  DICOM_ERROR_CORRUPT,
  DICOM_ERROR_TOO_LARGE, /* over dicom/limits.h */
  DICOM_ERROR_IO,
} DicomError;

/* ---- files -------------------------------------------------------------------------------- */

typedef enum { DICOM_KIND_DICOM, DICOM_KIND_JPEG, DICOM_KIND_PNG } DicomKind;

/* Header facts. Strings are never NULL ("" when absent), arrays may be empty. Attribute names are
 * DICOM keywords. For JPEG and PNG the DICOM-only fields are empty. */
typedef struct {
  DicomKind kind;
  char *path;
  char *transfer_syntax, *sop_class, *sop_instance_uid, *study_instance_uid, *series_instance_uid;
  char *frame_of_reference_uid;
  char *modality, *photometric;
  guint rows, columns, frames, samples, planar, bits_allocated, bits_stored, high_bit;
  guint pixel_representation;
  gboolean has_planar;                  /* PlanarConfiguration present */
  gboolean has_bits;                    /* the four bit fields are meaningful */
  GArray *window_center, *window_width; /* of double, equal lengths */
  GPtrArray *window_explanation;        /* of char *, may be shorter */
  char *voi_lut_function;               /* "LINEAR", "LINEAR_EXACT", "SIGMOID" */
  guint n_voi_luts;                     /* items of VOILUTSequence */
  gboolean has_modality_lut, has_rescale;
  double slope, intercept; /* 1 and 0 when absent */
  char *rescale_type;
  gboolean inverse_shape; /* PresentationLUTShape INVERSE */
  gboolean lossy;         /* LossyImageCompression 01 or a lossy transfer syntax */
  /* text for people and prompts, as UTF-8 */
  char *patient_name, *patient_id, *patient_birth_date, *patient_sex;
  char *study_id, *study_date, *study_time, *accession_number, *study_description;
  char *series_description, *image_comments, *body_part_examined, *view_position, *laterality;
  char *burned_in_annotation;
  /* place in the series */
  gint series_number, instance_number;
  gboolean has_position, has_orientation, has_spacing;
  double position[3], orientation[6];
  double spacing[2];    /* mm between rows, mm between columns */
  char *spacing_source; /* "PixelSpacing", "ImagerPixelSpacing", "" */
  double slice_thickness;
  double frame_time_ms; /* cine, 0 when absent */
} DicomInfo;

typedef struct _DicomFile DicomFile;

/* Reads the header only (large values stay on disk). */
DicomFile *dicom_file_open(const char *path, GError **error);
void dicom_file_free(DicomFile *file);
const DicomInfo *dicom_file_info(const DicomFile *file); /* borrowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomFile, dicom_file_free)

/* ---- frames ------------------------------------------------------------------------------- */

/* One decoded frame: stored values, and what is needed to show them. Immutable after reading, so
 * it may be shared by threads and cached. */
typedef struct _DicomFrame DicomFrame;

DicomFrame *dicom_file_read_frame(DicomFile *file, guint frame, GError **error);
DicomFrame *dicom_frame_ref(DicomFrame *frame);
void dicom_frame_unref(DicomFrame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomFrame, dicom_frame_unref)

guint dicom_frame_width(const DicomFrame *frame);
guint dicom_frame_height(const DicomFrame *frame);
gsize dicom_frame_bytes(const DicomFrame *frame); /* memory held, for caches */
gboolean dicom_frame_is_colour(const DicomFrame *frame);
/* Value after the modality LUT (HU for CT); FALSE outside or for colour. */
gboolean dicom_frame_value(const DicomFrame *frame, guint x, guint y, double *value);
/* Lowest and highest value after the modality LUT, pixel padding left out. */
void dicom_frame_range(const DicomFrame *frame, double *low, double *high);
/* Stored values, little-endian, samples interleaved, in the stored photometric interpretation. */
const guint8 *dicom_frame_stored(const DicomFrame *frame, gsize *n_bytes);
/* SHA-256 of these bytes, 64 hex digits, owned by the frame. */
const char *dicom_frame_sha256(DicomFrame *frame);

/* All frames: md5 of the stored bytes of all frames in order, and the extremes of the stored values
 * (EXPECTED.tsv's md5_pixels, pix_min, pix_max). Reads frame by frame. MD5 has 33 bytes. */
gboolean dicom_file_pixel_summary(DicomFile *file, char md5[33], double *pix_min, double *pix_max,
                                  GError **error);

/* ---- the picture -------------------------------------------------------------------------- */

typedef enum {
  DICOM_VOI_LINEAR,
  DICOM_VOI_LINEAR_EXACT,
  DICOM_VOI_SIGMOID,
  DICOM_VOI_LUT,
  DICOM_VOI_NONE /* colour, or already 8 bit */
} DicomVoi;

/* A window in output units of the modality LUT (PS3.3 C.11.2.1.2; width >= 1 for linear). */
typedef struct {
  DicomVoi voi;
  double center, width;
  guint lut;       /* item of VOILUTSequence for DICOM_VOI_LUT */
  gboolean invert; /* on top of what the file says */
} DicomWindow;

/* The file's first window, else its first VOI LUT, else the range of the values. */
DicomWindow dicom_frame_default_window(const DicomFrame *frame);

/* An 8-bit RGB picture, row by row, no padding. */
typedef struct {
  guint width, height;
  guint8 *pixels; /* width * height * 3 */
} DicomPicture;
DicomPicture *dicom_picture_new(guint width, guint height); /* black */
void dicom_picture_free(DicomPicture *picture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomPicture, dicom_picture_free)

/* THE rendering. WINDOW may be NULL (the default one). */
DicomPicture *dicom_frame_render(const DicomFrame *frame, const DicomWindow *window,
                                 GError **error);
char *dicom_picture_sha256(const DicomPicture *picture); /* of the RGB bytes; g_free() */
/* Written aside, synced, renamed. */
gboolean dicom_picture_write_png(const DicomPicture *picture, const char *path, GError **error);

/* ---- series ------------------------------------------------------------------------------- */

typedef struct {
  char *path;
  guint frames;
  char *sop_instance_uid;
  gint instance_number;
  gboolean has_position;
  double along; /* mm along the normal of the stack */
} DicomSeriesItem;

typedef struct {
  char *series_instance_uid, *study_instance_uid, *modality, *series_description;
  char *study_description, *patient_name, *patient_id, *study_date;
  gint series_number;
  GPtrArray *items; /* of DicomSeriesItem *, sorted by geometry, else InstanceNumber, else path */
  gboolean sorted_by_geometry;
} DicomSeries;
void dicom_series_free(DicomSeries *series);

typedef struct {
  GPtrArray *series;  /* of DicomSeries * */
  GPtrArray *refused; /* of char *: "path: reason" */
  guint n_files;
} DicomScan;
void dicom_scan_free(DicomScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomScan, dicom_scan_free)

typedef gboolean (*DicomScanProgress)(guint done, guint total, gpointer user); /* FALSE: cancel */
/* PATH: a file or a folder (walked, links not followed out of it). Headers only. */
DicomScan *dicom_scan(const char *path, DicomScanProgress progress, gpointer user, GError **error);

G_END_DECLS
#endif
