/* test-cli-remote.c - hilum ask, describe and eval on a server, from outside: what is printed, what
 * is kept, exit statuses, and where the key is not. */
#include <string.h>

#include "app/tiny.h"
#include "cli-run.h"
#include "mock-server.h"

#define KEY "sk-Hq7mTz90aLb"

typedef struct {
  MockServer *server;
  char *folder, *image, *log;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
  const TinyDicom dicom = {.rows = 40,
                           .columns = 60,
                           .uid = "1.2.3.1",
                           .instance = 1,
                           .window = "300\\400",
                           .patient_name = "Quellenbaum^Erika",
                           .image_comments = "Axial slice. No contrast was given."};

  f->server = mock_server_new();
  f->folder = tiny_folder_new();
  f->image = g_build_filename(f->folder, "a.dcm", NULL);
  f->log = g_build_filename(f->folder, "log.sqlite", NULL);
  tiny_dicom_write(f->image, &dicom);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  mock_server_free(f->server);
  g_free(f->image);
  g_free(f->log);
  tiny_folder_free(f->folder);
}

#define SERVER(f)                                                                                  \
  "--engine", (f)->server->url, "--engine-model", "asked-for", "--engine-timeout", "1"

static void
assert_no_secret(const CliRun *run)
{
  g_assert_null(strstr(run->err, KEY));
  g_assert_null(strstr(run->out, KEY));
  g_assert_null(strstr(run->err, "Quellenbaum"));
}

static void
test_ask(Fixture *f, gconstpointer data)
{
  g_auto(CliRun) run = {0}, show = {0}, list = {0};
  g_autofree char *sent_to = g_strconcat(f->server->url, "/v1", NULL);
  g_autofree char *leaves =
      g_strconcat("asked-for on ", f->server->host,
                  " answers: the picture and all questions are sent there.", NULL);
  g_autoptr(GPtrArray) rows = NULL;

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("No, "), MOCK_TEXT("none."), MOCK_FINISH("stop"),
             MOCK_DONE, NULL);
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Nowhere."), MOCK_FINISH("stop"), MOCK_DONE, NULL);
  cli_run(&run, NULL, "ask", SERVER(f), "--image", f->image, "--question", "A nodule?",
          "--question", "Where?", "--greedy", "--log", f->log, NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_cmpstr(run.out, ==, "No, none.\nNowhere.\n");
  g_assert_nonnull(strstr(run.err, leaves));
  assert_no_secret(&run);
  g_assert_nonnull(strstr(mock_body(f->server, 1), "No, none."));

  cli_run(&show, NULL, "log", "show", "1", "--log", f->log, NULL);
  g_assert_nonnull(strstr(show.out, "served"));
  g_assert_nonnull(strstr(show.out, sent_to));
  cli_run(&list, NULL, "log", "list", "--log", f->log, "--json", NULL);
  rows = cli_json_lines(list.out);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(rows->pdata[0]), "engine"), ==,
                  sent_to);
}

static void
test_describe(Fixture *f, gconstpointer data)
{
  g_auto(CliRun) run = {0};
  g_autoptr(GPtrArray) turns = NULL;
  JsonObject *turn;

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("A slice."), MOCK_USAGE, MOCK_DONE, NULL);
  cli_run(&run, NULL, "describe", SERVER(f), "--image", f->image, "--greedy", "--json", "--no-log",
          NULL);
  g_assert_cmpint(run.status, ==, 0);
  turns = cli_json_lines(run.out);
  turn = json_node_get_object(turns->pdata[0]);
  cli_assert_keys(
      turn, "turn turn_id question answer prompt_ids answer_ids stop image images model timing "
            "instruction");
  cli_assert_keys(json_object_get_object_member(turn, "model"), "name sha256 quantization template engine");
  g_assert_cmpstr(
      json_object_get_string_member(json_object_get_object_member(turn, "instruction"), "list"), ==,
      "brief");
  /* What only a model here knows is unknown. */
  g_assert_true(
      json_object_get_null_member(json_object_get_object_member(turn, "timing"), "image_s"));
}

/* A text alone may be asked of a server, which knows whether its model has eyes. */
static void
test_without_image(Fixture *f, gconstpointer data)
{
  g_auto(CliRun) run = {0};

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Hello."), MOCK_DONE, NULL);
  cli_run(&run, "Hello?\n", "ask", SERVER(f), "--no-log", NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_cmpstr(run.out, ==, "Hello.\n");
  g_assert_null(strstr(mock_body(f->server, 0), "image_url"));
  g_assert_null(strstr(run.err, "the picture"));
}

static void
test_failures(Fixture *f, gconstpointer data)
{
  static const char refused[] = "HTTP/1.1 401 No\r\nContent-Type: application/json\r\n"
                                "Connection: close\r\n\r\n"
                                "{\"error\": {\"message\": \"wrong key " KEY "\"}}";
  g_auto(CliRun) key = {0}, broken = {0}, gone = {0}, shown = {0};
  g_autoptr(GPtrArray) turns = NULL;

  mock_reply(f->server, refused, NULL);
  cli_run(&key, NULL, "ask", SERVER(f), "--image", f->image, "--question", "?", "--log", f->log,
          NULL);
  g_assert_cmpint(key.status, ==, 1);
  g_assert_nonnull(strstr(key.err, "HTTP 401, the server does not accept the key"));
  assert_no_secret(&key);

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Half an"), NULL);
  cli_run(&broken, NULL, "ask", SERVER(f), "--image", f->image, "--question", "?", "--log", f->log,
          "--json", NULL);
  g_assert_cmpint(broken.status, ==, 1);
  g_assert_nonnull(strstr(broken.err, "the answer broke off, and what was said is kept"));
  turns = cli_json_lines(broken.out);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(turns->pdata[0]), "stop"), ==,
                  "interrupted");
  cli_run(&shown, NULL, "log", "show", "1", "--log", f->log, NULL);
  g_assert_nonnull(strstr(shown.out, "Half an"));
  g_assert_nonnull(strstr(shown.out, "interrupted"));

  cli_run(&gone, NULL, "ask", "--engine", "http://127.0.0.1:1", "--engine-model", "m", "--image",
          f->image, "--question", "?", "--no-log", NULL);
  g_assert_cmpint(gone.status, ==, 1);
  g_assert_nonnull(strstr(gone.err, "127.0.0.1:1: no server answers there"));
}

