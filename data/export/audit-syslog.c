/* audit-syslog.c - an audit message as RFC 5424 frames it. */
#include "export/audit.h"

#include <string.h>

enum { FACILITY = 10, MOST_HOST = 255 };

/* RFC 5424 6.2.1: notice for what went well, then warning, error, critical. */
static int
severity(int outcome)
{
  return outcome == 0 ? 5 : outcome == 4 ? 4 : outcome == 8 ? 3 : 2;
}

/* PRINTUSASCII of at most MOST characters; "-" for nothing. */
static void
append_name(GString *out, const char *text, gsize most)
{
  const gsize before = out->len;

  for (; text && *text && out->len - before < most; text++) {
    g_string_append_c(out, *text > 0x20 && *text < 0x7f ? *text : '?');
  }
  if (out->len == before) {
    g_string_append_c(out, '-');
  }
}

void
store_audit_syslog(GString *out, const StoreAudit *audit, gboolean framed)
{
  const StoreAuditEvent *event = store_audit_event(audit);
  g_autoptr(GString) message = NULL;

  if (!event) {
    return;
  }
  message = g_string_sized_new(2048);
  g_string_append_printf(message, "<%d>1 ",
                         FACILITY * 8 + severity(store_audit_outcome(audit, event)));
  append_name(message, audit->time, 32);
  g_string_append_c(message, ' ');
  append_name(message, audit->host, MOST_HOST);
  /* PROCID is unknown to the log; MSGID as PS3.15 A.6 has it; no structured data. */
  g_string_append(message, " hilum - DICOM+RFC3881 - \xef\xbb\xbf");
  store_audit_xml(message, audit);
  if (framed) {
    g_string_append_printf(out, "%" G_GSIZE_FORMAT " ", message->len);
  }
  g_string_append_len(out, message->str, (gssize)message->len);
}
