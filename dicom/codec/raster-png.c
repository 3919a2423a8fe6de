/* raster-png.c - PNG pictures through libpng, in and out.
 *
 * As in raster-jpeg.c nothing between the setjmp() and libpng's jump back owns memory: the Job
 * does, and its holder frees it. */
#include "raster.h"
#include "dicom/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <png.h>

typedef struct {
  DicomRasterFault fault;
  guint8 *pixels;
  png_bytep *rows;
  guint width, height, channels, bytes; /* after the transformations */
} Job;

static void
on_error(png_structp png, png_const_charp message)
{
  Job *job = png_get_error_ptr(png);

  g_strlcpy(job->fault.message, message, sizeof job->fault.message);
  png_longjmp(png, 1);
}

static void
on_warning(png_structp png, png_const_charp message)
{
}

/* Black below transparent pixels: the picture has no other ground to stand on. */
static void
over_black(Job *job)
{
  gsize n = (gsize)job->width * job->height;
  guint colours = job->channels - 1;
  guint8 *out = job->pixels;

  for (gsize i = 0; i < n; i++) {
    if (job->bytes == 1) {
      const guint8 *p = job->pixels + i * job->channels;
      guint alpha = p[colours];

      for (guint c = 0; c < colours; c++) {
        *out++ = (guint8)((p[c] * alpha + 127) / 255);
      }
      continue;
    }
    const guint8 *p = job->pixels + i * job->channels * 2;
    guint64 alpha = (guint)p[2 * colours + 1] << 8 | p[2 * colours];
    for (guint c = 0; c < colours; c++) {
      guint64 value = (guint)p[2 * c + 1] << 8 | p[2 * c];

      value = (value * alpha + 32767) / 65535;
      *out++ = (guint8)value;
      *out++ = (guint8)(value >> 8);
    }
  }
  job->channels = colours;
}

static void
set_transformations(png_structp png, png_infop info)
{
  guint type = png_get_color_type(png, info);

  if (type == PNG_COLOR_TYPE_PALETTE) {
    png_set_palette_to_rgb(png);
  }
  if (type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, info) < 8) {
    png_set_expand_gray_1_2_4_to_8(png);
  }
  if (png_get_valid(png, info, PNG_INFO_tRNS)) {
    png_set_tRNS_to_alpha(png);
  }
  if (png_get_bit_depth(png, info) == 16) {
    png_set_swap(png); /* stored values are little-endian in this room */
  }
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
}

static void
read_rows(png_structp png, Job *job)
{
  gsize stride = (gsize)job->width * job->channels * job->bytes;

  job->pixels = g_try_malloc0(stride * job->height);
  job->rows = g_try_new(png_bytep, job->height);
  job->fault.no_memory = !job->pixels || !job->rows;
  if (job->fault.no_memory) {
    return;
  }
  for (guint y = 0; y < job->height; y++) {
    job->rows[y] = job->pixels + y * stride;
  }
  png_read_image(png, job->rows);
  png_read_end(png, NULL);
}

static gboolean
decode(FILE *stream, guint64 size, Job *job, gboolean with_pixels)
{
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;

  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    job->fault.no_memory = TRUE;
    return FALSE;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return FALSE;
  }
  png_set_user_limits(png, DICOM_MAX_SIDE, DICOM_MAX_SIDE);
  png_set_chunk_cache_max(png, 128);
  png_set_chunk_malloc_max(png, 8 << 20);
  png_init_io(png, stream);
  png_read_info(png, info);
  guint64 raw = (guint64)png_get_rowbytes(png, info) * png_get_image_height(png, info);
  if (raw > size * DICOM_MAX_DEFLATE_RATIO) {
    g_snprintf(job->fault.message, sizeof job->fault.message,
               "%u x %u pixels cannot be in %" G_GUINT64_FORMAT " bytes",
               png_get_image_width(png, info), png_get_image_height(png, info), size);
    png_destroy_read_struct(&png, &info, NULL);
    return FALSE;
  }
  set_transformations(png, info);
  job->width = png_get_image_width(png, info);
  job->height = png_get_image_height(png, info);
  job->channels = png_get_channels(png, info);
  job->bytes = png_get_bit_depth(png, info) == 16 ? 2 : 1;
  if ((guint64)job->width * job->height * job->channels * job->bytes > DICOM_MAX_FRAME_BYTES) {
    dicom_raster_set_too_large(&job->fault, job->width, job->height);
  } else if (with_pixels) {
    read_rows(png, job);
  }
  png_destroy_read_struct(&png, &info, NULL);
  return !job->fault.too_large && !job->fault.no_memory;
}

static gboolean
run_job(DicomFile *file, DicomSource *source, Job *job, gboolean with_pixels, GError **error)
{
  FILE *stream = dicom_raster_stream(file, source, error);

  if (!stream) {
    return FALSE;
  }
  gboolean ok = decode(stream, source->size, job, with_pixels);
  fclose(stream);
  if (!ok) {
    dicom_raster_set_error(error, file, "PNG", &job->fault);
  }
  return ok;
}

