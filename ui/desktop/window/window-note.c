/* window-note.c - what the log is told of what is seen in the window, and what is said when it
 * cannot be. */
#include <glib/gi18n.h>

#include "app_note.h"
#include "window/window-private.h"

void
desktop_window_note_looks(DesktopWindow *self)
{
  AppNotes *notes = self->options ? self->options->notes : NULL;

  if (!notes) {
    return;
  }
  app_notes_looks_begin(notes);
  for (guint i = 0; self->study && i < desktop_window_n_panes(self); i++) {
    AppSlice *slice = desktop_viewport_get_slice(self->panes[i]);
    AppWindow window;

    if (slice) {
      const AppSliceFacts *facts = app_slice_facts(slice);
      app_notes_look(notes, self->study, facts->series, facts->index,
                     desktop_viewport_get_window(self->panes[i], &window) && !facts->is_colour
                         ? &window
                         : NULL);
    }
  }
  app_notes_looks_end(notes);
}

void
desktop_window_tell_notes(DesktopWindow *self, const char *why, guint n)
{
  if (!self->closed) {
    g_free(self->untold);
    self->untold = why ? g_strdup_printf(ngettext("%u event is not in the log yet: %s",
                                                  "%u events are not in the log yet: %s", n),
                                         n, why)
                       : NULL;
    desktop_window_update_log(self);
  }
}

static void
on_searched(DesktopHistory *history, const char *words, DesktopWindow *self)
{
  app_notes_viewed(self->options->notes, "search", 0, words);
}

void
desktop_window_note_setup(DesktopWindow *self)
{
  g_signal_connect(self->history, "searched", G_CALLBACK(on_searched), self);
}
