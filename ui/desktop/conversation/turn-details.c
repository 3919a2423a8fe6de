/* turn-details.c - what an answer was given on: the quiet line below it, and all of it. */
#include <glib/gi18n.h>
#include <string.h>

#include "conversation/image-chip.h"
#include "conversation/turn-row-private.h"

/* So much of a SHA-256 tells models apart for the eye; what is copied has all of it. */
#define HASH_SHOWN 8

/* ---- JSON --------------------------------------------------------------------------------- */

JsonObject *
desktop_turn_object(JsonObject *object, const char *name)
{
  JsonNode *member = object ? json_object_get_member(object, name) : NULL;

  return member && JSON_NODE_HOLDS_OBJECT(member) ? json_node_get_object(member) : NULL;
}

JsonArray *
desktop_turn_array(JsonObject *object, const char *name)
{
  JsonNode *member = object ? json_object_get_member(object, name) : NULL;

  return member && JSON_NODE_HOLDS_ARRAY(member) ? json_node_get_array(member) : NULL;
}

const char *
desktop_turn_text(JsonObject *object, const char *name)
{
  JsonNode *member = object ? json_object_get_member(object, name) : NULL;

  return member && JSON_NODE_HOLDS_VALUE(member) &&
                 json_node_get_value_type(member) == G_TYPE_STRING
             ? json_node_get_string(member)
             : "";
}

double
desktop_turn_number(JsonObject *object, const char *name, double otherwise)
{
  JsonNode *member = object ? json_object_get_member(object, name) : NULL;
  GType type = member && JSON_NODE_HOLDS_VALUE(member) ? json_node_get_value_type(member) : 0;

  if (type == G_TYPE_INT64) {
    return (double)json_node_get_int(member);
  }
  return type == G_TYPE_DOUBLE ? json_node_get_double(member) : otherwise;
}

/* ---- one line ----------------------------------------------------------------------------- */

static const char *
stop_remark(const char *stop)
{
  if (strcmp(stop, "cancelled") == 0) {
    return _("This answer was stopped before its end.");
  }
  if (strcmp(stop, "max-tokens") == 0) {
    return _("This answer was cut off at the longest answer allowed.");
  }
  if (strcmp(stop, "context") == 0) {
    return _("This answer was cut off: the conversation is full, start a new one.");
  }
  if (strcmp(stop, "content-filter") == 0) {
    return _("This answer was cut off by the server's content filter.");
  }
  return NULL;
}

static gboolean
is_away(JsonObject *model)
{
  const char *engine = desktop_turn_text(model, "engine");

  return *engine && strcmp(engine, "local") != 0;
}

char *
desktop_turn_row_summary(DesktopTurnRow *self)
{
  JsonObject *turn = json_node_get_object(self->turn), *model = desktop_turn_object(turn, "model");
  const char *remark = stop_remark(desktop_turn_text(turn, "stop"));
  const char *why = desktop_turn_text(turn, "interruption");
  const char *hash = desktop_turn_text(model, "sha256");
  double first = desktop_turn_number(desktop_turn_object(turn, "timing"), "first_token_s", 0);
  g_autofree char *about = desktop_about_text(self->asked->about);
  GString *text = g_string_new(NULL);

  if (remark) {
    g_string_append_printf(text, "%s\n", remark);
  } else if (*why) {
    g_string_append_printf(text, _("This answer broke off. %s\n"), why);
  }
  g_string_append_printf(text, "%s · %s", about, desktop_turn_text(model, "name"));
  if (*hash) {
    g_string_append_printf(text, " %.*s", HASH_SHOWN, hash);
  }
  if (is_away(model)) {
    g_string_append_printf(text, _(" · sent to %s"), desktop_turn_text(model, "engine"));
  }
  if (first >= 0.05) { /* what one can feel */
    g_string_append_printf(text, _(" · first word after %.1f s"), first);
  }
  return g_string_free(text, FALSE);
}

/* ---- all of it ---------------------------------------------------------------------------- */

