/* window-fixture.h - a whole window on a study and a log of its own, with a tiny model. */
#ifndef HILUM_TESTS_UI_WINDOW_FIXTURE_H
#define HILUM_TESTS_UI_WINDOW_FIXTURE_H

#include "conversation/conversation-private.h"
#include "desktop-fixture.h"
#include "desktop-hands.h"
#include "window/window-private.h"

typedef struct {
  char *folder, *study, *log, *model;
  AppReviewOptions options;
  DesktopWindow *window; /* borrowed; NULL once it is finalised */
} Fixture;

static inline void
fixture_begin(Fixture *f, guint slices)
{
  f->folder = tiny_folder_new();
  f->study = fixture_study_new(slices);
  f->log = g_build_filename(f->folder, "log.sqlite", NULL);
  f->model = g_build_filename(f->folder, "model.gguf", NULL);
  tiny_model_write(f->folder, f->model);
  f->options = (AppReviewOptions){.model = {.model = f->model}, .log_path = f->log};
}

/* Its model is on its way when this returns. */
static inline void
open_window(Fixture *f)
{
  f->window = desktop_window_new(NULL, &f->options);
  g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
  gtk_window_present(GTK_WINDOW(f->window));
  /* What is checked beside is asked for by the tests themselves. */
  g_object_set(f->window->conversation, "check-blank", FALSE, NULL);
  desktop_window_load_model(f->window);
}

static inline void
close_window(Fixture *f)
{
  gtk_window_close(GTK_WINDOW(f->window));
  wait_until(f->window == NULL);
}

static inline void
teardown(Fixture *f, gconstpointer data)
{
  if (f->window) {
    close_window(f);
  }
  tiny_folder_free(f->folder);
  tiny_folder_free(f->study);
  g_free(f->log);
  g_free(f->model);
}

#endif
