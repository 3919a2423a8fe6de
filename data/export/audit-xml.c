/* audit-xml.c - an event as an AuditMessage of PS3.15 A.5.1, on one line. */
#include "export/audit.h"

#include <string.h>

/* Attributes and contents alike. What XML 1.0 cannot hold, and what is no UTF-8, becomes U+FFFD;
 * line breaks are named, since a message is one line. */
static void
escape(GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);

  for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
    const gunichar c = g_utf8_get_char(p);

    if (c == '&') {
      g_string_append(out, "&amp;");
    } else if (c == '<') {
      g_string_append(out, "&lt;");
    } else if (c == '>') {
      g_string_append(out, "&gt;");
    } else if (c == '"') {
      g_string_append(out, "&quot;");
    } else if (c == '\n' || c == '\r' || c == '\t') {
      g_string_append_printf(out, "&#%u;", c);
    } else if (c < 0x20 || c == 0xfffe || c == 0xffff) {
      g_string_append(out, "\xef\xbf\xbd");
    } else {
      g_string_append_len(out, p, g_utf8_next_char(p) - p);
    }
  }
}

static void
attribute(GString *out, const char *name, const char *value)
{
  if (value) {
    g_string_append_printf(out, " %s=\"", name);
    escape(out, value);
    g_string_append_c(out, '"');
  }
}

static void
coded(GString *out, const char *element, const StoreCode *code)
{
  if (code->code) {
    g_string_append_printf(out, "<%s", element);
    attribute(out, "csd-code", code->code);
    attribute(out, "codeSystemName", code->scheme);
    attribute(out, "originalText", code->meaning);
    g_string_append(out, "/>");
  }
}

static void
append_event(GString *out, const StoreAudit *audit, const StoreAuditEvent *event)
{
  const char does[] = {event->does, '\0'};
  g_autofree char *outcome = g_strdup_printf("%d", store_audit_outcome(audit, event));

  g_string_append(out, "<EventIdentification");
  attribute(out, "EventActionCode", does);
  attribute(out, "EventDateTime", audit->time);
  attribute(out, "EventOutcomeIndicator", outcome);
  g_string_append_c(out, '>');
  coded(out, "EventID", &event->id);
  coded(out, "EventTypeCode", &event->type);
  g_string_append(out, "</EventIdentification>");
}

static void
participant(GString *out, const char *user_id, const char *other_id, const char *name,
            gboolean requestor, const char *host, const StoreCode *role)
{
  g_string_append(out, "<ActiveParticipant");
  attribute(out, "UserID", user_id);
  attribute(out, "AlternativeUserID", other_id);
  attribute(out, "UserName", name);
  attribute(out, "UserIsRequestor", requestor ? "true" : "false");
  if (host) {
    attribute(out, "NetworkAccessPointTypeCode", "1"); /* a machine's name */
    attribute(out, "NetworkAccessPointID", host);
  }
  g_string_append_c(out, '>');
  if (role) {
    coded(out, "RoleIDCode", role);
  }
  g_string_append(out, "</ActiveParticipant>");
}

static void
append_participants(GString *out, const StoreAudit *audit, const StoreAuditEvent *event)
{
  static const StoreCode application = {"110150", "DCM", "Application"};
  static const StoreCode launcher = {"110151", "DCM", "Application Launcher"};
  static const StoreCode destination = {"110152", "DCM", "Destination Role ID"};
  static const StoreCode source = {"110155", "DCM", "Source Media"};
  const gboolean starts = strcmp(audit->kind, "application") == 0;
  const char *user = audit->user_name ? audit->user_name : "-";

  if (starts) {
    participant(out, "hilum", audit->program_version, NULL, FALSE, audit->host, &application);
  }
  /* Who signed in stands before the account in which the person did. */
  participant(out, audit->person ? audit->person : user, audit->person ? user : NULL,
              audit->person ? NULL : audit->real_name, TRUE, audit->host,
              starts ? &launcher : NULL);
  if (audit->model) {
    participant(out, audit->model, audit->model_sha256, NULL, FALSE, NULL, &application);
  }
  if (audit->place) {
    participant(out, audit->place, NULL, NULL, FALSE, NULL,
                strcmp(event->id.code, "110107") == 0 ? &source : &destination);
  }
}

