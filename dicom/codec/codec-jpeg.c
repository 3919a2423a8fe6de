/* codec-jpeg.c - a JPEG code stream inside a DICOM object: which process it is, and the lossy
 * ones of 8 bits through libjpeg-turbo, which is built for no more.
 *
 * Samples come out as they are in the code stream, YCbCr included, by the slow integer transform
 * and with smoothed chroma: libjpeg's defaults, which DCMTK has too, so that both give the same
 * values.
 *
 * libjpeg reports errors by a callback that must not return; here it jumps back to the one setjmp()
 * of decode(). Nothing between that setjmp() and the jump owns memory but libjpeg itself. */
#include "codec-check.h"
#include "codec-jpeg12.h"
#include "jpeg-header.h"
#include "dicom/limits.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/* A progressive picture may have any number of scans, each as costly as a picture. */
#define MAX_SCANS 500
/* Bytes between the end of a scan's data and the next marker that some encoders leave there; more
 * of them mean that the decoder lost its way and did not see it. */
#define MAX_SURPLUS 2
/* libjpeg's tables and strips besides its arrays of coefficients. */
#define WORKSPACE ((glong)32 << 20)

typedef struct {
  struct jpeg_error_mgr base;
  struct jpeg_progress_mgr progress;
  jmp_buf jump;
  DicomCodecJob *job;
  gboolean progressive;
} Run;

static void
on_error(j_common_ptr cinfo)
{
  Run *run = (Run *)cinfo->err;
  char message[JMSG_LENGTH_MAX];

  cinfo->err->format_message(cinfo, message);
  dicom_codec_say(run->job, "libjpeg: %s", message);
  longjmp(run->jump, 1);
}

/* libjpeg warns and goes on with an invented picture. What is damage beyond doubt is an error here:
 * a code that no table has, a scan that ends before its blocks do, or goes on behind them, restart
 * markers out of order. A missing end marker harms no sequential picture that is complete;
 * the refinements of a progressive one may be what is missing. */
static void
on_message(j_common_ptr cinfo, int level)
{
  const Run *run = (const Run *)cinfo->err;
  const int code = cinfo->err->msg_code;

  if (level >= 0 || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
      (code == JWRN_JPEG_EOF && !run->progressive) ||
      (code == JWRN_EXTRANEOUS_DATA && cinfo->err->msg_parm.i[0] <= MAX_SURPLUS)) {
    return;
  }
  on_error(cinfo);
}

static void
on_progress(j_common_ptr cinfo)
{
  Run *run = (Run *)cinfo->err;

  if (((j_decompress_ptr)cinfo)->input_scan_number > MAX_SCANS) {
    dicom_codec_say(run->job, "the code stream has more than %d scans", MAX_SCANS);
    longjmp(run->jump, 1);
  }
}

static gboolean
decode(Run *run, J_COLOR_SPACE space)
{
  DicomCodecJob *job = run->job;
  struct jpeg_decompress_struct cinfo = {0};
  const gsize stride = (gsize)job->columns * job->samples;

  cinfo.err = jpeg_std_error(&run->base);
  run->base.error_exit = on_error;
  run->base.emit_message = on_message;
  run->progress.progress_monitor = on_progress;
  if (setjmp(run->jump)) {
    jpeg_destroy_decompress(&cinfo);
    return FALSE;
  }
  jpeg_create_decompress(&cinfo);
  cinfo.progress = &run->progress;
  /* Two bytes a coefficient, blocks and rows of blocks being whole. */
  cinfo.mem->max_memory_to_use =
      WORKSPACE + 2 * (glong)job->samples * (job->columns + 64) * (job->rows + 64);
  jpeg_mem_src(&cinfo, job->data, job->n);
  jpeg_read_header(&cinfo, TRUE);
  if (cinfo.image_width != job->columns || cinfo.image_height != job->rows ||
      cinfo.num_components != (int)job->samples || cinfo.data_precision != 8) {
    /* Both have read the same marker; a disagreement would be a write out of bounds. */
    dicom_codec_say(job, "the code stream's frame header can be read in two ways");
    jpeg_destroy_decompress(&cinfo);
    return FALSE;
  }
  cinfo.jpeg_color_space = cinfo.out_color_space = space;
  cinfo.dct_method = JDCT_ISLOW;
  cinfo.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&cinfo);
  while (cinfo.output_scanline < cinfo.output_height) {
    JSAMPROW row = job->out + cinfo.output_scanline * stride;

    jpeg_read_scanlines(&cinfo, &row, 1);
  }
  jpeg_finish_decompress(&cinfo);
  jpeg_destroy_decompress(&cinfo);
  return TRUE;
}

