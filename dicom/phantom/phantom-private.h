/* phantom-private.h - the random numbers and the drawing board of the phantoms.
 *
 * Everything here gives the same bits on every machine: integers, and additions, multiplications,
 * divisions and square roots in IEEE single or double precision, in a fixed order, without fused
 * operations (the project is compiled with -ffp-contract=off) and without libm's transcendentals.
 */
#ifndef HILUM_PHANTOM_PRIVATE_H
#define HILUM_PHANTOM_PRIVATE_H

#include "dicom_phantom.h"

/* ---- random numbers: xoshiro256** seeded by splitmix64 (Blackman and Vigna, public domain) ----
 */

typedef struct {
  guint64 s[4];
} PhantomRandom;

/* STREAM separates uses of the same (seed, index), so that one may change without the others. */
enum { PHANTOM_STREAM_TRUTH, PHANTOM_STREAM_POSE, PHANTOM_STREAM_ANATOMY, PHANTOM_STREAM_NOISE };
void phantom_random_init(PhantomRandom *random, guint64 seed, guint64 index, guint64 stream);
guint64 phantom_random_next(PhantomRandom *random);
double phantom_random_unit(PhantomRandom *random);                           /* [0, 1) */
double phantom_random_range(PhantomRandom *random, double low, double high); /* [low, high) */
guint phantom_random_below(PhantomRandom *random, guint n);                  /* 0 .. n-1 */
gboolean phantom_random_chance(PhantomRandom *random, double probability);
/* The 128-bit hash that UIDs are made of. */
void phantom_hash(guint64 seed, guint64 index, guint64 what, guint64 hash[2]);

/* ---- pose: where the phantom lies in the picture -----------------------------------------------
 */

/* u to the picture's right (the patient's left), v down; +-1 is the field of view before the pose.
 * picture = scale * rotation(u, v) + shift, in the same unit. */
typedef struct {
  double cosine, sine, scale, shift_u, shift_v;
} PhantomPose;
void phantom_pose(const PhantomTruth *truth, PhantomPose *pose);
/* Fills x_mm, y_mm and size_mm of every finding from u, v, r. */
void phantom_place(PhantomTruth *truth);

/* ---- the drawing board -------------------------------------------------------------------------
 */

typedef struct {
  guint size;
  float *values; /* size * size */
  PhantomPose pose;
} PhantomCanvas;

/* ADD: values += coverage * value. SET: values move to VALUE by coverage. MAX: values become
 * max(values, coverage * value). */
typedef enum { PHANTOM_ADD, PHANTOM_SET, PHANTOM_MAX } PhantomOp;

typedef struct {
  double u, v, ru, rv;
  double turn; /* half-angle tangent of the rotation, so that no sine is needed */
  double edge; /* width of the soft border */
} PhantomEllipse;

void phantom_canvas_ellipse(PhantomCanvas *canvas, const PhantomEllipse *ellipse, PhantomOp op,
                            float value);
/* A stroke from (u0, v0) to (u1, v1), WIDTH across, round ends. */
void phantom_canvas_stroke(PhantomCanvas *canvas, const double line[4], double width, double edge,
                           PhantomOp op, float value);
/* A rounded box, half sizes HU and HV. */
void phantom_canvas_box(PhantomCanvas *canvas, double u, double v, double hu, double hv,
                        double edge, PhantomOp op, float value);
/* Moves values to VALUE below the curve v = v0 + slope (u - u0) + bend (u - u0)^2, where MASK (size
 * * size, 0 to 1; NULL: everywhere) lets it, for u between u_low and u_high. */
typedef struct {
  double u0, v0, slope, bend, u_low, u_high, edge;
} PhantomCurve;
void phantom_canvas_below(PhantomCanvas *canvas, const PhantomCurve *curve, const float *mask,
                          float value);
/* Values move to VALUE by MASK. */
void phantom_canvas_fill(PhantomCanvas *canvas, const float *mask, float value);
/* Adds a smooth random relief of about +-AMPLITUDE, CELLS per side, where MASK lets it. */
void phantom_canvas_relief(PhantomCanvas *canvas, PhantomRandom *random, guint cells,
                           float amplitude, const float *mask);
/* Adds white noise of standard deviation SIGMA (a sum of four uniform numbers). */
void phantom_canvas_noise(PhantomCanvas *canvas, PhantomRandom *random, float sigma);

/* ---- the picture -------------------------------------------------------------------------------
 */

#define PHANTOM_CT_INTERCEPT (-1024)
/* The decoded frame of the object that phantom_write_dicom() writes; dicom_frame_unref(). */
DicomFrame *phantom_frame(const PhantomTruth *truth);
/* The WindowCenter of that object. */
double phantom_stored_center(const PhantomTruth *truth);

/* ---- the kinds ---------------------------------------------------------------------------------
 */

typedef struct {
  void (*truth)(PhantomRandom *random, PhantomTruth *truth);
  void (*draw)(const PhantomTruth *truth, PhantomCanvas *canvas);
} PhantomPainter;
extern const PhantomPainter phantom_chest_cr, phantom_chest_ct, phantom_abdomen_ct, phantom_head_ct;

/* Shared by the kinds' truths. */
PhantomFinding *phantom_add(PhantomTruth *truth, PhantomFindingKind kind, PhantomSide side,
                            double u, double v, double r);
/* TRUE when a disc at (u, v, r) keeps GAP from every finding so far that has a place. */
gboolean phantom_free_place(const PhantomTruth *truth, double u, double v, double r, double gap);
/* A radius of the size class. SMALL is about 7 % of the picture across, LARGE about 14 %. */
double phantom_radius(PhantomRandom *random, gboolean large);
PhantomSide phantom_random_side(PhantomRandom *random);
/* +1 for the patient's left (the picture's right), -1 for the right. */
double phantom_side_sign(PhantomSide side);
/* 1 to 3, for things that may be several. */
guint phantom_random_count(PhantomRandom *random);

#endif
