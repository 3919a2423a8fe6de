/* test-desktop-session.c - the running program, driven by mouse and keyboard.
 *
 * $HILUM_DESKTOP_BIN opens a study on the display at hand; xdotool is the hands; what happened is
 * read from the log with $HILUM_BIN.
 */
#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "cli-run.h"
#include "desktop-fixture.h"
#include "record-events.h"

typedef struct {
  char *folder, *study, *log, *model;
  GSubprocess *program;
  char *window; /* X's number of it */
} Session;

static gboolean
has_text(char **text)
{
  return *text && **text;
}

static char *
hands(const char *first, ...)
{
  g_autoptr(GPtrArray) args = g_ptr_array_new();
  g_autoptr(GSubprocess) process = NULL;
  g_autoptr(GError) error = NULL;
  char *out = NULL;
  va_list list;

  g_ptr_array_add(args, (gpointer) "xdotool");
  va_start(list, first);
  for (const char *arg = first; arg; arg = va_arg(list, const char *)) {
    g_ptr_array_add(args, (gpointer)arg);
  }
  va_end(list);
  g_ptr_array_add(args, NULL);
  process =
      g_subprocess_newv((const char *const *)args->pdata,
                        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error);
  g_assert_no_error(error);
  g_subprocess_communicate_utf8(process, NULL, NULL, &out, NULL, &error);
  g_assert_no_error(error);
  return g_strchomp(out);
}

#define do_hands(...)                                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *ignored = hands(__VA_ARGS__, NULL);                                           \
  }                                                                                                \
  G_STMT_END

static gboolean
find_window(Session *s)
{
  g_autofree char *all = hands("search", "--onlyvisible", "--name", "^Hilum$", NULL);

  g_free(s->window);
  s->window = g_strdup(*all ? strtok(all, "\n") : NULL);
  return has_text(&s->window);
}

static void
setup(Session *s, gconstpointer data)
{
  const char *binary = g_getenv("HILUM_DESKTOP_BIN");
  g_autoptr(GError) error = NULL;

  g_assert_nonnull(binary);
  s->folder = tiny_folder_new();
  s->study = fixture_study_new(12);
  s->log = g_build_filename(s->folder, "log.sqlite", NULL);
  s->model = g_build_filename(s->folder, "model.gguf", NULL);
  tiny_model_write(s->folder, s->model);
  s->program = g_subprocess_new(G_SUBPROCESS_FLAGS_NONE, &error, binary, "--model", s->model,
                                "--log", s->log, s->study, NULL);
  g_assert_no_error(error);
  wait_until(find_window(s));
  do_hands("windowfocus", "--sync", s->window);
}

static void
teardown(Session *s, gconstpointer data)
{
  g_object_unref(s->program);
  tiny_folder_free(s->folder);
  tiny_folder_free(s->study);
  g_free(s->log);
  g_free(s->model);
  g_free(s->window);
}

/* All turns of all conversations, oldest first, as `hilum log` tells. */
static JsonArray *
logged(Session *s)
{
  JsonArray *all = json_array_new();
  g_auto(CliRun) list = {0};
  g_auto(GStrv) lines = NULL;

  if (!g_file_test(s->log, G_FILE_TEST_EXISTS)) {
    return all;
  }
  cli_run(&list, NULL, "log", "list", "--json", "--log", s->log, NULL);
  lines = g_strsplit(list.out, "\n", -1);
  for (guint i = g_strv_length(lines); i > 0; i--) {
    g_autoptr(JsonNode) row = *lines[i - 1] ? json_from_string(lines[i - 1], NULL) : NULL;
    if (row) {
      g_autofree char *id = g_strdup_printf(
          "%" G_GINT64_FORMAT, json_object_get_int_member(json_node_get_object(row), "id"));
      g_auto(CliRun) show = {0};
      g_auto(GStrv) turns = NULL;
      cli_run(&show, NULL, "log", "show", id, "--json", "--log", s->log, NULL);
      turns = g_strsplit(show.out, "\n", -1);
      for (char **t = turns; *t; t++) {
        g_autoptr(JsonNode) turn = **t ? json_from_string(*t, NULL) : NULL;
        if (turn) {
          json_array_add_element(all, g_steal_pointer(&turn));
        }
      }
    }
  }
  return all;
}

static gboolean
is_logged(Session *s, guint n)
{
  g_autoptr(JsonArray) all = logged(s);

  return json_array_get_length(all) >= n;
}

/* Types QUESTION and presses Enter until turn N is in the log: the model may still be loading, or
 * the answer before still going on, and Enter does nothing then. On a slow machine the entry may
 * not even take text yet, so what was typed is typed over now and then. */
static void
ask(Session *s, const char *question, guint n)
{
  guint presses = 0;

  do {
    if (presses % 50 == 0) {
      do_hands("windowfocus", "--sync", s->window);
      do_hands("key", "ctrl+l");
      do_hands("key", "ctrl+a");
      do_hands("type", "--delay", "5", question);
    }
    do_hands("key", "Return");
    g_usleep(200000);
    g_assert_cmpuint(++presses, <, 600);
  } while (!is_logged(s, n));
}

static void
check_turn(Session *s, guint turn, const char *question, int first_uid, int last_uid)
{
  g_autoptr(JsonArray) all = logged(s);
  JsonObject *object = json_array_get_object_element(all, turn);
  JsonObject *image = json_object_get_object_member(object, "image");
  const char *uid = json_object_get_string_member(image, "sop_instance_uid");
  gint64 slice = g_ascii_strtoll(strrchr(uid, '.') + 1, NULL, 10);

  g_assert_cmpstr(json_object_get_string_member(object, "question"), ==, question);
  g_assert_cmpstr(json_object_get_string_member(object, "answer"), !=, "");
  g_assert_cmpint(slice, >=, first_uid);
  g_assert_cmpint(slice, <=, last_uid);
}

