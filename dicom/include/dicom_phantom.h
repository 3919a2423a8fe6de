/* dicom_phantom.h - synthetic studies with known truth.
 *
 * Pictures of things that do not exist: CR-like chests and CT-like slices, drawn from a seed, with
 * lesions and devices of known side, zone, size and number. Deterministic: the same seed and index
 * give the same bytes on every machine (integer or strictly rounded arithmetic). Objects are valid
 * by dciodvfy: proper SOP classes, UIDs derived from the seed, geometry, windows.
 *
 * Thread rule: pure functions of their arguments, any thread. Errors: DICOM_ERROR.
 */
#ifndef HILUM_DICOM_PHANTOM_H
#define HILUM_DICOM_PHANTOM_H

#include "dicom.h"

G_BEGIN_DECLS

typedef enum {
  PHANTOM_CHEST_CR,
  PHANTOM_CHEST_CT,
  PHANTOM_ABDOMEN_CT,
  PHANTOM_HEAD_CT,
  PHANTOM_N_KINDS
} PhantomKind;

typedef enum {
  PHANTOM_SIDE_NONE,
  PHANTOM_SIDE_LEFT,
  PHANTOM_SIDE_RIGHT,
  PHANTOM_SIDE_BOTH
} PhantomSide; /* the patient's side */

/* What can be seen in a phantom. Which kinds show it:
 *   NODULE          chest CR, chest CT     (0 to 3, each on one side; zone in the CR)
 *   EFFUSION        chest CR, chest CT     (0 or 1; side may be BOTH)
 *   PACEMAKER       chest CR               (0 or 1)
 *   LIVER_CYST      abdomen CT, dark       (0 to 3, never together with LIVER_MASS)
 *   LIVER_MASS      abdomen CT, bright     (0 to 3)
 *   KIDNEY_STONE    abdomen CT, very bright (0 or 1, never together with KIDNEY_CYST)
 *   KIDNEY_CYST     abdomen CT, dark       (0 or 1)
 *   HEMORRHAGE      head CT, bright        (0 or 1)
 *   INFARCT         head CT, dark          (0 or 1) */
typedef enum {
  PHANTOM_NODULE,
  PHANTOM_EFFUSION,
  PHANTOM_PACEMAKER,
  PHANTOM_LIVER_CYST,
  PHANTOM_LIVER_MASS,
  PHANTOM_KIDNEY_STONE,
  PHANTOM_KIDNEY_CYST,
  PHANTOM_HEMORRHAGE,
  PHANTOM_INFARCT,
  PHANTOM_N_FINDINGS
} PhantomFindingKind;

#define PHANTOM_MAX_FINDINGS 6
typedef struct {
  PhantomFindingKind kind;
  const char *name;  /* "nodule", "pleural effusion", "pacemaker", "liver cyst" ...; static */
  const char *organ; /* "lung", "liver", "kidney" ...; static */
  PhantomSide side;  /* NONE in the liver */
  const char *zone;  /* "upper", "middle", "lower" or ""; static */
  gboolean large;    /* of the two size classes; nodules and liver lesions only */
  double size_mm;    /* diameter; 0 when it has none */
  double x_mm, y_mm; /* centre, from the centre of the picture's first pixel */
  double u, v, r;    /* the same in the phantom's own frame: +-1 is the uncut field of view */
  double w;          /* height above the slice of index 0, in the same unit (stacks) */
} PhantomFinding;

typedef struct {
  PhantomKind kind;
  guint64 seed, index;
  const char *modality, *body_part, *view; /* static */
  guint n_findings;
  PhantomFinding findings[PHANTOM_MAX_FINDINGS];
  gboolean heart_enlarged;            /* chest CR */
  gboolean ventricles_enlarged;       /* head CT */
  gboolean monochrome1;               /* stored inverted (some CR) */
  double window_center, window_width; /* for what phantom_draw() returns */
  guint rows, columns;                /* equal */
  double spacing_mm;
  double slice_mm; /* height of this slice; 0 but in stacks */
} PhantomTruth;

#define PHANTOM_DEFAULT_SIZE 256
#define PHANTOM_MIN_SIZE 32
#define PHANTOM_MAX_SIZE 4096

/* "chest-cr", "chest-ct", "abdomen-ct", "head-ct"; NULL past the end. Static. */
const char *phantom_kind_name(PhantomKind kind);
/* FALSE when NAME is none of them. */
gboolean phantom_kind_parse(const char *name, PhantomKind *kind);

/* Draws what study (SEED, INDEX) holds, at the default size. No picture yet. */
void phantom_truth(guint64 seed, guint64 index, PhantomTruth *truth);
/* The same with the kind given. */
void phantom_truth_of_kind(guint64 seed, guint64 index, PhantomKind kind, PhantomTruth *truth);
/* Another matrix for the same field of view; SIZE from PHANTOM_MIN_SIZE to PHANTOM_MAX_SIZE. */
void phantom_resize(PhantomTruth *truth, guint size);
/* How many findings of KIND on SIDE (NONE: anywhere; a finding on BOTH sides counts on either). */
guint phantom_count(const PhantomTruth *truth, PhantomFindingKind kind, PhantomSide side);

/* The values (16-bit, rows * columns) of the picture, bright is dense; g_free(). CT: HU; CR: 0 to
 * 4095 in the sense of MONOCHROME2. */
gint16 *phantom_draw(const PhantomTruth *truth);
/* The picture through its default window: the same bytes as dicom_frame_render() of the object that
 * phantom_write_dicom() writes. */
DicomPicture *phantom_render(const PhantomTruth *truth, GError **error);
/* The same as an 8-bit grey PNG. SYNC: written aside, synced, renamed; else written plainly, for
 * large sets whose writer syncs once at the end. */
gboolean phantom_write_png(const PhantomTruth *truth, const char *path, gboolean sync,
                           GError **error);
/* Writes the DICOM object. COMMENTS: ImageComments, UTF-8; NULL: none. */
gboolean phantom_write_dicom(const PhantomTruth *truth, const char *comments, const char *path,
                             gboolean sync, GError **error);
/* A CT-like chest of N slices (one series, proper geometry, lesions at known heights) into DIR as
 * slice-0001.dcm ...; TRUTH (may be NULL) receives the truth of the whole stack. */
gboolean phantom_write_stack(guint64 seed, guint n_slices, guint size, const char *dir,
                             PhantomTruth *truth, GError **error);

G_END_DECLS
#endif
