/* app_slice.h - what a viewer shows: one image of a study, what is known of it, and its picture at
 * the very device pixels that it covers.
 *
 * A slice is immutable and may be used from any thread; the frame behind it is shared with the
 * cache. Drawing is two steps: the window makes THE 8-bit picture (once, in the dicom room), and
 * that is resampled for the screen. The model and exports get the former; nobody gets the latter.
 *
 * Coordinates: x to the right and y down in pixels of the picture, 0, 0 being the outer corner of
 * the first pixel, so that the centre of the first pixel is 0.5, 0.5.
 */
#ifndef HILUM_APP_SLICE_H
#define HILUM_APP_SLICE_H

#include "app.h"

G_BEGIN_DECLS

typedef struct _AppSlice AppSlice;
AppSlice *app_slice_ref(AppSlice *slice);
void app_slice_unref(AppSlice *slice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppSlice, app_slice_unref)

/* A window that the file offers. */
typedef struct {
  char *name; /* WindowCenterWidthExplanation, LUTExplanation, or "Window 2", "Table 1" */
  AppWindow window;
} AppPreset;

/* A text that belongs to a point of the picture; perhaps of several lines. */
typedef struct {
  const char *text;
  double x, y;
} AppText;

/* The plane of the image in the patient (PS3.3 C.7.6.2), in mm. */
typedef struct {
  double origin[3];         /* centre of the first pixel */
  double row[3], column[3]; /* direction of increasing x; of increasing y: unit vectors */
  double spacing_x, spacing_y;
  char *frame_of_reference_uid; /* NULL: none, and then it is compared with nothing */
} AppPlane;

typedef struct {
  guint series, index; /* of the study that it came from */
  const char *path;    /* file, for AppImageChoice */
  guint frame;         /* of the file, from 0 */
  guint width, height;
  const char *label;     /* "CT 45/120", for the corner and for screen readers */
  const char *modality;  /* "CT"; "" */
  const char *body_part; /* "CHEST"; "" */
  gboolean is_colour;
  gboolean has_covers; /* display shutters or overlay planes, which AppPlacement.bare leaves out */
  double low, high;    /* range of values */
  double suv_factor;   /* PET: body weight SUV of one unit; 0 where it is not defined */
  const char *unit;    /* of values after the modality LUT: "HU", RescaleType's term, or "" */
  AppWindow window;    /* the file's own */
  double pixel_aspect; /* height of a pixel / its width; 1 when not known */
  double mm_x, mm_y;   /* size of a pixel; 0 where no length can be told */
  /* By what a length is told, for people: "Pixel Spacing", "at the detector", "calibrated by a
   * fiducial", "ultrasound region"; "" where none can be. Regions of ultrasound may differ: mm_x is
   * 0 then, and a length can still be told inside of one. */
  const char *calibration;
  AppLetters letters;       /* at the edges of the picture as it is stored */
  const AppPlane *plane;    /* NULL: not known */
  const AppPreset *presets; /* the file's windows, then its VOI LUTs */
  guint n_presets;
  /* For the four corners, one line each, "" lines left out; ends with NULL. PATIENT: name, id,
   * birth date and sex; IMAGE: series, slice position and thickness. */
  char **patient_lines, **study_lines, **image_lines;
  char **warnings; /* what speaks against asking a model about it: sentences; ends with NULL */
  char **notices;  /* what a reader must know: lossy, incomplete, odd geometry; short; NULL-ended */
  double frame_time_ms; /* cine, 0 when it is none */

  /* Of a presentation state, 1 + its number in the study; 0: none, and then none of this. LOW,
   * HIGH, WINDOW and PRESETS are its own then, and what it draws are covers; values that are
   * probed are the image's. */
  guint presentation;
  guint turns; /* as it wants the image to lie */
  gboolean flip, has_area;
  double area[4]; /* that it wants to be seen: left, top, right, bottom edges in the picture */
  const AppText *texts;
  guint n_texts;
  /* A window in numbers makes the same greys of the image without the state; with INVERTS, the
   * opposite ones. */
  gboolean same_greys, inverts;
} AppSliceFacts;
const AppSliceFacts *app_slice_facts(const AppSlice *slice); /* borrowed, all of it */

