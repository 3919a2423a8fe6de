/* decoder.c - files read by helpers; see decoder.h. */
#include "decoder-pool.h"

#include <unistd.h>

/* One question about one file. */
typedef struct {
  const char *path;
  GCancellable *cancellable;
  int fd;
  AppHelper *helper;
} Call;

static gboolean
call_begin(Call *call, GError **error)
{
  call->fd = dicom_remote_open(call->path, error);
  if (call->fd < 0) {
    return FALSE;
  }
  call->helper = app_helper_take(call->path, call->cancellable, error);
  if (!call->helper) {
    g_autofree char *name = g_filename_display_name(call->path);

    g_prefix_error(error, "%s: ", name);
    close(call->fd);
    return FALSE;
  }
  return TRUE;
}

static void
call_end(Call *call, GError **error)
{
  close(call->fd);
  app_helper_give(call->helper, call->path, call->cancellable, error);
}

DicomInfo *
app_decoder_info(const char *path, GCancellable *cancellable, GError **error)
{
  Call call = {path, cancellable, -1, NULL};
  g_autoptr(GError) failure = NULL;
  DicomInfo *info;

  if (!call_begin(&call, error)) {
    return NULL;
  }
  info = dicom_remote_info(app_helper_remote(call.helper), call.fd, path, app_helper_timeout_ms(),
                           &failure);
  call_end(&call, &failure);
  if (!info) {
    g_propagate_error(error, g_steal_pointer(&failure));
  }
  return info;
}

DicomFrame *
app_decoder_frame(const char *path, guint frame, const char *presentation,
                  GCancellable *cancellable, GError **error)
{
  Call call = {path, cancellable, -1, NULL};
  g_autoptr(GError) failure = NULL;
  DicomFrame *pixels;
  int presentation_fd = -1;

  if (presentation) {
    presentation_fd = dicom_remote_open(presentation, error);
    if (presentation_fd < 0) {
      return NULL;
    }
  }
  if (!call_begin(&call, error)) {
    if (presentation_fd >= 0) {
      close(presentation_fd);
    }
    return NULL;
  }
  pixels = dicom_remote_frame(app_helper_remote(call.helper), call.fd, path, frame, presentation_fd,
                              presentation, app_helper_timeout_ms(), &failure);
  call_end(&call, &failure);
  if (presentation_fd >= 0) {
    close(presentation_fd);
  }
  if (!pixels) {
    g_propagate_error(error, g_steal_pointer(&failure));
  }
  return pixels;
}

static DicomFrame *
read_with(AppHelper *helper, const char *path, guint index, DicomInfo **info, GError **error)
{
  DicomRemote *remote = app_helper_remote(helper);
  int fd = dicom_remote_open(path, error);
  DicomFrame *frame;

  if (fd < 0) {
    return NULL;
  }
  app_helper_set_path(helper, path);
  frame = dicom_remote_frame(remote, fd, path, index, -1, NULL, app_helper_timeout_ms(), error);
  if (frame && info) {
    /* The helper has the file open: the header costs next to nothing now. */
    *info = dicom_remote_info(remote, fd, path, app_helper_timeout_ms(), NULL);
  }
  close(fd);
  return frame;
}

gboolean
app_decoder_read(const AppDecoderOrder *order, DicomFrame **frame, DicomInfo **info,
                 GCancellable *cancellable, GError **error)
{
  AppHelper *helper = order->ahead ? app_helper_take_ahead(order->likely, cancellable, error)
                                   : app_helper_take(order->likely, cancellable, error);
  g_autoptr(GError) failure = NULL;
  const char *path = NULL;
  gboolean with_info = FALSE;
  guint index = 0;

  *frame = NULL;
  *info = NULL;
  if (!helper) {
    return FALSE;
  }
  if (order->choose(&path, &index, &with_info, order->user)) {
    *frame = read_with(helper, path, index, with_info ? info : NULL, &failure);
  }
  app_helper_give(helper, path ? path : "", cancellable, &failure);
  if (path && !*frame) {
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
  }
  return TRUE;
}

gboolean
app_decoder_summary(const char *path, char md5[33], double *pix_min, double *pix_max,
                    GCancellable *cancellable, GError **error)
{
  Call call = {path, cancellable, -1, NULL};
  g_autoptr(GError) failure = NULL;
  gboolean done;

  if (!call_begin(&call, error)) {
    return FALSE;
  }
  done = dicom_remote_summary(app_helper_remote(call.helper), call.fd, path, md5, pix_min, pix_max,
                              app_helper_timeout_ms(), &failure);
  call_end(&call, &failure);
  if (!done) {
    g_propagate_error(error, g_steal_pointer(&failure));
  }
  return done;
}

char *
app_decoder_report_text(const char *path, GError **error)
{
  Call call = {path, NULL, -1, NULL};
  g_autoptr(GError) failure = NULL;
  char *text;

  if (!call_begin(&call, error)) {
    return NULL;
  }
  text = dicom_remote_report_text(app_helper_remote(call.helper), call.fd, path,
                                  app_helper_timeout_ms(), &failure);
  call_end(&call, &failure);
  if (!text) {
    g_propagate_error(error, g_steal_pointer(&failure));
  }
  return text;
}

GPtrArray *
app_decoder_tags(const char *path, GCancellable *cancellable, GError **error)
{
  Call call = {path, cancellable, -1, NULL};
  g_autoptr(GError) failure = NULL;
  GPtrArray *tags;

  if (!call_begin(&call, error)) {
    return NULL;
  }
  tags = dicom_remote_tags(app_helper_remote(call.helper), call.fd, path, app_helper_timeout_ms(),
                           &failure);
  call_end(&call, &failure);
  if (!tags) {
    g_propagate_error(error, g_steal_pointer(&failure));
  }
  return tags;
}

GBytes *
app_decoder_pdf(const char *path, GError **error)
{
  Call call = {path, NULL, -1, NULL};
  g_autoptr(GError) failure = NULL;
  GBytes *pdf;

  if (!call_begin(&call, error)) {
    return NULL;
  }
  pdf = dicom_remote_pdf(app_helper_remote(call.helper), call.fd, path, app_helper_timeout_ms(),
                         &failure);
  call_end(&call, &failure);
  if (!pdf) {
    g_propagate_error(error, g_steal_pointer(&failure));
  }
  return pdf;
}

gboolean
app_decoder_sandbox(DicomSandbox *sandbox, GError **error)
{
  AppHelper *helper = app_helper_take(NULL, NULL, error);
  g_autoptr(GError) failure = NULL;
  gboolean done;

  if (!helper) {
    return FALSE;
  }
  done =
      dicom_remote_sandbox(app_helper_remote(helper), sandbox, app_helper_timeout_ms(), &failure);
  app_helper_give(helper, "the sandbox", NULL, &failure);
  if (!done) {
    g_propagate_error(error, g_steal_pointer(&failure));
  }
  return done;
}
