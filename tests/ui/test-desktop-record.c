/* test-desktop-record.c - the log beside the window, found in by keys, and conversations that leave
 * it; with a model that really answers. */
#include "conversation/conversation-private.h"
#include "desktop-fixture.h"
#include "desktop-hands.h"
#include "record/export-dialog.h"
#include "record/record-private.h"
#include "store.h"
#include "window/window-private.h"

typedef struct {
  char *folder, *study, *log, *model;
  AppReviewOptions options;
  DesktopWindow *window; /* borrowed; NULL once it is finalised */
} Fixture;

static void
ask(Fixture *f, const char *question)
{
  desktop_window_ask(f->window, question);
  g_assert_nonnull(f->window->asking);
  wait_until(!f->window->asking);
}

/* Two conversations. */
static void
setup(Fixture *f, gconstpointer data)
{
  g_autoptr(GFile) file = NULL;

  f->folder = tiny_folder_new();
  f->study = fixture_study_new(2);
  f->log = g_build_filename(f->folder, "log.sqlite", NULL);
  f->model = g_build_filename(f->folder, "model.gguf", NULL);
  tiny_model_write(f->folder, f->model);
  f->options = (AppReviewOptions){.model = {.model = f->model}, .log_path = f->log};
  f->window = desktop_window_new(NULL, &f->options);
  g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
  gtk_window_present(GTK_WINDOW(f->window));
  g_object_set(f->window->conversation, "check-blank", FALSE, NULL);
  desktop_window_load_model(f->window);
  wait_until(f->window->review);
  file = g_file_new_for_path(f->study);
  desktop_window_open_files(f->window, &file, 1);
  wait_until(desktop_viewport_get_slice(desktop_window_viewport(f->window)));
  ask(f, "Is there a nodule?");
  desktop_window_new_conversation(f->window);
  wait_until(!f->window->after_check);
  ask(f, "Is the heart enlarged?");
}

static void
teardown(Fixture *f, gconstpointer data)
{
  gtk_window_close(GTK_WINDOW(f->window));
  wait_until(f->window == NULL);
  tiny_folder_free(f->folder);
  tiny_folder_free(f->study);
  g_free(f->log);
  g_free(f->model);
}

static guint
n_shown(DesktopRecord *record)
{
  return g_list_model_get_n_items(G_LIST_MODEL(record->selection));
}

static DesktopRecord *
open_log(Fixture *f)
{
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.log", NULL);
  wait_until(f->window->record && f->window->record->record && n_shown(f->window->record) > 0);
  hands_focus(GTK_WIDGET(f->window->record));
  return f->window->record;
}

/* The event at POSITION, read. */
static const AppEvent *
event_at(DesktopRecord *record, guint position)
{
  g_autoptr(DesktopRecordItem) item =
      g_list_model_get_item(G_LIST_MODEL(record->selection), position);

  wait_until(desktop_record_item_get(item));
  return desktop_record_item_get(item);
}

/* All of it, the newest first, which is that somebody looks; then what is typed and chosen. */
static void
test_found(Fixture *f, gconstpointer data)
{
  DesktopRecord *record = open_log(f);
  const guint all = n_shown(record);
  guint kind = 0;

  g_assert_cmpint(event_at(record, 0)->number, ==, all);
  g_assert_cmpstr(event_at(record, 0)->kind, ==, "viewed");
  g_assert_cmpint(event_at(record, all - 1)->number, ==, 1);
  hands("type", "--delay", "5", "enlarged");
  wait_until(n_shown(record) == 1);
  g_assert_cmpstr(event_at(record, 0)->kind, ==, "turn");
  g_assert_cmpstr(event_at(record, 0)->summary, ==, "Is the heart enlarged?");
  hands("key", "ctrl+a", "key", "BackSpace");
  wait_until(n_shown(record) == all);
  while (g_strcmp0(app_event_kind(kind), "turn") != 0) {
    kind++;
  }
  gtk_drop_down_set_selected(record->kind, kind + 1);
  wait_until(n_shown(record) == 2);
  gtk_toggle_button_set_active(record->failed, TRUE);
  wait_until(n_shown(record) == 0);
  g_assert_cmpstr(gtk_stack_get_visible_child_name(record->pages), ==, "nothing");
}

