/* told.c - see told.h. */
#include "settings/told.h"

/* Paths and names that a person gave may name a patient. */
static const struct {
  const char *key;
  gboolean is_private;
} keys[] = {{DESKTOP_SETTING_LOG, TRUE},
            {DESKTOP_SETTING_MODEL, TRUE},
            {DESKTOP_SETTING_THREADS, FALSE},
            {DESKTOP_SETTING_CACHE, FALSE},
            {DESKTOP_SETTING_PRESETS, TRUE},
            {DESKTOP_SETTING_KEYS, FALSE},
            {DESKTOP_SETTING_PROBABILITIES, FALSE},
            {DESKTOP_SETTING_BLANK_CHECK, FALSE},
            {DESKTOP_SETTING_STYLE, FALSE}};

struct _DesktopTold {
  GSettings *store;
  gulong handler;
  AppNotes *notes;
  char *values[G_N_ELEMENTS(keys)]; /* as text, as they were told last */
};

static char *
value_text(GSettings *store, const char *key)
{
  g_autoptr(GVariant) value = g_settings_get_value(store, key);

  return g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) ? g_variant_dup_string(value, NULL)
                                                            : g_variant_print(value, FALSE);
}

static void
on_changed(GSettings *store, const char *key, DesktopTold *told)
{
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    if (g_str_equal(keys[i].key, key)) {
      g_autofree char *before = told->values[i];

      told->values[i] = value_text(store, key);
      if (!g_str_equal(before, told->values[i])) {
        app_notes_setting(told->notes, key, before, told->values[i], keys[i].is_private);
      }
    }
  }
}

DesktopTold *
desktop_told_new(DesktopSettings *settings)
{
  DesktopTold *told = g_new0(DesktopTold, 1);

  told->store = g_object_ref(desktop_settings_peek(settings));
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    told->values[i] = value_text(told->store, keys[i].key);
  }
  told->handler = g_signal_connect(told->store, "changed", G_CALLBACK(on_changed), told);
  return told;
}

void
desktop_told_set_notes(DesktopTold *told, AppNotes *notes)
{
  app_notes_ref(notes);
  app_notes_unref(told->notes);
  told->notes = notes;
}

void
desktop_told_free(DesktopTold *told)
{
  if (told) {
    g_signal_handler_disconnect(told->store, told->handler);
    g_object_unref(told->store);
    app_notes_unref(told->notes);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
      g_free(told->values[i]);
    }
    g_free(told);
  }
}
