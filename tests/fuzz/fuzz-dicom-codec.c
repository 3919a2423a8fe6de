/* fuzz-dicom-codec.c - one code stream to stored values, by each codec.
 *
 * Input: the codec, then the job (what the file's header claims), then the code stream; eleven
 * bytes in all before it. seeds-dicom.c writes the same. */
#include "fuzz.h"

#include "dicom/codec/codec.h"

#include <string.h>

#define MOST_BYTES (4u << 20) /* of a picture; larger ones only take time */

/* The outcome, in memory that was full of FILL before. g_free(). */
static guint8 *
decode(DicomCodec codec, const DicomCodecJob *from, guint8 fill, const char **wrong,
       DicomCodecJob *job)
{
  guint8 *out = g_malloc(from->out_bytes);

  *job = *from;
  memset(out, fill, from->out_bytes);
  job->out = out;
  *wrong = codec(job);
  if (*wrong) {
    fuzz_check_message(*wrong);
  }
  return out;
}

static void
run(DicomCodec codec, const DicomCodecJob *from)
{
  const char *wrong, *again;
  DicomCodecJob job, second;
  g_autofree guint8 *out = decode(codec, from, 0xa5, &wrong, &job);

  if (!wrong) {
    g_autofree guint8 *other = decode(codec, from, 0x5a, &again, &second);

    /* What was in the memory before must not show. */
    g_assert(!again && memcmp(out, other, from->out_bytes) == 0);
    g_assert(job.colour <= COLOUR_PALETTE && job.colour == second.colour);
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  static const DicomCodec codecs[] = {
      dicom_codec_rle, dicom_codec_jpeg,    dicom_codec_jpegls,       dicom_codec_j2k,
      dicom_codec_jxl, dicom_codec_deflate, dicom_codec_jpeg_lossless};
  static const char *const photometrics[] = {"MONOCHROME2",  "MONOCHROME1",  "RGB",
                                             "YBR_FULL",     "YBR_RCT",      "YBR_ICT",
                                             "YBR_FULL_422", "PALETTE COLOR"};
  static const guint widths[] = {8, 16, 32};
  FuzzInput input = {data, n};
  const DicomCodec codec = codecs[fuzz_u8(&input) % G_N_ELEMENTS(codecs)];
  g_autofree guint8 *copy = NULL;
  DicomCodecJob job = {0};

  fuzz_start();
  job.columns = fuzz_u16(&input);
  job.rows = fuzz_u16(&input);
  job.samples = fuzz_u8(&input) % 2 ? 3 : 1;
  job.bits_allocated = widths[fuzz_u8(&input) % G_N_ELEMENTS(widths)];
  job.bits_stored = 1 + fuzz_u8(&input) % job.bits_allocated;
  job.is_signed = fuzz_u8(&input) % 2;
  job.planar = fuzz_u8(&input) % 2;
  job.photometric = photometrics[fuzz_u8(&input) % G_N_ELEMENTS(photometrics)];
  job.out_bytes = (gsize)job.columns * job.rows * job.samples * (job.bits_allocated / 8);
  if (job.out_bytes == 0 || job.out_bytes > MOST_BYTES) {
    return 0;
  }
  copy = g_malloc0(input.n + 16); /* as the caller of codecs promises */
  if (input.n > 0) {
    memcpy(copy, input.data, input.n);
  }
  job.data = copy;
  job.n = input.n;
  run(codec, &job);
  return 0;
}
