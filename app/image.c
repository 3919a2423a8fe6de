/* image.c - `hilum image`: facts, renderings and stored values of image files. */

#include "decoder.h"
#include "private.h"

static void
set_numbers(JsonObject *object, const char *member, GArray *values)
{
  guint n = values ? values->len : 0;
  JsonArray *array = json_array_sized_new(n);

  for (guint i = 0; i < n; i++) {
    json_array_add_double_element(array, g_array_index(values, double, i));
  }
  json_object_set_array_member(object, member, array);
}

static void
set_count(JsonObject *object, const char *member, gboolean present, guint value)
{
  if (present) {
    json_object_set_int_member(object, member, value);
  } else {
    json_object_set_null_member(object, member);
  }
}

static void
set_number(JsonObject *object, const char *member, gboolean present, double value)
{
  if (present) {
    json_object_set_double_member(object, member, value);
  } else {
    json_object_set_null_member(object, member);
  }
}

static const char *
or_else(const char *text, const char *fallback)
{
  return text && *text ? text : fallback;
}

/* The keys and their meaning are those of the corpus' table of expectations: a value that the file
 * does not state is null, except that a single frame of an image counts as one. */
static JsonObject *
info_object(const char *path, const DicomInfo *info)
{
  JsonObject *object = json_object_new();
  gboolean bitmap = info->kind != DICOM_KIND_DICOM, image = info->content == DICOM_CONTENT_IMAGE;
  const char *format = info->kind == DICOM_KIND_JPEG ? "JPEG" : "PNG";

  json_object_set_string_member(object, "file", path);
  app_json_set_text(object, "transfer_syntax",
                    or_else(info->transfer_syntax, bitmap ? format : NULL));
  app_json_set_text(object, "sop_class", info->sop_class);
  app_json_set_text(object, "modality", info->modality);
  set_count(object, "rows", image, info->rows);
  set_count(object, "cols", image, info->columns);
  set_count(object, "frames", image, info->frames);
  set_count(object, "samples", image, info->samples);
  /* Bitmaps by Pillow's names of modes: "L", "RGB". */
  app_json_set_text(object, "photometric", bitmap && info->samples == 1 ? "L" : info->photometric);
  set_count(object, "planar", info->has_planar, info->planar);
  set_count(object, "bits_alloc", info->has_bits, info->bits_allocated);
  set_count(object, "bits_stored", info->has_bits, info->bits_stored);
  set_count(object, "pixel_rep", info->has_bits && !bitmap, info->pixel_representation);
  set_numbers(object, "window_center", info->window_center);
  set_numbers(object, "window_width", info->window_width);
  set_number(object, "slope", info->has_rescale, info->slope);
  set_number(object, "intercept", info->has_rescale, info->intercept);
  return object;
}

void
app_picture_free(AppPicture *picture)
{
  if (picture) {
    g_free(picture->pixels);
    g_free(picture);
  }
}

JsonNode *
app_image_info(const char *path, gboolean pixels, GError **error)
{
  g_autoptr(DicomInfo) info = app_decoder_info(path, NULL, error);
  JsonObject *object;
  char md5[33] = "";
  double low = 0, high = 0;

  if (!info || (pixels && !app_decoder_summary(path, md5, &low, &high, NULL, error))) {
    return NULL;
  }
  object = info_object(path, info);
  if (pixels) {
    json_object_set_string_member(object, "md5_pixels", md5);
    json_object_set_double_member(object, "pix_min", low);
    json_object_set_double_member(object, "pix_max", high);
  }
  app_image_set_facts(object, info);
  return app_json_node(object);
}

gboolean
app_image_render(const char *path, guint frame, const char *presentation, const AppWindow *window,
                 const char *out, GError **error)
{
  g_autoptr(DicomFrame) pixels = NULL;
  g_autoptr(DicomPicture) picture = NULL;
  DicomWindow resolved;

  if (!app_file_is_another(out, path, error) ||
      (presentation && !app_file_is_another(out, presentation, error))) {
    return FALSE;
  }
  pixels = app_decoder_frame(path, frame, presentation, NULL, error);
  if (!pixels || !app_window_resolve(pixels, window, path, &resolved, error)) {
    return FALSE;
  }
  picture = dicom_frame_render(pixels, &resolved, error);
  return picture && dicom_picture_write_png(picture, out, error);
}

static gboolean
write_stored_npy(const DicomFrame *frame, const char *out, GError **error)
{
  gsize n_bytes;
  const guint8 *bytes = dicom_frame_stored(frame, &n_bytes);
  gsize shape[3] = {dicom_frame_height(frame), dicom_frame_width(frame),
                    dicom_frame_samples(frame)};

  return app_npy_write(out, dicom_frame_numpy_type(frame), shape, shape[2] > 1 ? 3 : 2, bytes,
                       n_bytes, error);
}

gboolean
app_image_decode(const char *path, guint frame, const char *out, GError **error)
{
  g_autoptr(DicomFrame) pixels = NULL;
  const guint8 *bytes;
  gsize n_bytes;

  if (!app_file_is_another(out, path, error)) {
    return FALSE;
  }
  pixels = app_decoder_frame(path, frame, NULL, NULL, error);
  if (!pixels) {
    return FALSE;
  }
  if (g_str_has_suffix(out, ".npy")) {
    return write_stored_npy(pixels, out, error);
  }
  bytes = dicom_frame_stored(pixels, &n_bytes);
  return app_file_write(out, bytes, n_bytes, error);
}

JsonNode *
app_image_sandbox(GError **error)
{
  DicomSandbox sandbox;
  JsonObject *object;

  if (!app_decoder_sandbox(&sandbox, error)) {
    return NULL;
  }
  const struct {
    const char *name;
    gboolean denied;
  } attempts[] = {{"open", sandbox.open_denied},
                  {"write", sandbox.write_denied},
                  {"connect", sandbox.connect_denied},
                  {"fork", sandbox.fork_denied}};
  object = json_object_new();
  for (guint i = 0; i < G_N_ELEMENTS(attempts); i++) {
    json_object_set_string_member(object, attempts[i].name,
                                  attempts[i].denied ? "denied" : "allowed");
  }
  json_object_set_boolean_member(object, "sandboxed", sandbox.filtered);
  app_json_set_text(object, "reason", sandbox.note);
  return app_json_node(object);
}
