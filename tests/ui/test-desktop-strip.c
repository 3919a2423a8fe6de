/* test-desktop-strip.c - the strip by real events: what it lists, asks for, and lets choose. */
#include <adwaita.h>

#include "app_key_image.h"
#include "desktop-fixture.h"
#include "desktop-hands.h"
#include "strip/strip-private.h"

typedef struct {
  char *folder;
  AppStudy *study;
  GtkWindow *window;
  DesktopStrip *strip; /* borrowed; NULL once it is finalised */
  GString *chosen;     /* "series 1, " ... */
} Fixture;

static void
on_series(DesktopStrip *strip, guint series, Fixture *f)
{
  g_string_append_printf(f->chosen, "series %u, ", series);
}

static void
on_image(DesktopStrip *strip, guint series, guint index, Fixture *f)
{
  g_string_append_printf(f->chosen, "image %u/%u, ", series, index);
}

static void
on_document(DesktopStrip *strip, guint document, Fixture *f)
{
  g_string_append_printf(f->chosen, "document %u, ", document);
}

static void
write_series(Fixture *f, guint number, TinyDicom dicom, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf("%04u-%u.dcm", number, i);
    g_autofree char *path = g_build_filename(f->folder, name, NULL);
    g_autofree char *uid = g_strdup_printf("1.2.%u.%u", number + 1, i + 1);
    g_autofree char *series = g_strdup_printf("1.3.%u", number + 1);

    dicom.rows = 40;
    dicom.columns = 48;
    dicom.uid = uid;
    dicom.series_uid = series;
    dicom.z = i;
    dicom.instance = (int)i + 1;
    dicom.patient_name = "DOE^JANE";
    tiny_dicom_write(path, &dicom);
  }
}

/* Of the study before, series 0; of the study of today, series 1 (a stack) and 2. */
static void
write_two_studies(Fixture *f)
{
  write_series(f, 0,
               (TinyDicom){.study_uid = "1.9.1",
                           .study_date = "20240105",
                           .study_description = "Before",
                           .series_description = "Old"},
               1);
  write_series(f, 1,
               (TinyDicom){.study_uid = "1.9.2",
                           .study_date = "20260312",
                           .study_description = "Today",
                           .series_description = "Axial"},
               3);
  write_series(
      f, 2,
      (TinyDicom){.study_uid = "1.9.2", .study_date = "20260312", .series_description = "Coronal"},
      1);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  f->folder = tiny_folder_new();
  f->chosen = g_string_new(NULL);
  f->window = GTK_WINDOW(gtk_window_new());
  f->strip = g_object_new(DESKTOP_TYPE_STRIP, NULL);
  g_object_add_weak_pointer(G_OBJECT(f->strip), (gpointer *)&f->strip);
  g_signal_connect(f->strip, "series-chosen", G_CALLBACK(on_series), f);
  g_signal_connect(f->strip, "image-chosen", G_CALLBACK(on_image), f);
  g_signal_connect(f->strip, "document-chosen", G_CALLBACK(on_document), f);
  gtk_window_set_default_size(f->window, 260, 700);
  gtk_window_set_child(f->window, GTK_WIDGET(f->strip));
  gtk_window_present(f->window);
}

static void
open_study(Fixture *f)
{
  g_autoptr(GError) error = NULL;

  f->study = app_study_open(f->folder, &error);
  g_assert_no_error(error);
  desktop_strip_set_study(f->strip, f->study);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  gtk_window_destroy(f->window);
  wait_until(!f->strip);
  app_study_free(f->study);
  tiny_folder_free(f->folder);
  g_string_free(f->chosen, TRUE);
}

static DesktopStripItem *
item_at(Fixture *f, guint position)
{
  g_autoptr(DesktopStripItem) item = g_list_model_get_item(G_LIST_MODEL(f->strip->store), position);

  g_assert_nonnull(item);
  return item; /* the store's */
}

