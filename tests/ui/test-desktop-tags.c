/* test-desktop-tags.c - the tag browser by real events: it lists, searches, copies and follows. */
#include <adwaita.h>
#include <string.h>

#include "desktop-fixture.h"
#include "desktop-hands.h"
#include "tags/tags-private.h"

typedef struct {
  char *folder;
  AppStudy *study;
  DesktopTags *tags; /* NULL once it is finalised */
  char *clipboard;
  gboolean read;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  f->folder = fixture_study_new(3);
  f->study = app_study_open(f->folder, &error);
  g_assert_no_error(error);
  f->tags = desktop_tags_new(NULL);
  g_object_add_weak_pointer(G_OBJECT(f->tags), (gpointer *)&f->tags);
  gtk_window_present(GTK_WINDOW(f->tags));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  if (f->tags) {
    gtk_window_destroy(GTK_WINDOW(f->tags));
  }
  wait_until(!f->tags);
  app_study_free(f->study);
  tiny_folder_free(f->folder);
  g_free(f->clipboard);
}

static guint
n_found(Fixture *f)
{
  return g_list_model_get_n_items(G_LIST_MODEL(f->tags->found));
}

static void
show(Fixture *f, guint index)
{
  g_autofree char *label = g_strdup_printf("CT %u/3", index + 1);

  desktop_tags_show(f->tags, f->study, 0, index, label);
  wait_until(!f->tags->reading);
  g_assert_cmpuint(n_found(f), >, 0);
}

/* The value of element TAG, or NULL. Borrowed. */
static const char *
value_of(Fixture *f, const char *tag)
{
  for (guint i = 0; i < n_found(f); i++) {
    g_autoptr(DesktopTagItem) item = g_list_model_get_item(G_LIST_MODEL(f->tags->found), i);
    if (strcmp(desktop_tag_item_get(item)->tag, tag) == 0) {
      return desktop_tag_item_get(item)->value;
    }
  }
  return NULL;
}

static void
search(Fixture *f, const char *text)
{
  hands_focus(GTK_WIDGET(f->tags));
  hands("key", "ctrl+f");
  hands("key", "ctrl+a");
  hands("type", "--delay", "5", text);
  wait_until(strcasecmp(f->tags->text, text) == 0);
}

static void
test_list(Fixture *f, gconstpointer data)
{
  g_assert_cmpstr(gtk_stack_get_visible_child_name(f->tags->pages), ==, "nothing");
  show(f, 0);
  g_assert_cmpstr(value_of(f, "(0008,0060)"), ==, "CT");
  g_assert_cmpstr(value_of(f, "(0020,0013)"), ==, "1");
  g_assert_cmpstr(adw_window_title_get_subtitle(f->tags->title), ==, "CT 1/3");
  g_assert_cmpstr(gtk_stack_get_visible_child_name(f->tags->pages), ==, "list");
  g_assert_nonnull(strstr(gtk_label_get_text(f->tags->count), "elements"));
}

/* By tag, name, representation and value, whatever the case. */
static void
test_search(Fixture *f, gconstpointer data)
{
  show(f, 0);
  search(f, "seriesdesc");
  g_assert_cmpuint(n_found(f), ==, 1);
  g_assert_cmpstr(value_of(f, "(0008,103E)"), ==, "Axial");
  g_assert_true(g_str_has_prefix(gtk_label_get_text(f->tags->count), "1 of "));
  search(f, "axial");
  g_assert_cmpuint(n_found(f), ==, 1);
  search(f, "(0008,");
  g_assert_cmpuint(n_found(f), >, 2);
  g_assert_null(value_of(f, "(0020,0013)"));
  search(f, "nothing has this");
  g_assert_cmpuint(n_found(f), ==, 0);
  g_assert_cmpstr(gtk_stack_get_visible_child_name(f->tags->pages), ==, "nothing");
  hands("key", "ctrl+a", "BackSpace");
  wait_until(n_found(f) > 10);
}

static AppTag *
tag_new(guint depth, const char *tag, const char *keyword)
{
  AppTag *made = g_new0(AppTag, 1);

  *made = (AppTag){depth, g_strdup(tag), g_strdup("SQ"), g_strdup(keyword), g_strdup("")};
  return made;
}

