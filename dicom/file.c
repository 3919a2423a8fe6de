/* file.c - opening: which kind of file, and may it be read at all. */
#include "file.h"

#include "limits.h"

#include <math.h>
#include <string.h>

void
dicom_file_free(DicomFile *file)
{
  if (file) {
    dicom_pixels_clear(&file->pixels);
    g_clear_pointer(&file->dataset, dicom_dataset_free);
    g_clear_pointer(&file->source, dicom_source_free);
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
  g_autofree char *why = dicom_syntax_refusal(meta->syntax ? meta->syntax->uid : meta->syntax_uid);

  g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED, "%s: %s", file->name, why);
  return FALSE;
}

static void
refuse_non_image(const DicomFile *file, GError **error)
{
  const DicomInfo *info = &file->info;
  g_autofree char *class = dicom_info_class_text(
      info, info->sop_class[0] ? info->sop_class : file->meta.media_sop_class);

  g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
              "%s: is no image: SOPClassUID is %s, and there is no PixelData (7FE0,0010)",
              file->name, class);
}

/* An object that should have pixels, and whose data set ends or breaks before they come. */
static gboolean
refuse_damaged(const DicomFile *file, GError **error)
{
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT, "%s: %s; no PixelData (7FE0,0010) was found",
              file->name, dicom_dataset_damage(file->dataset));
  return FALSE;
}

/* What is missing or wrong may be so because of damage before it. */
static void
add_damage(const DicomFile *file, GError **error)
{
  const char *damage = dicom_dataset_damage(file->dataset);

  if (error && damage[0]) {
    GError *plain = *error;

    *error = g_error_new(plain->domain, plain->code, "%s; damaged: %s", plain->message, damage);
    g_error_free(plain);
  }
}

static gboolean
open_dicom(DicomFile *file, GError **error)
{
  if (!dicom_meta_read(file->source, file->name, &file->meta, error)) {
    return FALSE;
  }
  file->dataset = dicom_dataset_read(file->source, file->name, &file->meta, error);
  if (!file->dataset || !dicom_pixels_find(file->dataset, file->name, &file->pixels, error)) {
    return FALSE;
  }
  dicom_info_read_content(file);
  gboolean is_image = file->info.content == DICOM_CONTENT_IMAGE;
  if (!file->pixels.tag && (is_image || file->info.content == DICOM_CONTENT_OTHER) &&
      dicom_dataset_damage(file->dataset)[0]) {
    return refuse_damaged(file, error);
  }
  if (dicom_item_n_elements(dicom_dataset_root(file->dataset)) == 0) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT, "%s: holds no data element", file->name);
    return FALSE;
  }
  if (is_image && !(file->meta.syntax && file->meta.syntax->readable)) {
    return refuse_syntax(file, error);
  }
  if (is_image && !file->pixels.tag) {
    file->info.content = DICOM_CONTENT_OTHER; /* an image's header */
    is_image = FALSE;
  }
  if (dicom_info_read(file, error) && (!is_image || dicom_check_pixels(file, error))) {
    return TRUE;
  }
  add_damage(file, error);
  return FALSE;
}

/* Takes SOURCE. */
static DicomFile *
open_source(DicomSource *source, const char *path, GError **error)
{
  static const guint8 png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  g_autoptr(DicomFile) file = g_new0(DicomFile, 1);

  file->source = source;
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
  } else if (head && head[0] == 0x1f && head[1] == 0x8b) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_FORMAT,
                "%s: is compressed by gzip; unpack it first (gunzip)", file->name);
    ok = FALSE;
  } else {
    file->info.kind = DICOM_KIND_DICOM;
    ok = open_dicom(file, error);
  }
  return ok ? g_steal_pointer(&file) : NULL;
}

DicomFile *
dicom_file_open(const char *path, GError **error)
{
  DicomSource *source = dicom_source_open(path, error);

  return source ? open_source(source, path, error) : NULL;
}

DicomFile *
dicom_file_open_fd(int fd, const char *name, GError **error)
{
  DicomSource *source = dicom_source_open_fd(fd, name, error);

  return source ? open_source(source, name, error) : NULL;
}

DicomFrame *
dicom_file_read_frame(DicomFile *file, guint index, GError **error)
{
  g_autoptr(DicomFrame) frame = NULL;

  if (file->info.content != DICOM_CONTENT_IMAGE) {
    refuse_non_image(file, error);
    return NULL;
  }
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
    dicom_read_covers(file, index, frame);
  } else {
    frame = file->info.kind == DICOM_KIND_JPEG ? dicom_jpeg_read(file, file->source, error)
                                               : dicom_png_read(file, file->source, error);
    if (!frame) {
      return NULL;
    }
  }
  return g_steal_pointer(&frame);
}

gboolean
dicom_file_pixel_summary(DicomFile *file, DicomScanProgress progress, gpointer user, char md5[33],
                         double *pix_min, double *pix_max, GError **error)
{
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_MD5);

  if (file->info.content != DICOM_CONTENT_IMAGE) {
    refuse_non_image(file, error);
    return FALSE;
  }
  *pix_min = INFINITY;
  *pix_max = -INFINITY;
  for (guint i = 0; i < file->info.frames; i++) {
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, i, error);

    if (!frame) {
      return FALSE;
    }
    g_checksum_update(sum, frame->stored, (gssize)frame->n_bytes);
    dicom_frame_stored_range(frame, pix_min, pix_max);
    if (progress && !progress(i + 1, file->info.frames, user)) {
      g_set_error_literal(error, DICOM_ERROR, DICOM_ERROR_IO, "the reading was cancelled");
      return FALSE;
    }
  }
  g_strlcpy(md5, g_checksum_get_string(sum), 33);
  return TRUE;
}
