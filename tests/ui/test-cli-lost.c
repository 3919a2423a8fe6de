/* test-cli-lost.c - the model's file is cut short between two questions of `hilum ask`. */
#include <unistd.h>

#include "app/tiny.h"
#include "cli-run.h"

static void
write_line(GSubprocess *process, const char *line)
{
  g_autoptr(GError) error = NULL;

  g_output_stream_write_all(g_subprocess_get_stdin_pipe(process), line, strlen(line), NULL, NULL,
                            &error);
  g_assert_no_error(error);
}

/* To the end of STREAM. g_free(). */
static char *
read_rest(GInputStream *stream)
{
  g_autoptr(GOutputStream) all = g_memory_output_stream_new_resizable();
  g_autoptr(GBytes) bytes = NULL;

  g_output_stream_splice(all, stream, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, NULL);
  bytes = g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(all));
  return cli_run_text(bytes);
}

static void
test_cut_short(void)
{
  char *folder = tiny_folder_new();
  g_autofree char *model = g_build_filename(folder, "tiny.gguf", NULL);
  g_autofree char *image = g_build_filename(folder, "a.dcm", NULL);
  g_autofree char *log = g_build_filename(folder, "log.sqlite", NULL);
  const TinyDicom dicom = {.rows = 40, .columns = 48, .uid = "1.2.3.1", .instance = 1};
  g_autoptr(GError) error = NULL;
  g_autoptr(GSubprocess) process = NULL;
  g_autofree char *first = NULL, *rest = NULL, *complaint = NULL;
  g_autoptr(GDataInputStream) lines = NULL;

  tiny_model_write(folder, model);
  tiny_dicom_write(image, &dicom);
  process =
      g_subprocess_new(CLI_RUN_PIPES, &error, g_getenv("HILUM_BIN"), "ask", "--json",
                       "--max-tokens", "6", "--model", model, "--image", image, "--log", log, NULL);
  g_assert_no_error(error);
  write_line(process, "What?\n");
  lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(process));
  first = g_data_input_stream_read_line(lines, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_nonnull(strstr(first, "\"answer\""));

  g_assert_cmpint(truncate(model, 4096), ==, 0);
  write_line(process, "And now?\n");
  g_output_stream_close(g_subprocess_get_stdin_pipe(process), NULL, NULL);
  rest = read_rest(G_INPUT_STREAM(lines));
  complaint = read_rest(g_subprocess_get_stderr_pipe(process));
  g_subprocess_wait(process, NULL, NULL);
  g_assert_true(g_subprocess_get_if_exited(process));
  g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 1);
  g_assert_null(strstr(rest, "\"answer\""));
  g_assert_nonnull(strstr(complaint, "tiny.gguf: the model's file was changed or cut short"));
  tiny_folder_free(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/lost/cut-short", test_cut_short);
  return g_test_run();
}
