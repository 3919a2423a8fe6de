/* dicom_phantom.h - synthetic studies with known truth.
 *
 * Pictures of things that do not exist: CR-like chests and CT-like slices, drawn from a seed, with
 * lesions and devices of known side, zone, size and number. Deterministic: the same seed and index give
 * the same bytes on every machine (integer or strictly rounded arithmetic). Objects are valid by
 * dciodvfy: proper SOP classes, UIDs derived from the seed, geometry, windows.
 */
#ifndef HILUM_DICOM_PHANTOM_H
#define HILUM_DICOM_PHANTOM_H

#include "dicom.h"

G_BEGIN_DECLS

typedef enum { PHANTOM_CHEST_CR, PHANTOM_CHEST_CT, PHANTOM_ABDOMEN_CT, PHANTOM_HEAD_CT,
               PHANTOM_N_KINDS } PhantomKind;

typedef enum { PHANTOM_SIDE_NONE, PHANTOM_SIDE_LEFT, PHANTOM_SIDE_RIGHT,
               PHANTOM_SIDE_BOTH } PhantomSide; /* the patient's side */

#define PHANTOM_MAX_FINDINGS 6
typedef struct {
  const char *name;   /* "nodule", "pleural effusion", "pacemaker", "cyst" ...; static */
  const char *organ;  /* "lung", "liver", "left kidney" ...; static */
  PhantomSide side;
  const char *zone;   /* "upper", "middle", "lower" or ""; static */
  double size_mm;     /* 0 when it has none */
  double x_mm, y_mm;  /* centre in the picture */
} PhantomFinding;

typedef struct {
  PhantomKind kind;
  guint64 seed, index;
  const char *modality, *body_part, *view; /* static */
  guint n_findings;
  PhantomFinding findings[PHANTOM_MAX_FINDINGS];
  gboolean heart_enlarged;                 /* chests */
  guint rows, columns;
  double spacing_mm;
} PhantomTruth;

/* Draws what study (SEED, INDEX) holds. No picture yet. */
void phantom_truth(guint64 seed, guint64 index, PhantomTruth *truth);
/* The stored values (16-bit, rows * columns) of the picture; g_free(). CT: HU. */
gint16 *phantom_draw(const PhantomTruth *truth);
/* Writes the DICOM object. */
gboolean phantom_write_dicom(const PhantomTruth *truth, const char *path, GError **error);
/* A CT-like stack of N slices (one series, proper geometry) into DIR. */
gboolean phantom_write_stack(guint64 seed, guint n_slices, const char *dir, GError **error);

G_END_DECLS
#endif
