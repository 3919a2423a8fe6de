/* key-dialog.c - asks for new keys: press them, see what is in the way, set them.
 *
 * It listens to the keyboard before anything else does. Escape alone closes it and Backspace alone
 * takes the keys away, as everywhere in GNOME; both can be had again by going back to the usual
 * keys.
 */
#include <glib/gi18n.h>

#include "settings/preferences-private.h"

typedef struct {
  DesktopSettings *settings; /* owned */
  const DesktopKey *key;
  GtkWindow *window;
  GtkStack *shown;
  GtkShortcutLabel *label;
  GtkLabel *message;
  GtkButton *set;
  char *accelerator; /* owned; NULL: nothing that could be set */
} KeyDialog;

static void
dialog_free(gpointer data)
{
  KeyDialog *dialog = data;

  g_object_unref(dialog->settings);
  g_free(dialog->accelerator);
  g_free(dialog);
}

/* ---- what was pressed --------------------------------------------------------------------- */

static gboolean
is_modifier(guint code)
{
  return (code >= GDK_KEY_Shift_L && code <= GDK_KEY_Hyper_R) || code == GDK_KEY_ISO_Level3_Shift ||
         code == GDK_KEY_Num_Lock;
}

/* A letter is a letter with Shift beside it; of any other sign, what made it is left out. */
static char *
accelerator_of(GtkEventControllerKey *controller, guint code, GdkModifierType state)
{
  GdkEvent *event = gtk_event_controller_get_current_event(GTK_EVENT_CONTROLLER(controller));
  GdkModifierType modifiers = state & gtk_accelerator_get_default_mod_mask();

  if (code == GDK_KEY_ISO_Left_Tab) {
    code = GDK_KEY_Tab;
  } else if (gdk_keyval_to_lower(code) != gdk_keyval_to_upper(code)) {
    code = gdk_keyval_to_lower(code);
  } else if (event) {
    modifiers &= ~(gdk_key_event_get_consumed_modifiers(event) & GDK_SHIFT_MASK);
  }
  return gtk_accelerator_name(code, modifiers);
}

static void
show_pressed(KeyDialog *dialog)
{
  g_autofree char *problem = desktop_keys_problem(dialog->key, dialog->accelerator);
  const DesktopKey *other =
      problem ? NULL : desktop_keys_conflict(dialog->settings, dialog->key, dialog->accelerator);

  gtk_shortcut_label_set_accelerator(dialog->label, dialog->accelerator);
  gtk_stack_set_visible_child_name(dialog->shown, "pressed");
  if (problem) {
    gtk_label_set_text(dialog->message, problem);
    g_clear_pointer(&dialog->accelerator, g_free);
  } else if (other) {
    g_autofree char *text =
        g_strdup_printf(_("“%s” has these keys and would lose them"), _(other->title));
    gtk_label_set_text(dialog->message, text);
  } else {
    gtk_label_set_text(dialog->message, "");
  }
  gtk_widget_set_sensitive(GTK_WIDGET(dialog->set), dialog->accelerator != NULL);
  gtk_button_set_label(dialog->set, other ? _("_Take Them") : _("_Set"));
}

static void
set_none(KeyDialog *dialog)
{
  desktop_keys_set(dialog->settings, dialog->key, (const char *[]){NULL});
  gtk_window_close(dialog->window);
}

/* Keys of OTHER but ACCELERATOR. */
static void
take_away(KeyDialog *dialog, const DesktopKey *other)
{
  g_auto(GStrv) keys = desktop_keys_get(dialog->settings, other);
  g_autoptr(GStrvBuilder) left = g_strv_builder_new();
  g_auto(GStrv) kept = NULL;

  for (gsize i = 0; keys[i]; i++) {
    GdkModifierType modifiers[2];
    guint codes[2];
    if (!gtk_accelerator_parse(keys[i], &codes[0], &modifiers[0]) ||
        !gtk_accelerator_parse(dialog->accelerator, &codes[1], &modifiers[1]) ||
        codes[0] != codes[1] || modifiers[0] != modifiers[1]) {
      g_strv_builder_add(left, keys[i]);
    }
  }
  kept = g_strv_builder_end(left);
  desktop_keys_set(dialog->settings, other, (const char *const *)kept);
}

static void
on_set(KeyDialog *dialog)
{
  const char *keys[] = {dialog->accelerator, NULL};
  const DesktopKey *other;

  if (!dialog->accelerator) {
    return;
  }
  other = desktop_keys_conflict(dialog->settings, dialog->key, dialog->accelerator);
  if (other) {
    take_away(dialog, other);
  }
  desktop_keys_set(dialog->settings, dialog->key, keys);
  gtk_window_close(dialog->window);
}

