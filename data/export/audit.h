/* audit.h - which event of PS3.15 A.5 an event of the log is. Private to the room. */
#ifndef HILUM_DATA_EXPORT_AUDIT_H
#define HILUM_DATA_EXPORT_AUDIT_H

#include "store_export.h"

/* The coding scheme of what only this program has. */
#define STORE_AUDIT_OWN "99HILUM"
#define STORE_AUDIT_DCM "DCM"

typedef struct {
  const char *code, *scheme, *meaning;
} StoreCode;

typedef struct {
  const char *kind, *action; /* of the log; ACTION NULL: any */
  StoreCode id, type;        /* TYPE.code NULL: none */
  char does;                 /* EventActionCode: C R U D E */
  int failure;     /* EventOutcomeIndicator when it failed: 4 minor, 8 serious, 12 major */
  gboolean always; /* it is one in itself */
} StoreAuditEvent;

/* NULL: no event for an audit (rows that another event tells of). */
const StoreAuditEvent *store_audit_event(const StoreAudit *audit);
int store_audit_outcome(const StoreAudit *audit, const StoreAuditEvent *event);

/* The images of AUDIT by class: the number of them and the class of the I-th kind. */
typedef struct {
  const char *sop_class;
  guint n;
} StoreAuditClass;
GArray *store_audit_classes(const StoreAudit *audit);

#endif