typedef void (*Tell)(const char *name, const char *shown, const char *full, gpointer user);

/* SHOWN is given up. */
static void
tell(Tell to, gpointer user, const char *name, char *shown)
{
  if (shown && *shown) {
    to(name, shown, shown, user);
  }
  g_free(shown);
}

static void
tell_hash(Tell to, gpointer user, const char *name, const char *hash)
{
  g_autofree char *shown = g_strndup(hash, HASH_SHOWN);

  if (*hash) {
    to(name, shown, hash, user);
  }
}

static char *
window_text(JsonObject *image)
{
  double center = desktop_turn_number(image, "window_center", 0);
  double width = desktop_turn_number(image, "window_width", 0);

  return width > 0 ? g_strdup_printf(_("center %g, width %g"), center, width) : NULL;
}

static void
tell_image(DesktopTurnRow *self, JsonObject *image, Tell to, gpointer user)
{
  const DesktopAbout *about = self->asked->about;
  g_autofree char *base = g_path_get_basename(about->choice.path);

  tell(to, user, _("Image"), g_strdup(about->label));
  to(_("File"), base, about->choice.path, user);
  tell(to, user, _("Frame"), g_strdup_printf("%u", about->choice.frame));
  tell(to, user, _("Window"), window_text(image));
  tell(to, user, _("Sent as"), desktop_about_changes(about));
  tell_hash(to, user, _("Pixels, SHA-256"), desktop_turn_text(image, "pixels_sha256"));
  tell_hash(to, user, _("Picture sent, SHA-256"), desktop_turn_text(image, "sent_sha256"));
}

static void
tell_model(JsonObject *model, Tell to, gpointer user)
{
  tell(to, user, _("Model"), g_strdup(desktop_turn_text(model, "name")));
  tell_hash(to, user, _("Model, SHA-256"), desktop_turn_text(model, "sha256"));
  tell(to, user, _("Weights"), g_strdup(desktop_turn_text(model, "quantization")));
  tell(to, user, _("Template"), g_strdup(desktop_turn_text(model, "template")));
  tell(to, user, _("Runs"),
       is_away(model) ? g_strdup_printf(_("on %s"), desktop_turn_text(model, "engine"))
                      : g_strdup(_("on this computer")));
}

static char *
seed_text(DesktopTurnRow *self, JsonObject *sampling)
{
  const char *text = desktop_turn_text(sampling, "seed"); /* above 2^63 */

  if (*text) {
    return g_strdup(text);
  }
  return sampling ? g_strdup_printf("%" G_GINT64_FORMAT,
                                    json_object_get_int_member_with_default(sampling, "seed", 0))
                  : g_strdup_printf("%" G_GUINT64_FORMAT, self->asked->sampling.seed);
}

static void
tell_sampling(DesktopTurnRow *self, JsonObject *turn, Tell to, gpointer user)
{
  JsonObject *sampling = desktop_turn_object(turn, "sampling");
  const AppSampling *own = &self->asked->sampling;
  double temperature = desktop_turn_number(sampling, "temperature", own->temperature);

  tell(to, user, _("Instruction"),
       g_strdup(desktop_turn_text(desktop_turn_object(turn, "instruction"), "rule")));
  tell(to, user, _("Sampling"),
       temperature > 0 ? g_strdup_printf(_("temperature %g, top-p %g"), temperature,
                                         desktop_turn_number(sampling, "top_p", own->top_p))
                       : g_strdup(_("none, the likeliest word each time")));
  tell(to, user, _("Seed"), temperature > 0 ? seed_text(self, sampling) : NULL);
}