/* ---- getting one --------------------------------------------------------------------------- */

/* The slice at once when its frame is decoded and its facts are known, else NULL: never waits. */
AppSlice *app_study_peek_slice(AppStudy *study, guint series, guint index);
/* Decodes if need be (in a helper). An image that cannot be decoded is tried once. */
AppSlice *app_study_slice(AppStudy *study, guint series, guint index, GCancellable *cancellable,
                          GError **error);

/* ---- drawing ------------------------------------------------------------------------------- */

/* Display shutters and overlay planes of the file (PS3.3 C.7.6.11, C.9.2) are drawn on screens
 * alone. The model and exports get the picture without them, always: they are not what the scanner
 * saw, an answer must not come from somebody's letters or arrows, and these may name the patient.
 */

/* How the picture lies on a canvas. The picture is turned clockwise by TURNS right angles, then
 * mirrored left to right if FLIP, then scaled and moved. */
typedef struct {
  guint width, height; /* of the canvas, in device pixels */
  double scale;        /* device pixels for a pixel's width on the picture as it is stored */
  double x, y;         /* point of the stored picture at the centre of the canvas */
  guint turns;         /* 0 to 3 */
  gboolean flip;
  gboolean bare;   /* without the file's own display shutters and overlay planes */
  gboolean smooth; /* bilinear when enlarged, else nearest; reduced pictures are always averaged */
} AppPlacement;

/* Fits the whole picture of FACTS in a canvas of that size. Keeps turns, flip and smooth. */
void app_placement_fit(AppPlacement *placement, const AppSliceFacts *facts);
/* From canvas (device pixels, from the top left corner) to stored picture, and back. */
void app_placement_to_picture(const AppPlacement *placement, const AppSliceFacts *facts,
                              double canvas_x, double canvas_y, double *x, double *y);
void app_placement_to_canvas(const AppPlacement *placement, const AppSliceFacts *facts, double x,
                             double y, double *canvas_x, double *canvas_y);
/* Letters at the edges of the canvas. */
AppLetters app_placement_letters(const AppPlacement *placement, const AppSliceFacts *facts);

/* The part of a canvas that the picture covers, as 32 bits a pixel in the order of
 * GDK_MEMORY_DEFAULT (0xAARRGGBB words), or packed; black lies around it. */
typedef struct {
  guint x, y, width, height; /* device pixels of the canvas; 0 by 0: nothing is to be seen */
  GBytes *pixels;            /* width * height * 4, or * 3 */
} AppCanvas;
/* To three bytes a pixel, red, green and blue, without gaps. GTK 4.8 without a GPU takes every
 * format but a few through floating point, and paints this one seven times as fast. */
void app_canvas_pack(AppCanvas *canvas);
void app_canvas_free(AppCanvas *canvas);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppCanvas, app_canvas_free)

/* WINDOW NULL: the file's own. Synchronous, of the caller's thread; for tests and exports. */
AppCanvas *app_slice_draw(AppSlice *slice, const AppWindow *window, const AppPlacement *placement,
                          GError **error);

/* What the window wants to see next. */
typedef struct {
  guint series, index;
  AppWindow window;       /* set FALSE: the file's own */
  AppPlacement placement; /* scale 0: fitted into width and height */
  guint presentation;     /* 1 + number of a presentation state of the study; 0: none */
  gboolean as_stated;     /* the image lies as that state wants it, not as PLACEMENT says */
} AppDrawing;
typedef struct {
  AppSlice *slice;
  AppWindow window;       /* in force, with numbers where there are any */
  AppPlacement placement; /* in force */
  AppCanvas *canvas;      /* packed */
  char *remark; /* why the presentation state is not applied, for people; NULL: it is, or none */
} AppDrawn;
void app_drawn_free(AppDrawn *drawn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppDrawn, app_drawn_free)
/* Decodes (when it must), windows and resamples, on a thread of app's. A cancelled request that has
 * not begun costs nothing. What was windowed last is kept, so that zooming and panning resample
 * only. */