gboolean
dicom_png_read_info(DicomFile *file, DicomSource *source, GError **error)
{
  DicomInfo *info = &file->info;
  g_autofree Job *job = g_new0(Job, 1);

  if (!run_job(file, source, job, FALSE, error)) {
    return FALSE;
  }
  info->columns = job->width;
  info->rows = job->height;
  info->samples = job->channels >= 3 ? 3 : 1;
  g_free(info->photometric);
  info->photometric = g_strdup(info->samples == 1 ? "MONOCHROME2" : "RGB");
  info->bits_allocated = info->bits_stored = job->bytes * 8;
  info->high_bit = info->bits_stored - 1;
  info->has_bits = TRUE;
  return TRUE;
}

DicomFrame *
dicom_png_read(DicomFile *file, DicomSource *source, GError **error)
{
  g_autofree Job *job = g_new0(Job, 1);
  gboolean ok = run_job(file, source, job, TRUE, error);
  g_autofree guint8 *pixels = job->pixels;

  g_free(job->rows);
  if (!ok) {
    return NULL;
  }
  if (job->channels == 2 || job->channels == 4) {
    over_black(job);
  }
  g_autoptr(DicomFrame) frame = dicom_frame_new(job->width, job->height, job->channels,
                                                job->bytes == 2 ? SAMPLE_U16 : SAMPLE_U8);
  frame->colour = job->channels == 1 ? COLOUR_GREY : COLOUR_RGB;
  frame->ready_8bit = job->bytes == 1;
  frame->n_bytes = (gsize)job->width * job->height * job->channels * job->bytes;
  frame->stored = g_steal_pointer(&pixels);
  return g_steal_pointer(&frame);
}

/* ---- writing -----------------------------------------------------------------------------------
 */

/* RGB for grey pictures too: LLaVA pads one channel in another colour, and a question about the
 * export is to find what a question about the object finds. */
static gboolean
encode(FILE *stream, const DicomPicture *picture, Job *job)
{
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;

  if (!info) {
    png_destroy_write_struct(&png, NULL);
    g_strlcpy(job->fault.message, "needs more memory than there is", sizeof job->fault.message);
    return FALSE;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_write_struct(&png, &info);
    return FALSE;
  }
  png_init_io(png, stream);
  png_set_user_limits(png, DICOM_MAX_SIDE * 2, DICOM_MAX_SIDE * 2);
  png_set_IHDR(png, info, picture->width, picture->height, 8, PNG_COLOR_TYPE_RGB,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  /* A third less time on radiographs than at level 4, and no larger files. */
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB | PNG_FILTER_UP);
  png_set_compression_level(png, 2);
  png_write_info(png, info);
  for (guint y = 0; y < picture->height; y++) {
    png_write_row(png, picture->pixels + (gsize)y * picture->width * 3);
  }
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  return TRUE;
}

GBytes *
dicom_picture_png(const DicomPicture *picture, GError **error)
{
  g_autofree Job *job = g_new0(Job, 1);
  char *bytes = NULL;
  size_t n = 0;
  FILE *stream = open_memstream(&bytes, &n);
  gboolean ok = stream && encode(stream, picture, job);

  if ((stream && fclose(stream) != 0) || !ok) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "the picture could not be made a PNG: %s",
                *job->fault.message ? job->fault.message : "needs more memory than there is");
    free(bytes);
    return NULL;
  }
  return g_bytes_new_with_free_func(bytes, n, free, bytes);
}

static gboolean
fail_write(const char *path, const char *what, GError **error)
{
  g_autofree char *name = g_filename_display_name(path);

  g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: cannot be written: %s", name, what);
  return FALSE;
}

/* The name is durable only once its folder is. */
static void
sync_folder(const char *path)
{
  g_autofree char *folder = g_path_get_dirname(path);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
}

gboolean
dicom_picture_write_png(const DicomPicture *picture, const char *path, GError **error)
{
  g_autofree char *aside = g_strconcat(path, ".XXXXXX", NULL);
  g_autofree Job *job = g_new0(Job, 1);
  int fd = g_mkstemp_full(aside, O_RDWR | O_CLOEXEC, 0666);
  FILE *stream = fd >= 0 ? fdopen(fd, "wb") : NULL;

  if (!stream) {
    int saved = errno;

    if (fd >= 0) {
      close(fd);
      g_unlink(aside);
    }
    return fail_write(path, g_strerror(saved), error);
  }
  errno = 0;
  gboolean ok = encode(stream, picture, job);
  int failed = ok ? 0 : errno; /* libpng says "Write Error" and no more */
  errno = 0;
  gboolean flushed = fflush(stream) == 0 && fsync(fd) == 0;
  int saved = errno;
  if (fclose(stream) != 0 && flushed) {
    flushed = FALSE;
    saved = errno;
  }
  if (!ok || !flushed || g_rename(aside, path) != 0) {
    saved = ok && flushed ? errno : failed ? failed : saved;
    g_unlink(aside);
    return fail_write(path, saved ? g_strerror(saved) : job->fault.message, error);
  }
  sync_folder(path);
  return TRUE;
}
