/* shot-again.c - a picture of the log, exactly as it was asked about, or not at all. */
#include "private.h"

AppImageChoice
app_choice_of_logged(const StoreImage *image)
{
  AppImageChoice choice = {
      .path = image->path,
      .frame = image->frame,
      .blank = image->blank,
      .region = {image->region_x, image->region_y, image->region_width, image->region_height},
      .turns = image->turns,
      .flip = image->flip,
      .window = {.invert = image->inverted}};

  if (image->has_voi_lut) {
    choice.window.set = TRUE;
    choice.window.lut = image->voi_lut + 1;
  } else if (image->has_window) {
    choice.window.set = TRUE;
    choice.window.center = image->window_center;
    choice.window.width = image->window_width;
  }
  return choice;
}

static gboolean
is_same(const AppShot *shot, const StoreImage *image)
{
  return shot && g_strcmp0(shot->sent_sha256, image->sent_sha256) == 0;
}

AppShot *
app_shot_again(const StoreImage *image, guint number, GError **error)
{
  AppImageChoice choice = app_choice_of_logged(image);
  g_autoptr(GError) failure = NULL;
  g_autoptr(AppShot) shot = NULL;

  if (!image->path || !image->sent_sha256) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "image %u of the conversation: the log does not say where it lies", number);
    return NULL;
  }
  shot = app_shot_new(&choice, &failure);
  if (!is_same(shot, image) && choice.window.set) {
    /* The file's own window may be of a kind that numbers alone do not ask for. */
    g_autoptr(AppShot) own = NULL;
    choice.window.set = FALSE;
    own = app_shot_new(&choice, NULL);
    if (is_same(own, image)) {
      return g_steal_pointer(&own);
    }
  }
  if (!shot) {
    g_set_error(
        error, APP_ERROR, APP_ERROR_FAILED,
        "image %u of the conversation is gone: %s, frame %u, cannot be opened any more (%s)",
        number, image->path, image->frame, failure->message);
    return NULL;
  }
  if (!is_same(shot, image)) {
    g_set_error(
        error, APP_ERROR, APP_ERROR_FAILED,
        "image %u of the conversation has changed: %s, frame %u, is no longer what was asked "
        "about (SHA-256 of what was sent: %.8s, now %.8s)",
        number, image->path, image->frame, image->sent_sha256, shot->sent_sha256);
    return NULL;
  }
  return g_steal_pointer(&shot);
}
