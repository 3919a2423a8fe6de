/* secrets-keyring.c - see secrets-keyring.h.
 *
 * 1. Whatever is asked of the bus is asked without blocking, on a main context of its own, and
 *    cancelled when time is up: a service that says nothing costs time alone.
 * 2. A key is an item of the default collection with the log's id as its attribute, and its secret
 *    is the key as 64 hexadecimal digits: keyrings show secrets as texts.
 * 3. A key that was kept is read back before anybody relies on it.
 */
#include "secrets-keyring.h"

#include <libsecret/secret.h>
#include <string.h>
#include <sys/stat.h>

#include "store.h"

#define SERVICE "org.freedesktop.secrets"
/* For a user who types the password of the keyring, where there is a screen to ask on. */
#define TYPING_MS 120000u

static const SecretSchema schema = {.name = "org.hilum.Hilum.Log",
                                    .flags = SECRET_SCHEMA_NONE,
                                    .attributes = {{"log", SECRET_SCHEMA_ATTRIBUTE_STRING}}};

/* ---- waiting --------------------------------------------------------------------------------- */

typedef struct {
  GMainContext *context;
  GCancellable *cancellable;
  GSource *timer;
  GAsyncResult *result;
} Wait;

static gboolean
on_late(gpointer user)
{
  g_cancellable_cancel(((Wait *)user)->cancellable);
  return G_SOURCE_REMOVE;
}

static void
on_done(GObject *source, GAsyncResult *result, gpointer user)
{
  ((Wait *)user)->result = g_object_ref(result);
}

static void
wait_init(Wait *wait, guint milliseconds)
{
  wait->context = g_main_context_new();
  g_main_context_push_thread_default(wait->context);
  wait->cancellable = g_cancellable_new();
  wait->timer = g_timeout_source_new(milliseconds);
  g_source_set_callback(wait->timer, on_late, wait, NULL);
  g_source_attach(wait->timer, wait->context);
}

/* What came of the call that was begun with on_done(). */
static GAsyncResult *
wait_for(Wait *wait)
{
  g_clear_object(&wait->result);
  while (!wait->result) {
    g_main_context_iteration(wait->context, TRUE);
  }
  return wait->result;
}

static void
wait_clear(Wait *wait)
{
  g_source_destroy(wait->timer);
  g_source_unref(wait->timer);
  g_clear_object(&wait->result);
  g_object_unref(wait->cancellable);
  g_main_context_pop_thread_default(wait->context);
  g_main_context_unref(wait->context);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wait, wait_clear)

static guint
typing_time(guint patience)
{
  const gboolean screen = g_getenv("WAYLAND_DISPLAY") || g_getenv("DISPLAY");

  return screen ? MAX(TYPING_MS, patience) : patience;
}

static gboolean
locked(GError **error, const char *what)
{
  g_set_error(error, STORE_ERROR, STORE_ERROR_LOCKED, "keyring (Secret Service): %s", what);
  return FALSE;
}

/* LOCAL, which is freed, as an error of ours. */
static gboolean
pass_on(GError **error, GError *local)
{
  if (g_error_matches(local, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    locked(error, "it says nothing");
  } else {
    g_dbus_error_strip_remote_error(local);
    locked(error, local->message);
  }
  g_error_free(local);
  return FALSE;
}

/* ---- the service ----------------------------------------------------------------------------- */

gboolean
app_keyring_has_bus(void)
{
  const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS");
  g_autofree char *bus = NULL;
  struct stat st;

  if (address && *address) {
    return TRUE;
  }
  bus = g_build_filename(g_get_user_runtime_dir(), "bus", NULL);
  return stat(bus, &st) == 0 && S_ISSOCK(st.st_mode);
}

gboolean
app_keyring_is_there(guint patience, GError **error)
{
  g_auto(Wait) wait = {0};
  g_autoptr(GDBusConnection) bus = NULL;
  g_autoptr(GVariant) answer = NULL;
  GError *local = NULL;

  wait_init(&wait, patience);
  if (!app_keyring_has_bus()) {
    return locked(error, "there is no session bus");
  }
  g_bus_get(G_BUS_TYPE_SESSION, wait.cancellable, on_done, &wait);
  bus = g_bus_get_finish(wait_for(&wait), &local);
  if (!bus) {
    return pass_on(error, local);
  }
  /* The bus starts a service that can be started; owning the name is not answering. */
  g_dbus_connection_call(bus, SERVICE, "/org/freedesktop/secrets", "org.freedesktop.DBus.Peer",
                         "Ping", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, (int)patience,
                         wait.cancellable, on_done, &wait);
  answer = g_dbus_connection_call_finish(bus, wait_for(&wait), &local);
  if (answer || g_error_matches(local, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD)) {
    g_clear_error(&local); /* an answer as well */
    return TRUE;
  }
  return pass_on(error, local);
}

/* What METHOD of the service answers; NULL: nothing, in time. */
static GVariant *
call(GDBusConnection *bus, Wait *wait, guint patience, const char *path, const char *interface,
     const char *method, GVariant *arguments)
{
  g_dbus_connection_call(bus, SERVICE, path, interface, method, arguments, NULL,
                         G_DBUS_CALL_FLAGS_NONE, (int)patience, wait->cancellable, on_done, wait);
  return g_dbus_connection_call_finish(bus, wait_for(wait), NULL);
}

static gboolean
collection_is_open(GDBusConnection *bus, Wait *wait, guint patience)
{
  g_autoptr(GVariant) alias =
      call(bus, wait, patience, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service",
           "ReadAlias", g_variant_new("(s)", "default"));
  g_autoptr(GVariant) answer = NULL, value = NULL;
  const char *path = NULL;

  if (!alias || !g_variant_is_of_type(alias, G_VARIANT_TYPE("(o)"))) {
    return FALSE;
  }
  g_variant_get(alias, "(&o)", &path);
  if (g_str_equal(path, "/")) {
    return FALSE;
  }
  answer = call(bus, wait, patience, path, "org.freedesktop.DBus.Properties", "Get",
                g_variant_new("(ss)", "org.freedesktop.Secret.Collection", "Locked"));
  if (!answer || !g_variant_is_of_type(answer, G_VARIANT_TYPE("(v)"))) {
    return FALSE;
  }
  g_variant_get(answer, "(v)", &value);
  return g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN) && !g_variant_get_boolean(value);
}

