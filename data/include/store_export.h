/* store_export.h - what leaves the log, in forms that others read.
 *
 * What this room does: takes from a turn what may not leave (StoreMask), and writes turns as JSON
 * Lines and CSV, events as audit messages of DICOM PS3.15 A.5 (XML, RFC 5424) and as FHIR
 * AuditEvents by IHE BALP. Each writer appends one turn or one event to a text: memory does not
 * grow with the log. What it does not do: choose, open files, keep what it wrote.
 *
 * Thread rule: plain data.
 */
#ifndef HILUM_STORE_EXPORT_H
#define HILUM_STORE_EXPORT_H

#include "store.h"

G_BEGIN_DECLS

/* ---- what may leave ------------------------------------------------------------------------- */

typedef enum {
  STORE_PATIENT_NONE,      /* no identifier, name, date, path, UID, hash of pixels */
  STORE_PATIENT_PSEUDONYM, /* identifiers and UIDs become keyed hashes, the same for the same */
  STORE_PATIENT_FULL,
} StorePatient;

/* A keyed hash of VALUE, the same for the same VALUE: hexadecimal digits, at least 32. g_free(). */
typedef char *(*StorePseudonym)(const char *value, gpointer user);

typedef struct {
  StorePatient patient;
  gboolean text; /* what was asked and answered; without it, token ids go as well */
  StorePseudonym pseudonym;
  gpointer user;
} StoreMask;

/* A turn with all that belongs to it. */
typedef struct {
  const StoreConversation *conversation;
  const StoreTurnRow *row;
  GPtrArray *verdicts; /* of StoreVerdictRow, oldest first */
  GPtrArray *checks;   /* of StoreCheckRow, oldest first */
} StoreExportTurn;

/* TURN as MASK lets it leave. What is left borrows from TURN, which must live as long. */
typedef struct _StoreMasked StoreMasked;
StoreMasked *store_mask_turn(const StoreMask *mask, const StoreExportTurn *turn);
const StoreExportTurn *store_masked_turn(const StoreMasked *masked);
void store_masked_free(StoreMasked *masked);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreMasked, store_masked_free)

/* UID as MASK lets it leave: NULL, "2.25.…" of the keyed hash, or itself. g_free(). */
char *store_mask_uid(const StoreMask *mask, const char *uid);
/* Any identifier: NULL, the first 32 digits of the keyed hash, or itself. g_free(). */
char *store_mask_id(const StoreMask *mask, const char *id);

/* ---- turns ----------------------------------------------------------------------------------
 *
 * TURN is masked already. JSON Lines: one object as turn.schema.json has it, and a line break.
 * CSV: RFC 4180, a header line first; a text that a spreadsheet would take for a formula gets an
 * apostrophe before it.
 */
#define STORE_EXPORT_FORMAT 1 /* "format" of each line: raised when a reader must know */
void store_export_json(GString *out, const StoreExportTurn *turn);
void store_export_csv_header(GString *out);
void store_export_csv(GString *out, const StoreExportTurn *turn);

/* ---- audit messages ------------------------------------------------------------------------- */

/* An image that an event was about. */
typedef struct {
  const char *sop_class, *sop_instance_uid; /* either may be NULL */
} StoreAuditImage;

/* An event of the log as it may leave: masked already. NULL: absent. */
typedef struct {
  gint64 number;
  const char *time; /* ISO 8601, UTC */
  const char *kind, *action;
  gboolean failed;
  const char *user_name, *real_name, *person; /* who */
  const char *host, *log_id, *program_version;
  const char *patient_id, *patient_name;
  const char *study_instance_uid;
  const StoreAuditImage *images;
  gsize n_images;
  const char *model, *model_sha256; /* the process that answered */
  const char *place;                /* where an export went to, or an import came from */
  const StoreField *details;        /* never what was asked or answered */
  gsize n_details;
  const char *sha256; /* of the row */
} StoreAudit;

/* One AuditMessage on one line, with neither declaration nor line break. */
void store_audit_xml(GString *out, const StoreAudit *audit);
/* The same as a message of RFC 5424 (facility 10; the body is UTF-8 and says so by a BOM). FRAMED:
 * counted in octets, as RFC 5425 and RFC 6587 (3.4.1) want it. */
void store_audit_syslog(GString *out, const StoreAudit *audit, gboolean framed);
/* One AuditEvent of FHIR R4 on one line, by the profiles of IHE BALP; without a line break. */
void store_audit_fhir(GString *out, const StoreAudit *audit);

G_END_DECLS
#endif