static void
append_details(GString *out, const StoreAudit *audit)
{
  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, audit->number);
  const StoreField row[] = {{"LogRow", number}, {"LogRowSHA256", audit->sha256}};
  const gsize n = G_N_ELEMENTS(row);

  for (gsize i = 0; i < n + audit->n_details; i++) {
    const StoreField *field = i < n ? &row[i] : &audit->details[i - n];
    if (field->text) {
      g_autofree char *value = g_base64_encode((const guchar *)field->text, strlen(field->text));
      g_string_append(out, "<ParticipantObjectDetail");
      attribute(out, "type", field->name);
      attribute(out, "value", value);
      g_string_append(out, "/>");
    }
  }
}

static void
append_description(GString *out, const StoreAudit *audit)
{
  g_autoptr(GArray) classes = store_audit_classes(audit);

  if (classes->len == 0) {
    return;
  }
  g_string_append(out, "<ParticipantObjectDescription>");
  for (guint i = 0; i < classes->len; i++) {
    const StoreAuditClass *class = &g_array_index(classes, StoreAuditClass, i);
    g_string_append(out, "<SOPClass");
    attribute(out, "UID", class->sop_class);
    g_string_append_printf(out, " NumberOfInstances=\"%u\">", class->n);
    for (gsize j = 0; j < audit->n_images; j++) {
      const StoreAuditImage *image = &audit->images[j];
      if (image->sop_instance_uid && g_strcmp0(image->sop_class, class->sop_class) == 0) {
        g_string_append(out, "<Instance");
        attribute(out, "UID", image->sop_instance_uid);
        g_string_append(out, "/>");
      }
    }
    g_string_append(out, "</SOPClass>");
  }
  g_string_append(out, "</ParticipantObjectDescription>");
}

static void
object_begin(GString *out, const char *id, const char *type, const char *role)
{
  g_string_append(out, "<ParticipantObjectIdentification");
  attribute(out, "ParticipantObjectID", id);
  attribute(out, "ParticipantObjectTypeCode", type);
  attribute(out, "ParticipantObjectTypeCodeRole", role);
  g_string_append_c(out, '>');
}

static void
append_objects(GString *out, const StoreAudit *audit)
{
  static const StoreCode study = {"110180", "DCM", "Study Instance UID"};
  static const StoreCode patient = {"2", "RFC-3881", "Patient Number"};
  static const StoreCode uri = {"12", "RFC-3881", "URI"};
  static const char end[] = "</ParticipantObjectIdentification>";

  if (audit->study_instance_uid) {
    object_begin(out, audit->study_instance_uid, "2", "3");
    coded(out, "ParticipantObjectIDTypeCode", &study);
    append_details(out, audit);
    append_description(out, audit);
    g_string_append(out, end);
  } else {
    g_autofree char *id = g_strdup_printf("urn:hilum:log:%s", audit->log_id ? audit->log_id : "-");
    object_begin(out, id, "2", "13");
    coded(out, "ParticipantObjectIDTypeCode", &uri);
    g_string_append(out, "<ParticipantObjectName>Security Audit Log</ParticipantObjectName>");
    append_details(out, audit);
    append_description(out, audit);
    g_string_append(out, end);
  }
  if (audit->patient_id) {
    object_begin(out, audit->patient_id, "1", "1");
    coded(out, "ParticipantObjectIDTypeCode", &patient);
    if (audit->patient_name) {
      g_string_append(out, "<ParticipantObjectName>");
      escape(out, audit->patient_name);
      g_string_append(out, "</ParticipantObjectName>");
    }
    g_string_append(out, end);
  }
}

void
store_audit_xml(GString *out, const StoreAudit *audit)
{
  const StoreAuditEvent *event = store_audit_event(audit);

  if (!event) {
    return;
  }
  g_string_append(out, "<AuditMessage>");
  append_event(out, audit, event);
  append_participants(out, audit, event);
  g_string_append(out, "<AuditSourceIdentification AuditSourceID=\"hilum");
  if (audit->host) {
    g_string_append_c(out, '@');
    escape(out, audit->host);
  }
  g_string_append(out, "\"><AuditSourceTypeCode csd-code=\"1\" codeSystemName=\"DCM\" "
                       "originalText=\"End-user display device\"/></AuditSourceIdentification>");
  append_objects(out, audit);
  g_string_append(out, "</AuditMessage>");
}