gboolean
app_keyring_is_open(guint patience)
{
  g_auto(Wait) wait = {0};
  g_autoptr(GDBusConnection) bus = NULL;

  wait_init(&wait, patience);
  if (!app_keyring_has_bus()) {
    return FALSE;
  }
  g_bus_get(G_BUS_TYPE_SESSION, wait.cancellable, on_done, &wait);
  bus = g_bus_get_finish(wait_for(&wait), NULL);
  return bus && collection_is_open(bus, &wait, patience);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static gboolean
parse(const char *text, guint8 key[32])
{
  if (strlen(text) != 64) {
    return FALSE;
  }
  for (guint i = 0; i < 32; i++) {
    const int high = g_ascii_xdigit_value(text[2 * i]);
    const int low = g_ascii_xdigit_value(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return FALSE;
    }
    key[i] = (guint8)(high << 4 | low);
  }
  return TRUE;
}

gboolean
app_keyring_fetch(const char *log_id, guint patience, guint8 key[32], GError **error)
{
  g_auto(Wait) wait = {0};
  GError *local = NULL;
  char *text;
  gboolean good;

  wait_init(&wait, typing_time(patience));
  if (!app_keyring_is_there(patience, error)) {
    return FALSE;
  }
  secret_password_lookup(&schema, wait.cancellable, on_done, &wait, "log", log_id, NULL);
  text = secret_password_lookup_nonpageable_finish(wait_for(&wait), &local);
  if (local) {
    return pass_on(error, local);
  }
  if (!text) {
    return locked(error, "it has no key for this log, or stays locked");
  }
  good = parse(text, key) || locked(error, "what it has for this log is no key");
  secret_password_free(text);
  return good;
}

static gboolean
store(const char *log_id, guint patience, const guint8 key[32], GError **error)
{
  static const char digits[] = "0123456789abcdef";
  g_auto(Wait) wait = {0};
  GError *local = NULL;
  char text[65] = {0};
  gboolean good;

  wait_init(&wait, typing_time(patience));
  for (guint i = 0; i < 32; i++) {
    text[2 * i] = digits[key[i] >> 4];
    text[2 * i + 1] = digits[key[i] & 15];
  }
  secret_password_store(&schema, SECRET_COLLECTION_DEFAULT, "Hilum log", text, wait.cancellable,
                        on_done, &wait, "log", log_id, NULL);
  good = secret_password_store_finish(wait_for(&wait), &local);
  explicit_bzero(text, sizeof text);
  return good || (local ? pass_on(error, local) : locked(error, "it keeps nothing"));
}

gboolean
app_keyring_keep(const char *log_id, guint patience, const guint8 key[32], GError **error)
{
  guint8 kept[32] = {0};
  gboolean good;

  if (!app_keyring_is_there(patience, error) || !store(log_id, patience, key, error) ||
      !app_keyring_fetch(log_id, patience, kept, error)) {
    return FALSE;
  }
  good = memcmp(kept, key, sizeof kept) == 0 || locked(error, "it kept another key");
  explicit_bzero(kept, sizeof kept);
  return good;
}

gboolean
app_keyring_forget(const char *log_id, guint patience, GError **error)
{
  g_auto(Wait) wait = {0};
  GError *local = NULL;

  wait_init(&wait, typing_time(patience));
  if (!app_keyring_is_there(patience, error)) {
    return FALSE;
  }
  secret_password_clear(&schema, wait.cancellable, on_done, &wait, "log", log_id, NULL);
  secret_password_clear_finish(wait_for(&wait), &local);
  return !local || pass_on(error, local);
}
