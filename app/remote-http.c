/* remote-http.c - one POST to one server at a time. All of libcurl is in this file.
 *
 * The transfer is driven here, by libcurl's multi interface, and not by curl_easy_perform(): so a
 * stop wakes it at once, from any thread, and silence is measured against the part of the exchange
 * that it falls into.
 */
#include "remote-http.h"

#include <glib/gi18n.h>
#include <string.h>

#include <curl/curl.h>

#include "app.h"

/* Bytes of the head of an answer; libcurl of this age keeps no count of its own. */
#define MAX_HEAD (64u << 10)
#define NEVER_LONGER_MS 1000 /* than this the loop sleeps: it is woken anyway */

struct _AppHttp {
  CURLM *multi;
  CURL *easy;
  struct curl_slist *headers;
  char *host;
  const char *role;
  gboolean loopback_only, secure;
  guint connect_ms, first_byte_ms, idle_ms;
  gint stopped; /* atomic */
  char detail[CURL_ERROR_SIZE];
};

/* One exchange. */
typedef struct {
  AppHttp *http;
  const AppHttpListener *listener;
  AppHttpHead *head;
  gint64 last; /* µs; when something moved */
  gsize sent, head_bytes;
  gboolean connected, answered, enough, elsewhere, long_head;
} Exchange;

/* ---- called by libcurl -------------------------------------------------------------------- */

/* The connection is made, and nothing is sent yet. */
static int
on_connected(void *data, char *peer, char *own, int peer_port, int own_port)
{
  Exchange *x = data;
  g_autoptr(GInetAddress) address = g_inet_address_new_from_string(peer);

  x->connected = TRUE;
  x->last = g_get_monotonic_time();
  x->elsewhere = x->http->loopback_only && (!address || !g_inet_address_get_is_loopback(address));
  return x->elsewhere ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static int
on_moved(void *data, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
  Exchange *x = data;

  if (up > 0 && (gsize)up != x->sent) {
    x->sent = (gsize)up;
    x->last = g_get_monotonic_time();
    x->listener->sent((gsize)up, (gsize)up_total, x->listener->user);
  }
  return 0;
}

static size_t
on_head(char *bytes, size_t size, size_t n, void *data)
{
  Exchange *x = data;

  x->last = g_get_monotonic_time();
  x->head_bytes += size * n;
  x->long_head = x->head_bytes > MAX_HEAD;
  return x->long_head ? 0 : size * n;
}

/* Status and type are known by the first data. */
static void
read_head(Exchange *x)
{
  const char *type = NULL;
  long status = 0;
  curl_off_t again = 0;

  curl_easy_getinfo(x->http->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(x->http->easy, CURLINFO_RETRY_AFTER, &again);
  curl_easy_getinfo(x->http->easy, CURLINFO_CONTENT_TYPE, &type);
  x->head->status = (guint)CLAMP(status, 0, 999);
  x->head->retry_after_s = (guint)CLAMP(again, 0, 86400);
  g_strlcpy(x->head->content_type, type ? type : "", sizeof x->head->content_type);
  x->head->content_type[strcspn(x->head->content_type, "; \t")] = '\0';
  for (char *c = x->head->content_type; *c; c++) {
    *c = g_ascii_isgraph(*c) ? g_ascii_tolower(*c) : '?';
  }
}

static size_t
on_data(char *bytes, size_t size, size_t n, void *data)
{
  Exchange *x = data;

  x->last = g_get_monotonic_time();
  if (!x->answered) {
    x->answered = TRUE;
    read_head(x);
  }
  if (!x->enough) {
    x->enough = !x->listener->data(x->head, bytes, size * n, x->listener->user);
  }
  return x->enough ? 0 : size * n; /* 0 ends the transfer */
}

/* ---- life --------------------------------------------------------------------------------- */

static gpointer
start_curl(gpointer unused)
{
  return GINT_TO_POINTER(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static void
set_options(AppHttp *http, const AppHttpOptions *options)
{
  CURL *easy = http->easy;

  curl_easy_setopt(easy, CURLOPT_URL, options->url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->detail);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (options->ca_file) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
  }
  /* An empty text is no proxy, even where the environment names one. */
  curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy ? options->proxy : "");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_ms);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a stop does not wait for the name service */
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_moved);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
}

AppHttp *
app_http_new(const AppHttpOptions *options, GError **error)
{
  static GOnce once = G_ONCE_INIT;
  g_autoptr(AppHttp) http = g_new0(AppHttp, 1);
  g_autofree char *agent = g_strdup_printf("User-Agent: hilum/%s", app_version());
  g_autofree char *accept =
      g_strconcat("Accept: ", options->accept ? options->accept : "text/event-stream", NULL);

  if (g_once(&once, start_curl, NULL)) {
    http->multi = curl_multi_init();
    http->easy = curl_easy_init();
  }
  if (!http->multi || !http->easy) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_FAILED, "libcurl cannot be started");
    return NULL;
  }
  http->host = g_strdup(options->host);
  http->role = options->role ? options->role : "engine";
  http->loopback_only = options->loopback_only;
  http->secure = g_str_has_prefix(options->url, "https:");
  http->connect_ms = options->connect_ms;
  http->first_byte_ms = options->first_byte_ms;
  http->idle_ms = options->idle_ms;
  http->headers = curl_slist_append(http->headers, "Content-Type: application/json");
  http->headers = curl_slist_append(http->headers, accept);
  http->headers = curl_slist_append(http->headers, "Expect:"); /* some servers never say 100 */
  http->headers = curl_slist_append(http->headers, agent);
  if (options->key) {
    g_autofree char *bearer = g_strconcat("Authorization: Bearer ", options->key, NULL);
    http->headers = curl_slist_append(http->headers, bearer);
  }
  set_options(http, options);
  return g_steal_pointer(&http);
}