/* Whether a row of the details has this name and value. */
static gboolean
says(DesktopRecord *record, const char *name, const char *value)
{
  for (int row = 0;; row++) {
    GtkWidget *title = gtk_grid_get_child_at(record->facts, 0, row);
    GtkWidget *text = gtk_grid_get_child_at(record->facts, 1, row);

    if (!title || !text) {
      return FALSE;
    }
    if (g_str_equal(gtk_label_get_text(GTK_LABEL(title)), name)) {
      return g_str_equal(gtk_label_get_text(GTK_LABEL(text)), value);
    }
  }
}

/* An event tells all that it says, and leads to its conversation. */
static void
test_details(Fixture *f, gconstpointer data)
{
  DesktopRecord *record = open_log(f);

  hands("type", "--delay", "5", "nodule");
  wait_until(n_shown(record) == 1);
  event_at(record, 0);
  gtk_single_selection_set_selected(record->selection, 0);
  wait_until(says(record, "Question", "Is there a nodule?"));
  g_assert_true(says(record, "SHA-256", event_at(record, 0)->sha256));
  g_assert_cmpstr(gtk_label_get_text(record->event_title), ==, "Question and answer");
  gtk_widget_activate_action(GTK_WIDGET(record), "record.open", NULL);
  wait_until(desktop_conversation_is_past(f->window->conversation));
  gtk_window_close(GTK_WINDOW(record));
  wait_until(f->window->record == NULL);
}

/* ---- verification ---------------------------------------------------------------------------- */

static void
test_verified(Fixture *f, gconstpointer data)
{
  DesktopRecord *record = open_log(f);

  g_assert_false(gtk_widget_get_visible(record->proof_bar));
  gtk_widget_activate_action(GTK_WIDGET(record), "record.verify", NULL);
  g_assert_true(gtk_widget_get_visible(record->proof_bar));
  g_assert_true(gtk_widget_get_visible(GTK_WIDGET(record->proof_progress)));
  /* Given up, and nothing is said of it afterwards. */
  gtk_widget_activate_action(GTK_WIDGET(record), "record.stop-verifying", NULL);
  g_assert_null(record->verifying);
  hands_rest();
  g_assert_false(gtk_widget_get_visible(record->proof_bar));
  gtk_widget_activate_action(GTK_WIDGET(record), "record.verify", NULL);
  wait_until(!record->verifying);
  g_assert_cmpstr(gtk_label_get_text(record->proof_title), ==, "The Log Is Whole");
  g_assert_false(gtk_widget_get_visible(GTK_WIDGET(record->proof_progress)));
  g_assert_false(gtk_widget_get_visible(record->proof_show));
  g_assert_true(gtk_widget_has_css_class(record->proof_bar, "whole"));
  hands_click(GTK_WIDGET(record->proof_stop));
  wait_until(!gtk_widget_get_visible(record->proof_bar));
  /* Its window may go in the midst of it. */
  gtk_widget_activate_action(GTK_WIDGET(record), "record.verify", NULL);
  gtk_window_close(GTK_WINDOW(record));
  wait_until(f->window->record == NULL);
}

/* A letter of the log's file that was WAS. */
static void
change_file(const char *path, const char *was, char letter)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *bytes = NULL;
  char *found;
  gsize n;

  g_assert_true(g_file_get_contents(path, &bytes, &n, &error));
  g_assert_no_error(error);
  found = memmem(bytes, n, was, strlen(was));
  g_assert_nonnull(found);
  found[strlen(was) - 1] = letter;
  g_assert_true(g_file_set_contents(path, bytes, (gssize)n, &error));
  g_assert_no_error(error);
}

