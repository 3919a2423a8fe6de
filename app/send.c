/* send.c - audit messages to a syslog server, each once.
 *
 * LOG.sent-XXXX beside the log holds the number of the last event that was handed to the server
 * XXXX stands for; it is written behind each message, and locked by who sends. A sender that dies
 * between the two sends one message again, which its row number tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "export-private.h"
#include "private.h"
#include "trust.h"
#include "wire.h"

enum { NUMBER_DIGITS = 20, POSITION_BYTES = 256 };

typedef struct {
  const AppSendOptions *options;
  char *host, *position_path;
  guint port;
  gboolean tls;
  int position; /* file */
  gint64 last, sent;
  char *log_id;
  AppWire *wire;
  GString *text;
  StoreMask mask;
  guint8 key[32];
  AppProgress progress;
  gpointer user;
} Sending;

/* ---- where to ----------------------------------------------------------------------------- */

static gboolean
parse_address(Sending *sending, const char *to, GError **error)
{
  g_autoptr(GUri) uri = g_uri_parse(to, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri ? g_uri_get_scheme(uri) : "";
  const char *host = uri ? g_uri_get_host(uri) : NULL;
  const char *path = uri ? g_uri_get_path(uri) : "";

  sending->tls = strcmp(scheme, "tls") == 0;
  if (!host || !*host || (!sending->tls && strcmp(scheme, "tcp") != 0) ||
      (*path && strcmp(path, "/") != 0) || g_uri_get_userinfo(uri) || g_uri_get_query(uri)) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "--to is '%s'; expected tls://HOST:PORT (RFC 5425) or tcp://HOST:PORT (RFC 6587)",
                to);
    return FALSE;
  }
  sending->host = g_strdup(host);
  sending->port = g_uri_get_port(uri) > 0 ? (guint)g_uri_get_port(uri) : sending->tls ? 6514 : 601;
  return TRUE;
}

/* ---- how far it came ---------------------------------------------------------------------- */

static gboolean
fail_position(const Sending *sending, const char *what, GError **error)
{
  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %s", sending->position_path, what);
  return FALSE;
}

static char *
position_path(const Sending *sending)
{
  g_autofree char *standard = sending->options->log_path ? NULL : store_default_path();
  g_autofree char *hash =
      g_compute_checksum_for_string(G_CHECKSUM_SHA256, sending->options->to, -1);

  return g_strdup_printf("%s.sent-%.16s", standard ? standard : sending->options->log_path, hash);
}

static gboolean
open_position(Sending *sending, GError **error)
{
  char text[POSITION_BYTES + 1] = "";
  gssize n;
  guint64 last = 0;

  sending->position_path = position_path(sending);
  sending->position = open(sending->position_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (sending->position < 0) {
    return fail_position(sending, g_strerror(errno), error);
  }
  if (flock(sending->position, LOCK_EX | LOCK_NB) != 0) {
    return fail_position(sending, "another program is sending this log there", error);
  }
  n = pread(sending->position, text, POSITION_BYTES, 0);
  if (n <= 0) {
    return n == 0 || fail_position(sending, g_strerror(errno), error);
  }
  g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
  if (g_strv_length(lines) < 2 ||
      !g_ascii_string_to_unsigned(lines[0], 10, 0, G_MAXINT64, &last, NULL)) {
    return fail_position(sending, "expected the number of an event and the log's", error);
  }
  if (strcmp(lines[1], sending->log_id) != 0) {
    return fail_position(
        sending, "it is of another log; take it away if this one is to be sent whole", error);
  }
  sending->last = (gint64)last;
  return TRUE;
}

static gboolean
keep_position(Sending *sending, gint64 number, GError **error)
{
  g_autofree char *text =
      g_strdup_printf("%0*" G_GINT64_FORMAT "\n%s\n", NUMBER_DIGITS, number, sending->log_id);
  const gssize n = (gssize)strlen(text);

  sending->last = number;
  return pwrite(sending->position, text, (gsize)n, 0) == n ||
         fail_position(sending, "how far the sending came cannot be kept", error);
}

/* ---- sending ------------------------------------------------------------------------------ */

static gboolean
connect_to(Sending *sending, GError **error)
{
  const AppWireOptions options = {sending->host, sending->port, sending->tls,
                                  sending->options->ca_file};

  sending->wire = app_wire_open(&options, error);
  if (!sending->wire) {
    return FALSE;
  }
  if (!sending->tls && sending->options->patient != APP_PATIENT_NONE &&
      !app_wire_is_loopback(sending->wire)) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s is another machine, and tcp:// is not encrypted: patients' data go by tls:// "
                "alone",
                sending->host);
    return FALSE;
  }
  return TRUE;
}

static gboolean
send_one(const StoreAudit *audit, gpointer user, GError **error)
{
  Sending *sending = user;

  if (sending->progress && !sending->progress((guint64)audit->number, 0, sending->user)) {
    g_set_error(error, APP_ERROR, APP_ERROR_CANCELLED,
                "cancelled; %" G_GINT64_FORMAT " messages were sent", sending->sent);
    return FALSE;
  }
  /* Nothing to send is no reason to connect. */
  if (!sending->wire && !connect_to(sending, error)) {
    return FALSE;
  }
  g_string_truncate(sending->text, 0);
  store_audit_syslog(sending->text, audit, TRUE);
  if (!app_wire_send(sending->wire, sending->text->str, sending->text->len, error) ||
      !keep_position(sending, audit->number, error)) {
    return FALSE;
  }
  sending->sent++;
  return TRUE;
}

static JsonNode *
report(const Sending *sending)
{
  JsonObject *object = json_object_new();

  json_object_set_string_member(object, "to", sending->options->to);
  json_object_set_int_member(object, "sent", sending->sent);
  json_object_set_int_member(object, "last", sending->last);
  return app_json_node(object);
}

static void
clear(Sending *sending)
{
  app_wire_close(sending->wire);
  if (sending->position >= 0) {
    fsync(sending->position);
    close(sending->position);
  }
  if (sending->text) {
    g_string_free(sending->text, TRUE);
  }
  g_free(sending->host);
  g_free(sending->position_path);
  g_free(sending->log_id);
}

JsonNode *
app_log_send(const AppSendOptions *options, AppProgress progress, gpointer user, GError **error)
{
  Sending sending = {.options = options, .position = -1, .progress = progress, .user = user};
  g_autoptr(StoreLog) log = NULL;
  JsonNode *node = NULL;

  sending.mask = (StoreMask){.patient = (StorePatient)options->patient,
                             .pseudonym = app_export_pseudonym,
                             .user = sending.key};
  if (parse_address(&sending, options->to, error) && app_export_key(sending.key, error) &&
      (log = app_log_open(options->log_path, error))) {
    sending.log_id = g_strdup(store_log_id(log));
    sending.text = g_string_new(NULL);
    if (open_position(&sending, error) &&
        app_export_each_audit(log, &sending.mask, NULL, sending.last + 1, send_one, &sending,
                              error)) {
      node = report(&sending);
    }
  }
  clear(&sending);
  return node;
}
