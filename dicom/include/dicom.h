/* dicom.h - from a file to a picture.
 *
 * What this room does: opens DICOM Part 10 files (and data sets without the preamble), and JPEG and
 * PNG pictures; decodes frames; applies modality LUT, VOI LUT or window and presentation LUT shape;
 * makes THE 8-bit RGB picture for a frame and window, once, for screen, model and exports alike;
 * sorts folders into patients, studies and series by geometry; says what an image is; writes PNG,
 * phantoms and de-identified copies.
 * What it does not do: show anything, know the model, log, use the network.
 *
 * Foreign bytes are read by what dicom_file_open() and dicom_file_read_frame() call. The
 * application does not call these two: it asks a helper process, in which they run
 * (dicom_remote.h).
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
  DICOM_ERROR_HELPER, /* the decoding process died, or took too long, or spoke nonsense */
} DicomError;

/* Of scans in files, of a file in frames; FALSE: cancel. */
typedef gboolean (*DicomScanProgress)(guint done, guint total, gpointer user);

/* ---- files -------------------------------------------------------------------------------- */

typedef enum { DICOM_KIND_DICOM, DICOM_KIND_JPEG, DICOM_KIND_PNG } DicomKind;

/* What a DICOM object is for, from its SOPClassUID and from whether it has pixels that this room
 * knows. Only DICOM_CONTENT_IMAGE has frames; a segmentation and a dose with PixelData are images.
 */
typedef enum {
  DICOM_CONTENT_IMAGE,
  DICOM_CONTENT_REPORT,       /* structured report, key object selection too */
  DICOM_CONTENT_PDF,          /* encapsulated PDF; other encapsulated documents are OTHER */
  DICOM_CONTENT_PRESENTATION, /* presentation state of any kind */
  DICOM_CONTENT_RADIOTHERAPY, /* plan, structure set, treatment record */
  DICOM_CONTENT_WAVEFORM,     /* ECG and the like */
  DICOM_CONTENT_DIRECTORY,    /* DICOMDIR */
  DICOM_CONTENT_OTHER,
} DicomContent;
/* "image", "report", "pdf", "presentation-state", "radiotherapy", "waveform", "directory", "other".
 * Static. */
const char *dicom_content_name(DicomContent content);

/* The name of a transfer syntax in PS3.6; NULL for private ones and what is no UID. Static. */
const char *dicom_transfer_syntax_name(const char *uid);

/* The plane of one frame in the patient (PS3.3 C.7.6.2). */
typedef struct {
  gboolean has_position, has_orientation, has_spacing;
  double position[3], orientation[6];
  double spacing[2]; /* mm between rows, mm between columns */
  guint stack;       /* StackID as a small number, in order of appearance; 0 when there is none */
} DicomPlane;

/* Header facts. Strings are never NULL ("" when absent), arrays may be empty. Attribute names are
 * DICOM keywords. For JPEG and PNG the DICOM-only fields are empty. */
