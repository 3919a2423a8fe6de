/* mock-server.h - a server on loopback that says what a test told it, in the pieces that it was
 * told.
 *
 * Each connection is one request and one reply, in the order of mock_reply(), or what the test's
 * `answer` says to the request where none is left. What was asked is kept.
 */
#ifndef HILUM_TESTS_MOCK_SERVER_H
#define HILUM_TESTS_MOCK_SERVER_H

#include <gio/gio.h>
#include <string.h>

#define MOCK_OK "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
#define MOCK_CHUNKED                                                                               \
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"                          \
  "Transfer-Encoding: chunked\r\n\r\n"
#define MOCK_TEXT(text)                                                                            \
  "data: {\"model\": \"served\", \"choices\": [{\"index\": 0, \"delta\": {\"content\": \"" text    \
  "\"}, \"finish_reason\": null}]}\n\n"
#define MOCK_FINISH(reason)                                                                        \
  "data: {\"model\": \"served\", \"choices\": [{\"index\": 0, \"delta\": {}, "                     \
  "\"finish_reason\": \"" reason "\"}]}\n\n"
#define MOCK_USAGE                                                                                 \
  "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 600, \"completion_tokens\": 3}}\n\n"
#define MOCK_DONE "data: [DONE]\n\n"

/* Pieces with a meaning of their own. */
#define MOCK_PAUSE "@pause"       /* so long that what came before has been read */
#define MOCK_HANG "@hang"         /* silence until the client has had enough */
#define MOCK_BYTEWISE "@bytewise" /* the rest goes byte by byte */
#define MOCK_FLOOD "@flood"       /* what comes next is said again for ever */

typedef struct {
  GSocket *listener;
  GThread *thread;
  GCancellable *end;
  char *url; /* http://127.0.0.1:PORT */
  char *host;
  GMutex lock;
  GQueue replies;      /* of char **: pieces */
  GPtrArray *requests; /* of GString *: head and body */
  gint n_hung_up;      /* atomic: clients that left within the reply */
  /* Pieces for a request (head and body); of the server's thread. Set before the first. */
  char **(*answer)(const char *request, gpointer user);
  gpointer user;
} MockServer;

static inline gboolean
mock_send(MockServer *server, GSocket *peer, const char *bytes, gsize n)
{
  for (gsize sent = 0; sent < n;) {
    gssize now = g_socket_send(peer, bytes + sent, n - sent, server->end, NULL);
    if (now <= 0) {
      return FALSE;
    }
    sent += (gsize)now;
  }
  return TRUE;
}

static inline gboolean
mock_say(MockServer *server, GSocket *peer, char **pieces)
{
  gboolean bytewise = FALSE;

  for (char **piece = pieces; *piece; piece++) {
    gsize n = strlen(*piece);

    if (strcmp(*piece, MOCK_PAUSE) == 0) {
      g_usleep(30000);
    } else if (strcmp(*piece, MOCK_HANG) == 0) {
      char byte;
      return g_socket_receive(peer, &byte, 1, server->end, NULL) > 0;
    } else if (strcmp(*piece, MOCK_BYTEWISE) == 0) {
      bytewise = TRUE;
    } else if (strcmp(*piece, MOCK_FLOOD) == 0) {
      while (mock_send(server, peer, piece[1], strlen(piece[1]))) {
      }
      return FALSE;
    } else {
      for (gsize i = 0; i < n; i += bytewise ? 1 : n) {
        if (!mock_send(server, peer, *piece + i, bytewise ? 1 : n)) {
          return FALSE;
        }
      }
    }
  }
  return TRUE;
}

/* Reads head and body; FALSE when the client leaves first. */
static inline gboolean
mock_read(MockServer *server, GSocket *peer, GString *request)
{
  gsize need = G_MAXSIZE;
  char bytes[65536];

  while (request->len < need) {
    gssize n = g_socket_receive(peer, bytes, sizeof bytes, server->end, NULL);
    const char *end, *length;

    if (n <= 0) {
      return FALSE;
    }
    g_string_append_len(request, bytes, n);
    if (!g_ascii_isupper(request->str[0])) {
      static const char no[] = "HTTP/1.1 400 Bad Request\r\n\r\n"; /* as to a TLS client */
      mock_send(server, peer, no, strlen(no));
      return FALSE;
    }
    end = strstr(request->str, "\r\n\r\n");
    if (end && need == G_MAXSIZE) {
      length = strstr(request->str, "Content-Length: ");
      need = (gsize)(end + 4 - request->str) +
             (length ? (gsize)g_ascii_strtoull(length + 16, NULL, 10) : 0);
    }
  }
  return TRUE;
}

