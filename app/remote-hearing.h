/* remote-hearing.h - a server's answer as it comes: what is known of it so far. */
#ifndef HILUM_APP_REMOTE_HEARING_H
#define HILUM_APP_REMOTE_HEARING_H

#include "backend.h"
#include "remote-http.h"
#include "remote.h"

G_BEGIN_DECLS

typedef struct {
  const char *host; /* for messages */
  char *model;      /* as the server called it, or NULL */
  const AppBackendListener *listener;
  AppSse sse;
  GString *text;
  GString *blanks;    /* that came, and are part of the answer if more comes */
  GString *complaint; /* body of what is no stream */
  AppRemoteTokens tokens;
  AppRemoteChunk last; /* finish and usage */
  gboolean done, stopped;
  gsize received;
  guint percent;
  GError *failure;             /* of the stream itself */
  gint64 begun, first, latest; /* µs; first and latest: of text */
} AppRemoteHearing;

/* Its host, listener and beginning are set. */
void app_remote_hearing_init(AppRemoteHearing *hearing);
void app_remote_hearing_clear(AppRemoteHearing *hearing);
/* What goes wrong now counts; the host is named before it. */
void app_remote_hearing_fail(AppRemoteHearing *hearing, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
gboolean app_remote_is_stream(const AppHttpHead *head);
/* For app_http_post() and app_sse_end(), with the hearing as their user. */
gboolean app_remote_hearing_event(const char *data, gsize length, gpointer hearing);
gboolean app_remote_hearing_data(const AppHttpHead *head, const char *bytes, gsize n,
                                 gpointer hearing);
void app_remote_hearing_sent(gsize done, gsize total, gpointer hearing);

G_END_DECLS
#endif
