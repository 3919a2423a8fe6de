/* protect.c - a root key that moves, with those of the logs that this one goes on from.
 *
 * The keys of all are opened before the first of them moves: what is not to be had ends it there.
 * This log's own moves last, so that what was cut short is done again with the old one.
 */
#include "chain.h"

#include <sodium.h>
#include <string.h>

#include "keys-private.h"

#define DOING "moving the root key"

/* A new passphrase is asked for once, and then is the same for all. */
typedef struct {
  StoreSecrets secrets;
  char *passphrase;
} Once;

static gboolean
fetch(const char *log_id, guint8 key[32], gpointer user, GError **error)
{
  const StoreSecrets *secrets = &((Once *)user)->secrets;

  return secrets->fetch(log_id, key, secrets->user, error);
}

static gboolean
keep(const char *log_id, const guint8 key[32], gpointer user, GError **error)
{
  const StoreSecrets *secrets = &((Once *)user)->secrets;

  return secrets->keep(log_id, key, secrets->user, error);
}

static gboolean
forget(const char *log_id, gpointer user, GError **error)
{
  const StoreSecrets *secrets = &((Once *)user)->secrets;

  return secrets->forget(log_id, secrets->user, error);
}

static char *
ask(gboolean again, gpointer user, GError **error)
{
  Once *once = user;

  if (!again) {
    return once->secrets.ask(again, once->secrets.user, error);
  }
  if (!once->passphrase) {
    once->passphrase = once->secrets.ask(again, once->secrets.user, error);
  }
  return g_strdup(once->passphrase);
}

static void
once_clear(Once *once)
{
  if (once->passphrase) {
    sodium_memzero(once->passphrase, strlen(once->passphrase));
  }
  g_clear_pointer(&once->passphrase, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Once, once_clear)

static StoreSecrets
asking(Once *once)
{
  return (StoreSecrets){.fetch = once->secrets.fetch ? fetch : NULL,
                        .keep = once->secrets.keep ? keep : NULL,
                        .forget = once->secrets.forget ? forget : NULL,
                        .ask = once->secrets.ask ? ask : NULL,
                        .user = once};
}

static void
close_keys(gpointer keys)
{
  store_keys_close(keys);
}

/* The keys of all logs before this one that are there. */
static gboolean
open_all(StoreLog *log, const StoreSecrets *secrets, GPtrArray *all, GError **error)
{
  g_autoptr(GPtrArray) links = store_log_links(log, error);

  for (guint i = 0; links && i < links->len; i++) {
    const StoreLink *link = links->pdata[i];
    StoreKeys *keys;
    if (link->state == STORE_LINK_MISSING || link->state == STORE_LINK_RETIRED) {
      continue;
    }
    keys = store_keys_open(link->path, FALSE, secrets, error);
    if (!keys) {
      g_prefix_error(error, DOING ": nothing was moved: ");
      return FALSE;
    }
    g_ptr_array_add(all, keys);
  }
  return links != NULL;
}

static gboolean
protect_all(StoreLog *log, StoreProtection protection, const StoreSecrets *secrets, GError **error)
{
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(close_keys);
  g_auto(Once) once = {.secrets = secrets ? *secrets : log->keys->secrets};
  const StoreSecrets asked = asking(&once);
  gboolean good = open_all(log, &once.secrets, all, error);

  for (guint i = 0; good && i < all->len; i++) {
    good = store_keys_protect(all->pdata[i], protection, &asked, error);
  }
  if (good) {
    good = store_keys_protect(log->keys, protection, &asked, error);
    log->keys->secrets = once.secrets; /* ASKED ends here */
  }
  return good;
}

gboolean
store_log_protect(StoreLog *log, StoreProtection protection, const StoreSecrets *secrets,
                  GError **error)
{
  StoreField fields[] = {{"name", "protection"}, {"before", NULL}, {"value", NULL}};
  const StoreEvent event = {.kind = "setting",
                            .action = "protection",
                            .fields = fields,
                            .n_fields = G_N_ELEMENTS(fields)};

  g_return_val_if_fail(log, FALSE);
  if (log->goes_on) {
    return store_chain_refuse(log, DOING, error);
  }
  if (log->read_only || !log->keys) {
    return store_fail(error, STORE_ERROR_IO, log->name,
                      DOING ": the log was opened for reading only");
  }
  fields[1].text = store_protection_name(log);
  if (!protect_all(log, protection, secrets, error)) {
    return FALSE;
  }
  fields[2].text = store_protection_name(log);
  return store_log_add_event(log, &event, error) != 0;
}
