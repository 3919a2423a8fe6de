/* output.c - what a viewport shows, as a copy that can leave the program; copying and saving it. */
#include "output/output-private.h"

#include <glib/gi18n.h>

/* ---- one output ----------------------------------------------------------------------------- */

static void
tell(GtkWidget *window, const char *text)
{
  gtk_widget_activate_action(window, "win.toast", "s", text);
}

void
desktop_output_tell(DesktopOutput *output, const char *text)
{
  tell(output->window, text);
}

const char *
desktop_output_warning(DesktopViewport *viewport)
{
  const AppSeriesInfo *info = desktop_viewport_get_info(viewport);

  switch (info ? info->burned_in : APP_BURNED_IN_NO) {
  case APP_BURNED_IN_YES:
    return _("The file says that text is in the pixels themselves. It may name the patient, and "
             "goes wherever the picture goes.");
  case APP_BURNED_IN_MAYBE:
    return _("Pictures of this kind often have text in the pixels themselves, which may name the "
             "patient, and the file does not say that this one has none.");
  case APP_BURNED_IN_NO:
  default:
    return NULL;
  }
}

DesktopOutput *
desktop_output_new(DesktopViewport *viewport)
{
  AppSlice *slice = desktop_viewport_get_slice(viewport);
  GtkWidget *window = GTK_WIDGET(gtk_widget_get_root(GTK_WIDGET(viewport)));
  DesktopOutput *output;
  AppPlacement placement;

  if (!slice || !desktop_viewport_get_placement(viewport, &placement)) {
    tell(window, _("No image is shown"));
    return NULL;
  }
  output = g_new0(DesktopOutput, 1);
  output->window = g_object_ref(window);
  output->picture.slice = app_slice_ref(slice);
  output->picture.turns = placement.turns;
  output->picture.flip = placement.flip;
  desktop_viewport_get_window(viewport, &output->picture.window);
  output->window_text = desktop_viewport_window_text(viewport);
  output->warning = desktop_output_warning(viewport);
  return output;
}

void
desktop_output_free(DesktopOutput *output)
{
  g_object_unref(output->window);
  app_slice_unref(output->picture.slice);
  g_clear_pointer(&output->screen.pixels, g_bytes_unref);
  g_clear_pointer(&output->canvas, app_canvas_free);
  g_free(output->window_text);
  g_free(output->path);
  g_free(output);
}

void
desktop_output_begin_job(void)
{
  GApplication *application = g_application_get_default();

  if (application) {
    g_application_hold(application);
  }
}

void
desktop_output_end_job(void)
{
  GApplication *application = g_application_get_default();

  if (application) {
    g_application_release(application);
  }
}

/* What is on the screen now, text and drawings and all; nothing before it was drawn once. */
static void
take_screen(DesktopOutput *output, DesktopViewport *viewport)
{
  GtkWidget *widget = GTK_WIDGET(viewport);
  int scale = gtk_widget_get_scale_factor(widget);
  int width = gtk_widget_get_width(widget) * scale, height = gtk_widget_get_height(widget) * scale;
  GskRenderer *renderer = gtk_native_get_renderer(gtk_widget_get_native(widget));
  graphene_rect_t area = GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height);
  g_autoptr(GdkPaintable) paintable = gtk_widget_paintable_new(widget);
  g_autoptr(GtkSnapshot) snapshot = gtk_snapshot_new();
  g_autoptr(GskRenderNode) node = NULL;
  g_autoptr(GdkTexture) texture = NULL;
  gsize n = (gsize)width * (gsize)height * 4;
  guchar *pixels;

  gdk_paintable_snapshot(paintable, GDK_SNAPSHOT(snapshot), width, height);
  node = gtk_snapshot_free_to_node(g_steal_pointer(&snapshot));
  if (!node || n == 0) {
    return;
  }
  texture = gsk_renderer_render_texture(renderer, node, &area);
  pixels = g_malloc(n);
  gdk_texture_download(texture, pixels, (gsize)width * 4);
  output->screen.pixels = g_bytes_new_take(pixels, n);
  output->screen.width = (guint)width;
  output->screen.height = (guint)height;
}

