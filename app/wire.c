/* wire.c - see wire.h. */
#include "wire.h"

#include <poll.h>
#include <string.h>

#include <curl/curl.h>

#include "app.h"

#define CONNECT_MS 15000L
#define SEND_MS 30000 /* the longest that a send waits for room */

struct _AppWire {
  CURL *easy;
  char *name; /* for messages */
  char detail[CURL_ERROR_SIZE];
};

static gboolean
fail(const AppWire *wire, const char *doing, CURLcode code, GError **error)
{
  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %s: %s", wire->name, doing,
              *wire->detail ? wire->detail : curl_easy_strerror(code));
  return FALSE;
}

/* What has come meanwhile is read and dropped: bytes that nobody read would make closing a
 * resetting, which may cost the other end what it has not read yet. */
static CURLcode
drain(AppWire *wire, gboolean *closed)
{
  char buffer[4096];
  CURLcode code;
  size_t n = 0;

  *closed = FALSE;
  do {
    n = 0;
    code = curl_easy_recv(wire->easy, buffer, sizeof buffer, &n);
  } while (code == CURLE_OK && n > 0);
  *closed = code == CURLE_OK && n == 0;
  return code == CURLE_AGAIN ? CURLE_OK : code;
}

void
app_wire_close(AppWire *wire)
{
  gboolean closed;

  if (wire) {
    if (wire->easy) {
      drain(wire, &closed);
      curl_easy_cleanup(wire->easy);
    }
    g_free(wire->name);
    g_free(wire);
  }
}

static CURLcode
set_options(AppWire *wire, const AppWireOptions *options, const char *url)
{
  CURL *easy = wire->easy;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, url);

  code = code ? code : curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  code = code ? code : curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, wire->detail);
  code = code ? code : curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  code = code ? code : curl_easy_setopt(easy, CURLOPT_PROXY, "");
  code = code ? code : curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  code = code ? code : curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
  /* Who speaks syslog knows of no HTTP to agree upon. */
  code = code ? code : curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
  code = code ? code : curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  code = code ? code : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  code = code ? code : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (options->ca_file) {
    code = code ? code : curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
  }
  return code;
}

AppWire *
app_wire_open(const AppWireOptions *options, GError **error)
{
  g_autoptr(AppWire) wire = g_new0(AppWire, 1);
  const gboolean brackets = strchr(options->host, ':') != NULL;
  g_autofree char *place =
      g_strdup_printf(brackets ? "[%s]:%u" : "%s:%u", options->host, options->port);
  g_autofree char *url = g_strdup_printf("%s://%s/", options->tls ? "https" : "http", place);
  CURLcode code;

  wire->name = g_steal_pointer(&place);
  wire->easy = curl_easy_init();
  code = wire->easy ? set_options(wire, options, url) : CURLE_FAILED_INIT;
  code = code ? code : curl_easy_perform(wire->easy);
  if (code) {
    fail(wire, "no connection", code, error);
    return NULL;
  }
  return g_steal_pointer(&wire);
}

gboolean
app_wire_is_loopback(AppWire *wire)
{
  char *peer = NULL;
  g_autoptr(GInetAddress) address = NULL;

  if (curl_easy_getinfo(wire->easy, CURLINFO_PRIMARY_IP, &peer) == CURLE_OK && peer) {
    address = g_inet_address_new_from_string(peer);
  }
  return address && g_inet_address_get_is_loopback(address);
}

/* Until there is room, or something is to be read (TLS may have to be answered). */
static gboolean
await(AppWire *wire)
{
  struct pollfd wait = {.events = POLLIN | POLLOUT};
  curl_socket_t socket = CURL_SOCKET_BAD;

  curl_easy_getinfo(wire->easy, CURLINFO_ACTIVESOCKET, &socket);
  wait.fd = socket;
  return socket != CURL_SOCKET_BAD && poll(&wait, 1, SEND_MS) > 0;
}

gboolean
app_wire_send(AppWire *wire, const void *bytes, gsize n, GError **error)
{
  const char *at = bytes;
  gboolean closed = FALSE;
  CURLcode code = drain(wire, &closed);

  if (code || closed) {
    return fail(wire, "the server has closed the connection", code, error);
  }
  while (n > 0) {
    size_t sent = 0;

    code = curl_easy_send(wire->easy, at, n, &sent);
    if (code == CURLE_AGAIN && await(wire)) {
      code = drain(wire, &closed);
      if (!code && closed) {
        code = CURLE_SEND_ERROR;
      }
    }
    if (code) {
      return fail(wire, "sending failed", code, error);
    }
    at += sent;
    n -= sent;
  }
  return TRUE;
}
