/* frame.h - one decoded frame and everything that is needed to show it. Private to the room. */
#ifndef HILUM_DICOM_FRAME_H
#define HILUM_DICOM_FRAME_H

#include "dicom.h"

typedef enum {
  SAMPLE_U8,
  SAMPLE_S8,
  SAMPLE_U16,
  SAMPLE_S16,
  SAMPLE_U32,
  SAMPLE_S32,
  SAMPLE_F32,
  SAMPLE_F64,
} DicomSampleType;

typedef enum {
  COLOUR_GREY,
  COLOUR_RGB,
  COLOUR_YBR_FULL,
  COLOUR_YBR_PARTIAL,
  COLOUR_PALETTE,
} DicomColour;

/* A lookup table (PS3.3 C.11.1.1): inputs from FIRST on, outputs of BITS bits. */
typedef struct {
  guint n;
  gint first;
  guint bits;
  guint16 *data; /* n entries */
} DicomLut;

void dicom_lut_free(DicomLut *lut);

/* LENGTH pixels of the picture, from the START-th on, that something covers. */
enum {
  MARK_SHUTTER = 1, /* the grey of the shutter */
  MARK_STROKE = 2,  /* a graphic or an overlay: black or white, whichever differs more from what is under it */
};
typedef struct {
  guint start, length, kind; /* KIND: of the above, together too */
} DicomMark;

/* Invariant: n_bytes = width * height * samples * bytes of the type, and every function that reads
 * pixels relies on it. */
struct _DicomFrame {
  gint refs;
  guint width, height, samples;
  DicomSampleType type;
  DicomColour colour;
  guint8 *stored;
  gsize n_bytes;
  GBytes *owner; /* of STORED when it is not this frame's own: shared memory; else NULL */

  guint bits_stored, shift; /* value = stored >> shift, BITS_STORED bits of it */
  gboolean is_signed;

  DicomLut *modality; /* NULL: the rescale below */
  double slope, intercept;
  gboolean has_padding;
  double padding_low, padding_high; /* stored values that are no picture, inclusive */
  gboolean ready_8bit;              /* a JPEG or PNG of 8 bits: shown as it is */

  GArray *windows;     /* of DicomWindow, the file's own */
  GPtrArray *voi_luts; /* of DicomLut * */
  gboolean inverse;    /* MONOCHROME1 or PresentationLUTShape INVERSE: once, not twice */
  DicomLut *palette[3];

  /* What the image itself wants to lie over it on a screen, and dicom_frame_render() leaves out; see
   * cover.c. In the stored image, ascending; gone when a presentation state is applied. */
  GArray *covers; /* of DicomMark */
  guint cover_grey;

  /* What a presentation state adds; see presentation-state.c. */
  DicomLut *presentation; /* PresentationLUTSequence: after VOI; NULL: none */
  guint turns;            /* the picture is turned clockwise by so many right angles, */
  gboolean flip;          /* then mirrored left to right */
  GArray *marks;          /* of DicomMark, in the turned picture, ascending */
  guint shutter_grey;
  GPtrArray *texts;    /* of char * */
  GArray *text_points; /* of double: x and y of each text in the turned picture */
  guint left_out;      /* DICOM_LEFT_OUT_ bits */
  gboolean has_area;
  double area[4]; /* DisplayedArea in the turned picture: left, top, right, bottom edges */

  /* What follows is found when it is first asked for: dicom_frame_need_range(). */
  gsize ranged;     /* g_once_init_enter() */
  double low, high; /* after the modality LUT */
  /* Of at most 16 bits: the least and greatest sample as it is in memory, read as signed where that
   * is the shorter span; render-grey.c computes no greys outside. Not known: of every sample. */
  gboolean raw_known, raw_signed;
  gint raw_low, raw_high;
  char *sha256; /* made on demand, under the lock of frame.c */
};

DicomFrame *dicom_frame_new(guint width, guint height, guint samples, DicomSampleType type);
gsize dicom_sample_bytes(DicomSampleType type);
/* Value of one sample as stored, with BitsStored, HighBit and sign applied. */
double dicom_frame_sample(const DicomFrame *frame, gsize index);
/* Where in the stored values pixel X, Y of the picture is, which may be turned and mirrored. */
gsize dicom_frame_index(const DicomFrame *frame, guint x, guint y);
/* The value in WORD, the sample as it is in memory: BITS_STORED of the bits above SHIFT, with their
 * sign. Inline, since whole tables are made with it. */
static inline double
dicom_frame_cut(const DicomFrame *frame, guint32 word)
{
  guint32 bits = frame->bits_stored;
  guint32 mask = bits >= 32 ? G_MAXUINT32 : (1u << bits) - 1;
  guint32 value = word >> frame->shift & mask;

  if (frame->is_signed && value >> (bits - 1) & 1) {
    return (double)(gint32)(value | ~mask);
  }
  return value;
}
/* A stored value after the modality LUT. */
double dicom_frame_modality(const DicomFrame *frame, double stored);
/* Pixel padding, or no number at all: no picture (PS3.3 C.7.5.1.1.2). */
gboolean dicom_frame_is_padding(const DicomFrame *frame, double stored);
/* Fills low, high and what is said of raw samples, anew; for who has just made or changed FRAME and
 * does not share it yet. */
void dicom_frame_find_range(DicomFrame *frame);
/* The same, once, for frames that others may have too. */
void dicom_frame_need_range(const DicomFrame *frame);
/* Widens LOW and HIGH by the values as they are stored, before BitsStored and HighBit cut anything
 * off. */
void dicom_frame_stored_range(const DicomFrame *frame, double *low, double *high);

#endif