/* The row of POSITION, once it is laid out in sight. */
static GtkWidget *
row_at(Fixture *f, guint position)
{
  DesktopStripItem *item = item_at(f, position);

  for (guint i = 0; i < f->strip->rows->len; i++) {
    GtkWidget *row = f->strip->rows->pdata[i];
    if (desktop_strip_row_get_item(DESKTOP_STRIP_ROW(row)) == item &&
        gtk_widget_get_height(row) > 0) {
      return row;
    }
  }
  return NULL;
}

static void
click(Fixture *f, guint position)
{
  wait_until(row_at(f, position));
  hands_focus(GTK_WIDGET(f->strip));
  hands_click(row_at(f, position));
}

static guint
n_thumbnails(Fixture *f)
{
  guint n = 0;

  for (guint i = 0; i < f->strip->items->len; i++) {
    n += ((DesktopStripItem *)f->strip->items->pdata[i])->thumbnail != NULL;
  }
  return n;
}

static gboolean
is_quiet(Fixture *f)
{
  return f->strip->looking == 0 && f->strip->asking->len == 0;
}

/* ---- what is listed ------------------------------------------------------------------------- */

static void
test_order(Fixture *f, gconstpointer data)
{
  static const char *const titles[] = {"Axial", "Coronal", "Old"};
  g_autofree char *date = desktop_strip_date("20260312");
  DesktopStripItem *item;

  write_two_studies(f);
  open_study(f);
  g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(f->strip->store)), ==, 5);
  item = item_at(f, 0);
  g_assert_cmpint(item->kind, ==, DESKTOP_STRIP_STUDY);
  g_assert_cmpstr(item->title, ==, date);
  g_assert_cmpstr(item->subtitle, ==, "Today");
  g_assert_cmpstr(item->tag, ==, "Current");
  item = item_at(f, 3);
  g_assert_cmpint(item->kind, ==, DESKTOP_STRIP_STUDY);
  g_assert_cmpstr(item->tag, ==, "Prior");
  for (guint i = 0; i < 3; i++) {
    item = item_at(f, i < 2 ? i + 1 : 4);
    g_assert_cmpint(item->kind, ==, DESKTOP_STRIP_SERIES);
    g_assert_cmpstr(item->title, ==, titles[i]);
  }
  g_assert_cmpstr(item_at(f, 1)->subtitle, ==, "CT · 3 images");
  g_assert_cmpstr(item_at(f, 2)->subtitle, ==, "CT · 1 image");
  g_assert_cmpuint(desktop_strip_first_series(f->strip), ==, 1);
  g_assert_true(desktop_strip_has_choice(f->strip));
  /* Nothing, after something. */
  desktop_strip_set_study(f->strip, NULL);
  g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(f->strip->store)), ==, 0);
  g_assert_cmpuint(desktop_strip_first_series(f->strip), ==, G_MAXUINT);
}

/* Two persons in one folder: nobody is to take the one for the other. */
static void
test_patients(Fixture *f, gconstpointer data)
{
  write_series(f, 0, (TinyDicom){.study_uid = "1.9.1", .patient_id = "A"}, 1);
  write_series(f, 1, (TinyDicom){.study_uid = "1.9.2", .patient_id = "B", .study_description = "X"},
               1);
  open_study(f);
  g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(f->strip->store)), ==, 4);
  g_assert_cmpstr(item_at(f, 0)->title, ==, "Study Without a Date");
  g_assert_cmpstr(item_at(f, 0)->subtitle, ==, "DOE, JANE");
  g_assert_cmpstr(item_at(f, 0)->tag, ==, "Current");
  g_assert_cmpstr(item_at(f, 2)->subtitle, ==, "DOE, JANE · X");
  g_assert_cmpstr(item_at(f, 2)->tag, ==, "Current");
}