void
app_http_free(AppHttp *http)
{
  if (!http) {
    return;
  }
  g_clear_pointer(&http->easy, curl_easy_cleanup);
  g_clear_pointer(&http->multi, curl_multi_cleanup);
  curl_slist_free_all(http->headers);
  g_free(http->host);
  g_free(http);
}

void
app_http_begin(AppHttp *http)
{
  g_atomic_int_set(&http->stopped, 0);
}

void
app_http_stop(AppHttp *http)
{
  g_atomic_int_set(&http->stopped, 1);
  curl_multi_wakeup(http->multi);
}

/* ---- the exchange ------------------------------------------------------------------------- */

static gboolean G_GNUC_PRINTF(3, 4)
    fail(const AppHttp *http, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start(args, format);
  what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %s", http->host, what);
  return FALSE;
}

/* libcurl's own words on what the system or the TLS library said; never anything of the body. */
static const char *
detail(const AppHttp *http, CURLcode code)
{
  return *http->detail ? http->detail : curl_easy_strerror(code);
}

static gboolean
fail_code(const Exchange *x, CURLcode code, GError **error)
{
  const AppHttp *http = x->http;

  switch (code) {
  case CURLE_COULDNT_RESOLVE_HOST:
    return fail(http, error, "there is no machine of this name, or the name service is silent");
  case CURLE_COULDNT_RESOLVE_PROXY:
    return fail(http, error, "there is no proxy of the name that was given");
  case CURLE_COULDNT_CONNECT:
    return fail(http, error, _("no server answers there (%s)"), detail(http, code));
  case CURLE_OPERATION_TIMEDOUT:
    x->head->is_silent = TRUE;
    return fail(http, error,
                http->secure ? _("no secure connection within %g s")
                             : _("no connection within %g s"),
                http->connect_ms / 1000.0);
  case CURLE_PEER_FAILED_VERIFICATION:
    return fail(http, error,
                _("the server cannot prove who it is (%s); nothing was sent. "
                  "--%s-ca names the certificate of an authority of your own"),
                detail(http, code), http->role);
  case CURLE_SSL_CACERT_BADFILE:
    return fail(http, error, "the file of certificates cannot be read (%s); nothing was sent",
                detail(http, code));
  case CURLE_SSL_CONNECT_ERROR:
    return fail(http, error, _("no secure connection (%s); nothing was sent"), detail(http, code));
  case CURLE_ABORTED_BY_CALLBACK:
    return fail(http, error, "this is not the machine itself; nothing was sent");
  case CURLE_GOT_NOTHING:
  case CURLE_PARTIAL_FILE:
  case CURLE_RECV_ERROR:
  case CURLE_SEND_ERROR:
    return fail(http, error, "%s",
                x->answered ? _("the connection broke off within the answer")
                            : _("the connection broke off before there was an answer"));
  case CURLE_WRITE_ERROR: /* ours, see on_head() */
  default:
    return fail(http, error, "%s",
                x->long_head ? "the head of the answer is too long" : curl_easy_strerror(code));
  }
}

/* Milliseconds of silence that are left; libcurl itself counts until there is a connection. */
static gint64
patience(const Exchange *x)
{
  guint limit = x->answered ? x->http->idle_ms : x->http->first_byte_ms;

  return x->connected ? limit - (g_get_monotonic_time() - x->last) / 1000 : NEVER_LONGER_MS;
}

static gboolean
fail_silent(const Exchange *x, GError **error)
{
  x->head->is_silent = TRUE;
  if (x->answered) {
    return fail(x->http, error, _("the answer stopped: nothing came for %g s"),
                x->http->idle_ms / 1000.0);
  }
  return fail(x->http, error, _("no answer within %g s"), x->http->first_byte_ms / 1000.0);
}

static CURLcode
outcome(CURLM *multi)
{
  int left = 0;
  const CURLMsg *message = curl_multi_info_read(multi, &left);

  return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
}

/* The handle is in the multi handle. */
static gboolean
drive(Exchange *x, GError **error)
{
  AppHttp *http = x->http;
  int running = 1;

  for (;;) {
    gint64 left;

    if (curl_multi_perform(http->multi, &running) != CURLM_OK) {
      return fail(http, error, "libcurl gave up");
    }
    if (g_atomic_int_get(&http->stopped)) {
      g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, "stopped");
      return FALSE;
    }
    if (x->enough) {
      return TRUE;
    }
    if (!running) {
      CURLcode code = outcome(http->multi);
      return code == CURLE_OK || fail_code(x, code, error);
    }
    left = patience(x);
    if (left <= 0) {
      return fail_silent(x, error);
    }
    curl_multi_poll(http->multi, NULL, 0, (int)MIN(left, NEVER_LONGER_MS), NULL);
  }
}

gboolean
app_http_post(AppHttp *http, const char *body, gsize n_body, const AppHttpListener *listener,
              AppHttpHead *head, GError **error)
{
  Exchange x = {.http = http, .listener = listener, .head = head, .last = g_get_monotonic_time()};
  gboolean ok;

  *head = (AppHttpHead){0};
  *http->detail = '\0';
  curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n_body);
  curl_easy_setopt(http->easy, CURLOPT_XFERINFODATA, &x);
  curl_easy_setopt(http->easy, CURLOPT_PREREQDATA, &x);
  curl_easy_setopt(http->easy, CURLOPT_HEADERDATA, &x);
  curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, &x);
  if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK) {
    return fail(http, error, "libcurl gave up");
  }
  ok = drive(&x, error);
  if (ok && !x.answered) {
    read_head(&x); /* an answer without a body */
  }
  curl_multi_remove_handle(http->multi, http->easy);
  curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, "");
  curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
  return ok;
}
