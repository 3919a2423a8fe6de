/* codec-j2k.c - JPEG 2000 (ISO 15444-1), its part 2 and HTJ2K (15444-15), by OpenJPEG.
 *
 * The main header and the chain of tile parts are walked here first: OpenJPEG takes memory for each
 * tile that the header announces, leaves a tile black that is not there, and reads boxes of the JP2
 * container that DICOM has no use for (PS3.5 A.4.4). */
#include "codec.h"
#include "dicom/limits.h"

#include <openjpeg.h>
#include <string.h>

#define MAX_COMPONENTS 4
#define MARKER_SOC 0xff4f
#define MARKER_SIZ 0xff51
#define MARKER_SOT 0xff90
#define MARKER_EOC 0xffd9

typedef struct {
  const guint8 *data;
  gsize n, at;
  gboolean end; /* an end marker follows that is not in DATA */
} Bytes;

/* What the SIZ marker segment says (15444-1 A.5.1). */
typedef struct {
  guint32 width, height, tiles;
  guint components, precision, is_signed;
} Header;

static guint
be16(const guint8 *p)
{
  return (guint)p[0] << 8 | p[1];
}

static guint32
be32(const guint8 *p)
{
  return (guint32)be16(p) << 16 | be16(p + 2);
}

#define SAY(job, ...) (g_snprintf((job)->wrong, sizeof(job)->wrong, __VA_ARGS__), (job)->wrong)

/* ---- the container ------------------------------------------------------------------------------
 */

/* The box at BYTES->at (15444-1 I.4): its type and contents; FALSE at the end or past it. */
static gboolean
next_box(Bytes *bytes, guint32 *type, Bytes *contents)
{
  gsize left = bytes->n - bytes->at, head = 8;
  const guint8 *p = bytes->data + bytes->at;

  if (left < 8) {
    return FALSE;
  }
  guint64 length = be32(p);
  *type = be32(p + 4);
  if (length == 1) {
    head = 16;
    length = left < 16 ? 0 : (guint64)be32(p + 8) << 32 | be32(p + 12);
  } else if (length == 0) {
    length = left;
  }
  if (length < head || length > left) {
    return FALSE;
  }
  *contents = (Bytes){p + head, (gsize)length - head, 0, FALSE};
  bytes->at += (gsize)length;
  return TRUE;
}

/* The bare code stream; some writers leave it in its JP2 file. */
static const char *
find_code_stream(const DicomCodecJob *job, Bytes *code)
{
  static const guint8 signature[12] = {0, 0, 0, 12, 'j', 'P', ' ', ' ', 0x0d, 0x0a, 0x87, 0x0a};
  Bytes file = {job->data, job->n, 0, FALSE}, box, inner;
  guint32 type;

  if (job->n >= 4 && be16(job->data) == MARKER_SOC && be16(job->data + 2) == MARKER_SIZ) {
    *code = file;
    return NULL;
  }
  if (job->n < sizeof signature || memcmp(job->data, signature, sizeof signature) != 0) {
    return "is no JPEG 2000 code stream, which begins with FF 4F FF 51";
  }
  while (next_box(&file, &type, &box)) {
    if (type == 0x6a703263) { /* jp2c */
      *code = box;
      return NULL;
    }
    while (type == 0x6a703268 && next_box(&box, &type, &inner)) { /* jp2h */
      if (type == 0x70636c72) {                                   /* pclr */
        return "is a JP2 file with a palette of its own, which is not read";
      }
      type = 0x6a703268;
    }
  }
  return "is a JP2 file without a code stream";
}

/* ---- the code stream ---------------------------------------------------------------------------
 */

