/* slice-look.c - slices as a presentation state wants them; the last few are kept.
 *
 * Invariant: STUDY->looks, newest first, is under STUDY->lock; a look is immutable like every
 * slice. It is drawn from a frame of its own, and measured on the image's.
 */
#include "slice.h"

#include <glib/gi18n.h>
#include <string.h>

#include "app_presentation.h"
#include "decoder.h"

#define MAX_LOOKS 4

/* ---- kept --------------------------------------------------------------------------------- */

static AppSlice *
find_look(AppStudy *study, const AppSliceFacts *plain, guint presentation)
{
  AppSlice *found = NULL;

  g_mutex_lock(&study->lock);
  for (GList *link = study->looks.head; link && !found; link = link->next) {
    AppSlice *look = link->data;

    if (look->facts.presentation == presentation && look->facts.series == plain->series &&
        look->facts.index == plain->index) {
      found = app_slice_ref(look);
      g_queue_unlink(&study->looks, link);
      g_queue_push_head_link(&study->looks, link);
    }
  }
  g_mutex_unlock(&study->lock);
  return found;
}

static void
keep_look(AppStudy *study, AppSlice *look)
{
  AppSlice *old = NULL;

  g_mutex_lock(&study->lock);
  g_queue_push_head(&study->looks, app_slice_ref(look));
  if (study->looks.length > MAX_LOOKS) {
    old = g_queue_pop_tail(&study->looks);
  }
  g_mutex_unlock(&study->lock);
  app_slice_unref(old);
}

/* ---- what is said of it ------------------------------------------------------------------- */

static void
add_word(GString *text, gboolean is_so, const char *word)
{
  if (is_so) {
    g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", word);
  }
}

/* What it wants and does not get, or NULL. g_free(). */
static char *
left_out_text(guint left_out)
{
  g_autoptr(GString) text = g_string_new(NULL);

  add_word(text, left_out & DICOM_LEFT_OUT_OVERLAYS, _("overlays"));
  add_word(text, left_out & DICOM_LEFT_OUT_COLOURS, _("greys of layers"));
  add_word(text, left_out & DICOM_LEFT_OUT_SIZE, _("true size"));
  add_word(text, left_out & DICOM_LEFT_OUT_GRAPHICS, _("fillings and curves"));
  /* Translators: parts of a presentation state, with commas between */
  return text->len > 0 ? g_strdup_printf(_("Not shown of it: %s"), text->str) : NULL;
}

static void
add_notices(AppSlice *look, const AppPresentation *presentation)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  g_autofree char *applied = *presentation->name
                                 ? g_strdup_printf(_("Presentation state: %s"), presentation->name)
                                 : g_strdup(_("Presentation state applied"));
  g_autofree char *left_out = left_out_text(dicom_frame_left_out(look->frame));
  char **before = look->facts.notices;

  g_strv_builder_add(builder, applied);
  if (left_out) {
    g_strv_builder_add(builder, left_out);
  }
  if (!look->facts.same_greys) {
    g_strv_builder_add(builder, _("Questions are about the image without it"));
  }
  g_strv_builder_addv(builder, (const char **)before);
  look->facts.notices = g_strv_builder_end(builder);
  g_strfreev(before);
}

static void
take_texts(AppSlice *look)
{
  guint n = dicom_frame_n_texts(look->frame);

  look->texts = g_new0(AppText, n);
  look->facts.texts = look->texts;
  look->facts.n_texts = n;
  for (guint i = 0; i < n; i++) {
    AppText *text = &look->texts[i];

    text->text = dicom_frame_text(look->frame, i, &text->x, &text->y);
  }
}

static AppSlice *
look_new(AppStudy *study, AppSlice *plain, guint presentation, DicomFrame *frame)
{
  guint turns;
  gboolean flip, inverts;

  dicom_frame_straighten(frame, &turns, &flip);
  AppSlice *look = app_slice_new_look(study, plain, frame);
  AppSliceFacts *facts = &look->facts;
  facts->presentation = presentation;
  facts->turns = turns;
  facts->flip = flip;
  facts->has_area = dicom_frame_displayed_area(look->frame, facts->area);
  facts->same_greys = dicom_frame_same_greys(look->measured, look->frame, &inverts);
  facts->inverts = inverts;
  take_texts(look);
  add_notices(look, app_study_presentation(study, presentation - 1));
  return look;
}

AppSlice *
app_slice_look(AppStudy *study, AppSlice *plain, guint presentation, GCancellable *cancellable,
               GError **error)
{
  const char *path = app_study_presentation_path(study, presentation - 1);
  AppSlice *look = find_look(study, &plain->facts, presentation);
  DicomFrame *frame;

  if (look) {
    return look;
  }
  frame = app_decoder_frame(plain->path, plain->facts.frame, path, cancellable, error);
  if (!frame) {
    return NULL;
  }
  if (dicom_frame_is_colour(frame) != plain->facts.is_colour) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: the image has changed on disk", path);
    dicom_frame_unref(frame);
    return NULL;
  }
  look = look_new(study, plain, presentation, frame);
  if (look->facts.width != plain->facts.width || look->facts.height != plain->facts.height) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: the image has changed on disk", path);
    app_slice_unref(look);
    return NULL;
  }
  keep_look(study, look);
  return look;
}

/* ---- how it lies -------------------------------------------------------------------------- */

void
app_placement_as_stated(AppPlacement *placement, const AppSliceFacts *facts)
{
  const double *area = facts->area;
  AppPlacement of_area = *placement;
  AppSliceFacts part = *facts;

  placement->turns = of_area.turns = facts->turns;
  placement->flip = of_area.flip = facts->flip;
  placement->scale = 0;
  if (!facts->has_area || !(area[2] - area[0] >= 1) || !(area[3] - area[1] >= 1) ||
      area[2] - area[0] > G_MAXINT || area[3] - area[1] > G_MAXINT) {
    return;
  }
  part.width = (guint)(area[2] - area[0]);
  part.height = (guint)(area[3] - area[1]);
  app_placement_fit(&of_area, &part);
  placement->scale = of_area.scale;
  placement->x = (area[0] + area[2]) / 2;
  placement->y = (area[1] + area[3]) / 2;
}