/* What three components are. RGB is what many an object says of a JPEG that its own markers, or
 * chroma at half the resolution, show to be YCbCr; and an Adobe marker knows best. */
static J_COLOR_SPACE
find_space(const DicomCodecJob *job, const DicomJpegHeader *header)
{
  if (header->samples == 1) {
    return JCS_GRAYSCALE;
  }
  if (header->adobe_transform >= 0) {
    return header->adobe_transform == 1 ? JCS_YCbCr : JCS_RGB;
  }
  if (header->jfif || header->subsampled) {
    return JCS_YCbCr;
  }
  return dicom_codec_colour(job) == COLOUR_RGB ? JCS_RGB : JCS_YCbCr;
}

/* What SPACE and the data set together make of the samples. */
static void
set_colour(DicomCodecJob *job, J_COLOR_SPACE space)
{
  job->colour = dicom_codec_colour(job);
  if (space == JCS_RGB) {
    job->colour = COLOUR_RGB;
  } else if (space == JCS_YCbCr && job->colour == COLOUR_RGB) {
    job->colour = COLOUR_YBR_FULL;
  }
}

static const char *
decode_8bit(DicomCodecJob *job, const DicomJpegHeader *header)
{
  g_autofree Run *run = g_new0(Run, 1);
  const J_COLOR_SPACE space = find_space(job, header);

  run->job = job;
  run->progressive = header->frame_marker == MARKER_SOF2;
  if (!decode(run, space)) {
    return job->wrong;
  }
  set_colour(job, space);
  if (job->bits_allocated == 16) {
    dicom_codec_widen(job);
  }
  return NULL;
}

static const char *
decode_12bit(DicomCodecJob *job, const DicomJpegHeader *header)
{
  const char *wrong = dicom_codec_jpeg12(job, header);

  if (!wrong) {
    set_colour(job, find_space(job, header));
    dicom_codec_extend_sign(job, 12);
  }
  return wrong;
}

const char *
dicom_codec_jpeg(DicomCodecJob *job)
{
  DicomJpegHeader header;
  const char *wrong = dicom_jpeg_header(job, &header);

  if (!wrong) {
    wrong = dicom_jpeg_unread(&header);
  }
  if (!wrong) {
    wrong = dicom_codec_check(job, header.columns, header.rows, header.samples, header.precision);
  }
  if (wrong) {
    return wrong;
  }
  if (header.frame_marker == MARKER_SOF3) {
    return dicom_codec_jpeg_lossless(job);
  }
  if ((guint64)job->rows * job->columns > (guint64)job->n * DICOM_MAX_JPEG_PIXELS_PER_BYTE) {
    return "the code stream is too short for the picture, even at the best that JPEG can do";
  }
  if (header.samples != 1 && header.samples != 3) {
    return dicom_codec_say(job, "the code stream has %u components; expected 1 or 3",
                           header.samples);
  }
  if (header.precision == 8) {
    return decode_8bit(job, &header);
  }
  if (header.precision == 12) {
    return decode_12bit(job, &header);
  }
  return dicom_codec_say(job, "the code stream has %u bits per sample; lossy JPEG has 8 or 12",
                         header.precision);
}
