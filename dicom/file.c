/* file.c - opening: which kind of file, and may it be read at all. */
#include "file.h"

#include "limits.h"

#include <math.h>
#include <string.h>

void
dicom_file_free(DicomFile *file)
{
  if (file) {
    g_clear_pointer(&file->bridge, dicom_bridge_free);
    dicom_info_clear(&file->info);
    g_free(file->name);
    g_free(file);
  }
}

const DicomInfo *
dicom_file_info(const DicomFile *file)
{
  return &file->info;
}

static gboolean
refuse_syntax(const DicomFile *file, GError **error)
{
  const DicomMeta *meta = &file->meta;
  g_autofree char *known = meta->syntax ? g_strdup_printf(" (%s)", meta->syntax->name)
                                        : g_strdup(" (private, or newer than this program)");

  g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
              "%s: transfer syntax %s%s is not read yet; expected an uncompressed, deflated, RLE, "
              "JPEG or JPEG-LS one",
              file->name, meta->syntax ? meta->syntax->uid : meta->syntax_uid, known);
  return FALSE;
}

static gboolean
refuse_non_image(const DicomFile *file, GError **error)
{
  const char *uid = file->layout.sop_class[0] ? file->layout.sop_class : file->meta.media_sop_class;
  const char *kind = uid[0] ? dicom_bridge_uid_name(uid) : NULL;

  g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
              "%s: is no image: SOPClassUID is %s%s%s%s, and there is no PixelData (7FE0,0010)",
              file->name, uid[0] ? uid : "missing", kind ? " (" : "", kind ? kind : "",
              kind ? ")" : "");
  return FALSE;
}

/* The walk, over the inflated bytes where the file is deflated. */
static gboolean
walk_data_set(DicomFile *file, DicomSource *source, GError **error)
{
  if (!file->meta.syntax->deflated) {
    return dicom_prescan(source, file->name, &file->meta, &file->layout, error);
  }
  g_autoptr(DicomSource) inflated = dicom_inflate(source, file->name, file->meta.data_start, error);
  if (!inflated) {
    return FALSE;
  }
  DicomMeta meta = file->meta;
  meta.data_start = 0;
  return dicom_prescan(inflated, file->name, &meta, &file->layout, error);
}

static gboolean
open_dicom(DicomFile *file, DicomSource *source, GError **error)
{
  if (!dicom_meta_read(source, file->name, &file->meta, error)) {
    return FALSE;
  }
  if (!dicom_bridge_init(error)) {
    return FALSE;
  }
  if (!file->meta.syntax || !file->meta.syntax->readable) {
    return refuse_syntax(file, error);
  }
  if (!walk_data_set(file, source, error)) {
    return FALSE;
  }
  if (!file->layout.pixel_tag) {
    return refuse_non_image(file, error);
  }
  file->bridge = dicom_bridge_open(file->info.path, file->name, file->meta.data_start,
                                   file->meta.syntax->uid, error);
  return file->bridge && dicom_info_read(file, error) && dicom_check_pixels(file, error);
}

DicomFile *
dicom_file_open(const char *path, GError **error)
{
  static const guint8 png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  g_autoptr(DicomSource) source = dicom_source_open(path, error);

  if (!source) {
    return NULL;
  }
  g_autoptr(DicomFile) file = g_new0(DicomFile, 1);
  dicom_info_init(&file->info, path);
  file->name = g_filename_display_name(path);
  file->orientation = 1;

  const guint8 *head = dicom_source_peek(source, 0, 8);
  gboolean ok;
  if (head && memcmp(head, png, sizeof png) == 0) {
    file->info.kind = DICOM_KIND_PNG;
    ok = dicom_png_read_info(file, source, error);
  } else if (head && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff) {
    file->info.kind = DICOM_KIND_JPEG;
    ok = dicom_jpeg_read_info(file, source, error);
  } else {
    file->info.kind = DICOM_KIND_DICOM;
    ok = open_dicom(file, source, error);
  }
  return ok ? g_steal_pointer(&file) : NULL;
}

DicomFrame *
dicom_file_read_frame(DicomFile *file, guint index, GError **error)
{
  g_autoptr(DicomFrame) frame = NULL;

  if (index >= file->info.frames) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                "%s: has no frame %u, counted from 0; NumberOfFrames is %u", file->name, index,
                file->info.frames);
    return NULL;
  }
  if (file->info.kind == DICOM_KIND_DICOM) {
    frame = dicom_decode_frame(file, index, error);
    if (!frame || !dicom_read_presentation(file, index, frame, error)) {
      return NULL;
    }
  } else {
    g_autoptr(DicomSource) source = dicom_source_open(file->info.path, error);

    if (source) {
      frame = file->info.kind == DICOM_KIND_JPEG ? dicom_jpeg_read(file, source, error)
                                                 : dicom_png_read(file, source, error);
    }
    if (!frame) {
      return NULL;
    }
  }
  dicom_frame_find_range(frame);
  return g_steal_pointer(&frame);
}

/* Extremes of the values as they are stored, before BitsStored and HighBit cut anything off. */
static void
stored_range(const DicomFrame *frame, double *low, double *high)
{
  DicomFrame plain = *frame; /* borrows everything */
  gsize n = (gsize)frame->width * frame->height * frame->samples;

  plain.shift = 0;
  plain.bits_stored = (guint)dicom_sample_bytes(frame->type) * 8;
  plain.is_signed =
      frame->type == SAMPLE_S8 || frame->type == SAMPLE_S16 || frame->type == SAMPLE_S32;
  for (gsize i = 0; i < n; i++) {
    double value = dicom_frame_sample(&plain, i);

    *low = fmin(*low, value);
    *high = fmax(*high, value);
  }
}

gboolean
dicom_file_pixel_summary(DicomFile *file, char md5[33], double *pix_min, double *pix_max,
                         GError **error)
{
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_MD5);

  *pix_min = INFINITY;
  *pix_max = -INFINITY;
  for (guint i = 0; i < file->info.frames; i++) {
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, i, error);

    if (!frame) {
      return FALSE;
    }
    g_checksum_update(sum, frame->stored, (gssize)frame->n_bytes);
    stored_range(frame, pix_min, pix_max);
  }
  g_strlcpy(md5, g_checksum_get_string(sum), 33);
  return TRUE;
}