/* What is found in a sequence is shown in it, with the sequences around it, and no others. */
static void
test_nested(Fixture *f, gconstpointer data)
{
  static const struct {
    guint depth;
    const char *keyword;
    gboolean found;
  } rows[] = {{0, "First", FALSE}, {1, "Inner", FALSE}, {0, "Second", TRUE}, {1, "Before", FALSE},
              {1, "Inner", TRUE},  {2, "Deep", FALSE},  {2, "Wanted", TRUE}, {1, "Wanted", TRUE},
              {1, "After", FALSE}, {0, "Third", FALSE}, {0, "Wanted", TRUE}};
  g_autoptr(GString) found = g_string_new(NULL), expected = g_string_new(NULL);

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(DesktopTagItem) item =
        desktop_tag_item_new(tag_new(rows[i].depth, "(0008,0100)", rows[i].keyword));
    g_list_store_append(f->tags->store, item);
    if (rows[i].found) {
      g_string_append_printf(expected, "%u%s ", rows[i].depth, rows[i].keyword);
    }
  }
  search(f, "wanted");
  for (guint i = 0; i < n_found(f); i++) {
    g_autoptr(DesktopTagItem) item = g_list_model_get_item(G_LIST_MODEL(f->tags->found), i);
    const AppTag *tag = desktop_tag_item_get(item);
    g_string_append_printf(found, "%u%s ", tag->depth, tag->keyword);
  }
  g_assert_cmpstr(found->str, ==, expected->str);
  g_assert_cmpstr(gtk_label_get_text(f->tags->count), ==, "3 of 11 elements");
}

/* Another image of the series changes values, not lines; what is selected stays so. */
static void
test_follow(Fixture *f, gconstpointer data)
{
  g_autoptr(DesktopTagItem) before = NULL, after = NULL;
  guint n;

  show(f, 0);
  n = n_found(f);
  before = g_list_model_get_item(G_LIST_MODEL(f->tags->found), 5);
  gtk_single_selection_set_selected(f->tags->selection, 5);
  show(f, 2);
  g_assert_cmpuint(n_found(f), ==, n);
  g_assert_cmpstr(value_of(f, "(0020,0013)"), ==, "3");
  after = g_list_model_get_item(G_LIST_MODEL(f->tags->found), 5);
  g_assert_true(before == after);
  g_assert_cmpuint(gtk_single_selection_get_selected(f->tags->selection), ==, 5);
  /* A search of what only the other image has. */
  search(f, "1.2.3.4.2");
  g_assert_cmpuint(n_found(f), ==, 0);
  desktop_tags_show(f->tags, f->study, 0, 1, "CT 2/3");
  wait_until(n_found(f) > 0);
}

/* Faster than anything is read: the last one counts. */
static void
test_fast(Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 20; i++) {
    desktop_tags_show(f->tags, f->study, 0, i % 3, "CT");
  }
  wait_until(!f->tags->reading);
  g_assert_cmpstr(value_of(f, "(0020,0013)"), ==, "2");
  /* The study goes. */
  desktop_tags_show(f->tags, f->study, 0, 0, "CT 1/3");
  desktop_tags_show(f->tags, NULL, 0, 0, NULL);
  wait_until(!f->tags->reading);
  g_assert_cmpuint(n_found(f), ==, 0);
}

static void
on_text(GObject *clipboard, GAsyncResult *result, gpointer data)
{
  Fixture *f = data;

  g_free(f->clipboard);
  f->clipboard = gdk_clipboard_read_text_finish(GDK_CLIPBOARD(clipboard), result, NULL);
  f->read = TRUE;
}

static const char *
pasted(Fixture *f)
{
  f->read = FALSE;
  gdk_clipboard_read_text_async(gtk_widget_get_clipboard(GTK_WIDGET(f->tags)), NULL, on_text, f);
  wait_until(f->read);
  return f->clipboard ? f->clipboard : "";
}

static void
test_copy(Fixture *f, gconstpointer data)
{
  show(f, 0);
  search(f, "seriesdesc");
  hands("key", "Return"); /* into the list */
  wait_until(gtk_widget_get_focus_child(GTK_WIDGET(f->tags->view)));
  hands("key", "Down");
  wait_until(gtk_single_selection_get_selected_item(f->tags->selection));
  hands("key", "ctrl+c");
  wait_until(g_str_equal(pasted(f), "Axial"));
  hands("key", "ctrl+shift+c");
  wait_until(g_str_equal(pasted(f), "(0008,103E)\tLO\tSeriesDescription\tAxial"));
}

static void
test_failed(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->folder, "slice-01.dcm", NULL);

  show(f, 0);
  g_assert_cmpint(g_remove(path), ==, 0);
  desktop_tags_show(f->tags, f->study, 0, 1, "CT 2/3");
  wait_until(!f->tags->reading);
  g_assert_cmpuint(n_found(f), ==, 0);
  g_assert_nonnull(strstr(adw_status_page_get_description(f->tags->nothing), "slice-01.dcm"));
  show(f, 2);
}

/* Closed by key, in the middle of reading. */
static void
test_close(Fixture *f, gconstpointer data)
{
  show(f, 0);
  hands_focus(GTK_WIDGET(f->tags));
  desktop_tags_show(f->tags, f->study, 0, 1, "CT 2/3");
  hands("key", "Escape");
  wait_until(!f->tags);
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf("/desktop/tags/%s", name);

  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("GTK_A11Y", "none", TRUE);
  adw_init();
  add("list", test_list);
  add("search", test_search);
  add("nested", test_nested);
  add("follow", test_follow);
  add("fast", test_fast);
  add("copy", test_copy);
  add("failed", test_failed);
  add("close", test_close);
  return g_test_run();
}