static void
test_refused(Fixture *f, gconstpointer data)
{
  g_autofree char *bad = g_build_filename(f->folder, "bad.dcm", NULL);

  write_series(f, 0, (TinyDicom){.series_description = "Axial"}, 2);
  open_study(f);
  g_assert_false(desktop_strip_has_choice(f->strip));
  g_assert_cmpstr(gtk_label_get_text(f->strip->summary_label), ==, "2 of 2 files shown");
  g_assert_false(gtk_widget_get_visible(GTK_WIDGET(f->strip->refused_button)));
  desktop_strip_set_study(f->strip, NULL);
  app_study_free(f->study);
  g_assert_true(g_file_set_contents(bad, "\x89PNG\r\n\x1a\n but no more", -1, NULL));
  open_study(f);
  g_assert_true(desktop_strip_has_choice(f->strip));
  g_assert_true(gtk_widget_get_visible(GTK_WIDGET(f->strip->refused_button)));
  g_assert_cmpstr(gtk_menu_button_get_label(f->strip->refused_button), ==,
                  "2 of 3 files shown, 1 refused");
  g_assert_true(g_str_has_prefix(gtk_label_get_text(f->strip->refused_text), "bad.dcm: "));
}

static void
test_progress(Fixture *f, gconstpointer data)
{
  AppStudyProgress progress = {
      .series = 1, .n_images = 3, .n_ready = 1, .n_failed = 1, .is_loading = TRUE};
  g_autofree char *during = NULL, *after = NULL, *other = NULL;

  write_two_studies(f);
  open_study(f);
  desktop_strip_set_progress(f->strip, &progress);
  during = desktop_strip_item_progress(item_at(f, 1));
  g_assert_cmpstr(during, ==, "1 of 3 loaded, 1 refused");
  progress = (AppStudyProgress){.series = 2, .n_images = 1, .n_ready = 1};
  desktop_strip_set_progress(f->strip, &progress);
  /* What was refused stays told. */
  after = desktop_strip_item_progress(item_at(f, 1));
  g_assert_cmpstr(after, ==, "1 of 3 loaded, 1 refused");
  g_assert_false(item_at(f, 1)->is_loading);
  other = desktop_strip_item_progress(item_at(f, 2));
  g_assert_cmpstr(other, ==, "");
}

/* ---- choosing ------------------------------------------------------------------------------- */

static void
test_click(Fixture *f, gconstpointer data)
{
  write_two_studies(f);
  open_study(f);
  click(f, 2);
  wait_until(g_str_equal(f->chosen->str, "series 2, "));
  click(f, 4);
  wait_until(g_str_equal(f->chosen->str, "series 2, series 0, "));
  /* A heading is not to be chosen, nor what is shown already. */
  click(f, 3);
  click(f, 4);
  click(f, 1);
  wait_until(g_str_equal(f->chosen->str, "series 2, series 0, series 1, "));
  /* The active pane changed: told, not chosen. */
  desktop_strip_select(f->strip, 0);
  g_assert_cmpuint(gtk_single_selection_get_selected(f->strip->selection), ==, 4);
  desktop_strip_select(f->strip, G_MAXUINT);
  g_assert_cmpuint(gtk_single_selection_get_selected(f->strip->selection), ==,
                   GTK_INVALID_LIST_POSITION);
  g_assert_cmpstr(f->chosen->str, ==, "series 2, series 0, series 1, ");
}

static void
test_keys(Fixture *f, gconstpointer data)
{
  write_two_studies(f);
  open_study(f);
  click(f, 1);
  wait_until(g_str_equal(f->chosen->str, "series 1, "));
  hands("key", "Down");
  wait_until(g_str_equal(f->chosen->str, "series 1, series 2, "));
}

