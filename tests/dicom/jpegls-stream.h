/* jpegls-stream.h - JPEG-LS streams of made-up pictures, which CharLS encodes, and decodes for a
 * second opinion. */
#ifndef HILUM_TESTS_DICOM_JPEGLS_STREAM_H
#define HILUM_TESTS_DICOM_JPEGLS_STREAM_H

#include "damage.h"

#include <charls/charls.h>

typedef enum { GRADIENT, NOISE, CONSTANT, RUNS, SPIKES, N_PICTURES } Picture;

typedef struct {
  guint width, height, samples, precision, near;
  charls_interleave_mode mode;
  charls_color_transformation transform;
  charls_jpegls_pc_parameters preset;
  Picture picture;
  guint first_row; /* of the picture, for one in bands */
} Kind;

#define NONE CHARLS_INTERLEAVE_MODE_NONE
#define LINE CHARLS_INTERLEAVE_MODE_LINE
#define SAMPLE CHARLS_INTERLEAVE_MODE_SAMPLE

static G_GNUC_UNUSED const Kind usual = {.width = 37, .height = 29, .samples = 1, .precision = 12};

/* ---- streams -----------------------------------------------------------------------------------
 */

static inline guint32
mix(guint x, guint y, guint c)
{
  guint32 h = x * 2654435761u ^ y * 2246822519u ^ c * 3266489917u;

  h = (h ^ h >> 15) * 2246822519u;
  return h ^ h >> 13;
}

static inline guint
value_of(const Kind *kind, guint x, guint y, guint c)
{
  const guint most = kind->preset.maximum_sample_value ? (guint)kind->preset.maximum_sample_value
                                                       : (1u << kind->precision) - 1;
  const guint32 h = mix(x, y, c);

  switch (kind->picture) {
  case GRADIENT:
    return (guint)(((guint64)most * (x * (3 + c) + y * 7) / 512 + h % 8) % (most + 1));
  case NOISE:
    return h % (most + 1);
  case CONSTANT:
    return most / 3 + c % 2;
  case RUNS:
    return mix(x / 11, y / 3, c / 2) % 3 * most / 2;
  default: /* what is rare takes the longest codes */
    return h % 61 == 0 ? (h >> 8) % (most + 1) : most / 2;
  }
}

static inline gsize
samples_of(const Kind *kind)
{
  return (gsize)kind->width * kind->height * kind->samples;
}

/* Where sample C of PIXEL is in what CharLS takes and gives. */
static inline gsize
place(const Kind *kind, gsize pixel, gsize c)
{
  return kind->mode == NONE ? c * kind->width * kind->height + pixel : pixel * kind->samples + c;
}

static inline gsize
bytes_of(const Kind *kind)
{
  return kind->precision > 8 ? 2 : 1;
}

static inline GByteArray *
encode(const Kind *kind)
{
  const charls_frame_info frame = {kind->width, kind->height, (gint32)kind->precision,
                                   (gint32)kind->samples};
  const gsize bytes = bytes_of(kind), n = samples_of(kind);
  g_autofree guint8 *in = g_malloc(n * bytes);
  charls_jpegls_encoder *encoder = charls_jpegls_encoder_create();
  GByteArray *out = g_byte_array_new();
  size_t size;

  for (gsize i = 0; i < n; i++) {
    const gsize pixel = i / kind->samples, c = i % kind->samples;
    const guint16 value =
        (guint16)value_of(kind, (guint)(pixel % kind->width),
                          kind->first_row + (guint)(pixel / kind->width), (guint)c);

    if (bytes == 2) {
      memcpy(in + 2 * place(kind, pixel, c), &value, 2);
    } else {
      in[place(kind, pixel, c)] = (guint8)value;
    }
  }
  g_assert_cmpint(charls_jpegls_encoder_set_frame_info(encoder, &frame), ==, 0);
  g_assert_cmpint(charls_jpegls_encoder_set_near_lossless(encoder, (gint32)kind->near), ==, 0);
  g_assert_cmpint(charls_jpegls_encoder_set_interleave_mode(encoder, kind->mode), ==, 0);
  g_assert_cmpint(charls_jpegls_encoder_set_color_transformation(encoder, kind->transform), ==, 0);
  g_assert_cmpint(charls_jpegls_encoder_set_preset_coding_parameters(encoder, &kind->preset), ==,
                  0);
  g_byte_array_set_size(out, (guint)(4 * n * bytes + 1024));
  g_assert_cmpint(charls_jpegls_encoder_set_destination_buffer(encoder, out->data, out->len), ==,
                  0);
  g_assert_cmpint(charls_jpegls_encoder_encode_from_buffer(encoder, in, n * bytes, 0), ==, 0);
  g_assert_cmpint(charls_jpegls_encoder_get_bytes_written(encoder, &size), ==, 0);
  charls_jpegls_encoder_destroy(encoder);
  g_byte_array_set_size(out, (guint)size);
  return out;
}

