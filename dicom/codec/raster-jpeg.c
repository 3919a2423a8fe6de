/* raster-jpeg.c - JPEG pictures through libjpeg-turbo.
 *
 * libjpeg reports errors by a callback that must not return; here it jumps back to the one setjmp()
 * of dicom_jpeg_decode(). Nothing between that setjmp() and the jump owns memory: the picture's
 * buffer is held by the caller's Job and freed there. Warnings that mean missing or damaged data
 * are errors here, because libjpeg would fill the rest with grey. */
#include "raster.h"
#include "dicom/limits.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/* A progressive file may hold any number of scans, each as costly as a picture. */
#define MAX_SCANS 500

typedef struct {
  struct jpeg_error_mgr base;
  struct jpeg_progress_mgr progress;
  jmp_buf jump;
  DicomRasterFault fault;
  guint8 *pixels; /* of the whole picture, components interleaved */
  guint width, height, components;
  J_COLOR_SPACE space;
  gboolean adobe;
  guint orientation;
} Job;

G_STATIC_ASSERT(sizeof((DicomRasterFault *)NULL)->message >= JMSG_LENGTH_MAX);

static void
on_error(j_common_ptr cinfo)
{
  Job *job = (Job *)cinfo->err;

  cinfo->err->format_message(cinfo, job->fault.message);
  longjmp(job->jump, 1);
}

static void
on_message(j_common_ptr cinfo, int level)
{
  int code = cinfo->err->msg_code;

  if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM &&
      code != JWRN_JFIF_MAJOR) {
    on_error(cinfo);
  }
}

static void
on_progress(j_common_ptr cinfo)
{
  Job *job = (Job *)cinfo->err;

  if (((j_decompress_ptr)cinfo)->input_scan_number > MAX_SCANS) {
    g_strlcpy(job->fault.message, "more than 500 scans", sizeof job->fault.message);
    longjmp(job->jump, 1);
  }
}

/* EXIF 2.3, tag 0x0112 of the zeroth directory: where the first row and column are. */
static guint
exif_orientation(const guint8 *p, gsize n)
{
  if (n < 14 || memcmp(p, "Exif\0\0", 6) != 0) {
    return 1;
  }
  p += 6;
  n -= 6;
  gboolean big = p[0] == 'M';
#define GET16(at) ((guint)(big ? p[at] << 8 | p[(at) + 1] : p[(at) + 1] << 8 | p[at]))
#define GET32(at) (big ? GET16(at) << 16 | GET16((at) + 2) : GET16((at) + 2) << 16 | GET16(at))
  gsize at = GET32(4);
  if (at + 2 > n) {
    return 1;
  }
  guint entries = GET16(at);
  at += 2;
  for (guint i = 0; i < entries && at + 12 <= n; i++, at += 12) {
    if (GET16(at) == 0x0112) {
      guint value = GET16(at + 8);

      return value >= 1 && value <= 8 ? value : 1;
    }
  }
#undef GET16
#undef GET32
  return 1;
}

static void
read_markers(j_decompress_ptr cinfo, Job *job)
{
  job->orientation = 1;
  for (jpeg_saved_marker_ptr m = cinfo->marker_list; m; m = m->next) {
    if (m->marker == JPEG_APP0 + 1 && job->orientation == 1) {
      job->orientation = exif_orientation(m->data, m->data_length);
    }
  }
}

static void
decode_rows(j_decompress_ptr cinfo, Job *job)
{
  gsize stride = (gsize)cinfo->output_width * (guint)cinfo->output_components;

  while (cinfo->output_scanline < cinfo->output_height) {
    JSAMPROW row = job->pixels + cinfo->output_scanline * stride;

    jpeg_read_scanlines(cinfo, &row, 1);
  }
  jpeg_finish_decompress(cinfo);
}

/* The header, and with WITH_PIXELS the picture too. FALSE: see job->fault.message. */
static gboolean
dicom_jpeg_decode(FILE *stream, guint64 size, Job *job, gboolean with_pixels)
{
  struct jpeg_decompress_struct cinfo = {0};

  cinfo.err = jpeg_std_error(&job->base);
  job->base.error_exit = on_error;
  job->base.emit_message = on_message;
  job->progress.progress_monitor = on_progress;
  if (setjmp(job->jump)) {
    jpeg_destroy_decompress(&cinfo);
    return FALSE;
  }
  jpeg_create_decompress(&cinfo);
  cinfo.progress = &job->progress;
  cinfo.mem->max_memory_to_use = (long)(DICOM_MAX_FRAME_BYTES * 2);
  jpeg_stdio_src(&cinfo, stream);
  jpeg_save_markers(&cinfo, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&cinfo, TRUE);
  read_markers(&cinfo, job);
  job->width = cinfo.image_width;
  job->height = cinfo.image_height;
  job->adobe = cinfo.saw_Adobe_marker;
  cinfo.out_color_space = cinfo.num_components == 1   ? JCS_GRAYSCALE
                          : cinfo.num_components == 4 ? JCS_CMYK
                                                      : JCS_RGB;
  job->space = cinfo.out_color_space;
  job->components = cinfo.num_components == 1 ? 1 : cinfo.num_components == 4 ? 4 : 3;
  if ((guint64)job->width * job->height > size * DICOM_MAX_JPEG_PIXELS_PER_BYTE) {
    g_snprintf(job->fault.message, sizeof job->fault.message,
               "%u x %u pixels cannot be in %" G_GUINT64_FORMAT " bytes", job->width, job->height,
               size);
    jpeg_destroy_decompress(&cinfo);
    return FALSE;
  }
  guint64 bytes = (guint64)job->width * job->height * job->components;
  if (bytes > DICOM_MAX_FRAME_BYTES) {
    dicom_raster_set_too_large(&job->fault, job->width, job->height);
  } else if (with_pixels) {
    job->pixels = g_try_malloc0(bytes);
    job->fault.no_memory = !job->pixels;
    if (job->pixels) {
      jpeg_start_decompress(&cinfo);
      decode_rows(&cinfo, job);
    }
  }
  jpeg_destroy_decompress(&cinfo);
  return !job->fault.too_large && !job->fault.no_memory;
}