static inline gpointer
mock_serve(gpointer data)
{
  MockServer *server = data;
  GSocket *peer;

  while ((peer = g_socket_accept(server->listener, server->end, NULL))) {
    GString *request = g_string_new(NULL);
    char **pieces = NULL;

    if (mock_read(server, peer, request)) {
      g_mutex_lock(&server->lock);
      g_ptr_array_add(server->requests, request);
      pieces = g_queue_pop_head(&server->replies);
      g_mutex_unlock(&server->lock);
      if (!pieces && server->answer) {
        pieces = server->answer(request->str, server->user);
      }
      if (pieces && !mock_say(server, peer, pieces)) {
        g_atomic_int_inc(&server->n_hung_up);
      }
    } else {
      g_string_free(request, TRUE);
    }
    g_strfreev(pieces);
    /* Not a reset: what was said last would be lost. */
    g_socket_shutdown(peer, FALSE, TRUE, NULL);
    g_socket_close(peer, NULL);
    g_object_unref(peer);
  }
  return NULL;
}

static inline void
mock_request_free(gpointer request)
{
  g_string_free(request, TRUE);
}

static inline MockServer *
mock_server_new(void)
{
  MockServer *server = g_new0(MockServer, 1);
  g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
  g_autoptr(GSocketAddress) any = g_inet_socket_address_new(loopback, 0), bound = NULL;
  g_autoptr(GError) error = NULL;

  server->listener =
      g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_no_error(error);
  g_assert_true(g_socket_bind(server->listener, any, TRUE, &error));
  g_assert_true(g_socket_listen(server->listener, &error));
  bound = g_socket_get_local_address(server->listener, &error);
  server->host =
      g_strdup_printf("127.0.0.1:%u", g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound)));
  server->url = g_strconcat("http://", server->host, NULL);
  server->end = g_cancellable_new();
  server->requests = g_ptr_array_new_with_free_func(mock_request_free);
  g_mutex_init(&server->lock);
  g_queue_init(&server->replies);
  server->thread = g_thread_new("mock-server", mock_serve, server);
  return server;
}

static inline void
mock_server_free(MockServer *server)
{
  g_cancellable_cancel(server->end);
  g_thread_join(server->thread);
  g_socket_close(server->listener, NULL);
  g_object_unref(server->listener);
  g_object_unref(server->end);
  g_free(server->url);
  g_free(server->host);
  g_ptr_array_unref(server->requests);
  g_queue_clear_full(&server->replies, (GDestroyNotify)g_strfreev);
  g_mutex_clear(&server->lock);
  g_free(server);
}

/* What it says to the next request that has no reply yet. */
static inline void G_GNUC_NULL_TERMINATED
mock_reply(MockServer *server, const char *first, ...)
{
  GPtrArray *pieces = g_ptr_array_new();
  va_list args;

  va_start(args, first);
  for (const char *piece = first; piece; piece = va_arg(args, const char *)) {
    g_ptr_array_add(pieces, g_strdup(piece));
  }
  va_end(args);
  g_ptr_array_add(pieces, NULL);
  g_mutex_lock(&server->lock);
  g_queue_push_tail(&server->replies, g_ptr_array_free(pieces, FALSE));
  g_mutex_unlock(&server->lock);
}

static inline guint
mock_n_requests(MockServer *server)
{
  guint n;

  g_mutex_lock(&server->lock);
  n = server->requests->len;
  g_mutex_unlock(&server->lock);
  return n;
}

/* Head and body of request I, which is there. */
static inline const char *
mock_request(MockServer *server, guint i)
{
  const char *text;

  g_mutex_lock(&server->lock);
  g_assert_cmpuint(i, <, server->requests->len);
  text = ((GString *)server->requests->pdata[i])->str;
  g_mutex_unlock(&server->lock);
  return text;
}

static inline const char *
mock_body(MockServer *server, guint i)
{
  return strstr(mock_request(server, i), "\r\n\r\n") + 4;
}

#endif