static double
window_member(Session *s, guint turn, const char *name)
{
  g_autoptr(JsonArray) all = logged(s);
  JsonObject *object = json_array_get_object_element(all, turn);

  return json_object_get_double_member(json_object_get_object_member(object, "image"), name);
}

/* What was done with the program, each once, beside the questions. */
static void
check_events(Session *s)
{
  static const struct {
    const char *kind, *action, *says;
  } once[] = {{"application", "start", "hilum-desktop"},
              {"import", "open", "images: 12"},
              {"loaded", NULL, "sha256: "},
              {"shown", NULL, "last: 12"},
              {"application", "stop", "hilum-desktop"}};

  for (guint i = 0; i < G_N_ELEMENTS(once); i++) {
    g_autoptr(GPtrArray) events = record_events(s->log, once[i].kind, once[i].action);

    g_test_message("%s %s: %u", once[i].kind, once[i].action, events->len);
    g_assert_cmpuint(events->len, ==, 1);
    g_assert_nonnull(strstr(((AppEvent *)events->pdata[0])->facts, once[i].says));
  }
}

static void
test_session(Session *s, gconstpointer data)
{
  ask(s, "Is there a nodule?", 1);
  check_turn(s, 0, "Is there a nodule?", 1, 1);
  g_assert_cmpfloat(window_member(s, 0, "window_width"), ==, 400);

  /* Over the picture: two slices on by the wheel, one by key, and flatter and darker by a drag. */
  do_hands("mousemove", "300", "400", "click", "5", "click", "5", "click", "1");
  do_hands("key", "Down");
  ask(s, "And here?", 2);
  check_turn(s, 1, "And here?", 4, 4);
  do_hands("mousemove", "300", "400", "mousedown", "1", "mousemove", "340", "420", "mousemove",
           "400", "460", "mouseup", "1");
  g_usleep(300000);
  ask(s, "Now?", 3);
  check_turn(s, 2, "Now?", 4, 4);
  g_assert_cmpfloat(window_member(s, 2, "window_width"), >, 450);
  g_assert_cmpfloat(window_member(s, 2, "window_center"), >, 220);

  do_hands("mousemove", "300", "400", "click", "1");
  do_hands("key", "BackSpace");
  do_hands("key", "End");
  g_usleep(300000);
  do_hands("key", "ctrl+d");
  while (!is_logged(s, 4)) {
    g_usleep(100000);
  }
  g_assert_cmpfloat(window_member(s, 3, "window_width"), ==, 400);

  do_hands("key", "ctrl+q");
  g_assert_true(g_subprocess_wait(s->program, NULL, NULL));
  g_assert_true(g_subprocess_get_if_exited(s->program));
  g_assert_cmpint(g_subprocess_get_exit_status(s->program), ==, 0);
  check_events(s);
}

/* The one file below FOLDER as text, or NULL. g_free(). */
static char *
only_file(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name = dir ? g_dir_read_name(dir) : NULL;
  g_autofree char *path = name ? g_build_filename(folder, name, NULL) : NULL;
  char *text = NULL;

  return path && g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* K over the picture: a key image, in a file beside the log; and K again. */
static void
test_key_image(Session *s, gconstpointer data)
{
  g_autofree char *folder = g_build_filename(s->folder, "key-images", NULL), *text = NULL;
  guint presses = 0;

  do { /* until the study is open, K is nobody's */
    g_free(text);
    do_hands("mousemove", "300", "400", "click", "1", "key", "k");
    g_usleep(500000);
    text = only_file(folder);
    g_assert_cmpuint(++presses, <, 120);
  } while (!text || !strstr(text, "1.2.3.4.1")); /* on a slow machine, pressed once too often */
  do_hands("key", "k");
  for (presses = 0; strstr(text, "1.2.3.4.1"); presses++) {
    g_assert_cmpuint(presses, <, 600);
    g_usleep(100000);
    g_free(text);
    text = only_file(folder);
    g_assert_nonnull(text);
  }
  do_hands("key", "ctrl+q");
  g_assert_true(g_subprocess_wait(s->program, NULL, NULL));
}

/* A signal in mid-work ends it as a closed window does. */
static void
test_signal(Session *s, gconstpointer data)
{
  do_hands("key", "ctrl+l");
  do_hands("type", "--delay", "5", "What?");
  do_hands("key", "Return");
  g_subprocess_send_signal(s->program, SIGTERM);
  g_assert_true(g_subprocess_wait(s->program, NULL, NULL));
  g_assert_true(g_subprocess_get_if_exited(s->program));
  g_assert_cmpint(g_subprocess_get_exit_status(s->program), ==, 0);
}

static void
test_misused(void)
{
  const char *binary = g_getenv("HILUM_DESKTOP_BIN");
  g_autoptr(GError) error = NULL;
  g_autoptr(GSubprocess) process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error,
                                                    binary, "--log", "x", "--no-log", NULL);

  g_assert_no_error(error);
  g_subprocess_wait(process, NULL, NULL);
  g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 2);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("GTK_A11Y", "none", TRUE);
  g_test_add("/desktop/session/whole", Session, NULL, setup, test_session, teardown);
  g_test_add("/desktop/session/key-image", Session, NULL, setup, test_key_image, teardown);
  g_test_add("/desktop/session/signal", Session, NULL, setup, test_signal, teardown);
  g_test_add_func("/desktop/session/misused", test_misused);
  return g_test_run();
}
