/* audit.c - which event of PS3.15 A.5 an event of the log is. */
#include "export/audit.h"

#include <string.h>

#define DCM(code, meaning)                                                                         \
  {                                                                                                \
    code, STORE_AUDIT_DCM, meaning                                                                 \
  }
#define OWN(code, meaning)                                                                         \
  {                                                                                                \
    code, STORE_AUDIT_OWN, meaning                                                                 \
  }
#define NONE                                                                                       \
  {                                                                                                \
    NULL, NULL, NULL                                                                               \
  }

#define ACTIVITY DCM("110100", "Application Activity")
#define LOG_USED DCM("110101", "Audit Log Used")
#define ACCESSED DCM("110103", "DICOM Instances Accessed")
#define EXPORT DCM("110106", "Export")
#define IMPORT DCM("110107", "Import")
#define PATIENT DCM("110110", "Patient Record")
#define ALERT DCM("110113", "Security Alert")
#define LOGIN DCM("110114", "User Authentication")
#define SOFTWARE DCM("110131", "Software Configuration")
#define SECURITY DCM("110129", "Security Configuration")
#define ROLES DCM("110136", "Security Roles Changed")
#define ATTRIBUTES DCM("110137", "User security Attributes Changed")

/* PS3.15 A.5.3; codes of PS3.16 CID 400 and 401. The first that fits counts. */
static const StoreAuditEvent events[] = {
    {"log", NULL, ALERT, DCM("110134", "Audit Recording has been Started"), 'E', 4},
    {"application", "start", ACTIVITY, DCM("110120", "Application Start"), 'E', 4},
    {"application", "stop", ACTIVITY, DCM("110121", "Application Stop"), 'E', 4},
    {"application", "not-kept", ALERT, OWN("EVENTS-NOT-KEPT", "Events that were not kept"), 'E', 8,
     TRUE},
    {"import", NULL, IMPORT, NONE, 'C', 4},
    {"shown", NULL, ACCESSED, NONE, 'R', 4},
    {"turn", NULL, ACCESSED, OWN("AI-QUERY", "Question to a model"), 'R', 4},
    {"check", NULL, ACCESSED, OWN("AI-CHECK", "Question asked again to check"), 'R', 4},
    {"verdict", NULL, ACCESSED, OWN("AI-VERDICT", "Verdict on an answer"), 'U', 4},
    {"export", NULL, EXPORT, NONE, 'R', 4},
    {"viewed", NULL, LOG_USED, NONE, 'R', 4},
    {"setting", NULL, ALERT, SOFTWARE, 'E', 4},
    {"loaded", NULL, ALERT, SOFTWARE, 'E', 8},
    {"model", NULL, ALERT, SOFTWARE, 'E', 8},
    {"refused", "format", ALERT, OWN("FILE-REFUSED", "File refused"), 'E', 4, TRUE},
    {"refused", NULL, ALERT, OWN("FILE-REFUSED", "File refused"), 'E', 8, TRUE},
    {"session", "start", LOGIN, DCM("110122", "Login"), 'E', 4},
    {"session", "in", LOGIN, DCM("110122", "Login"), 'E', 4},
    {"session", "refused", LOGIN, DCM("110122", "Login"), 'E', 4},
    {"session", "enrolled", ALERT, ROLES, 'E', 4},
    {"session", "removed", ALERT, ROLES, 'E', 4},
    {"session", "pin-changed", ALERT, ATTRIBUTES, 'E', 4},
    {"session", "required", ALERT, SECURITY, 'E', 4},
    {"session", "optional", ALERT, SECURITY, 'E', 4},
    {"session", NULL, LOGIN, DCM("110123", "Logout"), 'E', 4},
    {"consent", NULL, ALERT, OWN("CONSENT", "Consent to training"), 'E', 4},
    {"erased", NULL, PATIENT, OWN("KEY-ERASED", "Key of a patient erased"), 'D', 8},
    {"migrated", NULL, ALERT, OWN("LOG-MIGRATED", "Log migrated"), 'E', 8},
    {"sealed", NULL, ALERT, OWN("LOG-SEALED", "Log sealed"), 'E', 8},
    {"continued", NULL, ALERT, OWN("LOG-CONTINUED", "Log continued"), 'E', 8},
};
static const StoreAuditEvent verified = {
    "verification", NULL, LOG_USED, OWN("LOG-VERIFIED", "Log verified"), 'R', 4, FALSE};
static const StoreAuditEvent not_verified = {
    "verification", NULL, ALERT, OWN("LOG-NOT-VERIFIED", "Verification of the log failed"), 'E', 12,
    FALSE};
static const StoreAuditEvent other = {"",  NULL, ACTIVITY, OWN("EVENT", "Event of the program"),
                                      'E', 4,    FALSE};

const StoreAuditEvent *
store_audit_event(const StoreAudit *audit)
{
  if (strcmp(audit->kind, "image") == 0 || strcmp(audit->kind, "conversation") == 0) {
    return NULL; /* the turns tell of them */
  }
  if (strcmp(audit->kind, "verification") == 0) {
    return audit->failed ? &not_verified : &verified;
  }
  for (guint i = 0; i < G_N_ELEMENTS(events); i++) {
    const StoreAuditEvent *event = &events[i];
    if (strcmp(event->kind, audit->kind) == 0 &&
        (!event->action || g_strcmp0(event->action, audit->action) == 0)) {
      return event;
    }
  }
  return &other;
}

int
store_audit_outcome(const StoreAudit *audit, const StoreAuditEvent *event)
{
  return audit->failed || event->always ? event->failure : 0;
}

GArray *
store_audit_classes(const StoreAudit *audit)
{
  GArray *classes = g_array_new(FALSE, TRUE, sizeof(StoreAuditClass));

  for (gsize i = 0; i < audit->n_images; i++) {
    const char *sop_class = audit->images[i].sop_class;
    StoreAuditClass *found = NULL;

    for (guint j = 0; sop_class && !found && j < classes->len; j++) {
      StoreAuditClass *class = &g_array_index(classes, StoreAuditClass, j);
      found = strcmp(class->sop_class, sop_class) == 0 ? class : NULL;
    }
    if (found) {
      found->n++;
    } else if (sop_class) {
      StoreAuditClass class = {sop_class, 1};
      g_array_append_val(classes, class);
    }
  }
  return classes;
}