/* FALSE: there is no such thing, which was told. */
static gboolean
take(DesktopOutput *output, DesktopViewport *viewport, DesktopOutputKind kind)
{
  output->kind = kind;
  if (kind == DESKTOP_OUTPUT_SCREEN) {
    take_screen(output, viewport);
    if (!output->screen.pixels) {
      desktop_output_tell(output, _("No image is shown"));
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- copying -------------------------------------------------------------------------------- */

static void
on_copied(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopOutput) output = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) png = app_output_png_finish(result, &error);
  g_autoptr(GdkContentProvider) provider = NULL;

  desktop_output_end_job();
  if (!png) {
    desktop_output_tell(output, error->message);
    return;
  }
  provider = gdk_content_provider_new_for_bytes("image/png", png);
  gdk_clipboard_set_content(gtk_widget_get_clipboard(output->window), provider);
  desktop_output_tell(output, output->warning
                                  ? _("Picture copied. Text in its pixels may name the patient")
                                  : _("Picture copied"));
}

void
desktop_output_copy(DesktopViewport *viewport)
{
  DesktopOutput *output = desktop_output_new(viewport);

  if (output) {
    desktop_output_begin_job();
    app_output_png_async(&output->picture, NULL, NULL, on_copied, output);
  }
}

/* ---- saving --------------------------------------------------------------------------------- */

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopOutput) output = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) png = app_output_png_finish(result, &error);
  g_autofree char *name = g_filename_display_basename(output->path);
  g_autofree char *text = g_strdup_printf(_("Saved “%s”"), name);

  desktop_output_tell(output, png ? text : error->message);
  desktop_output_end_job();
}

static void
write_png(DesktopOutput *output)
{
  const AppOutput *what =
      output->kind == DESKTOP_OUTPUT_SCREEN ? &output->screen : &output->picture;

  desktop_output_begin_job();
  app_output_png_async(what, output->path, NULL, on_saved, output);
}

void
desktop_output_save_to(DesktopViewport *viewport, DesktopOutputKind kind, const char *path)
{
  DesktopOutput *output = desktop_output_new(viewport);

  if (output && take(output, viewport, kind)) {
    output->path = g_strdup(path);
    write_png(output);
  } else if (output) {
    desktop_output_free(output);
  }
}

static void
on_response(GtkNativeDialog *dialog, int response, gpointer data)
{
  g_autoptr(DesktopOutput) output = data;
  g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
  if (response == GTK_RESPONSE_ACCEPT && file && g_file_peek_path(file)) {
    output->path = g_file_get_path(file);
    desktop_output_confirm(g_steal_pointer(&output), _("_Save"), write_png);
  }
  gtk_native_dialog_destroy(dialog);
  g_object_unref(dialog);
}

/* The window goes, and nobody is left to answer. */
static void
on_gone(GtkNativeDialog *dialog)
{
  g_signal_emit_by_name(dialog, "response", GTK_RESPONSE_CANCEL);
}

/* "CT-45.png": of the image, and of nobody. */
static char *
file_name(const AppSliceFacts *facts)
{
  g_autofree char *modality = g_strdup(*facts->modality ? facts->modality : "image");

  return g_strdup_printf("%s-%u.png",
                         g_strcanon(modality, G_CSET_A_2_Z G_CSET_a_2_z "0123456789", '_'),
                         facts->index + 1);
}

void
desktop_output_save(DesktopViewport *viewport, DesktopOutputKind kind)
{
  g_autoptr(GtkFileFilter) filter = NULL;
  DesktopOutput *output = desktop_output_new(viewport);
  g_autofree char *name = NULL;
  GtkFileChooserNative *chooser;

  if (!output) {
    return;
  }
  if (!take(output, viewport, kind)) {
    desktop_output_free(output);
    return;
  }
  chooser = gtk_file_chooser_native_new(
      kind == DESKTOP_OUTPUT_SCREEN ? _("Save Screen View") : _("Save Picture"),
      GTK_WINDOW(output->window), GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
  name = file_name(app_slice_facts(output->picture.slice));
  filter = gtk_file_filter_new();
  gtk_file_filter_set_name(filter, _("PNG Pictures"));
  gtk_file_filter_add_mime_type(filter, "image/png");
  gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(chooser), filter);
  gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(chooser), name);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(chooser), TRUE);
  g_signal_connect(chooser, "response", G_CALLBACK(on_response), output);
  g_signal_connect_object(output->window, "unrealize", G_CALLBACK(on_gone), chooser,
                          G_CONNECT_SWAPPED);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(chooser));
}
