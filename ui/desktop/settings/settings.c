/* settings.c - what a person has set, kept by GSettings. */
#include "settings/settings.h"

#include <glib/gi18n.h>
#include <math.h>

#define SCHEMA "org.hilum.Hilum"
#define MOST_PRESETS 32
#define MOST_NAME 40
/* Wider than any stored value: 16 bits with a slope of some thousands. */
#define MOST_VALUE 1e9

/* For who translates: the windows that the schema begins with are shown as gettext() has them. */
G_GNUC_UNUSED static const char *const usual_presets[] = {
    N_("Lung"), N_("Mediastinum"), N_("Soft tissue"), N_("Liver"), N_("Bone"), N_("Brain")};

struct _DesktopSettings {
  GObject parent;

  GSettings *settings;
};

G_DEFINE_FINAL_TYPE(DesktopSettings, desktop_settings, G_TYPE_OBJECT)

/* ---- life --------------------------------------------------------------------------------- */

/* A program that was built and not installed finds it where it was built. */
static GSettingsSchema *
find_schema(GError **error)
{
  GSettingsSchemaSource *usual = g_settings_schema_source_get_default();
  g_autoptr(GSettingsSchemaSource) built = NULL;
  GSettingsSchema *schema = usual ? g_settings_schema_source_lookup(usual, SCHEMA, TRUE) : NULL;
  const char *folders[] = {HILUM_SCHEMADIR, HILUM_BUILT_SCHEMADIR};

  for (gsize i = 0; i < G_N_ELEMENTS(folders) && !schema; i++) {
    g_autoptr(GSettingsSchemaSource) source =
        g_settings_schema_source_new_from_directory(folders[i], usual, TRUE, NULL);
    schema = source ? g_settings_schema_source_lookup(source, SCHEMA, FALSE) : NULL;
  }
  if (!schema) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "the settings' description, %s.gschema.xml, is not compiled in %s", SCHEMA,
                HILUM_SCHEMADIR);
  }
  return schema;
}

DesktopSettings *
desktop_settings_new(GError **error)
{
  g_autoptr(GSettingsSchema) schema = find_schema(error);
  DesktopSettings *self;

  if (!schema) {
    return NULL;
  }
  self = g_object_new(DESKTOP_TYPE_SETTINGS, NULL);
  self->settings = g_settings_new_full(schema, NULL, NULL);
  return self;
}

GSettings *
desktop_settings_peek(DesktopSettings *self)
{
  g_return_val_if_fail(DESKTOP_IS_SETTINGS(self), NULL);
  return self->settings;
}

static void
desktop_settings_finalize(GObject *object)
{
  g_clear_object(&DESKTOP_SETTINGS(object)->settings);
  G_OBJECT_CLASS(desktop_settings_parent_class)->finalize(object);
}

static void
desktop_settings_class_init(DesktopSettingsClass *class)
{
  G_OBJECT_CLASS(class)->finalize = desktop_settings_finalize;
}

static void
desktop_settings_init(DesktopSettings *self)
{
}

/* ---- plain -------------------------------------------------------------------------------- */

char *
desktop_settings_get_text(DesktopSettings *self, const char *key)
{
  g_autofree char *text = g_settings_get_string(desktop_settings_peek(self), key);

  return *text ? g_steal_pointer(&text) : NULL;
}

/* ---- presets ------------------------------------------------------------------------------ */

DesktopPreset *
desktop_preset_new(const char *name, double width, double center)
{
  DesktopPreset *preset = g_new0(DesktopPreset, 1);

  preset->name = g_strdup(name);
  preset->width = width;
  preset->center = center;
  return preset;
}

void
desktop_preset_free(DesktopPreset *preset)
{
  g_free(preset->name);
  g_free(preset);
}

char *
desktop_preset_problem(const char *name, double width, double center)
{
  g_autofree char *plain = g_strstrip(g_strdup(name));

  if (!*plain) {
    return g_strdup(_("A preset needs a name"));
  }
  if (g_utf8_strlen(plain, -1) > MOST_NAME) {
    return g_strdup(_("The name is too long"));
  }
  /* PS3.3 C.11.2.1.2: a linear window is at least 1 wide. */
  if (!(width >= 1 && width <= MOST_VALUE)) {
    return g_strdup(_("The width must be 1 or more"));
  }
  if (!(fabs(center) <= MOST_VALUE)) {
    return g_strdup(_("The centre must be a number"));
  }
  return NULL;
}

GPtrArray *
desktop_settings_get_presets(DesktopSettings *self)
{
  GPtrArray *presets = g_ptr_array_new_with_free_func((GDestroyNotify)desktop_preset_free);
  g_autoptr(GVariant) list =
      g_settings_get_value(desktop_settings_peek(self), DESKTOP_SETTING_PRESETS);
  GVariantIter iter;
  const char *name;
  double width, center;

  g_variant_iter_init(&iter, list);
  while (g_variant_iter_next(&iter, "(&sdd)", &name, &width, &center)) {
    g_autofree char *problem = desktop_preset_problem(name, width, center);
    if (!problem && presets->len < MOST_PRESETS) {
      g_ptr_array_add(presets, desktop_preset_new(name, width, center));
    }
  }
  return presets;
}

void
desktop_settings_set_presets(DesktopSettings *self, GPtrArray *presets)
{
  GVariantBuilder builder;

  g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sdd)"));
  for (guint i = 0; i < presets->len; i++) {
    const DesktopPreset *preset = presets->pdata[i];
    g_variant_builder_add(&builder, "(sdd)", preset->name, preset->width, preset->center);
  }
  g_settings_set_value(desktop_settings_peek(self), DESKTOP_SETTING_PRESETS,
                       g_variant_builder_end(&builder));
}
