/* about.c - what a question is about: an image as it is on the screen, and what is known of it. */
#include "conversation/about.h"

#include <glib/gi18n.h>
#include <string.h>

DesktopAbout *
desktop_about_new(const AppImageChoice *choice, const char *label, const char *window,
                  const char *modality, const char *body_part, const char *const *warnings)
{
  DesktopAbout *about = g_rc_box_new0(DesktopAbout);

  about->choice = *choice;
  about->choice.path = g_strdup(choice->path);
  about->choice.turns = choice->turns % 4;
  about->label = g_strdup(label ? label : "");
  about->window = g_strdup(window ? window : "");
  about->modality = g_strdup(modality ? modality : "");
  about->body_part = g_strdup(body_part ? body_part : "");
  about->warnings = warnings ? g_strdupv((char **)warnings) : g_new0(char *, 1);
  return about;
}

DesktopAbout *
desktop_about_ref(DesktopAbout *about)
{
  return g_rc_box_acquire(about);
}

static void
clear(gpointer data)
{
  DesktopAbout *about = data;

  g_free((char *)about->choice.path);
  g_free(about->label);
  g_free(about->window);
  g_free(about->modality);
  g_free(about->body_part);
  g_strfreev(about->warnings);
}

void
desktop_about_unref(DesktopAbout *about)
{
  g_rc_box_release_full(about, clear);
}

static gboolean
same_window(const AppWindow *a, const AppWindow *b)
{
  return a->set == b->set && a->invert == b->invert && (!a->set || a->lut == b->lut) &&
         (!a->set || a->lut != 0 || (a->center == b->center && a->width == b->width));
}

static gboolean
same_region(const AppRegion *a, const AppRegion *b)
{
  return (a->width == 0 && b->width == 0) ||
         (a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height);
}

gboolean
desktop_about_same(const DesktopAbout *a, const DesktopAbout *b)
{
  const AppImageChoice *x, *y;

  if (!a || !b) {
    return a == b;
  }
  x = &a->choice;
  y = &b->choice;
  return strcmp(x->path, y->path) == 0 && x->frame == y->frame && x->blank == y->blank &&
         x->turns == y->turns && x->flip == y->flip && same_window(&x->window, &y->window) &&
         same_region(&x->region, &y->region);
}

static void
add(GString *text, const char *separator, const char *part)
{
  if (*part) {
    g_string_append_printf(text, "%s%s", text->len > 0 ? separator : "", part);
  }
}

char *
desktop_about_changes(const DesktopAbout *about)
{
  const AppImageChoice *choice = &about->choice;
  GString *text = g_string_new(NULL);

  if (choice->region.width > 0) {
    g_autofree char *region =
        g_strdup_printf(_("region %u × %u"), choice->region.width, choice->region.height);
    add(text, ", ", region);
  }
  if (choice->turns > 0) {
    g_autofree char *turned = g_strdup_printf(_("turned %u°"), 90 * choice->turns);
    add(text, ", ", turned);
  }
  add(text, ", ", choice->flip ? _("mirrored") : "");
  add(text, ", ", choice->window.invert ? _("inverted") : "");
  add(text, ", ", choice->blank ? _("blank") : "");
  return g_string_free(text, FALSE);
}

char *
desktop_about_text(const DesktopAbout *about)
{
  g_autofree char *changes = desktop_about_changes(about);
  GString *text = g_string_new(about->label);

  add(text, " · ", about->window);
  add(text, " · ", changes);
  return g_string_free(text, FALSE);
}

char *
desktop_about_text_in_full(const DesktopAbout *about)
{
  g_autofree char *name = g_path_get_basename(about->choice.path);
  g_autofree char *shown = g_filename_display_name(name);
  g_autofree char *text = desktop_about_text(about);

  return g_strdup_printf(_("%s · %s, frame %u"), text, shown, about->choice.frame);
}