static void
test_document(Fixture *f, gconstpointer data)
{
  const char *report = "/usr/lib/python3/dist-packages/pydicom/data/test_files/reportsi.dcm";
  g_autofree char *copy = g_build_filename(f->folder, "report.dcm", NULL), *bytes = NULL;
  gsize n;

  if (!g_file_get_contents(report, &bytes, &n, NULL)) {
    g_test_skip("python3-pydicom is not there");
    return;
  }
  g_assert_true(g_file_set_contents(copy, bytes, (gssize)n, NULL));
  write_series(f, 0, (TinyDicom){.series_description = "Axial"}, 1);
  open_study(f);
  /* One series of a study, that of the report, is another study: no heading for who has no image.
   */
  g_assert_cmpint(item_at(f, 1)->kind, ==, DESKTOP_STRIP_HEADING);
  g_assert_cmpint(item_at(f, 2)->kind, ==, DESKTOP_STRIP_DOCUMENT);
  click(f, 2);
  wait_until(g_str_equal(f->chosen->str, "document 0, "));
  /* From the series, past the heading, by key. */
  click(f, 0);
  wait_until(g_str_has_suffix(f->chosen->str, "series 0, "));
  g_string_truncate(f->chosen, strlen("document 0, "));
  hands("key", "Down");
  hands("key", "Down");
  hands("key", "Return");
  wait_until(g_str_equal(f->chosen->str, "document 0, document 0, "));
}

static void
test_key_images(Fixture *f, gconstpointer data)
{
  write_two_studies(f);
  open_study(f);
  g_assert_false(gtk_widget_get_sensitive(GTK_WIDGET(f->strip->keys_only)));
  app_study_set_key(f->study, 1, 2, TRUE);
  app_study_set_key(f->study, 1, 0, TRUE);
  app_study_set_key(f->study, 0, 0, TRUE);
  desktop_strip_update_keys(f->strip);
  g_assert_cmpuint(item_at(f, 1)->n_keys, ==, 2);
  wait_until(gtk_widget_get_height(GTK_WIDGET(f->strip->keys_only)) > 0);
  hands_click(GTK_WIDGET(f->strip->keys_only));
  wait_until(gtk_toggle_button_get_active(f->strip->keys_only));
  g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(f->strip->store)), ==, 3);
  g_assert_cmpstr(item_at(f, 0)->title, ==, "Image 1 of 3");
  click(f, 1);
  wait_until(g_str_equal(f->chosen->str, "image 1/2, "));
  wait_until(item_at(f, 1)->thumbnail);
  /* The last one gone, all is listed again. */
  app_study_set_key(f->study, 1, 2, FALSE);
  app_study_set_key(f->study, 1, 0, FALSE);
  app_study_set_key(f->study, 0, 0, FALSE);
  desktop_strip_update_keys(f->strip);
  g_assert_false(gtk_toggle_button_get_active(f->strip->keys_only));
  g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(f->strip->store)), ==, 5);
}

static gboolean
on_drop(GtkDropTarget *target, const GValue *value, double x, double y, Fixture *f)
{
  g_string_append_printf(f->chosen, "dropped %u, ", g_value_get_uint(value));
  return TRUE;
}

/* A series is carried to where a pane would be. */
static void
test_drag(Fixture *f, gconstpointer data)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0), *pane = gtk_label_new("Pane");
  GtkDropTarget *target = gtk_drop_target_new(G_TYPE_UINT, GDK_ACTION_COPY);
  GtkWidget *strip = GTK_WIDGET(f->strip);
  double from_x, from_y, to_x, to_y;

  write_two_studies(f);
  g_object_ref(strip);
  gtk_window_set_child(f->window, NULL);
  gtk_box_append(GTK_BOX(box), strip);
  gtk_box_append(GTK_BOX(box), pane);
  g_object_unref(strip);
  gtk_widget_set_size_request(pane, 300, 300);
  g_signal_connect(target, "drop", G_CALLBACK(on_drop), f);
  gtk_widget_add_controller(pane, GTK_EVENT_CONTROLLER(target));
  gtk_window_set_child(f->window, box);
  open_study(f);
  wait_until(row_at(f, 2) && item_at(f, 2)->thumbnail && is_quiet(f));
  wait_until(gtk_widget_get_width(pane) > 0);
  gtk_widget_translate_coordinates(row_at(f, 2), GTK_WIDGET(f->window), 30, 20, &from_x, &from_y);
  gtk_widget_translate_coordinates(pane, GTK_WIDGET(f->window), 100, 100, &to_x, &to_y);
  for (guint tries = 0; tries < 5 && !strstr(f->chosen->str, "dropped"); tries++) {
    g_autofree char *x = g_strdup_printf("%d", (int)from_x),
                    *y = g_strdup_printf("%d", (int)from_y);
    g_autofree char *x1 = g_strdup_printf("%d", (int)from_x + 30);
    g_autofree char *x2 = g_strdup_printf("%d", (int)to_x), *y2 = g_strdup_printf("%d", (int)to_y);
    g_autofree char *x3 = g_strdup_printf("%d", (int)to_x + 5);

    hands("mousemove", x, y, "mousedown", "1", "sleep", "0.1", "mousemove", x1, y, "sleep", "0.2",
          "mousemove", x2, y2, "sleep", "0.2", "mousemove", x3, y2, "sleep", "0.2", "mouseup", "1",
          "sleep", "0.2");
  }
  wait_until(strstr(f->chosen->str, "dropped 2, "));
}

