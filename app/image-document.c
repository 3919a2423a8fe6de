/* image-document.c - `hilum image text` and `hilum image extract`: objects that are no images. */

#include "decoder.h"
#include "private.h"

JsonNode *
app_image_text(const char *path, GError **error)
{
  g_autoptr(DicomInfo) info = app_decoder_info(path, NULL, error);
  g_autofree char *text = NULL;
  JsonObject *object;

  if (!info) {
    return NULL;
  }
  if (info->content == DICOM_CONTENT_PDF) {
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: holds a PDF; 'hilum image extract FILE --out X.pdf' writes it", name);
    return NULL;
  }
  text = app_decoder_report_text(path, error);
  if (!text) {
    return NULL;
  }
  object = json_object_new();
  json_object_set_string_member(object, "file", path);
  json_object_set_string_member(object, "kind", dicom_content_name(info->content));
  app_json_set_text(object, "title", info->document_title);
  json_object_set_string_member(object, "text", text);
  return app_json_node(object);
}

JsonNode *
app_image_extract(const char *path, const char *out, GError **error)
{
  g_autoptr(DicomInfo) info = NULL;
  g_autoptr(GBytes) pdf = NULL;
  gconstpointer bytes;
  JsonObject *object;
  gsize n;

  if (!app_file_is_another(out, path, error)) {
    return NULL;
  }
  info = app_decoder_info(path, NULL, error);
  if (!info) {
    return NULL;
  }
  pdf = app_decoder_pdf(path, error);
  if (!pdf) {
    return NULL;
  }
  bytes = g_bytes_get_data(pdf, &n);
  if (!app_file_write(out, bytes, n, error)) {
    return NULL;
  }
  object = json_object_new();
  json_object_set_string_member(object, "file", path);
  json_object_set_string_member(object, "out", out);
  json_object_set_int_member(object, "bytes", (gint64)n);
  app_json_set_text(object, "title", info->document_title);
  return app_json_node(object);
}
