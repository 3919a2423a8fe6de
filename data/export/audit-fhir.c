/* audit-fhir.c - an event as a FHIR R4 AuditEvent by IHE Basic Audit (BALP).
 *
 * BALP's profiles are of RESTful acts. What is one in substance (images read with a question, a
 * verdict added to them) claims the profile Read, PatientRead, Update or PatientUpdate; the program
 * is client and server at once. What is none (start and stop, alerts) is a plain AuditEvent with
 * DICOM's codes, and so is what failed, since the profiles are of success.
 */
#include "export/audit.h"
#include "export/text.h"

#include <string.h>

#define PROFILES "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
#define DCM_URI "http://dicom.nema.org/resources/ontology/DCM"
#define OWN_URI "urn:hilum:event"
#define TERMS "http://terminology.hl7.org/CodeSystem/"

/* {"system": …, "code": …, "display": …} */
static void
coding(GString *out, const char *system, const char *code, const char *display)
{
  g_string_append_c(out, '{');
  store_json_append_text(out, "system", system);
  store_json_append_text(out, "code", code);
  if (display) {
    store_json_append_text(out, "display", display);
  }
  g_string_append_c(out, '}');
}

static void
named_coding(GString *out, const char *name, const char *system, const char *code,
             const char *display)
{
  store_json_append_name(out, name);
  coding(out, system, code, display);
}

static void
code(GString *out, const StoreCode *from)
{
  coding(out, strcmp(from->scheme, STORE_AUDIT_DCM) == 0 ? DCM_URI : OWN_URI, from->code,
         from->meaning);
}

/* "what": {"identifier": {"system": …, "value": …}} */
static void
identifier(GString *out, const char *name, const char *type, const char *system, const char *value)
{
  store_json_append_name(out, name);
  g_string_append_c(out, '{');
  if (type) {
    store_json_append_text(out, "type", type);
  }
  store_json_append_name(out, "identifier");
  g_string_append_c(out, '{');
  if (system) {
    store_json_append_text(out, "system", system);
  }
  store_json_append_text(out, "value", value);
  g_string_append(out, "}}");
}

/* Read or Update, when EVENT is one of them and went well: NULL otherwise. */
static const char *
profile(const StoreAudit *audit, const StoreAuditEvent *event)
{
  if (strcmp(event->id.code, "110103") != 0 || store_audit_outcome(audit, event) != 0) {
    return NULL;
  }
  return event->does == 'U' ? "Update" : event->does == 'R' ? "Read" : NULL;
}

static void
append_head(GString *out, const StoreAudit *audit, const StoreAuditEvent *event)
{
  const char *name = profile(audit, event);
  const char does[] = {event->does, '\0'};
  g_autofree char *outcome = g_strdup_printf("%d", store_audit_outcome(audit, event));

  store_json_append_text(out, "resourceType", "AuditEvent");
  if (name) {
    store_json_append_name(out, "meta");
    g_string_append_printf(out, "{\"profile\": [\"" PROFILES "%s%s\"]}",
                           audit->patient_id ? "Patient" : "", name);
    named_coding(out, "type", TERMS "audit-event-type", "rest", "Restful Operation");
  } else {
    store_json_append_name(out, "type");
    code(out, &event->id);
  }
  if (name || event->type.code) {
    store_json_append_name(out, "subtype");
    g_string_append_c(out, '[');
    if (name) {
      coding(out, "http://hl7.org/fhir/restful-interaction", event->does == 'U' ? "update" : "read",
             event->does == 'U' ? "update" : "read");
      store_json_append_comma(out);
      code(out, &event->id);
    }
    if (event->type.code) {
      store_json_append_comma(out);
      code(out, &event->type);
    }
    g_string_append_c(out, ']');
  }
  store_json_append_text(out, "action", does);
  store_json_append_text(out, "recorded", audit->time);
  store_json_append_text(out, "outcome", outcome);
}

/* Client or server, which the program is both. */
static void
append_machine(GString *out, const StoreAudit *audit, const char *role, const char *meaning)
{
  store_json_append_comma(out);
  g_string_append_c(out, '{');
  store_json_append_name(out, "type");
  g_string_append(out, "{\"coding\": [");
  coding(out, DCM_URI, role, meaning);
  g_string_append(out, "]}");
  store_json_append_name(out, "who");
  g_string_append_c(out, '{');
  store_json_append_text(out, "display", "hilum");
  g_string_append_c(out, '}');
  store_json_append_bool(out, "requestor", FALSE);
  store_json_append_name(out, "network");
  g_string_append_c(out, '{');
  store_json_append_text(out, "address", audit->host ? audit->host : "localhost");
  store_json_append_text(out, "type", "1"); /* a machine's name */
  g_string_append(out, "}}");
}