typedef struct {
  DicomKind kind;
  DicomContent content;
  char *content_name; /* name of the SOP class for people, "CT Image Storage"; the UID if unknown */
  char *path;
  char *damage; /* what is wrong with the file and could be lived with, for people; "" */
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
  GPtrArray *lut_explanation;           /* of char *, LUTExplanation of each of them, "" too */
  gboolean has_modality_lut, has_rescale;
  double slope, intercept; /* 1 and 0 when absent */
  char *rescale_type;
  char *units;            /* of PET: "BQML", "CNTS" */
  double suv_factor;      /* PET: body weight SUV = value * this; 0 where it is not defined */
  gboolean inverse_shape; /* PresentationLUTShape INVERSE */
  gboolean lossy;         /* LossyImageCompression 01 or a lossy transfer syntax */
  /* text for people and prompts, as UTF-8 */
  char *patient_name, *patient_id, *patient_birth_date, *patient_sex;
  char *study_id, *study_date, *study_time, *accession_number, *study_description;
  char *series_description, *image_comments, *body_part_examined, *view_position, *laterality;
  char *burned_in_annotation; /* "YES", "NO", "" */
  /* what kind of image it is (dicom_gate.h judges) */
  char *image_type;                 /* values joined by backslashes */
  char *conversion_type;            /* secondary capture: "SYN", "DV" ... */
  char *presentation_intent;        /* "FOR PRESENTATION", "FOR PROCESSING" */
  char *patient_species;            /* PatientSpeciesDescription, or the meaning of its code */
  char *lossy_ratio, *lossy_method; /* LossyImageCompressionRatio, -Method; joined by backslashes */
  char *animal_hint;         /* "ProtocolName says CANINE"; "" when nothing speaks of an animal */
  char *patient_orientation; /* PatientOrientation, "L\\F" */
  char *manufacturer, *manufacturer_model;
  char *recognizable_visual_features;
  /* a document's own words */
  char *content_label, *content_description, *document_title; /* "" when absent */
  char *content_creator;   /* ContentCreatorName */
  char *presentation_date; /* PresentationCreationDate */
  /* DICOMDIR: files that it names, as relative paths with '/' between; no empty, "." or ".." part
   */
  GPtrArray *referenced_files; /* of char * */
  /* SOPInstanceUIDs of the images that a presentation state or key object is about */
  GPtrArray *referenced_instances; /* of char * */
  /* Beside each of them the frames that are meant, counted from 1: "2\\5"; "": all */
  GPtrArray *referenced_frames; /* of char * */
  /* place in the series */
  gint series_number, instance_number, acquisition_number;
  double echo_time;       /* ms, 0 when absent */
  gint temporal_position; /* 0 when absent */
  gboolean has_position, has_orientation, has_spacing;
  double position[3], orientation[6];
  double spacing[2]; /* mm between rows, mm between columns */
  /* Height of a pixel / its width, by PixelAspectRatio or any spacing, also one that says nothing
   * of lengths; 0 when absent. */
  double pixel_aspect;
  /* "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "UltrasoundRegion", "" */
  char *spacing_source;
  /* Of double, six for each ultrasound region that shows tissue in centimetres (PS3.3 C.8.5.5):
   * left, top, right and bottom edge in pixels, mm across and down. Lengths hold inside of one
   * alone. */
  GArray *regions;
  char *spacing_calibration; /* PixelSpacingCalibrationType: "GEOMETRY", "FIDUCIAL", "" */
  double magnification;      /* EstimatedRadiographicMagnificationFactor, 0 when absent */
  double slice_thickness, spacing_between_slices; /* mm, 0 when absent */
  gboolean has_gantry_tilt;
  double gantry_tilt;   /* GantryDetectorTilt in degrees */
  double frame_time_ms; /* cine, 0 when absent; from FrameTime, FrameTimeVector or the rates */
  /* Of DicomPlane, one for each frame of an enhanced object; empty otherwise, and then the fields
   * above hold for every frame. */
  GArray *planes;
} DicomInfo;
/* A whole copy; dicom_info_free(). */
DicomInfo *dicom_info_copy(const DicomInfo *info);
void dicom_info_free(DicomInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomInfo, dicom_info_free)
/* The plane of FRAME, whichever way the object says it. */
DicomPlane dicom_info_plane(const DicomInfo *info, guint frame);

typedef struct _DicomFile DicomFile;

/* Reads the header only (large values stay on disk). Objects without pixels open too: look at
 * content. Damage behind the header is found when a frame is read. */
DicomFile *dicom_file_open(const char *path, GError **error);
/* The same from a descriptor that can be read at any offset; FD becomes the file's. NAME is for
 * messages and for info->path, and no file is opened by it. */
DicomFile *dicom_file_open_fd(int fd, const char *name, GError **error);
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

/* Of the picture: a presentation state may have turned it. */
guint dicom_frame_width(const DicomFrame *frame);
guint dicom_frame_height(const DicomFrame *frame);
guint dicom_frame_samples(const DicomFrame *frame); /* per pixel, as stored */
gsize dicom_frame_bytes(const DicomFrame *frame);   /* memory held, for caches */
gboolean dicom_frame_is_colour(const DicomFrame *frame);
/* Value after the modality LUT (HU for CT) of a pixel of the picture; FALSE outside or for colour.
 */
gboolean dicom_frame_value(const DicomFrame *frame, guint x, guint y, double *value);
/* The same pixel as it is stored, and whether it is padding, which is no picture. */
gboolean dicom_frame_probe(const DicomFrame *frame, guint x, guint y, double *stored, double *value,
                           gboolean *is_padding);
