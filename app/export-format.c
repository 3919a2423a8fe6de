/* export-format.c - the table of formats. */
#include "export.h"

#include <string.h>

#include <glib/gi18n.h>

#include "export-formats.h"

static const AppExportFormat *const formats[] = {
    &app_export_jsonl, &app_export_csv, &app_export_balp, &app_export_ps315,
    &app_export_llava, &app_export_pdf, &app_export_sr,   &app_export_encapsulated_pdf,
};

const AppExportFormat *
app_export_format(const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
    if (strcmp(formats[i]->name, name) == 0) {
      return formats[i];
    }
  }
  return NULL;
}

const char *
app_export_format_name(guint index)
{
  return index < G_N_ELEMENTS(formats) ? formats[index]->name : NULL;
}

const char *
app_export_format_summary(guint index)
{
  return index < G_N_ELEMENTS(formats) ? _(formats[index]->summary) : NULL;
}

gboolean
app_export_format_needs_text(guint index)
{
  return index < G_N_ELEMENTS(formats) && formats[index]->needs_text;
}

gboolean
app_export_format_needs_patient(guint index)
{
  return index < G_N_ELEMENTS(formats) && formats[index]->needs_patient;
}
