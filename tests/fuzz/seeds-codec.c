/* seeds-codec.c - seeds of the codecs: the first fragments of whole files, each behind the job that
 * its header sets. */
#include "seeds.h"

#include "../dicom/build.h"

#include <zlib.h>
#ifdef HILUM_HAVE_JXL
#include <jxl/encode.h>
#endif

/* The codec of fuzz-dicom-codec.c's table for a transfer syntax, -1: none. */
static gint
codec_of(const char *uid)
{
  static const struct {
    const char *uid;
    gint codec;
  } known[] = {{"1.2.840.10008.1.2.5", 0},     {"1.2.840.10008.1.2.4.50", 1},
               {"1.2.840.10008.1.2.4.51", 1},  {"1.2.840.10008.1.2.4.53", 1},
               {"1.2.840.10008.1.2.4.55", 1},  {"1.2.840.10008.1.2.4.57", 6},
               {"1.2.840.10008.1.2.4.70", 6},  {"1.2.840.10008.1.2.4.80", 2},
               {"1.2.840.10008.1.2.4.81", 2},  {"1.2.840.10008.1.2.4.90", 3},
               {"1.2.840.10008.1.2.4.91", 3},  {"1.2.840.10008.1.2.4.201", 3},
               {"1.2.840.10008.1.2.4.202", 3}, {"1.2.840.10008.1.2.4.203", 3},
               {"1.2.840.10008.1.2.4.110", 4}, {"1.2.840.10008.1.2.4.111", 4},
               {"1.2.840.10008.1.2.4.112", 4}, {"1.2.840.10008.1.2.8.1", 5}};

  for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
    if (strcmp(known[i].uid, uid) == 0) {
      return known[i].codec;
    }
  }
  return -1;
}

/* Where NEEDLE is, from AT on; N when it is not there. */
static gsize
find(const guint8 *data, gsize n, gsize at, const char *needle, gsize length)
{
  const guint8 *found = at < n ? memmem(data + at, n - at, needle, length) : NULL;

  return found ? (gsize)(found - data) : n;
}

/* The value of an element US of group 0028; a file of our own making or a sound one is searched,
 * and what a wrong number does is the target's business. */
static guint
shape_word(const guint8 *data, gsize n, guint8 element, guint8 high)
{
  const char needle[] = {0x28, 0, (char)element, (char)high, 'U', 'S', 2, 0};
  const gsize at = find(data, n, 0, needle, sizeof needle);

  return at + 10 <= n ? (guint)(data[at + 8] | data[at + 9] << 8) : 0;
}

static void
put_job(GByteArray *seed, gint codec, const guint8 *data, gsize n)
{
  const guint rows = shape_word(data, n, 0x10, 0), columns = shape_word(data, n, 0x11, 0);
  const guint bits = shape_word(data, n, 0, 1), stored = shape_word(data, n, 1, 1);
  const gboolean colour = shape_word(data, n, 2, 0) == 3;
  const guint8 head[] = {(guint8)codec,
                         (guint8)columns,
                         (guint8)(columns >> 8),
                         (guint8)rows,
                         (guint8)(rows >> 8),
                         colour,
                         bits > 8,
                         (guint8)(stored - 1),
                         (guint8)shape_word(data, n, 3, 1),
                         (guint8)shape_word(data, n, 6, 0),
                         colour ? 2 : 0};

  g_byte_array_append(seed, head, sizeof head);
}