static gboolean
run_job(DicomFile *file, DicomSource *source, Job *job, gboolean with_pixels, GError **error)
{
  FILE *stream = dicom_raster_stream(file, source, error);

  if (!stream) {
    return FALSE;
  }
  gboolean ok = dicom_jpeg_decode(stream, source->size, job, with_pixels);
  fclose(stream);
  if (!ok) {
    dicom_raster_set_error(error, file, "JPEG", &job->fault);
  }
  return ok;
}

gboolean
dicom_jpeg_read_info(DicomFile *file, DicomSource *source, GError **error)
{
  DicomInfo *info = &file->info;
  g_autofree Job *job = g_new0(Job, 1);

  if (!run_job(file, source, job, FALSE, error)) {
    return FALSE;
  }
  gboolean turned = job->orientation >= 5;
  info->columns = turned ? job->height : job->width;
  info->rows = turned ? job->width : job->height;
  info->samples = job->components == 1 ? 1 : 3;
  g_free(info->photometric);
  info->photometric = g_strdup(info->samples == 1 ? "MONOCHROME2" : "RGB");
  info->bits_allocated = info->bits_stored = 8;
  info->high_bit = 7;
  info->has_bits = TRUE;
  info->lossy = TRUE;
  file->orientation = job->orientation;
  return TRUE;
}

/* Adobe's CMYK is stored inverted; there is no profile at work here, only the plain formula. */
static void
cmyk_to_rgb(const Job *job, guint8 *out)
{
  gsize n = (gsize)job->width * job->height;

  for (gsize i = 0; i < n; i++) {
    const guint8 *p = job->pixels + 4 * i;

    for (guint c = 0; c < 3; c++) {
      guint ink = job->adobe ? p[c] : 255u - p[c], black = job->adobe ? p[3] : 255u - p[3];

      out[3 * i + c] = (guint8)((ink * black + 127) / 255);
    }
  }
}

/* The stored pixel at (x, y) of the upright picture, for EXIF orientations 2 to 8. */
static gsize
turned_index(const Job *job, guint x, guint y)
{
  guint w = job->width, h = job->height;

  switch (job->orientation) {
  case 2:
    return (gsize)y * w + (w - 1 - x);
  case 3:
    return (gsize)(h - 1 - y) * w + (w - 1 - x);
  case 4:
    return (gsize)(h - 1 - y) * w + x;
  case 5:
    return (gsize)x * w + y;
  case 6:
    return (gsize)(h - 1 - x) * w + y;
  case 7:
    return (gsize)(h - 1 - x) * w + (w - 1 - y);
  case 8:
    return (gsize)x * w + (w - 1 - y);
  default:
    return (gsize)y * w + x;
  }
}

static void
turn(const Job *job, DicomFrame *frame, const guint8 *in)
{
  for (guint y = 0; y < frame->height; y++) {
    for (guint x = 0; x < frame->width; x++) {
      memcpy(frame->stored + ((gsize)y * frame->width + x) * frame->samples,
             in + turned_index(job, x, y) * frame->samples, frame->samples);
    }
  }
}

DicomFrame *
dicom_jpeg_read(DicomFile *file, DicomSource *source, GError **error)
{
  g_autofree Job *job = g_new0(Job, 1);
  gboolean ok = run_job(file, source, job, TRUE, error);
  g_autofree guint8 *pixels = job->pixels;

  if (!ok) {
    return NULL;
  }
  guint samples = job->components == 1 ? 1 : 3;
  gboolean turned = job->orientation >= 5;
  g_autoptr(DicomFrame) frame = dicom_frame_new(
      turned ? job->height : job->width, turned ? job->width : job->height, samples, SAMPLE_U8);
  frame->n_bytes = (gsize)job->width * job->height * samples;
  frame->colour = samples == 1 ? COLOUR_GREY : COLOUR_RGB;
  frame->ready_8bit = TRUE;
  if (job->components == 4) {
    cmyk_to_rgb(job, pixels); /* in place: three bytes are written behind four that were read */
  }
  if (job->orientation == 1) {
    frame->stored = g_steal_pointer(&pixels);
    return g_steal_pointer(&frame);
  }
  frame->stored = g_try_malloc(frame->n_bytes);
  if (!frame->stored) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE, "%s: needs more memory than there is",
                file->name);
    return NULL;
  }
  turn(job, frame, pixels);
  return g_steal_pointer(&frame);
}
