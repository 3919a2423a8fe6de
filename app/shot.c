/* shot.c - one frame of one file, as the radiologist and the model see it. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "decoder.h"
#include "private.h"

/* LLaVA pads a grey bitmap with one grey and anything else with a colour, so the model must know
 * that it was one. Rendered DICOM counts as colour: its PNG export is RGB too. */
static guint8 *
grey_copy(const DicomInfo *info, const DicomPicture *picture)
{
  gsize n = (gsize)picture->width * picture->height;
  guint8 *grey;

  if (info->kind == DICOM_KIND_DICOM || info->samples != 1 || info->bits_allocated != 8) {
    return NULL;
  }
  grey = g_malloc(n);
  for (gsize i = 0; i < n; i++) {
    grey[i] = picture->pixels[3 * i];
  }
  return grey;
}

/* CLIP's mean colour in 8 bits: after normalisation the blank picture is as close to zero as whole
 * numbers come, so that it says nothing at all. */
static const guint8 blank_colour[3] = {122, 116, 104};

gboolean
app_window_parse(const char *text, AppWindow *window, GError **error)
{
  char *end = NULL;
  double center, width;

  center = g_ascii_strtod(text, &end);
  if (end != text && *end == '/') {
    const char *second = end + 1;
    width = g_ascii_strtod(second, &end);
    if (end != second && *end == '\0' && isfinite(center) && isfinite(width) && width > 0) {
      *window = (AppWindow){.set = TRUE, .center = center, .width = width};
      return TRUE;
    }
  }
  g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
              "the window is '%s'; expected CENTER/WIDTH with a width above 0, such as 40/400",
              text);
  return FALSE;
}

static gboolean
resolve_lut(const DicomFrame *frame, const AppWindow *window, const char *path,
            DicomWindow *resolved, GError **error)
{
  guint n = dicom_frame_n_voi_luts(frame);

  if (window->lut > n) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s: table %u was asked for; VOILUTSequence has %u", path, window->lut, n);
    return FALSE;
  }
  *resolved = dicom_frame_lut_window(frame, window->lut - 1);
  resolved->invert = window->invert != FALSE;
  return TRUE;
}

AppWindow
app_window_of(const DicomWindow *window)
{
  return (AppWindow){.set = window->voi != DICOM_VOI_NONE,
                     .center = window->center,
                     .width = window->width,
                     .lut = window->voi == DICOM_VOI_LUT ? window->lut + 1 : 0,
                     .invert = window->invert};
}

gboolean
app_window_resolve(const DicomFrame *frame, const AppWindow *window, const char *path,
                   DicomWindow *resolved, GError **error)
{
  *resolved = dicom_frame_default_window(frame);
  if (window) {
    resolved->invert = window->invert != FALSE;
  }
  if (!window || !window->set) {
    return TRUE;
  }
  if (dicom_frame_is_colour(frame)) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s: a window was given, but this is a colour picture, which has none", path);
    return FALSE;
  }
  if (window->lut > 0) {
    return resolve_lut(frame, window, path, resolved, error);
  }
  /* The file's own function (linear, exact, sigmoid) goes on; a table cannot be moved. */
  if (resolved->voi == DICOM_VOI_LUT || resolved->voi == DICOM_VOI_NONE) {
    resolved->voi = DICOM_VOI_LINEAR;
  }
  if (!isfinite(window->center) || !(window->width > 0) || !isfinite(window->width)) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s: the window is %g/%g; expected numbers, and a width above 0", path,
                window->center, window->width);
    return FALSE;
  }
  if (resolved->voi == DICOM_VOI_LINEAR && window->width < 1) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s: the window's width is %g; a linear window is at least 1 wide", path,
                window->width);
    return FALSE;
  }
  resolved->center = window->center;
  resolved->width = window->width;
  return TRUE;
}

static DicomPicture *
blank_picture(guint width, guint height)
{
  DicomPicture *picture = dicom_picture_new(width, height);
  gsize n = (gsize)width * height;

  for (gsize i = 0; i < n; i++) {
    memcpy(picture->pixels + 3 * i, blank_colour, 3);
  }
  return picture;
}