/* The first fragment of a DICOM file, as a seed. */
static void
add_fragment(Seeds *seeds, const guint8 *data, gsize n)
{
  g_autoptr(GByteArray) seed = g_byte_array_new();
  gsize at = find(data, n, 132, "\x02\x00\x10\x00UI", 6);
  g_autofree char *uid = NULL;
  guint32 length;
  gint codec;

  if (at + 8 > n || at + 8 + data[at + 6] > n) {
    return;
  }
  uid = g_strndup((const char *)data + at + 8, data[at + 6]);
  codec = codec_of(g_strchomp(uid));
  at = find(data, n, at, "\xe0\x7f\x10\x00O", 5);
  at = find(data, n, at + 12, "\xfe\xff\x00\xe0", 4); /* the offset table */
  at = find(data, n, at + 8, "\xfe\xff\x00\xe0", 4);
  if (codec < 0 || at + 8 > n) {
    return;
  }
  memcpy(&length, data + at + 4, sizeof length);
  length = (guint32)MIN(GUINT32_FROM_LE(length), n - at - 8);
  put_job(seed, codec, data, n);
  g_byte_array_append(seed, data + at + 8, length);
  seeds_add(seeds, seed->data, seed->len);
}

/* A picture of 8 x 8 in 16 bits, as a raw deflate stream. */
static void
add_deflated(Seeds *seeds)
{
  const guint8 head[] = {5, 8, 0, 8, 0, 0, 1, 11, 0, 0, 0};
  guint8 pixels[128], out[sizeof head + 256];
  z_stream z = {0};

  for (guint i = 0; i < sizeof pixels; i++) {
    pixels[i] = (guint8)(i % 2 ? i & 0x0f : i);
  }
  memcpy(out, head, sizeof head);
  g_assert_cmpint(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), ==, Z_OK);
  z.next_in = pixels;
  z.avail_in = sizeof pixels;
  z.next_out = out + sizeof head;
  z.avail_out = sizeof out - sizeof head;
  g_assert_cmpint(deflate(&z, Z_FINISH), ==, Z_STREAM_END);
  seeds_add(seeds, out, sizeof head + z.total_out);
  deflateEnd(&z);
}

#ifdef HILUM_HAVE_JXL
/* A picture of 8 x 8 in 8 or 16 bits. */
static void
add_jxl(Seeds *seeds, guint bits)
{
  const guint8 head[] = {4, 8, 0, 8, 0, 0, bits > 8, (guint8)(bits - 1), 0, 0, 0};
  const JxlPixelFormat format = {1, bits > 8 ? JXL_TYPE_UINT16 : JXL_TYPE_UINT8, JXL_LITTLE_ENDIAN,
                                 0};
  JxlEncoder *encoder = JxlEncoderCreate(NULL);
  JxlEncoderFrameSettings *settings = JxlEncoderFrameSettingsCreate(encoder, NULL);
  JxlBasicInfo info;
  JxlColorEncoding colour;
  guint8 pixels[128], out[4096], *next = out + sizeof head;
  size_t left = sizeof out - sizeof head;

  for (guint i = 0; i < sizeof pixels; i++) {
    pixels[i] = (guint8)(i * 3);
  }
  JxlEncoderInitBasicInfo(&info);
  info.xsize = info.ysize = 8;
  info.bits_per_sample = bits;
  info.num_color_channels = 1;
  info.uses_original_profile = JXL_TRUE;
  JxlColorEncodingSetToSRGB(&colour, JXL_TRUE);
  JxlEncoderSetBasicInfo(encoder, &info);
  JxlEncoderSetColorEncoding(encoder, &colour);
  JxlEncoderSetFrameLossless(settings, JXL_TRUE);
  JxlEncoderAddImageFrame(settings, &format, pixels, 8 * bits);
  JxlEncoderCloseInput(encoder);
  memcpy(out, head, sizeof head);
  g_assert_cmpint(JxlEncoderProcessOutput(encoder, &next, &left), ==, JXL_ENC_SUCCESS);
  seeds_add(seeds, out, (gsize)(next - out));
  JxlEncoderDestroy(encoder);
}
#endif

void
seeds_dicom_codec(Seeds *seeds)
{
  g_autofree char *folder = g_dir_make_tmp("hilum-fragments-XXXXXX", NULL);
  Seeds whole = {folder, seeds->more, 0};

  seeds_dicom(&whole);
  seeds_find(seeds, folder, add_fragment);
  add_deflated(seeds);
#ifdef HILUM_HAVE_JXL
  add_jxl(seeds, 8);
  add_jxl(seeds, 16);
#endif
  build_remove(folder);
}