/* N values of row Y from X on, which are in the picture of a grey frame: padding and what is no
 * number as NAN. */
void dicom_frame_values(const DicomFrame *frame, guint x, guint y, guint n, double *values);
/* Red, green and blue of a pixel of a colour picture; FALSE outside or for grey. */
gboolean dicom_frame_rgb(const DicomFrame *frame, guint x, guint y, guint8 rgb[3]);
/* Lowest and highest value after the modality LUT, pixel padding left out. */
void dicom_frame_range(const DicomFrame *frame, double *low, double *high);
/* Stored values, little-endian, samples interleaved, in the stored photometric interpretation. */
const guint8 *dicom_frame_stored(const DicomFrame *frame, gsize *n_bytes);
/* What they are, by NumPy's name: "<i2", "<f4". Static. */
const char *dicom_frame_numpy_type(const DicomFrame *frame);
/* SHA-256 of these bytes, 64 hex digits, owned by the frame. */
const char *dicom_frame_sha256(DicomFrame *frame);

/* All frames: md5 of the stored bytes of all frames in order, and the extremes of the stored values
 * (EXPECTED.tsv's md5_pixels, pix_min, pix_max). Reads frame by frame. MD5 has 33 bytes. */
gboolean dicom_file_pixel_summary(DicomFile *file, DicomScanProgress progress, gpointer user,
                                  char md5[33], double *pix_min, double *pix_max, GError **error);

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

/* The file's windows for this frame, and items of its VOILUTSequence. */
guint dicom_frame_n_windows(const DicomFrame *frame);
DicomWindow dicom_frame_window(const DicomFrame *frame, guint i);
guint dicom_frame_n_voi_luts(const DicomFrame *frame);
/* Item I of them as a window; its centre and width are what the table covers. */
DicomWindow dicom_frame_lut_window(const DicomFrame *frame, guint i);

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
/* The same picture of a grey frame, one byte a pixel, to OUT of width * height bytes; FALSE for
 * colour. The RGB one is made from it. */
gboolean dicom_frame_render_grey8(const DicomFrame *frame, const DicomWindow *window, guint8 *out,
                                  GError **error);
/* What the image itself wants to lie over it on a screen, its display shutters and overlay planes
 * (PS3.3 C.7.6.11, C.9.2). The pictures above are without them, and so are models and exports: an
 * overlay is not what the scanner saw, and its letters may name the patient. */
gboolean dicom_frame_has_covers(const DicomFrame *frame);
/* Draws them into PIXELS, a picture of FRAME of 1 or 3 CHANNELS. */
void dicom_frame_draw_covers(const DicomFrame *frame, guint8 *pixels, guint channels);
char *dicom_picture_sha256(const DicomPicture *picture); /* of the RGB bytes; g_free() */
/* Three samples a pixel, whatever the colours; written aside, synced, renamed. */
gboolean dicom_picture_write_png(const DicomPicture *picture, const char *path, GError **error);
/* The same bytes in memory. */
GBytes *dicom_picture_png(const DicomPicture *picture, GError **error);

/* ---- documents (report.c) ------------------------------------------------------------------- */

/* A structured report as text for people, UTF-8, one content item a line, nested by indentation
 * (PS3.3 A.35, C.17.3). g_free(). */
char *dicom_file_report_text(DicomFile *file, GError **error);
/* The document of an encapsulated PDF. */
GBytes *dicom_file_pdf(DicomFile *file, GError **error);
/* An element of the file, as a line for people. */
typedef struct {
  guint depth; /* sequences around it; an item is the element (FFFE,E000) with its number */
  guint32 tag; /* 0: the last one, and there are more than DICOM_MAX_TAGS */
  char vr[3];  /* as in the file, "" in implicit VR */
  char
      *value; /* one line of at most 256 characters, "â¦" where it was cut; "" for a sequence */
} DicomTag;
void dicom_tag_free(DicomTag *tag);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomTag, dicom_tag_free)
/* All elements but the pixels, in the order of the file; none of a JPEG or PNG. Of DicomTag *. */
GPtrArray *dicom_file_tags(DicomFile *file);
/* TEXT (UTF-8) as such a line; g_free(). */
char *dicom_tag_line(const char *text);
/* The keyword of TAG, "" when the standard has none, and the VR that it says, "" likewise. Loads
 * the dictionary when it is called first. Static. */