static const char *
read_siz(const Bytes *code, DicomCodecJob *job, Header *header)
{
  const guint8 *p = code->data + 4;

  if (code->n < 4 + 38 || be16(p - 4) != MARKER_SOC || be16(p - 2) != MARKER_SIZ) {
    return "the JPEG 2000 code stream ends inside its header";
  }
  guint32 right = be32(p + 4), bottom = be32(p + 8), left = be32(p + 12), top = be32(p + 16);
  guint32 tile_w = be32(p + 20), tile_h = be32(p + 24), tile_x = be32(p + 28);
  guint32 tile_y = be32(p + 32);
  header->components = be16(p + 36);
  if (header->components > MAX_COMPONENTS || be16(p) != 38 + 3 * header->components ||
      code->n < 4 + (gsize)be16(p)) {
    return SAY(job, "the JPEG 2000 code stream has %u components; SamplesPerPixel is %u",
               header->components, job->samples);
  }
  if (right <= left || bottom <= top || tile_w == 0 || tile_h == 0 || tile_x > left ||
      tile_y > top || (guint64)tile_x + tile_w <= left || (guint64)tile_y + tile_h <= top) {
    return "the JPEG 2000 code stream has an impossible size";
  }
  header->width = right - left;
  header->height = bottom - top;
  guint64 across = ((guint64)right - tile_x + tile_w - 1) / tile_w;
  guint64 down = ((guint64)bottom - tile_y + tile_h - 1) / tile_h;
  if (across > DICOM_MAX_J2K_TILES || down > DICOM_MAX_J2K_TILES ||
      across * down > DICOM_MAX_J2K_TILES) {
    return SAY(job, "the JPEG 2000 code stream has more than %d tiles", DICOM_MAX_J2K_TILES);
  }
  header->tiles = (guint32)(across * down);
  header->precision = header->components > 0 ? (p[38] & 0x7f) + 1u : 0;
  header->is_signed = header->components > 0 ? p[38] >> 7 : 0;
  for (guint i = 0; i < header->components; i++) {
    const guint8 *component = p + 38 + 3 * (gsize)i;

    if (component[0] != p[38]) {
      return "the components of the JPEG 2000 code stream differ in depth, which is not read";
    }
    if (component[1] != 1 || component[2] != 1) {
      return "the components of the JPEG 2000 code stream are subsampled, which is not read";
    }
  }
  return NULL;
}

static const char *
compare(DicomCodecJob *job, const Header *header)
{
  guint64 samples = (guint64)job->columns * job->rows * job->samples;

  if (header->width != job->columns || header->height != job->rows ||
      header->components != job->samples) {
    return SAY(
        job,
        "the JPEG 2000 code stream holds %u x %u pixels of %u samples; Columns x Rows is %u x %u, "
        "SamplesPerPixel %u",
        header->width, header->height, header->components, job->columns, job->rows, job->samples);
  }
  if (header->precision > job->bits_allocated || header->precision > 31) {
    return SAY(job, "the JPEG 2000 code stream has %u bits per sample; BitsAllocated is %u",
               header->precision, job->bits_allocated);
  }
  if (samples > DICOM_MAX_J2K_SAMPLES) {
    return SAY(job, "decoding JPEG 2000 is limited to %d million samples a frame",
               (int)(DICOM_MAX_J2K_SAMPLES / 1000000));
  }
  if (samples * (job->bits_allocated / 8) != job->out_bytes) {
    return SAY(job, "BitsAllocated is %u in JPEG 2000; expected 8, 16 or 32", job->bits_allocated);
  }
  return NULL;
}

/* Follows the tile parts by the lengths in their SOT marker segments (15444-1 A.4.2), as a file
 * that was cut must not be shown as whole. That the end marker alone is missing, or that something
 * else is in its place, does no harm, but OpenJPEG wants it. */