static void
test_misuse(Fixture *f, gconstpointer data)
{
  const char *const wrong[][8] = {
      {"--engine", f->server->url},
      {"--engine-model", "m"},
      {"--engine-insecure"},
      {"--engine-timeout", "3"},
      {"--engine", f->server->url, "--engine-model", "m", "--model", "x.gguf"},
      {"--engine", f->server->url, "--engine-model", "m", "--context", "9"},
      {"--engine", f->server->url, "--engine-model", "m", "--engine-timeout", "-1"},
      {"--engine", "http://gpu.example", "--engine-model", "m"},
      {"--engine", "https://me:hunter2@gpu.example", "--engine-model", "m"},
      {"--engine", "gopher://gpu.example", "--engine-model", "m"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(CliRun) run = {0};
    g_autoptr(GPtrArray) args = g_ptr_array_new();

    g_ptr_array_add(args, (gpointer) "ask");
    for (guint k = 0; k < 8 && wrong[i][k]; k++) {
      g_ptr_array_add(args, (gpointer)wrong[i][k]);
    }
    g_ptr_array_add(args, (gpointer) "--question");
    g_ptr_array_add(args, (gpointer) "?");
    g_ptr_array_add(args, (gpointer) "--log");
    g_ptr_array_add(args, f->log);
    g_ptr_array_add(args, NULL);
    cli_runv(&run, NULL, (const char *const *)args->pdata);
    g_test_message("case %u", i);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_null(strstr(run.err, "hunter2"));
    g_assert_false(g_file_test(f->log, G_FILE_TEST_EXISTS));
  }
  g_assert_cmpuint(mock_n_requests(f->server), ==, 0);
}

/* Decoding helpers read foreign files; the key is not in their environment. */
static void
test_key_stays(Fixture *f, gconstpointer data)
{
  g_autofree char *script = g_build_filename(f->folder, "helper.sh", NULL);
  g_autofree char *seen = g_build_filename(f->folder, "seen", NULL);
  g_autofree char *text = g_strdup_printf("#!/bin/sh\ncat /proc/$$/environ > %s\nexec %s\n", seen,
                                          g_getenv("HILUM_DECODE"));
  g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(CLI_RUN_PIPES);
  const char *const args[] = {"ask",        SERVER(f), "--image",  f->image,
                              "--question", "?",       "--no-log", NULL};
  g_autofree char *environment = NULL;
  g_auto(CliRun) run = {0};
  gsize n = 0;

  g_assert_true(g_file_set_contents(script, text, -1, NULL));
  g_chmod(script, 0700);
  g_subprocess_launcher_setenv(launcher, "HILUM_DECODE", script, TRUE);
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("No."), MOCK_DONE, NULL);
  cli_run_launched(&run, launcher, NULL, args);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_true(g_file_get_contents(seen, &environment, &n, NULL));
  g_assert_nonnull(memmem(environment, n, "HILUM_DECODE", strlen("HILUM_DECODE")));
  g_assert_null(memmem(environment, n, KEY, strlen(KEY)));
}

static void
test_eval(Fixture *f, gconstpointer data)
{
  g_autofree char *questions = g_build_filename(f->folder, "q.jsonl", NULL);
  g_autofree char *engine = g_strconcat(f->server->url, "/v1", NULL);
  static const char line[] = "{\"image\": \"a.dcm\", \"text\": \"Normal?\", \"answer\": \"yes\", "
                             "\"answer_type\": \"CLOSED\"}\n";
  g_auto(CliRun) run = {0};
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *report;

  g_assert_true(g_file_set_contents(questions, line, -1, NULL));
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("yes"), MOCK_DONE, NULL);
  cli_run(&run, NULL, "eval", "vqa", SERVER(f), "--questions", questions, "--images", f->folder,
          "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_nonnull(strstr(run.err, "are sent to"));
  lines = cli_json_lines(run.out);
  report = json_node_get_object(lines->pdata[0]);
  g_assert_cmpstr(json_object_get_string_member(report, "engine"), ==, engine);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test)(Fixture *f, gconstpointer data);
  } tests[] = {{"/cli-remote/ask", test_ask},
               {"/cli-remote/describe", test_describe},
               {"/cli-remote/without-image", test_without_image},
               {"/cli-remote/failures", test_failures},
               {"/cli-remote/misuse", test_misuse},
               {"/cli-remote/key-stays", test_key_stays},
               {"/cli-remote/eval", test_eval}};

  g_test_init(&argc, &argv, NULL);
  g_setenv("HILUM_ENGINE_KEY", KEY, TRUE);
  g_setenv("http_proxy", "http://127.0.0.1:1", TRUE); /* which does not matter */
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  }
  return g_test_run();
}