static void
append_user(GString *out, const StoreAudit *audit, const StoreAuditEvent *event)
{
  const char *user = audit->user_name ? audit->user_name : "-";

  store_json_append_comma(out);
  g_string_append_c(out, '{');
  if (event->does != 'U') {
    store_json_append_name(out, "type");
    g_string_append(out, "{\"coding\": [");
    coding(out, TERMS "v3-ParticipationType", "IRCP", "information recipient");
    g_string_append(out, "]}");
  } else {
    store_json_append_name(out, "type");
    g_string_append(out, "{\"coding\": [");
    coding(out, TERMS "v3-ParticipationType", "AUT", "author (originator)");
    g_string_append(out, "]}");
  }
  identifier(out, "who", NULL, NULL, audit->person ? audit->person : user);
  if (audit->person) {
    store_json_append_text(out, "altId", user);
  } else if (audit->real_name) {
    store_json_append_text(out, "name", audit->real_name);
  }
  store_json_append_bool(out, "requestor", TRUE);
  g_string_append_c(out, '}');
}

static void
append_thing(GString *out, const char *name, const char *id, const char *role, const char *meaning)
{
  store_json_append_comma(out);
  g_string_append_c(out, '{');
  store_json_append_name(out, "type");
  g_string_append(out, "{\"coding\": [");
  coding(out, DCM_URI, role, meaning);
  g_string_append(out, "]}");
  if (id) {
    identifier(out, "who", NULL, "urn:hilum:sha256", id);
  } else {
    store_json_append_name(out, "who");
    g_string_append_c(out, '{');
    store_json_append_text(out, "display", name);
    g_string_append_c(out, '}');
  }
  store_json_append_text(out, "name", name);
  store_json_append_bool(out, "requestor", FALSE);
  g_string_append_c(out, '}');
}

static void
append_agents(GString *out, const StoreAudit *audit, const StoreAuditEvent *event)
{
  store_json_append_name(out, "agent");
  g_string_append_c(out, '[');
  append_user(out, audit, event);
  append_machine(out, audit, "110152", "Destination Role ID");
  append_machine(out, audit, "110153", "Source Role ID");
  if (audit->model) {
    append_thing(out, audit->model, audit->model_sha256, "110150", "Application");
  }
  if (audit->place && strcmp(event->id.code, "110107") == 0) {
    append_thing(out, audit->place, NULL, "110155", "Source Media");
  } else if (audit->place) {
    append_thing(out, audit->place, NULL, "110154", "Destination Media");
  }
  g_string_append_c(out, ']');
}

static void
append_detail(GString *out, const char *type, const char *value)
{
  if (value) {
    store_json_append_comma(out);
    g_string_append_c(out, '{');
    store_json_append_text(out, "type", type);
    store_json_append_text(out, "valueString", value);
    g_string_append_c(out, '}');
  }
}

/* The study, or the log where there is none. */
static void
append_data(GString *out, const StoreAudit *audit)
{
  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, audit->number);
  g_autofree char *uid =
      audit->study_instance_uid ? g_strdup_printf("urn:oid:%s", audit->study_instance_uid) : NULL;

  store_json_append_comma(out);
  g_string_append_c(out, '{');
  if (uid) {
    identifier(out, "what", "ImagingStudy", "urn:dicom:uid", uid);
  } else {
    identifier(out, "what", NULL, "urn:hilum:log", audit->log_id ? audit->log_id : "-");
  }
  named_coding(out, "type", TERMS "audit-entity-type", "2", "System Object");
  if (uid) {
    named_coding(out, "role", TERMS "object-role", "3", "Report");
  } else {
    named_coding(out, "role", TERMS "object-role", "4", "Domain Resource");
  }
  store_json_append_name(out, "detail");
  g_string_append_c(out, '[');
  append_detail(out, "LogRow", number);
  append_detail(out, "LogRowSHA256", audit->sha256);
  for (gsize i = 0; i < audit->n_images; i++) {
    append_detail(out, "SOPClassUID", audit->images[i].sop_class);
    append_detail(out, "SOPInstanceUID", audit->images[i].sop_instance_uid);
  }
  for (gsize i = 0; i < audit->n_details; i++) {
    append_detail(out, audit->details[i].name, audit->details[i].text);
  }
  g_string_append(out, "]}");
}

static void
append_patient(GString *out, const StoreAudit *audit)
{
  store_json_append_comma(out);
  g_string_append_c(out, '{');
  identifier(out, "what", "Patient", NULL, audit->patient_id);
  named_coding(out, "type", TERMS "audit-entity-type", "1", "Person");
  named_coding(out, "role", TERMS "object-role", "1", "Patient");
  if (audit->patient_name) {
    store_json_append_text(out, "name", audit->patient_name);
  }
  g_string_append_c(out, '}');
}

void
store_audit_fhir(GString *out, const StoreAudit *audit)
{
  const StoreAuditEvent *event = store_audit_event(audit);

  if (!event) {
    return;
  }
  g_string_append_c(out, '{');
  append_head(out, audit, event);
  append_agents(out, audit, event);
  store_json_append_name(out, "source");
  g_string_append_c(out, '{');
  if (audit->host) {
    store_json_append_text(out, "site", audit->host);
  }
  identifier(out, "observer", NULL, "urn:hilum:log", audit->log_id ? audit->log_id : "-");
  store_json_append_name(out, "type");
  g_string_append_c(out, '[');
  coding(out, TERMS "security-source-type", "1", "User Device");
  g_string_append(out, "]}");
  store_json_append_name(out, "entity");
  g_string_append_c(out, '[');
  append_data(out, audit);
  if (audit->patient_id) {
    append_patient(out, audit);
  }
  g_string_append(out, "]}");
}