const char *dicom_attribute_name(guint32 tag, char vr[3]);

/* Makes FRAME (number INDEX, from 0, of IMAGE; unshared) look as the grayscale presentation state
 * FILE says (PS3.3 A.33.1): modality, VOI and presentation LUTs, shutters, rotation and flip, and
 * graphics. These replace what the image itself says (PS3.4 N.2). An error when the state is about
 * other images or has what is not drawn here (mask subtraction, bitmap shutters); FRAME is then as
 * it was. Overlays and the graphic layers' colours are left out. */
gboolean dicom_frame_apply_presentation(DicomFrame *frame, const DicomInfo *image, guint index,
                                        DicomFile *file, GError **error);

/* Texts of the state, which nobody has drawn: UTF-8, perhaps of several lines, with the point that
 * each belongs to, in pixels of the picture from its top left corner on. */
guint dicom_frame_n_texts(const DicomFrame *frame);
const char *dicom_frame_text(const DicomFrame *frame, guint i, double *x, double *y);
/* The part of the picture that the state wants to be seen: left, top, right and bottom edge in
 * pixels, which may lie outside of it. FALSE when it does not say. */
gboolean dicom_frame_displayed_area(const DicomFrame *frame, double area[4]);

/* What the state wants and is not drawn here: bits. */
enum {
  DICOM_LEFT_OUT_OVERLAYS = 1, /* overlay planes that it shows */
  DICOM_LEFT_OUT_COLOURS = 2,  /* greys or colours of graphic layers: black or white instead */
  DICOM_LEFT_OUT_SIZE = 4,     /* TRUE SIZE or MAGNIFY */
  DICOM_LEFT_OUT_GRAPHICS = 8, /* compound graphics; fillings; curves are straight */
  DICOM_LEFT_OUT_ALL = 15
};
guint dicom_frame_left_out(const DicomFrame *frame);

/* For a viewer, which turns pictures itself and measures on them: FRAME, unshared, lies as its
 * image is stored, TURNS and FLIP say how the state wants it, and what the state draws has become
 * covers. Texts and the displayed area are in pixels of the stored image then. */
void dicom_frame_straighten(DicomFrame *frame, guint *turns, gboolean *flip);
/* Whether FRAME and LOOK, the same with a state applied, have the same values, and whether a window
 * in numbers makes the same greys of them, or, with *INVERTS, the opposite ones. */
gboolean dicom_frame_same_values(const DicomFrame *frame, const DicomFrame *look);
gboolean dicom_frame_same_greys(const DicomFrame *frame, const DicomFrame *look,
                                gboolean *inverts);

/* ---- series ------------------------------------------------------------------------------- */

typedef struct {
  char *path;
  guint frames; /* to show: those of FRAME_ORDER, else all of the file */
  char *sop_instance_uid;
  gint instance_number;
  gboolean has_position;
  double along;   /* mm along the normal of the stack, of the first frame shown */
  GArray *alongs; /* of double: of each frame shown, of an object of several; NULL: not known */
  /* Of guint: the frames that belong here, in the order to show them. An object of several stacks
   * has an item in each. NULL: all of them as they are stored. */
  GArray *frame_order;
} DicomSeriesItem;
/* The frame of the file that is shown as the item's image INDEX, from 0. */
guint dicom_series_item_frame(const DicomSeriesItem *item, guint index);

/* One stack to scroll through. A series of several stacks (StackID, orientations, a localiser among
 * the slices) becomes several of these, with the same SeriesInstanceUID. */
