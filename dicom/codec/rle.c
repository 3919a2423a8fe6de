/* rle.c - RLE compression of PS3.5 annex G.
 *
 * Our own, because DCMTK's decoder fills what a short segment leaves out with black and says
 * nothing, and does not join a frame that lies in several fragments.
 *
 * The segments, one for each byte of each sample, are decoded side by side, a block of pixels at a
 * time, so that putting their bytes together happens in the processor's first cache. */
#include "rle.h"
#include "codec.h"
#include "codec-check.h"
#include "dicom/limits.h"

#include <string.h>

#define MAX_SEGMENTS 15
#define BLOCK 2048
/* One run may give 128 bytes more than a block takes, and copies go in steps of 16 bytes. */
#define SLACK 160

typedef struct {
  const guint8 *at, *end;
  guint have; /* bytes at the beginning of BLOCK that are not used yet */
  guint8 block[BLOCK + SLACK];
} Segment;

typedef struct {
  guint n_segments, bytes; /* bytes of one sample */
  Segment segments[MAX_SEGMENTS];
} Rle;

static guint32
word(const guint8 *p)
{
  return p[0] | (guint32)p[1] << 8 | (guint32)p[2] << 16 | (guint32)p[3] << 24;
}

/* At least WANT bytes in the block (G.3.1); FALSE when the segment ends before that. A literal run
 * that the end cuts off counts as far as it goes: it is enough, or WANT is not reached. */
static gboolean
fill(Segment *segment, guint want)
{
  const guint8 *at = segment->at, *const end = segment->end;
  guint8 *out = segment->block + segment->have, *const goal = segment->block + want;

  while (out < goal && at < end) {
    const guint code = *at++;

    if (code < 128) {
      gsize count = code + 1u;

      if (end - at >= 128 + 16) {
        for (gsize i = 0; i < count; i += 16) {
          memcpy(out + i, at + i, 16);
        }
      } else {
        count = MIN(count, (gsize)(end - at));
        memcpy(out, at, count);
      }
      at += count;
      out += count;
    } else if (code > 128 && at < end) {
      const gsize count = 257u - code;
      const guint64 value = *at++ * G_GUINT64_CONSTANT(0x0101010101010101);

      for (gsize i = 0; i < count; i += 8) {
        memcpy(out + i, &value, 8);
      }
      out += count;
    }
  }
  segment->at = at;
  segment->have = (guint)(out - segment->block);
  return out >= goal;
}

/* Segments go sample by sample, the most significant byte first; OUT has the least one first. */
static void
combine(const Rle *rle, guint8 *restrict out, guint n)
{
  const guint n_segments = rle->n_segments;

  if (n_segments == 1) {
    memcpy(out, rle->segments[0].block, n);
  } else if (n_segments == 2 && rle->bytes == 2) {
    const guint8 *high = rle->segments[0].block, *low = rle->segments[1].block;

    for (guint i = 0; i < n; i++) {
      out[2 * i] = low[i];
      out[2 * i + 1] = high[i];
    }
  } else if (n_segments == 3 && rle->bytes == 1) {
    const guint8 *red = rle->segments[0].block, *green = rle->segments[1].block,
                 *blue = rle->segments[2].block;

    for (guint i = 0; i < n; i++) {
      out[3 * i] = red[i];
      out[3 * i + 1] = green[i];
      out[3 * i + 2] = blue[i];
    }
  } else {
    for (guint s = 0; s < n_segments; s++) {
      const guint8 *in = rle->segments[s].block;
      guint8 *to = out + s / rle->bytes * rle->bytes + (rle->bytes - 1 - s % rle->bytes);

      for (gsize i = 0; i < n; i++) {
        to[i * n_segments] = in[i];
      }
    }
  }
}

/* The header (G.5): how many segments, and where each begins. */
static const char *
read_header(Rle *rle, const guint8 *data, gsize size)
{
  if (size < 64) {
    return "the RLE header is shorter than 64 bytes";
  }
  if (rle->n_segments > MAX_SEGMENTS || word(data) != rle->n_segments) {
    return "the number of RLE segments is not SamplesPerPixel times bytes per sample";
  }
  for (guint i = 0; i < rle->n_segments; i++) {
    const guint32 first = word(data + 4 + 4 * i);
    const gsize last = i + 1 < rle->n_segments ? word(data + 8 + 4 * i) : size;

    if (first < 64 || first > size || last < first || last > size) {
      return "an RLE segment begins outside the frame";
    }
    rle->segments[i].at = data + first;
    rle->segments[i].end = data + last;
    rle->segments[i].have = 0;
  }
  return NULL;
}

const char *
dicom_rle_decode(const guint8 *data, gsize size, guint8 *out, gsize n_pixels, guint samples,
                 guint bytes)
{
  Rle rle;

  rle.n_segments = samples * bytes;
  rle.bytes = bytes;
  const char *wrong = read_header(&rle, data, size);
  for (gsize done = 0; !wrong && done < n_pixels;) {
    const guint n = (guint)MIN(n_pixels - done, BLOCK);

    for (guint i = 0; i < rle.n_segments; i++) {
      if (!fill(&rle.segments[i], n)) {
        return "an RLE segment ends before its pixels do";
      }
    }
    combine(&rle, out + done * rle.n_segments, n);
    for (guint i = 0; i < rle.n_segments; i++) {
      Segment *segment = &rle.segments[i];

      segment->have -= n;
      memmove(segment->block, segment->block + n, segment->have);
    }
    done += n;
  }
  return wrong;
}

/* One bit a pixel, lowest bit first, packed before it was compressed (PS3.5 clause 8.1.1, G.2). The
 * packed bytes are decoded to the end of OUT and spread from its beginning on: the eight pixels of
 * a byte never reach the next packed byte. */
static const char *
decode_bits(DicomCodecJob *job)
{
  const gsize n_pixels = job->out_bytes, n_packed = (n_pixels + 7) / 8;
  const guint8 *packed = job->out + (n_pixels - n_packed);
  const char *wrong =
      dicom_rle_decode(job->data, job->n, job->out + (n_pixels - n_packed), n_packed, 1, 1);

  for (gsize i = 0; !wrong && i < n_pixels; i += 8) {
    const guint byte = *packed++;

    for (guint k = 0; k < 8 && i + k < n_pixels; k++) {
      job->out[i + k] = byte >> k & 1;
    }
  }
  return wrong;
}

const char *
dicom_codec_rle(DicomCodecJob *job)
{
  const guint64 pixels = (guint64)job->rows * job->columns;
  const guint bytes = (job->bits_allocated + 7) / 8;
  const guint64 packed = job->bits_allocated == 1 ? (pixels + 7) / 8 : job->out_bytes;

  job->colour = dicom_codec_colour(job);
  if (job->bits_allocated != 8 && job->bits_allocated != 16 && job->bits_allocated != 32 &&
      !(job->bits_allocated == 1 && job->samples == 1)) {
    return dicom_codec_say(job, "BitsAllocated is %u in RLE; expected 1, 8, 16 or 32",
                           job->bits_allocated);
  }
  if (job->out_bytes != pixels * job->samples * bytes) {
    return "the room for the frame does not fit its size";
  }
  if (packed > (guint64)job->n * DICOM_MAX_RLE_RATIO) {
    return "the code stream is too short for the picture, even at the best that RLE can do";
  }
  if (job->bits_allocated == 1) {
    return decode_bits(job);
  }
  return dicom_rle_decode(job->data, job->n, job->out, (gsize)pixels, job->samples, bytes);
}
