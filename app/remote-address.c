/* remote-address.c - where the server is, and whether it may be asked there.
 *
 * The picture is patient data: it leaves the machine only encrypted, unless whoever starts the
 * program says otherwise. What the address says ends in the log and on the screen, so it may hold
 * no secret.
 */
#include <string.h>

#include "remote.h"

static const char *
role_of(const AppRemoteOptions *options)
{
  return options->role ? options->role : "engine";
}

/* "HILUM_ENGINE_KEY". g_free(). */
static char *
key_name(const AppRemoteOptions *options)
{
  g_autofree char *role = g_ascii_strup(role_of(options), -1);

  return g_strdup_printf("HILUM_%s_KEY", role);
}

void
app_remote_address_clear(AppRemoteAddress *address)
{
  g_clear_pointer(&address->base, g_free);
  g_clear_pointer(&address->endpoint, g_free);
  g_clear_pointer(&address->host, g_free);
}

/* libcurl answers "localhost" itself, and remote-http.c looks at the peer once more. */
static gboolean
is_loopback(const char *host)
{
  g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);

  return address ? g_inet_address_get_is_loopback(address)
                 : g_ascii_strcasecmp(host, "localhost") == 0;
}

static gboolean
refuse(const AppRemoteOptions *options, GError **error, const char *what)
{
  /* The address itself is not repeated: it may hold what it should not. */
  g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
              "the %s's address %s; expected one such as https://gpu.example:8000/v1",
              role_of(options), what);
  return FALSE;
}

static gboolean
check_parts(const AppRemoteOptions *options, GUri *uri, GError **error)
{
  const char *scheme = g_uri_get_scheme(uri), *host = g_uri_get_host(uri);

  if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
    return refuse(options, error, "begins with neither https:// nor http://");
  }
  if (!host || !*host) {
    return refuse(options, error, "names no host");
  }
  for (const char *c = host; *c; c++) {
    if (!g_ascii_isalnum(*c) && !strchr(".-_:", *c)) {
      return refuse(options, error,
                    "has a host name with other characters than letters, digits and .-_");
    }
  }
  if (g_uri_get_userinfo(uri)) {
    g_autofree char *name = key_name(options);
    g_autofree char *what = g_strdup_printf("holds a user name or password, and goes into the log "
                                            "(a key belongs in the environment, %s)",
                                            name);
    return refuse(options, error, what);
  }
  if (g_uri_get_query(uri) || g_uri_get_fragment(uri)) {
    return refuse(options, error, "holds a query (?) or fragment (#)");
  }
  return TRUE;
}

gboolean
app_remote_address_parse(const AppRemoteOptions *options, AppRemoteAddress *address, GError **error)
{
  g_autoptr(GUri) uri = g_uri_parse(options->url, G_URI_FLAGS_ENCODED, NULL);
  g_autofree char *path = NULL, *shown = NULL;
  const char *scheme, *host;
  int port;

  if (!uri) {
    return refuse(options, error, "cannot be read");
  }
  if (!check_parts(options, uri, error)) {
    return FALSE;
  }
  scheme = g_uri_get_scheme(uri);
  host = g_uri_get_host(uri);
  port = g_uri_get_port(uri);
  address->loopback = is_loopback(host);
  if (strcmp(scheme, "http") == 0 && !address->loopback && !options->insecure) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "http://%s would get the %s unencrypted over the network: use https://, or say "
                "that this is meant (--%s-insecure)",
                host, options->role ? "questions" : "picture", role_of(options));
    return FALSE;
  }
  path = g_strdup(g_uri_get_path(uri));
  for (gsize n = strlen(path); n > 0 && path[n - 1] == '/'; n--) {
    path[n - 1] = '\0';
  }
  shown = g_strdup_printf(strchr(host, ':') ? "[%s]" : "%s", host);
  address->host = port < 0 ? g_steal_pointer(&shown) : g_strdup_printf("%s:%d", shown, port);
  address->base = g_strconcat(scheme, "://", address->host, *path ? path : "/v1", NULL);
  address->endpoint = g_strconcat(address->base, "/chat/completions", NULL);
  return TRUE;
}

gboolean
app_remote_key(const AppRemoteOptions *options, char **key, GError **error)
{
  g_autofree char *name = key_name(options);
  const char *found = g_getenv(name);

  *key = NULL;
  if (!found || !*found) {
    return TRUE;
  }
  for (const char *c = found; *c; c++) {
    if (!g_ascii_isgraph(*c)) {
      g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                  "%s holds blanks, line ends or other characters that no key has", name);
      return FALSE;
    }
  }
  *key = g_strdup(found);
  return TRUE;
}

char *
app_remote_host(const AppRemoteOptions *options, GError **error)
{
  g_auto(AppRemoteAddress) address = {0};
  g_autofree char *key = NULL;

  if (!options->model || !*options->model) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "the %s's server has several models: --%s-model says which one to ask",
                role_of(options), role_of(options));
    return NULL;
  }
  if (!app_remote_address_parse(options, &address, error) ||
      !app_remote_key(options, &key, error)) {
    return NULL;
  }
  return g_steal_pointer(&address.host);
}