/* ---- thumbnails ----------------------------------------------------------------------------- */

/* Of many series only those in sight are decoded. */
static void
test_many(Fixture *f, gconstpointer data)
{
  GtkAdjustment *adjustment;
  DesktopStripItem *last;
  guint n;

  for (guint i = 0; i < 300; i++) {
    g_autofree char *title = g_strdup_printf("Series %u", i + 1);
    write_series(f, i, (TinyDicom){.series_description = title}, 1);
  }
  open_study(f);
  wait_until(n_thumbnails(f) >= 5 && is_quiet(f));
  n = n_thumbnails(f);
  g_assert_cmpuint(n, <, 20); /* 700 pixels hold ten */
  g_assert_cmpint(gdk_texture_get_width(((DesktopStripItem *)f->strip->items->pdata[0])->thumbnail),
                  ==, DESKTOP_STRIP_THUMBNAIL);
  adjustment = gtk_scrolled_window_get_vadjustment(f->strip->scroller);
  last = f->strip->items->pdata[299];
  g_assert_null(last->thumbnail);
  gtk_adjustment_set_value(adjustment, gtk_adjustment_get_upper(adjustment));
  wait_until(last->thumbnail && is_quiet(f));
  g_assert_cmpuint(n_thumbnails(f), <, 3 * n);
}

/* What cannot be decoded has none, is not asked for again, and harms nobody. */
static void
test_broken(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->folder, "0000-0.dcm", NULL);
  DesktopStripItem *broken, *good;

  write_two_studies(f);
  open_study(f);
  g_assert_cmpint(g_remove(path), ==, 0);
  good = item_at(f, 1);
  broken = item_at(f, 4);
  wait_until(good->thumbnail && broken->asked && is_quiet(f));
  g_assert_null(broken->thumbnail);
}

/* The study goes while thumbnails are under way. */
static void
test_closed(Fixture *f, gconstpointer data)
{
  write_two_studies(f);
  open_study(f);
  wait_until(f->strip->asking->len > 0);
  desktop_strip_set_study(f->strip, NULL);
  app_study_free(f->study);
  open_study(f);
  wait_until(n_thumbnails(f) == 3 && is_quiet(f));
  desktop_strip_set_study(f->strip, f->study);
  wait_until(f->strip->asking->len > 0);
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf("/desktop/strip/%s", name);

  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("GTK_A11Y", "none", TRUE);
  adw_init();
  add("order", test_order);
  add("patients", test_patients);
  add("refused", test_refused);
  add("progress", test_progress);
  add("click", test_click);
  add("keys", test_keys);
  add("document", test_document);
  add("key-images", test_key_images);
  add("drag", test_drag);
  add("many", test_many);
  add("broken", test_broken);
  add("closed", test_closed);
  return g_test_run();
}