typedef struct {
  char *series_instance_uid, *study_instance_uid, *modality, *series_description;
  char *study_description, *patient_name, *patient_id, *study_date;
  /* of its first image */
  char *sop_class, *image_type, *body_part_examined, *view_position, *laterality;
  char *burned_in_annotation; /* "YES" when one of its images says so, else what the first says */
  gint series_number;
  guint stack, n_stacks; /* 1 of 1 when the series is one */
  GPtrArray *items; /* of DicomSeriesItem *, sorted by geometry, else InstanceNumber, else path */
  gboolean sorted_by_geometry;
  gboolean is_localizer;
  /* All images lie in parallel planes with this normal, and ALONG counts along it. */
  gboolean has_normal;
  double normal[3];
  char *frame_of_reference_uid; /* of all of them; "" when they differ or have none */
  double spacing; /* mm between neighbours along the normal, the median; 0 when unknown */
  double frame_time_ms;
  GPtrArray *notes; /* of char *: what is odd, for people: "gantry tilt 15.0 degrees", "2 slices are
                     * missing between images 12 and 13" */
} DicomSeries;
void dicom_series_free(DicomSeries *series);

/* An object that is no image. */
typedef struct {
  char *path, *title, *content_name, *study_instance_uid, *series_instance_uid, *patient_id;
  char *sop_class, *creator, *date; /* of content: as DICOM says them; "" when absent */
  DicomContent content;
  GPtrArray *referenced_instances, *referenced_frames; /* of char *, as in DicomInfo */
} DicomDocument;

typedef struct {
  char *study_instance_uid, *date, *description, *accession_number;
  GPtrArray *series;    /* of DicomSeries *, borrowed from the scan */
  GPtrArray *documents; /* of DicomDocument *, borrowed from the scan */
} DicomStudy;

typedef struct {
  char *patient_id, *name, *birth_date, *sex;
  GPtrArray *studies; /* of DicomStudy * */
} DicomPatient;

typedef struct {
  GPtrArray *series;    /* of DicomSeries *, in the order of patients, studies, series numbers */
  GPtrArray *documents; /* of DicomDocument * */
  GPtrArray *patients;  /* of DicomPatient * */
  GPtrArray *refused;   /* of char *: "path: reason" */
  GPtrArray *refused_paths; /* of char *, beside REFUSED: the part before the reason */
  GPtrArray *refused_kinds; /* of const char *, beside REFUSED: dicom_refusal_kind(), "other" */
  guint n_files;            /* looked at: images, documents and refused together */
  guint n_images;           /* files that are in SERIES */
} DicomScan;
void dicom_scan_free(DicomScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomScan, dicom_scan_free)

/* Files below PATHS (files and folders, ends with NULL; links are not followed out of a folder), in
 * the order of their names as people count ("im2" before "im10"), each once. What cannot be walked
 * is added to REFUSED. FALSE: cancelled, or a path is not there. PROGRESS gets the number of files
 * found so far, and TOTAL 0. */
gboolean dicom_walk(const char *const *paths, DicomScanProgress progress, gpointer user,
                    GPtrArray *files, GPtrArray *refused, GError **error);

/* Collects headers, in any order but one thread at a time, and sorts them out at the end. */
typedef struct _DicomCollector DicomCollector;
DicomCollector *dicom_collector_new(void);
void dicom_collector_add(DicomCollector *collector,
                         const DicomInfo *info); /* copies what it needs */
/* MESSAGE: a GError's of this room, which names PATH, or the reason alone. PATH NULL: MESSAGE is
 * one that dicom_walk() added to its REFUSED. */
void dicom_collector_refuse(DicomCollector *collector, const char *path, const char *message);
/* Files that DICOMDIRs among the added name, that are there, and that nobody added or refused, so
 * that they can be read too; of char *, absolute or relative like the DICOMDIR's own path. Each is
 * given once; those that have not been added or refused by the end count as refused. */
GPtrArray *dicom_collector_wanted(DicomCollector *collector);
/* The same, with KIND (static) from dicom_refusal_kind(). */
void dicom_collector_refuse_as(DicomCollector *collector, const char *path, const char *message,
                               const char *kind);
/* Why ERROR (NULL: nobody knows) refuses a file, in a word that names none: "format",
 * "unsupported", "corrupt", "too-large", "unreadable", "helper"; of other errors "other". Static. */
const char *dicom_refusal_kind(const GError *error);
DicomScan *dicom_collector_finish(DicomCollector *collector); /* frees it */
void dicom_collector_free(DicomCollector *collector);         /* after a cancel */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomCollector, dicom_collector_free)

/* All of it in this process. PATH: a file or a folder. Headers only. */
DicomScan *dicom_scan(const char *path, DicomScanProgress progress, gpointer user, GError **error);

G_END_DECLS
#endif
