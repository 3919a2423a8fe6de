/* app_output.h - pictures that leave the program: to the clipboard, a file, a printer.
 *
 * Nothing but pixels goes out: no header, no name. Whether the pixels themselves show text is
 * another question, AppSeriesInfo.burned_in.
 */
#ifndef HILUM_APP_OUTPUT_H
#define HILUM_APP_OUTPUT_H

#include "app_slice.h"

G_BEGIN_DECLS

/* The picture of SLICE at its own resolution: a pixel for each stored one (of those that are not
 * square, as many as make them so). WINDOW as AppDrawing has it. */
typedef struct {
  AppSlice *slice;
  AppWindow window;
  guint turns;
  gboolean flip;
  /* Or, with PIXELS, these: WIDTH * HEIGHT as AppCanvas has them, rows without gaps. */
  GBytes *pixels;
  guint width, height;
} AppOutput;

/* What is to be seen, on a thread of app's; app_canvas_free(). */
void app_output_canvas_async(const AppOutput *output, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user);
AppCanvas *app_output_canvas_finish(GAsyncResult *result, GError **error);
/* The same as PNG; with PATH it is written there as well, aside, and renamed. g_bytes_unref(). */
void app_output_png_async(const AppOutput *output, const char *path, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user);
GBytes *app_output_png_finish(GAsyncResult *result, GError **error);

G_END_DECLS
#endif