static const char *
check_tile_parts(Bytes *code, const Header *header)
{
  static const char ends[] = "the JPEG 2000 code stream ends before the picture does";
  g_autofree guint8 *seen = g_malloc0(header->tiles);
  guint32 missing = header->tiles;
  gsize at = 2;

  while (code->n - at >= 4 && be16(code->data + at) != MARKER_SOT) {
    gsize length = be16(code->data + at + 2);

    if (code->data[at] != 0xff || length < 2 || length > code->n - at - 2) {
      return "the main header of the JPEG 2000 code stream is damaged";
    }
    at += 2 + length;
  }
  while (code->n - at >= 12 && be16(code->data + at) == MARKER_SOT) {
    const guint8 *p = code->data + at;
    guint tile = be16(p + 4);
    gsize length = be32(p + 6);

    if (tile >= header->tiles || (length > 0 && length < 14)) {
      return "the JPEG 2000 code stream has an impossible tile part";
    }
    missing -= seen[tile] == 0;
    seen[tile] = 1;
    if (length > code->n - at) {
      return ends;
    }
    if (length == 0) {
      return missing > 0 ? ends : NULL; /* the last one, up to the end */
    }
    at += length;
  }
  code->n = at;
  code->end = TRUE;
  return missing > 0 ? ends : NULL;
}

/* ---- decoding ----------------------------------------------------------------------------------
 */

static gsize
total_bytes(const Bytes *bytes)
{
  return bytes->n + (bytes->end ? 2 : 0);
}

static OPJ_SIZE_T
read_bytes(void *out, OPJ_SIZE_T n, void *user)
{
  static const guint8 end[2] = {MARKER_EOC >> 8, MARKER_EOC & 0xff};
  Bytes *bytes = user;
  gsize count;

  if (bytes->at < bytes->n) {
    count = MIN(n, bytes->n - bytes->at);
    memcpy(out, bytes->data + bytes->at, count);
  } else {
    count = MIN(n, total_bytes(bytes) - bytes->at);
    memcpy(out, end + (bytes->at - bytes->n), count);
  }
  if (count == 0) {
    return (OPJ_SIZE_T)-1;
  }
  bytes->at += count;
  return count;
}

static OPJ_OFF_T
skip_bytes(OPJ_OFF_T n, void *user)
{
  Bytes *bytes = user;
  gsize count = n < 0 ? 0 : MIN((guint64)n, total_bytes(bytes) - bytes->at);

  bytes->at += count;
  return count == 0 ? -1 : (OPJ_OFF_T)count;
}

static OPJ_BOOL
seek_bytes(OPJ_OFF_T n, void *user)
{
  Bytes *bytes = user;

  if (n < 0 || (guint64)n > total_bytes(bytes)) {
    return OPJ_FALSE;
  }
  bytes->at = (gsize)n;
  return OPJ_TRUE;
}