/* A window of the log alone. */
static DesktopRecord *
open_alone(const char *path)
{
  DesktopRecord *record = desktop_record_new(NULL, path);

  g_object_set(gtk_settings_get_default(), "gtk-enable-animations", FALSE, NULL);
  gtk_window_present(GTK_WINDOW(record));
  wait_until(record->record && n_shown(record) > 0);
  return record;
}

static void
close_alone(DesktopRecord *record)
{
  g_object_add_weak_pointer(G_OBJECT(record), (gpointer *)&record);
  gtk_window_destroy(GTK_WINDOW(record));
  wait_until(!record);
}

/* N events, of which each tenth is a setting and each thousandth a file that was refused; in memory
 * where there is a place for that: each of them waits for the disk. */
static char *
big_log_new(guint n, char **folder)
{
  static char memory[] = "/dev/shm/hilum-test-XXXXXX";
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  char *path;

  *folder = g_mkdtemp(memory) ? g_strdup(memory) : tiny_folder_new();
  path = g_build_filename(*folder, "log.sqlite", NULL);
  log = store_log_open(path, FALSE, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < n; i++) {
    g_autofree char *key = g_strdup_printf("key-%05u", i);
    const StoreField field = {"key", key};
    const StoreEvent event = {.kind = i % 1000 == 7 ? "refused"
                                      : i % 10 == 0 ? "setting"
                                                    : "shown",
                              .action = "change",
                              .failed = i % 1000 == 7,
                              .fields = &field,
                              .n_fields = 1};

    store_log_add_event(log, &event, &error);
    g_assert_no_error(error);
  }
  return path;
}

static void
count(GListModel *model, guint position, guint removed, guint added, guint *changes)
{
  (*changes)++;
}

/* A long log: what is not looked at is not read, and what is found is shown as it is found. */
static void
test_long(void)
{
  g_autofree char *folder = NULL, *path = big_log_new(20000, &folder);
  DesktopRecord *record = open_alone(path);
  GtkAdjustment *across = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(
      gtk_widget_get_ancestor(GTK_WIDGET(record->view), GTK_TYPE_SCROLLED_WINDOW)));
  const guint all = n_shown(record);
  guint changes = 0, reads;

  event_at(record, 0);
  hands_rest();
  /* A list makes two hundred lines, which are four pages, and those that the ends of them touch. */
  g_assert_cmpuint(desktop_record_list_n_reads(record->list), <=, 8);
  g_signal_connect(record->selection, "items-changed", G_CALLBACK(count), &changes);
  g_signal_emit_by_name(record->search, "search-changed"); /* of nothing new */
  g_assert_cmpuint(changes, ==, 0);
  gtk_adjustment_set_value(across, gtk_adjustment_get_upper(across));
  event_at(record, all - 1);
  hands_rest();
  reads = desktop_record_list_n_reads(record->list);
  g_assert_cmpuint(reads, <=, 20);
  desktop_record_go_to(record, 10000);
  g_assert_cmpint(event_at(record, gtk_single_selection_get_selected(record->selection))->number,
                  ==, 10000);
  /* A thousand times two, in parts: each line is the right one, and is read. */
  for (guint kind = 0; app_event_kind(kind); kind++) {
    if (g_str_equal(app_event_kind(kind), "setting")) {
      gtk_drop_down_set_selected(record->kind, kind + 1);
    }
  }
  g_assert_nonnull(record->finding);
  wait_until(!record->finding);
  g_assert_cmpuint(n_shown(record), ==, 2000);
  for (guint i = 0; i < 2000; i += 61) {
    g_assert_cmpstr(event_at(record, i)->kind, ==, "setting");
    if (i > 0) {
      g_assert_cmpint(event_at(record, i)->number, ==, event_at(record, i - 1)->number - 10);
    }
  }
  /* An event that is not among them is shown without the filter. */
  desktop_record_go_to(record, 777);
  g_assert_cmpuint(n_shown(record), ==, all);
  g_assert_cmpint(event_at(record, gtk_single_selection_get_selected(record->selection))->number,
                  ==, 777);
  gtk_toggle_button_set_active(record->failed, TRUE);
  wait_until(n_shown(record) == 20);
  close_alone(record);
  tiny_folder_free(g_steal_pointer(&folder));
}