/* What CharLS makes of it; NULL: it refuses. Only for streams with an end: else it may never come
 * back. */
static inline guint8 *
second_opinion(const Kind *kind, const GByteArray *stream)
{
  const gsize n = samples_of(kind) * bytes_of(kind);
  g_autofree guint8 *out = g_malloc(n);
  charls_jpegls_decoder *decoder = charls_jpegls_decoder_create();
  charls_jpegls_errc code =
      charls_jpegls_decoder_set_source_buffer(decoder, stream->data, stream->len);

  code = code ? code : charls_jpegls_decoder_read_header(decoder);
  code = code ? code : charls_jpegls_decoder_decode_to_buffer(decoder, out, n, 0);
  charls_jpegls_decoder_destroy(decoder);
  if (code) {
    g_test_message("CharLS: %s", charls_get_error_message(code));
  }
  return code ? NULL : g_steal_pointer(&out);
}

static inline DicomCodecJob
job_for(const Kind *kind, guint bits_allocated)
{
  DicomCodecJob job = job_of(kind->width, kind->height, kind->samples, bits_allocated);

  job.bits_stored = kind->precision;
  return job;
}

static inline guint
word_of(const guint8 *p, gsize bytes)
{
  return bytes == 2 ? (guint)p[0] | (guint)p[1] << 8 : p[0];
}

static inline GByteArray *
insert(const GByteArray *stream, guint at, const guint8 *what, gsize n)
{
  GByteArray *out = g_byte_array_new();

  g_byte_array_append(out, stream->data, at);
  g_byte_array_append(out, what, (guint)n);
  g_byte_array_append(out, stream->data + at, stream->len - at);
  return out;
}

/* The data of its one scan. */
static guint
scan_data(const GByteArray *stream, guint samples)
{
  return find(stream, 0xda) + 2 + 6 + 2 * samples;
}

/* Contexts and rows begin anew at a restart: pictures of a few rows each, one after another. */
static inline GByteArray *
with_restarts(const Kind *kind, guint interval)
{
  GByteArray *out = NULL;
  guint restarts = 0;

  for (guint y = 0; y < kind->height; y += interval) {
    Kind band = *kind;

    band.first_row = y;
    band.height = MIN(interval, kind->height - y);
    g_autoptr(GByteArray) stream = encode(&band);
    const guint data = scan_data(stream, kind->samples);
    if (!out) {
      const guint8 dri[] = {0xff, 0xdd, 0, 4, (guint8)(interval >> 8), (guint8)interval};

      out = insert(stream, find(stream, 0xda), dri, sizeof dri);
      out->data[find(out, 0xf7) + 6] = (guint8)kind->height;
      g_byte_array_set_size(out, out->len - 2);
    } else {
      const guint8 restart[] = {0xff, (guint8)(0xd0 + restarts++ % 8)};

      g_byte_array_append(out, restart, 2);
      g_byte_array_append(out, stream->data + data, stream->len - 2 - data);
    }
  }
  g_byte_array_append(out, (const guint8 *)"\xff\xd9", 2);
  return out;
}

#endif