/* The first thing that OpenJPEG complains of; its messages are numbers and words of its own. */
static void
take_error(const char *message, void *user)
{
  DicomCodecJob *job = user;

  if (!job->wrong[0]) {
    g_snprintf(job->wrong, sizeof job->wrong, "the JPEG 2000 code stream is damaged: %s", message);
    g_strchomp(job->wrong);
    g_strcanon(job->wrong,
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;()=/-_", '?');
  }
}

static void
ignore(const char *message, void *user)
{
  (void)message;
  (void)user;
}

/* One component to every SAMPLES-th sample. The low PRECISION bits are the pattern; whether they
 * have a sign is PixelRepresentation's to say, as writers leave the code stream's own sign bit
 * wrong. */
static inline void
store(const OPJ_INT32 *in, gsize pixels, guint precision, gboolean is_signed, guint samples,
      guint bytes, guint8 *out)
{
  guint shift = 32 - precision;

  for (gsize i = 0; i < pixels; i++) {
    guint32 top = (guint32)in[i] << shift;
    guint32 value = is_signed ? (guint32)((gint32)top >> shift) : top >> shift;
    guint8 *p = out + i * samples * bytes;

    if (bytes == 1) {
      p[0] = (guint8)value;
    } else if (bytes == 2) {
      guint16 word = GUINT16_TO_LE((guint16)value);

      memcpy(p, &word, 2);
    } else {
      guint32 word = GUINT32_TO_LE(value);

      memcpy(p, &word, 4);
    }
  }
}

/* The common shapes by constants, which the compiler makes vectors of. */
static void
store_any(const OPJ_INT32 *in, gsize pixels, guint precision, gboolean is_signed, guint samples,
          guint bytes, guint8 *out)
{
  if (samples == 1 && bytes == 2 && is_signed) {
    store(in, pixels, precision, TRUE, 1, 2, out);
  } else if (samples == 1 && bytes == 2) {
    store(in, pixels, precision, FALSE, 1, 2, out);
  } else if (samples == 1 && bytes == 1) {
    store(in, pixels, precision, is_signed, 1, 1, out);
  } else if (samples == 3 && bytes == 1) {
    store(in, pixels, precision, is_signed, 3, 1, out);
  } else {
    store(in, pixels, precision, is_signed, samples, bytes, out);
  }
}

static const char *
take_image(DicomCodecJob *job, const Header *header, const opj_image_t *image)
{
  guint bytes = job->bits_allocated / 8;
  gsize pixels = (gsize)job->columns * job->rows;

  if (image->numcomps != job->samples) {
    return "OpenJPEG gave another number of components than the code stream has";
  }
  for (guint i = 0; i < image->numcomps; i++) {
    const opj_image_comp_t *component = &image->comps[i];

    if (!component->data || component->w != job->columns || component->h != job->rows ||
        component->prec != header->precision) {
      return "OpenJPEG gave a picture of another size than the code stream has";
    }
    store_any(component->data, pixels, header->precision, job->is_signed, job->samples, bytes,
              job->out + (gsize)i * bytes);
  }
  return NULL;
}

/* A colour transform that the code stream names (YBR_RCT, YBR_ICT) has been undone. */
static DicomColour
colour_of(const DicomCodecJob *job, opj_codec_t *codec)
{
  opj_codestream_info_v2_t *info = opj_get_cstr_info(codec);
  gboolean transformed = info && info->m_default_tile_info.mct != 0;

  opj_destroy_cstr_info(&info);
  if (job->samples != 3) {
    return job->colour;
  }
  return !transformed && g_str_has_prefix(job->photometric, "YBR_FULL") ? COLOUR_YBR_FULL
                                                                        : COLOUR_RGB;
}

static const char *
decode(DicomCodecJob *job, const Header *header, Bytes *code)
{
  opj_codec_t *codec = opj_create_decompress(OPJ_CODEC_J2K);
  opj_stream_t *stream = opj_stream_create(65536, OPJ_TRUE);
  opj_image_t *image = NULL;
  opj_dparameters_t parameters;
  const char *wrong = "the JPEG 2000 code stream is damaged";

  opj_set_default_decoder_parameters(&parameters);
  if (codec && stream) {
    opj_set_error_handler(codec, take_error, job);
    opj_set_warning_handler(codec, ignore, NULL);
    opj_set_info_handler(codec, ignore, NULL);
    opj_stream_set_user_data(stream, code, NULL);
    opj_stream_set_user_data_length(stream, total_bytes(code));
    opj_stream_set_read_function(stream, read_bytes);
    opj_stream_set_skip_function(stream, skip_bytes);
    opj_stream_set_seek_function(stream, seek_bytes);
    if (opj_setup_decoder(codec, &parameters) && opj_decoder_set_strict_mode(codec, OPJ_TRUE) &&
        opj_read_header(stream, codec, &image) && opj_decode(codec, stream, image)) {
      wrong = take_image(job, header, image);
      job->colour = colour_of(job, codec);
    } else if (job->wrong[0]) {
      wrong = job->wrong;
    }
  } else {
    wrong = "needs more memory than there is";
  }
  opj_image_destroy(image);
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  return wrong;
}

const char *
dicom_codec_j2k(DicomCodecJob *job)
{
  Bytes code = {NULL, 0, 0, FALSE};
  Header header = {0};
  const char *wrong = find_code_stream(job, &code);

  if (!wrong) {
    wrong = read_siz(&code, job, &header);
  }
  if (!wrong) {
    wrong = compare(job, &header);
  }
  if (!wrong) {
    wrong = check_tile_parts(&code, &header);
  }
  return wrong ? wrong : decode(job, &header, &code);
}