/* The first event that was changed is named, and can be gone to. */
static void
test_changed(void)
{
  g_autofree char *folder = NULL, *path = NULL;
  DesktopRecord *record;

  folder = tiny_folder_new();
  path = g_build_filename(folder, "log.sqlite", NULL);
  {
    g_autoptr(StoreLog) log = store_log_open(path, FALSE, NULL);
    for (guint i = 0; i < 20; i++) {
      const StoreField field = {"key", i == 11 ? "eleven" : "other"};
      const StoreEvent event = {.kind = "setting", .fields = &field, .n_fields = 1};
      g_assert_cmpint(store_log_add_event(log, &event, NULL), >, 0);
    }
  }
  change_file(path, "eleve", 'f');
  record = open_alone(path);
  gtk_widget_activate_action(GTK_WIDGET(record), "record.verify", NULL);
  wait_until(!record->verifying);
  g_assert_cmpstr(gtk_label_get_text(record->proof_title), ==, "The Log Was Changed");
  g_assert_cmpint(record->proof_first, >, 11);
  g_assert_true(gtk_widget_has_css_class(record->proof_bar, "changed"));
  g_assert_true(gtk_widget_get_visible(record->proof_show));
  gtk_widget_activate_action(GTK_WIDGET(record), "record.show-first", NULL);
  g_assert_cmpint(
      desktop_record_item_get_number(gtk_single_selection_get_selected_item(record->selection)), ==,
      record->proof_first);
  close_alone(record);
  tiny_folder_free(g_steal_pointer(&folder));
}

/* ---- exports --------------------------------------------------------------------------------- */

static DesktopExportDialog *
dialog(void)
{
  GListModel *all = gtk_window_get_toplevels();

  for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(all, i);
    if (DESKTOP_IS_EXPORT_DIALOG(window)) {
      return (DesktopExportDialog *)window;
    }
  }
  return NULL;
}

/* The folder that an export has made below FOLDER; NULL: none. */
static char *
made(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name(dir))) {
    if (g_str_has_prefix(name, "hilum-export-")) {
      return g_build_filename(folder, name, NULL);
    }
  }
  return NULL;
}

#define CHILD(name)                                                                                \
  GTK_WIDGET(gtk_widget_get_template_child(GTK_WIDGET(dialog()), DESKTOP_TYPE_EXPORT_DIALOG, name))

/* All of it, into a folder, as PDF. */
static void
test_export(Fixture *f, gconstpointer data)
{
  g_autofree char *folder = tiny_folder_new(), *out = NULL, *one = NULL, *two = NULL;
  GtkWidget *export;

  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.export", NULL);
  wait_until(dialog());
  desktop_export_dialog_set_folder(dialog(), folder);
  hands_focus(GTK_WIDGET(dialog()));
  export = GTK_WIDGET(
      gtk_widget_get_template_child(GTK_WIDGET(dialog()), DESKTOP_TYPE_EXPORT_DIALOG, "export"));
  hands_click(export);
  wait_until(!dialog());
  out = made(folder);
  g_assert_nonnull(out);
  one = g_build_filename(out, "conversation-1.pdf", NULL);
  two = g_build_filename(out, "conversation-2.pdf", NULL);
  g_assert_true(g_file_test(one, G_FILE_TEST_EXISTS));
  g_assert_true(g_file_test(two, G_FILE_TEST_EXISTS));
  tiny_folder_free(g_steal_pointer(&folder));
}

/* What belongs to the patient's study has the patient's data, and the row says so; a folder that
 * cannot be written is told, and nothing is left. Escape closes. */
