/* remote-http.h - one POST to one server at a time, its answer piece by piece.
 *
 * The only door of the program to a network, and remote-http.c the only file that knows libcurl.
 * Certificates are always checked. Redirects are not followed, and neither ~/.netrc nor a proxy of
 * the environment is used: what is sent is a patient's picture, and goes where the user said.
 *
 * Thread rule: one thread at a time, app_http_stop() from any.
 */
#ifndef HILUM_APP_REMOTE_HTTP_H
#define HILUM_APP_REMOTE_HTTP_H

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _AppHttp AppHttp;

typedef struct {
  const char *url;
  const char *host;                         /* as errors call it */
  const char *key;                          /* sent as the bearer's token; NULL: none */
  const char *ca_file;                      /* NULL: the system's */
  const char *proxy;                        /* NULL: none */
  const char *role;                         /* what it is to us, in names of options; static */
  const char *accept;                       /* the answer's type; NULL: text/event-stream */
  gboolean loopback_only;                   /* the peer must be this machine */
  guint connect_ms, first_byte_ms, idle_ms; /* how long it may stay silent */
} AppHttpOptions;

/* Copies OPTIONS. */
AppHttp *app_http_new(const AppHttpOptions *options, GError **error);
void app_http_free(AppHttp *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppHttp, app_http_free)

/* What the server said before its first byte of data. */
typedef struct {
  guint status;
  char content_type[64]; /* lower case, without parameters; "" when not told */
  guint retry_after_s;   /* when to come again; 0: not told */
  gboolean is_silent;    /* it failed since nothing came in time */
} AppHttpHead;

typedef struct {
  void (*sent)(gsize done, gsize total, gpointer user); /* now and then */
  gboolean (*data)(const AppHttpHead *head, const char *bytes, gsize n, gpointer user);
  gpointer user;
} AppHttpListener;

/* Posts BODY (JSON, borrowed). TRUE: the answer, of whatever status, ended, or the listener's
 * data() returned FALSE. FALSE with CANCELLED after app_http_stop(), else FAILED: the message names
 * the host and what went wrong, and nothing of the body. */
gboolean app_http_post(AppHttp *http, const char *body, gsize n_body,
                       const AppHttpListener *listener, AppHttpHead *head, GError **error);
/* Before a post: forgets an app_http_stop() that came when nothing was under way. */
void app_http_begin(AppHttp *http);
void app_http_stop(AppHttp *http);

G_END_DECLS
#endif
