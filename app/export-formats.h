/* export-formats.h - the formats there are, one file each. Not for other rooms. */
#ifndef HILUM_APP_EXPORT_FORMATS_H
#define HILUM_APP_EXPORT_FORMATS_H

#include "export.h"

G_BEGIN_DECLS

extern const AppExportFormat app_export_jsonl, app_export_csv, app_export_balp, app_export_ps315,
    app_export_llava, app_export_pdf, app_export_sr, app_export_encapsulated_pdf;

G_END_DECLS
#endif