static void
test_refused(Fixture *f, gconstpointer data)
{
  GtkWidget *format, *patient, *failure;

  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.export", NULL);
  wait_until(dialog());
  format = CHILD("format");
  patient = CHILD("patient");
  failure = CHILD("failure");
  for (guint i = 0; app_export_format_name(i); i++) {
    adw_combo_row_set_selected(ADW_COMBO_ROW(format), i);
    g_assert_cmpint(gtk_widget_get_sensitive(patient), ==, !app_export_format_needs_patient(i));
    if (app_export_format_needs_patient(i)) {
      g_assert_cmpuint(adw_combo_row_get_selected(ADW_COMBO_ROW(patient)), ==, APP_PATIENT_FULL);
    }
  }
  desktop_export_dialog_set_folder(dialog(), "/proc/nowhere");
  hands_focus(GTK_WIDGET(dialog()));
  hands_click(CHILD("export"));
  wait_until(gtk_widget_get_visible(failure));
  hands("key", "Escape");
  wait_until(!dialog());
}

static void
on_fraction(GtkProgressBar *bar, GParamSpec *pspec, double *most)
{
  *most = MAX(*most, gtk_progress_bar_get_fraction(bar));
}

/* Given up at once, nothing is left and all can be changed again; then it is told how far it is;
 * and its window may be closed in the midst of it. */
static void
test_given_up(Fixture *f, gconstpointer data)
{
  g_autofree char *folder = tiny_folder_new(), *out = NULL;
  GtkWidget *page, *progress, *export, *cancel;
  double most = 0;
  DesktopExportDialog *asking;

  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.export", NULL);
  wait_until(dialog());
  page = CHILD("page");
  progress = CHILD("progress");
  export = CHILD("export");
  cancel = CHILD("cancel");
  desktop_export_dialog_set_folder(dialog(), folder);
  g_signal_emit_by_name(export, "clicked");
  g_assert_true(gtk_widget_get_visible(progress));
  g_assert_false(gtk_widget_get_sensitive(page));
  g_assert_false(gtk_widget_get_sensitive(export));
  g_signal_emit_by_name(cancel, "clicked");
  wait_until(gtk_widget_get_sensitive(page));
  g_assert_false(gtk_widget_get_visible(progress));
  g_assert_false(gtk_widget_get_visible(CHILD("failure")));
  g_assert_null(out = made(folder));
  g_signal_connect(progress, "notify::fraction", G_CALLBACK(on_fraction), &most);
  g_signal_emit_by_name(export, "clicked");
  wait_until(!dialog());
  g_assert_cmpfloat(most, >, 0);
  g_assert_nonnull(out = made(folder));
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.export", NULL);
  wait_until(dialog());
  asking = dialog();
  g_object_add_weak_pointer(G_OBJECT(asking), (gpointer *)&asking);
  g_signal_emit_by_name(CHILD("export"), "clicked");
  gtk_window_destroy(GTK_WINDOW(asking));
  wait_until(!asking);
  tiny_folder_free(g_steal_pointer(&folder));
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *, gconstpointer);
  } tests[] = {{"found", test_found},   {"details", test_details}, {"verified", test_verified},
               {"export", test_export}, {"refused", test_refused}, {"given-up", test_given_up}};
  g_autofree char *config = tiny_folder_new();
  int status;

  g_setenv("GTK_A11Y", "none", TRUE);
  g_setenv("XDG_CONFIG_HOME", config, TRUE);
  g_setenv("XDG_DATA_HOME", config, TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/desktop/record/%s", tests[i].name);
    g_test_add(path, Fixture, NULL, setup, tests[i].run, teardown);
  }
  g_test_add_func("/desktop/record/long", test_long);
  g_test_add_func("/desktop/record/changed", test_changed);
  status = g_test_run();
  tiny_folder_free(g_steal_pointer(&config));
  return status;
}
