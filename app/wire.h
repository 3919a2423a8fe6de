/* wire.h - a stream of bytes to one server, with TLS or without. Not for other rooms.
 *
 * The second door of the program to a network, behind remote-http.h's; shut unless the user named
 * where to send. libcurl makes the connection and checks the certificate. No proxy is used.
 *
 * Thread rule: one thread at a time.
 */
#ifndef HILUM_APP_WIRE_H
#define HILUM_APP_WIRE_H

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _AppWire AppWire;

typedef struct {
  const char *host; /* name or address, IPv6 without brackets */
  guint port;
  gboolean tls;
  const char *ca_file; /* NULL: the system's */
} AppWireOptions;

AppWire *app_wire_open(const AppWireOptions *options, GError **error);
/* Whether the other end is this machine. */
gboolean app_wire_is_loopback(AppWire *wire);
/* All N bytes, or an error; one as well when the other end has closed. */
gboolean app_wire_send(AppWire *wire, const void *bytes, gsize n, GError **error);
/* Takes leave; what was sent arrives. */
void app_wire_close(AppWire *wire);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppWire, app_wire_close)

G_END_DECLS
#endif
