/* output-print.c - a page by GtkPrintOperation: the picture is drawn first, by app, and then the
 * dialog asks for the rest. */
#include "output/output-private.h"

#include <glib/gi18n.h>

static GtkWidget *
on_create_widget(GtkPrintOperation *operation, DesktopOutput *output)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);

  output->texts_check = gtk_check_button_new_with_mnemonic(
      _("Print the _text of the corners, which names the patient"));
  gtk_check_button_set_active(GTK_CHECK_BUTTON(output->texts_check), output->with_texts);
  gtk_widget_set_margin_start(box, 12);
  gtk_widget_set_margin_end(box, 12);
  gtk_widget_set_margin_top(box, 12);
  gtk_widget_set_margin_bottom(box, 12);
  gtk_box_append(GTK_BOX(box), output->texts_check);
  return box;
}

static void
on_apply_widget(GtkPrintOperation *operation, GtkWidget *widget, DesktopOutput *output)
{
  output->with_texts = gtk_check_button_get_active(GTK_CHECK_BUTTON(output->texts_check));
}

static void
on_draw(GtkPrintOperation *operation, GtkPrintContext *context, int page, DesktopOutput *output)
{
  desktop_output_draw_page(output, gtk_print_context_get_cairo_context(context),
                           gtk_print_context_get_width(context),
                           gtk_print_context_get_height(context));
}

static void
on_done(GtkPrintOperation *operation, GtkPrintOperationResult result, DesktopOutput *output)
{
  g_autoptr(GError) error = NULL;

  if (result == GTK_PRINT_OPERATION_RESULT_ERROR) {
    gtk_print_operation_get_error(operation, &error);
    desktop_output_tell(output, error ? error->message : _("The page was not printed"));
  } else if (result == GTK_PRINT_OPERATION_RESULT_APPLY) {
    desktop_output_tell(output, output->path ? _("Page saved") : _("Page sent to the printer"));
  }
  g_object_unref(operation);
  desktop_output_free(output);
}

static void
run(DesktopOutput *output)
{
  GtkPrintOperation *operation = gtk_print_operation_new();
  GtkPrintOperationAction action =
      output->path ? GTK_PRINT_OPERATION_ACTION_EXPORT : GTK_PRINT_OPERATION_ACTION_PRINT_DIALOG;

  gtk_print_operation_set_job_name(operation, "Hilum");
  gtk_print_operation_set_n_pages(operation, 1);
  gtk_print_operation_set_unit(operation, GTK_UNIT_POINTS);
  gtk_print_operation_set_allow_async(operation, TRUE);
  gtk_print_operation_set_embed_page_setup(operation, TRUE);
  gtk_print_operation_set_custom_tab_label(operation, _("Picture"));
  if (output->path) {
    gtk_print_operation_set_export_filename(operation, output->path);
  }
  g_signal_connect(operation, "create-custom-widget", G_CALLBACK(on_create_widget), output);
  g_signal_connect(operation, "custom-widget-apply", G_CALLBACK(on_apply_widget), output);
  g_signal_connect(operation, "draw-page", G_CALLBACK(on_draw), output);
  g_signal_connect(operation, "done", G_CALLBACK(on_done), output);
  /* Errors come by "done" as well. */
  gtk_print_operation_run(operation, action, GTK_WINDOW(output->window), NULL);
}

static void
on_canvas(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopOutput) output = data;
  g_autoptr(GError) error = NULL;

  output->canvas = app_output_canvas_finish(result, &error);
  desktop_output_end_job();
  if (output->canvas && output->canvas->width > 0 && output->canvas->height > 0) {
    run(g_steal_pointer(&output));
  } else {
    desktop_output_tell(output, error ? error->message : _("There is no picture"));
  }
}

static void
draw(DesktopOutput *output)
{
  desktop_output_begin_job();
  app_output_canvas_async(&output->picture, NULL, on_canvas, output);
}

void
desktop_output_print(DesktopViewport *viewport)
{
  DesktopOutput *output = desktop_output_new(viewport);

  if (output) {
    desktop_output_confirm(output, _("_Print"), draw);
  }
}

void
desktop_output_print_to(DesktopViewport *viewport, gboolean with_texts, const char *path)
{
  DesktopOutput *output = desktop_output_new(viewport);

  if (output) {
    output->with_texts = with_texts;
    output->path = g_strdup(path);
    draw(output);
  }
}