static void
tell_times(JsonObject *turn, Tell to, gpointer user)
{
  JsonObject *timing = desktop_turn_object(turn, "timing");
  double rate = desktop_turn_number(timing, "decode_tokens_per_s", 0);
  double first = desktop_turn_number(timing, "first_token_s", 0);
  double image = desktop_turn_number(timing, "image_s", 0);
  double tokens = desktop_turn_number(timing, "answer_tokens", 0);

  tell(to, user, _("Asked at"), g_strdup(desktop_turn_text(turn, "time")));
  tell(to, user, _("First word"), first > 0 ? g_strdup_printf(_("after %.2f s"), first) : NULL);
  tell(to, user, _("Picture encoded"), image > 0 ? g_strdup_printf(_("in %.2f s"), image) : NULL);
  tell(to, user, _("Answer"),
       rate > 0 ? g_strdup_printf(ngettext("%.0f token, %.1f a second",
                                           "%.0f tokens, %.1f a second", (gulong)tokens),
                                  tokens, rate)
                : g_strdup_printf(ngettext("%.0f token", "%.0f tokens", (gulong)tokens), tokens));
}

static void
tell_all(DesktopTurnRow *self, Tell to, gpointer user)
{
  JsonObject *turn = self->turn ? json_node_get_object(self->turn) : NULL;

  tell_image(self, desktop_turn_object(turn, "image"), to, user);
  tell_model(desktop_turn_object(turn, "model"), to, user);
  tell_sampling(self, turn, to, user);
  tell_times(turn, to, user);
}

static void
add_line(const char *name, const char *shown, const char *full, gpointer user)
{
  g_string_append_printf(user, "%s: %s\n", name, full);
}

char *
desktop_turn_row_details_text(DesktopTurnRow *self)
{
  GString *text = g_string_new(NULL);

  tell_all(self, add_line, text);
  return g_string_free(text, FALSE);
}

static void
add_row(const char *name, const char *shown, const char *full, gpointer user)
{
  GtkWidget *left = gtk_label_new(name), *right = gtk_label_new(shown);
  int row = GPOINTER_TO_INT(g_object_get_data(user, "n-rows"));

  gtk_label_set_xalign(GTK_LABEL(left), 0);
  gtk_label_set_yalign(GTK_LABEL(left), 0);
  gtk_label_set_xalign(GTK_LABEL(right), 0);
  gtk_label_set_wrap(GTK_LABEL(right), TRUE);
  gtk_label_set_wrap_mode(GTK_LABEL(right), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable(GTK_LABEL(right), TRUE);
  gtk_widget_set_hexpand(right, TRUE);
  gtk_widget_set_tooltip_text(right, strcmp(shown, full) == 0 ? NULL : full);
  gtk_widget_add_css_class(left, "dim-label");
  gtk_widget_add_css_class(right, "numeric");
  gtk_accessible_update_relation(GTK_ACCESSIBLE(right), GTK_ACCESSIBLE_RELATION_LABELLED_BY, left,
                                 NULL, -1);
  gtk_grid_attach(user, left, 0, row, 1, 1);
  gtk_grid_attach(user, right, 1, row, 1, 1);
  g_object_set_data(user, "n-rows", GINT_TO_POINTER(row + 1));
}

static void
on_look(DesktopTurnRow *self, DesktopSeen *seen)
{
  g_signal_emit_by_name(self, "look", seen);
}

void
desktop_turn_row_fill_details(DesktopTurnRow *self)
{
  GtkWidget *box, *grid, *chip;

  if (gtk_revealer_get_child(self->details)) {
    return;
  }
  box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 8);
  grid = gtk_grid_new();
  chip = desktop_image_chip_new();
  desktop_image_chip_set(DESKTOP_IMAGE_CHIP(chip), self->asked->about, DESKTOP_CHIP_KNOWN, TRUE);
  g_signal_connect_object(chip, "look", G_CALLBACK(on_look), self, G_CONNECT_SWAPPED);
  gtk_grid_set_column_spacing(GTK_GRID(grid), 12);
  gtk_grid_set_row_spacing(GTK_GRID(grid), 2);
  gtk_widget_add_css_class(grid, "caption");
  tell_all(self, add_row, grid);
  gtk_widget_add_css_class(box, "details");
  gtk_box_append(GTK_BOX(box), grid);
  gtk_box_append(GTK_BOX(box), chip);
  gtk_revealer_set_child(self->details, box);
}