void app_study_draw_async(AppStudy *study, const AppDrawing *drawing, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user);
AppDrawn *app_study_draw_finish(AppStudy *study, GAsyncResult *result, GError **error);

/* A small picture of the middle of SERIES, at most SIZE by SIZE device pixels, its own window;
 * packed. */
void app_study_thumbnail_async(AppStudy *study, guint series, guint size, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user);
AppCanvas *app_study_thumbnail_finish(AppStudy *study, GAsyncResult *result, GError **error);

/* ---- measuring ----------------------------------------------------------------------------- */

/* The pixel that X, Y lies in. FALSE outside of the picture. */
typedef struct {
  guint x, y; /* column and row, from 0 */
  gboolean has_value;
  double value; /* after the modality LUT, in the unit of the facts */
  double stored;
  gboolean is_padding;
  guint8 rgb[3]; /* of a colour picture */
  gboolean
      has_suv; /* body weight SUV: PET in Bq/ml, decay-corrected to the start, all facts there */
  double suv;
  gboolean has_position;
  double position[3]; /* mm in the patient */
} AppProbe;
gboolean app_slice_probe(const AppSlice *slice, double x, double y, AppProbe *probe);

/* mm between two points of the picture; FALSE: no length can be told, *DISTANCE is in pixels. Of
 * ultrasound, both lie in one region that shows tissue: a length across its edge means nothing. */
gboolean app_slice_distance(const AppSlice *slice, const double from[2], const double to[2],
                            double *distance);
/* Degrees, 0 to 180, between the two arms from APEX; the pixels' aspect is heeded. */
double app_slice_angle(const AppSlice *slice, const double a[2], const double apex[2],
                       const double b[2]);

typedef enum { APP_SHAPE_RECTANGLE, APP_SHAPE_ELLIPSE } AppShape;
typedef struct {
  guint64 n;                         /* pixels whose centre is inside, padding left out */
  double mean, sd, minimum, maximum; /* SD: of a sample (n - 1); 0 for one pixel */
  gboolean has_area;                 /* in mm2; else in pixels */
  double area;                       /* of the shape itself, clipped to nothing */
} AppStatistics;
/* Of the values inside the box of two corners; FALSE: colour, or no pixel is inside. */
gboolean app_slice_statistics(const AppSlice *slice, AppShape shape, const double from[2],
                              const double to[2], AppStatistics *statistics);

/* ---- other planes ---------------------------------------------------------------------------- */

/* The line in which the plane of OTHER cuts SLICE, clipped to the outline of OTHER's image and to
 * the picture. FALSE: not the same frame of reference, parallel, or no meeting. */
gboolean app_slice_reference_line(const AppSlice *slice, const AppSlice *other, double from[2],
                                  double to[2]);
/* The image of SERIES whose plane lies nearest to POINT (mm in the patient), by headers alone;
 * FALSE: other frame of reference, or no planes. */
gboolean app_study_nearest(AppStudy *study, guint series, const char *frame_of_reference_uid,
                           const double point[3], guint *index);
/* Stacks of two examinations share no frame of reference. Image FROM of SERIES and image BESIDE of
 * OTHER being taken for one place, *FOUND is the image of OTHER that lies as far along the stack as
 * INDEX does. FALSE: no stacks, or their planes are not the same (15 degrees). */
gboolean app_study_along(AppStudy *study, guint series, guint from, guint index, guint other,
                         guint beside, guint *found);
/* A first guess of BESIDE for INDEX: the same share of the stack; 0 where that means nothing. */
guint app_study_beside(AppStudy *study, guint series, guint index, guint other);

/* ---- tags ------------------------------------------------------------------------------------ */

typedef struct {
  guint depth; /* of nested sequences */
  char *tag;   /* "(0010,0010)" */
  char *vr, *keyword;
  char *value; /* for people, cut at 256 characters; "" for a sequence */
} AppTag;
void app_tag_free(AppTag *tag);
/* All elements of the file of an image but its pixels, in order; of AppTag. */
void app_study_tags_async(AppStudy *study, guint series, guint index, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user);
GPtrArray *app_study_tags_finish(AppStudy *study, GAsyncResult *result, GError **error);

G_END_DECLS
#endif
