/* export-audit.c - events as audit messages: DICOM PS3.15 A.5, and FHIR by IHE BALP. */
#include <glib/gi18n.h>

#include "export-formats.h"

typedef struct {
  AppExport *export;
  AppExportFile *first, *second;
  GString *text, *more;
  guint64 n;
} Audit;

static void
audit_free(gpointer self)
{
  Audit *audit = self;

  app_export_abandon(audit->first);
  app_export_abandon(audit->second);
  g_string_free(audit->text, TRUE);
  g_string_free(audit->more, TRUE);
  g_free(audit);
}

static Audit *
audit_new(AppExport *export, const char *first, const char *second, GError **error)
{
  Audit *audit = g_new0(Audit, 1);

  audit->export = export;
  audit->text = g_string_new(NULL);
  audit->more = g_string_new(NULL);
  audit->first = app_export_open(export, first, error);
  audit->second = audit->first ? app_export_open(export, second, error) : NULL;
  if (!audit->second) {
    audit_free(audit);
    return NULL;
  }
  return audit;
}

static gboolean
audit_flush(Audit *audit, GError **error)
{
  return app_export_write_text(audit->first, audit->text, error) &&
         app_export_write_text(audit->second, audit->more, error);
}

static gboolean
audit_close(Audit *audit, GError **error)
{
  return audit_flush(audit, error) && app_export_close(g_steal_pointer(&audit->first), error) &&
         app_export_close(g_steal_pointer(&audit->second), error);
}

/* ---- PS3.15 ------------------------------------------------------------------------------- */

static gpointer
ps315_begin(AppExport *export, GError **error)
{
  Audit *audit = audit_new(export, "audit-messages.xml", "audit-messages.syslog", error);

  if (audit) {
    /* The standard has no document of many messages: each child is one. */
    g_string_append(audit->text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AuditMessages>\n");
  }
  return audit;
}

static gboolean
ps315_event(gpointer self, const StoreAudit *event, GError **error)
{
  Audit *audit = self;

  store_audit_xml(audit->text, event);
  g_string_append_c(audit->text, '\n');
  store_audit_syslog(audit->more, event, TRUE);
  return audit_flush(audit, error);
}

static gboolean
ps315_end(gpointer self, GError **error)
{
  Audit *audit = self;

  g_string_append(audit->text, "</AuditMessages>\n");
  return audit_close(audit, error);
}

const AppExportFormat app_export_ps315 = {
    .name = "ps315",
    .summary = N_("audit messages of DICOM PS3.15 A.5, as XML and framed for syslog (RFC 5424)"),
    .begin = ps315_begin,
    .event = ps315_event,
    .end = ps315_end,
    .free = audit_free,
};

/* ---- BALP --------------------------------------------------------------------------------- */

static gpointer
balp_begin(AppExport *export, GError **error)
{
  Audit *audit = audit_new(export, "audit-events.ndjson", "audit-events.bundle.json", error);

  if (audit) {
    g_string_append(audit->more, "{\"resourceType\": \"Bundle\", \"type\": \"collection\", "
                                 "\"timestamp\": \"");
    g_string_append_printf(audit->more, "%s\", \"entry\": [", app_export_time(export));
  }
  return audit;
}

static gboolean
balp_event(gpointer self, const StoreAudit *event, GError **error)
{
  Audit *audit = self;

  g_string_append_printf(audit->more, "%s\n{\"resource\": ", audit->n++ > 0 ? "," : "");
  store_audit_fhir(audit->text, event);
  g_string_append_len(audit->more, audit->text->str, (gssize)audit->text->len);
  g_string_append_c(audit->text, '\n');
  g_string_append_c(audit->more, '}');
  return audit_flush(audit, error);
}

static gboolean
balp_end(gpointer self, GError **error)
{
  Audit *audit = self;

  g_string_append(audit->more, "\n]}\n");
  return audit_close(audit, error);
}

const AppExportFormat app_export_balp = {
    .name = "balp",
    .summary = N_("FHIR R4 AuditEvents by IHE BALP, as NDJSON and as a Bundle"),
    .begin = balp_begin,
    .event = balp_event,
    .end = balp_end,
    .free = audit_free,
};
