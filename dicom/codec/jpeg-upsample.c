/* jpeg-upsample.c - components of JPEG at less than the picture's resolution.
 *
 * T.81 leaves open how they are spread. At half the resolution across, or both ways, a sample is
 * three parts of the nearest one and one of the next, as the Independent JPEG Group's decoder has
 * it; which way a half is rounded alternates, so that the picture gets neither lighter nor darker.
 * Otherwise samples are repeated. */
#include "jpeg12.h"

/* Two rows of a component, the nearer one and the next; the same where rows are not spread. ROUND:
 * what is added to sixteenths in even and odd columns. */
typedef struct {
  const guint16 *near, *next;
  guint columns;
  guint round[2];
} Rows;

/* In quarters. */
static inline guint
between_rows(const Rows *rows, guint x)
{
  return 3u * rows->near[x] + rows->next[x];
}

/* To N samples, twice as many as there are, or one fewer. */
static void
spread_row(const Rows *rows, guint8 *out, gsize step, guint n)
{
  guint before = between_rows(rows, 0), here = before;

  for (guint i = 0, x = 0; x < n; i++) {
    const guint after = i + 1 < rows->columns ? between_rows(rows, i + 1) : here;

    jpeg_put(out + x++ * step, (guint16)((3 * here + before + rows->round[0]) >> 4));
    if (x < n) {
      jpeg_put(out + x++ * step, (guint16)((3 * here + after + rows->round[1]) >> 4));
    }
    before = here;
    here = after;
  }
}

static void
repeat_row(const guint16 *row, guint times, guint8 *out, gsize step, guint n)
{
  for (guint i = 0, x = 0; x < n; i++) {
    for (guint end = MIN(x + times, n); x < end; x++) {
      jpeg_put(out + x * step, row[i]);
    }
  }
}

void
dicom_jpeg_upsample(const Jpeg12 *jpeg, guint index)
{
  const DicomCodecJob *job = jpeg->job;
  const JpegComponent *c = &jpeg->components[index];
  const gsize stride = (gsize)c->padded_across * 8, step = 2 * (gsize)job->samples;
  const guint across = jpeg->h / c->h, down = jpeg->v / c->v;
  const gboolean spread = across == 2 && down <= 2 && c->columns > 2;

  for (guint y = 0; y < job->rows; y++) {
    guint8 *out = job->out + y * step * job->columns + 2 * (gsize)index;
    const guint near = y / down;
    guint next = near;

    if (down == 2) {
      next = y % 2 == 0 ? MAX(near, 1) - 1 : MIN(near + 1, c->rows - 1);
    }
    if (spread) {
      const Rows rows = {c->plane + near * stride,
                         c->plane + next * stride,
                         c->columns,
                         {down == 2 ? 8 : 4, down == 2 ? 7 : 8}};

      spread_row(&rows, out, step, job->columns);
    } else {
      repeat_row(c->plane + near * stride, across, out, step, job->columns);
    }
  }
}