/* The picture of CHOICE into SHOT. */
static gboolean
draw(AppShot *shot, const DicomFrame *pixels, const AppImageChoice *choice, GError **error)
{
  shot->own = dicom_frame_default_window(pixels);
  if (!app_window_resolve(pixels, &choice->window, choice->path, &shot->window, error)) {
    return FALSE;
  }
  shot->has_numbers = shot->window.voi != DICOM_VOI_NONE && shot->window.voi != DICOM_VOI_LUT;
  shot->picture = choice->blank
                      ? blank_picture(dicom_frame_width(pixels), dicom_frame_height(pixels))
                      : dicom_frame_render(pixels, &shot->window, error);
  if (!shot->picture || !app_picture_cut(&shot->picture, choice, error)) {
    return FALSE;
  }
  if (!choice->blank) {
    shot->grey = grey_copy(shot->info, shot->picture);
  }
  return TRUE;
}

AppShot *
app_shot_new(const AppImageChoice *choice, GError **error)
{
  g_autoptr(AppShot) shot = g_new0(AppShot, 1);
  g_autoptr(DicomFrame) pixels = NULL;

  shot->n_refs = 1;
  shot->choice = *choice;
  shot->choice.path = g_strdup(choice->path);
  shot->info = app_decoder_info(choice->path, NULL, error);
  if (!shot->info) {
    return NULL;
  }
  pixels = app_decoder_frame(choice->path, choice->frame, NULL, NULL, error);
  if (!pixels || !draw(shot, pixels, choice, error)) {
    return NULL;
  }
  shot->pixels_sha256 = g_strdup(dicom_frame_sha256(pixels));
  shot->sent_sha256 = dicom_picture_sha256(shot->picture);
  return g_steal_pointer(&shot);
}

AppShot *
app_shot_blank(const AppShot *shot)
{
  AppShot *blank = g_new0(AppShot, 1);

  blank->n_refs = 1;
  blank->info = dicom_info_copy(shot->info);
  blank->choice = shot->choice;
  blank->choice.path = g_strdup(shot->choice.path);
  blank->choice.blank = TRUE;
  blank->own = shot->own;
  blank->window = shot->window;
  blank->has_numbers = shot->has_numbers;
  blank->picture = blank_picture(shot->picture->width, shot->picture->height);
  blank->pixels_sha256 = g_strdup(shot->pixels_sha256);
  blank->sent_sha256 = dicom_picture_sha256(blank->picture);
  return blank;
}

AppShot *
app_shot_ref(AppShot *shot)
{
  g_atomic_int_inc(&shot->n_refs);
  return shot;
}

void
app_shot_unref(AppShot *shot)
{
  if (!shot || !g_atomic_int_dec_and_test(&shot->n_refs)) {
    return;
  }
  g_clear_pointer(&shot->info, dicom_info_free);
  g_clear_pointer(&shot->picture, dicom_picture_free);
  g_free((gpointer)shot->choice.path);
  g_free(shot->grey);
  g_free(shot->pixels_sha256);
  g_free(shot->sent_sha256);
  g_free(shot);
}

static gboolean
is_window(const AppShot *shot, const AppWindow *asked)
{
  const DicomWindow *window = &shot->window, *own = &shot->own;

  if ((asked->invert != FALSE) != (window->invert != FALSE)) {
    return FALSE;
  }
  if (!asked->set) {
    return window->voi == own->voi && window->center == own->center &&
           window->width == own->width && window->lut == own->lut;
  }
  if (asked->lut > 0) {
    return window->voi == DICOM_VOI_LUT && window->lut == asked->lut - 1;
  }
  return shot->has_numbers && asked->center == window->center && asked->width == window->width;
}

gboolean
app_shot_is_of(const AppShot *shot, const AppImageChoice *choice)
{
  const AppImageChoice *own = &shot->choice;
  const AppRegion *a = &own->region, *b = &choice->region;

  return strcmp(own->path, choice->path) == 0 && own->frame == choice->frame &&
         own->blank == choice->blank && own->turns == choice->turns &&
         (own->flip != FALSE) == (choice->flip != FALSE) && a->width == b->width &&
         (a->width == 0 || (a->x == b->x && a->y == b->y && a->height == b->height)) &&
         is_window(shot, &choice->window);
}

ModelImage
app_shot_image(const AppShot *shot)
{
  return (ModelImage){.width = shot->picture->width,
                      .height = shot->picture->height,
                      .channels = shot->grey ? 1 : 3,
                      .pixels = shot->grey ? shot->grey : shot->picture->pixels};
}