static gboolean
on_pressed(GtkEventControllerKey *controller, guint code, guint hardware, GdkModifierType state,
           KeyDialog *dialog)
{
  GdkModifierType modifiers = state & gtk_accelerator_get_default_mod_mask();
  gboolean can_set = dialog->accelerator != NULL;

  if (is_modifier(code)) {
    return GDK_EVENT_PROPAGATE;
  }
  /* The dialog's own. */
  if (modifiers == 0 && code == GDK_KEY_Escape) {
    gtk_window_close(dialog->window);
  } else if (modifiers == 0 && code == GDK_KEY_BackSpace && !can_set) {
    set_none(dialog);
  } else if (modifiers == 0 && (code == GDK_KEY_Return || code == GDK_KEY_KP_Enter) && can_set) {
    on_set(dialog);
  } else if ((modifiers & ~GDK_SHIFT_MASK) == 0 &&
             (code == GDK_KEY_Tab || code == GDK_KEY_ISO_Left_Tab || code == GDK_KEY_Return ||
              code == GDK_KEY_KP_Enter)) {
    return GDK_EVENT_PROPAGATE;
  } else {
    g_free(dialog->accelerator);
    dialog->accelerator = accelerator_of(controller, code, state);
    show_pressed(dialog);
  }
  return GDK_EVENT_STOP;
}

/* ---- widgets ------------------------------------------------------------------------------ */

static GtkWidget *
pages_new(KeyDialog *dialog)
{
  GtkWidget *pages = gtk_stack_new();
  GtkWidget *prompt = gtk_label_new(_("Press the new keys"));
  GtkWidget *label = gtk_shortcut_label_new("");

  gtk_widget_add_css_class(prompt, "title-2");
  gtk_widget_set_halign(label, GTK_ALIGN_CENTER);
  gtk_stack_add_named(GTK_STACK(pages), prompt, "prompt");
  gtk_stack_add_named(GTK_STACK(pages), label, "pressed");
  dialog->shown = GTK_STACK(pages);
  dialog->label = GTK_SHORTCUT_LABEL(label);
  return pages;
}

static GtkWidget *
content_new(KeyDialog *dialog)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 18);
  GtkWidget *title = gtk_label_new(_(dialog->key->title));
  GtkWidget *message = gtk_label_new("");
  GtkWidget *hint = gtk_label_new(_("Escape leaves them as they are, Backspace takes them away."));

  gtk_widget_add_css_class(box, "key-dialog");
  gtk_widget_add_css_class(hint, "dim-label");
  gtk_label_set_wrap(GTK_LABEL(message), TRUE);
  gtk_label_set_wrap(GTK_LABEL(hint), TRUE);
  gtk_label_set_justify(GTK_LABEL(message), GTK_JUSTIFY_CENTER);
  gtk_label_set_justify(GTK_LABEL(hint), GTK_JUSTIFY_CENTER);
  dialog->message = GTK_LABEL(message);
  gtk_box_append(GTK_BOX(box), title);
  gtk_box_append(GTK_BOX(box), pages_new(dialog));
  gtk_box_append(GTK_BOX(box), message);
  gtk_box_append(GTK_BOX(box), hint);
  return box;
}

static GtkWidget *
bar_new(KeyDialog *dialog)
{
  GtkWidget *bar = adw_header_bar_new();
  GtkWidget *cancel = gtk_button_new_with_mnemonic(_("_Cancel"));
  GtkWidget *set = gtk_button_new_with_mnemonic(_("_Set"));

  adw_header_bar_set_show_end_title_buttons(ADW_HEADER_BAR(bar), FALSE);
  adw_header_bar_set_show_start_title_buttons(ADW_HEADER_BAR(bar), FALSE);
  gtk_widget_add_css_class(set, "suggested-action");
  gtk_widget_set_sensitive(set, FALSE);
  g_signal_connect_swapped(cancel, "clicked", G_CALLBACK(gtk_window_close), dialog->window);
  g_signal_connect_swapped(set, "clicked", G_CALLBACK(on_set), dialog);
  adw_header_bar_pack_start(ADW_HEADER_BAR(bar), cancel);
  adw_header_bar_pack_end(ADW_HEADER_BAR(bar), set);
  dialog->set = GTK_BUTTON(set);
  return bar;
}

void
desktop_key_dialog_present(DesktopSettings *settings, const DesktopKey *key, GtkWindow *parent)
{
  KeyDialog *dialog = g_new0(KeyDialog, 1);
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkEventController *keys = gtk_event_controller_key_new();

  dialog->settings = g_object_ref(settings);
  dialog->key = key;
  dialog->window = GTK_WINDOW(adw_window_new());
  gtk_window_set_title(dialog->window, _("Change Keys"));
  gtk_window_set_modal(dialog->window, TRUE);
  gtk_window_set_transient_for(dialog->window, parent);
  gtk_window_set_destroy_with_parent(dialog->window, TRUE);
  gtk_window_set_default_size(dialog->window, 420, -1);
  gtk_box_append(GTK_BOX(box), bar_new(dialog));
  gtk_box_append(GTK_BOX(box), content_new(dialog));
  adw_window_set_content(ADW_WINDOW(dialog->window), box);
  gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
  g_signal_connect(keys, "key-pressed", G_CALLBACK(on_pressed), dialog);
  gtk_widget_add_controller(GTK_WIDGET(dialog->window), keys);
  g_object_set_data_full(G_OBJECT(dialog->window), "dialog", dialog, dialog_free);
  gtk_window_present(dialog->window);
  /* Not the program's: its keys are to be pressed here. */
  gtk_window_set_application(dialog->window, NULL);
}
