/* test-render-reference.c - THE picture of every file there is, beside an independent renderer's:
 * render-reference.py (numpy after pydicom's headers), and DCMTK's tools for a second opinion. */
#include "build.h"
#include "dicom.h"
#include "dicom/frame.h"
#include "shared.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <signal.h>

#define PYTHON "/usr/bin/python3"
#define PYDICOM "/usr/lib/python3/dist-packages/pydicom"

typedef struct {
  GSubprocess *process;
  GDataInputStream *answers;
  char *script;
  guint n_files, n_frames, n_refused, n_skipped, n_second, n_second_wrong, n_wrong;
} Reference;

static char *
script_path(void)
{
  return g_test_build_filename(G_TEST_DIST, "dicom", "render-reference.py", NULL);
}

/* FALSE after saying loudly that there is nothing to compare with. */
static gboolean
have_pydicom(void)
{
  if (g_file_test(PYDICOM, G_FILE_TEST_IS_DIR) && g_file_test(PYTHON, G_FILE_TEST_IS_EXECUTABLE)) {
    return TRUE;
  }
  g_test_skip("python3-pydicom is not installed: NO PICTURE WAS COMPARED with another renderer's");
  return FALSE;
}

static void
reference_start(Reference *r)
{
  g_autoptr(GError) error = NULL;

  r->script = script_path();
  r->process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                                &error, PYTHON, "-W", "ignore", r->script, "serve", NULL);
  g_assert_no_error(error);
  r->answers = g_data_input_stream_new(g_subprocess_get_stdout_pipe(r->process));
}

static void
reference_end(Reference *r)
{
  g_autoptr(GError) error = NULL;

  g_output_stream_close(g_subprocess_get_stdin_pipe(r->process), NULL, &error);
  g_assert_no_error(error);
  g_subprocess_wait_check(r->process, NULL, &error);
  g_assert_no_error(error);
  g_clear_object(&r->answers);
  g_clear_object(&r->process);
  g_clear_pointer(&r->script, g_free);
  g_test_message("%u files, %u frames compared, %u without a readable header for pydicom, %u "
                 "refused by us; %u also with DCMTK",
                 r->n_files, r->n_frames, r->n_skipped, r->n_refused, r->n_second);
}

static void
send_bytes(Reference *r, const void *bytes, gsize n)
{
  g_autoptr(GError) error = NULL;

  g_output_stream_write_all(g_subprocess_get_stdin_pipe(r->process), bytes, n, NULL, NULL, &error);
  g_assert_no_error(error);
}

/* ---- what is asked -----------------------------------------------------------------------------
 */

static void
add_window(GArray *windows, DicomVoi voi, double center, double width, guint lut, gboolean invert)
{
  DicomWindow window = {voi, center, width, lut, invert};

  g_array_append_val(windows, window);
}

/* The default one first. Of a grey frame the functions of PS3.3 C.11.2 too, over the middle of its
 * values, its tables, and all of it turned by the reader. */
static GArray *
choose_windows(const DicomFrame *frame, gboolean many)
{
  GArray *windows = g_array_new(FALSE, TRUE, sizeof(DicomWindow));
  DicomWindow first = dicom_frame_default_window(frame);
  double low, high;

  g_array_append_val(windows, first);
  if (dicom_frame_is_colour(frame) || !many) {
    return windows;
  }
  dicom_frame_range(frame, &low, &high);
  double center = low + (high - low) * 0.4, width = MAX((high - low) / 3, 1);
  first.invert = TRUE;
  g_array_append_val(windows, first);
  add_window(windows, DICOM_VOI_LINEAR, center, width, 0, FALSE);
  add_window(windows, DICOM_VOI_LINEAR_EXACT, center, width, 0, TRUE);
  add_window(windows, DICOM_VOI_SIGMOID, center, width, 0, FALSE);
  for (guint i = 0; i < frame->voi_luts->len; i++) {
    add_window(windows, DICOM_VOI_LUT, 0, 0, i, i == 1);
  }
  return windows;
}

static void
put_number(JsonBuilder *b, const char *name, double value)
{
  json_builder_set_member_name(b, name);
  json_builder_add_double_value(b, value);
}

static void
put_text(JsonBuilder *b, const char *name, const char *value)
{
  json_builder_set_member_name(b, name);
  json_builder_add_string_value(b, value);
}

static void
put_whole(JsonBuilder *b, const char *name, guint64 value)
{
  json_builder_set_member_name(b, name);
  json_builder_add_int_value(b, (gint64)value);
}

static void
put_windows(JsonBuilder *b, const GArray *windows)
{
  static const char *const names[] = {"LINEAR", "LINEAR_EXACT", "SIGMOID", "LUT", "NONE"};

  json_builder_set_member_name(b, "windows");
  json_builder_begin_array(b);
  for (guint i = 0; i < windows->len; i++) {
    const DicomWindow *w = &g_array_index(windows, DicomWindow, i);

    json_builder_begin_object(b);
    /* The first is for the reference to find by itself. */
    put_text(b, "voi", i == 0 || (i == 1 && w->invert) ? "default" : names[w->voi]);
    put_text(b, "function", names[w->voi]);
    put_number(b, "center", w->center);
    put_number(b, "width", w->width);
    put_whole(b, "lut", w->lut);
    json_builder_set_member_name(b, "invert");
    json_builder_add_boolean_value(b, w->invert);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

static void
ask(Reference *r, const char *path, guint index, const DicomFrame *frame, const GArray *windows,
    gboolean second)
{
  static const char *const types[] = {"u8", "s8", "u16", "s16", "u32", "s32", "f32", "f64"};
  g_autoptr(JsonBuilder) b = json_builder_new();
  g_autofree char *name = g_path_get_basename(path);

  json_builder_begin_object(b);
  put_text(b, "path", path);
  put_text(b, "name", name);
  put_whole(b, "frame", index);
  put_whole(b, "width", dicom_frame_width(frame));
  put_whole(b, "height", dicom_frame_height(frame));
  put_whole(b, "samples", frame->samples);
  put_text(b, "type", types[frame->type]);
  put_whole(b, "bytes", frame->n_bytes);
  put_whole(b, "second", second);
  put_windows(b, windows);
  json_builder_end_object(b);
  g_autoptr(JsonNode) node = json_builder_get_root(b);
  g_autofree char *json = json_to_string(node, FALSE);
  g_autofree char *line = g_strconcat(json, "\n", NULL);
  send_bytes(r, line, strlen(line));
  send_bytes(r, frame->stored, frame->n_bytes);
  for (guint i = 0; i < windows->len; i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(DicomPicture) picture =
        dicom_frame_render(frame, i == 0 ? NULL : &g_array_index(windows, DicomWindow, i), &error);

    g_assert_no_error(error);
    send_bytes(r, picture->pixels, (gsize)picture->width * picture->height * 3);
  }
}

/* ---- what is answered --------------------------------------------------------------------------
 */

static void
hear(Reference *r, const char *path, guint index, gboolean may_skip)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autofree char *line = g_data_input_stream_read_line(r->answers, NULL, NULL, &error);

  g_assert_no_error(error);
  g_assert_nonnull(line);
  g_assert_true(json_parser_load_from_data(parser, line, -1, NULL));
  JsonObject *answer = json_node_get_object(json_parser_get_root(parser));
  const char *status = json_object_get_string_member(answer, "status");
  const char *text = json_object_get_string_member(answer, "text");
  if (strcmp(status, "skip") == 0) {
    r->n_skipped++;
    if (!may_skip) {
      g_printerr("%s, frame %u: not judged: %s\n", path, index, text);
      r->n_wrong++;
    }
    return;
  }
  r->n_frames++;
  if (strcmp(status, "ok") != 0) {
    g_printerr("%s, frame %u: %s\n", path, index, text);
    r->n_wrong++;
  }
  if (!json_object_get_null_member(answer, "second")) {
    const char *second = json_object_get_string_member(answer, "second");

    r->n_second++;
    if (second[0]) {
      g_printerr("%s, frame %u: %s\n", path, index, second);
      r->n_second_wrong++;
    }
  }
}

/* First, middle and last frame. HOSTILE: files made to break readers; pydicom may not read their
 * headers, and DCMTK guesses at them. */
static void
compare_file(Reference *r, const char *path, gboolean hostile)
{
  g_autoptr(DicomFile) file = dicom_file_open(path, NULL);

  if (!file || dicom_file_info(file)->kind != DICOM_KIND_DICOM ||
      dicom_file_info(file)->content != DICOM_CONTENT_IMAGE) {
    r->n_refused++;
    return;
  }
  guint n = dicom_file_info(file)->frames;
  const guint indices[] = {0, n / 2, n - 1};
  r->n_files++;
  for (guint i = 0; i < (hostile ? 1 : 3); i++) {
    if (i > 0 && indices[i] == indices[i - 1]) {
      continue;
    }
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, indices[i], NULL);
    if (!frame) {
      r->n_refused++;
      return;
    }
    g_autoptr(GArray) windows = choose_windows(frame, !hostile);
    ask(r, path, indices[i], frame, windows, !hostile && i == 0);
    hear(r, path, indices[i], hostile);
  }
}

static void
expect_agreement(const Reference *r, guint least)
{
  g_assert_cmpuint(r->n_wrong, ==, 0);
  g_assert_cmpuint(r->n_second_wrong, ==, 0);
  g_assert_cmpuint(r->n_frames, >=, least);
}

static gint
by_name(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Files of FOLDER and below in the order of their names; of series of alike slices some, to keep
 * the time. */
static void
compare_folder(Reference *r, const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *base = g_path_get_basename(folder);
  guint stride = g_str_has_prefix(base, "series-") ? 8 : 1;
  gboolean hostile = strstr(folder, "/hostile-fuzz") || strstr(folder, "/broken");
  const char *name;

  g_assert_nonnull(dir);
  while ((name = g_dir_read_name(dir))) {
    g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
  }
  g_ptr_array_sort(paths, by_name);
  for (guint i = 0; i < paths->len; i += stride) {
    if (g_file_test(paths->pdata[i], G_FILE_TEST_IS_DIR)) {
      compare_folder(r, paths->pdata[i]);
    } else {
      compare_file(r, paths->pdata[i], hostile);
    }
  }
}

static void
test_made(void)
{
  g_autofree char *script = script_path();
  g_autoptr(GError) error = NULL;
  Reference r = {0};

  if (!have_pydicom()) {
    return;
  }
  g_autoptr(GSubprocess) maker =
      g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE, &error, PYTHON, "-W", "ignore", script,
                       "make", build_folder(), NULL);
  g_assert_no_error(error);
  g_assert_true(g_subprocess_wait_check(maker, NULL, &error));
  g_assert_no_error(error);
  reference_start(&r);
  compare_folder(&r, build_folder());
  reference_end(&r);
  g_assert_cmpuint(r.n_refused, ==, 0);
  expect_agreement(&r, 100);
}

static void
test_pydicom(void)
{
  Reference r = {0};

  if (!have_pydicom()) {
    return;
  }
  reference_start(&r);
  compare_folder(&r, PYDICOM "/data/test_files");
  reference_end(&r);
  expect_agreement(&r, 30);
}

static void
test_corpus(void)
{
  g_autofree char *corpus = shared_path("corpus/dicom");
  Reference r = {0};

  if (!corpus || !have_pydicom()) {
    return;
  }
  reference_start(&r);
  compare_folder(&r, corpus);
  reference_end(&r);
  expect_agreement(&r, 300);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  signal(SIGPIPE, SIG_IGN); /* a reference that dies is an error with words */
  g_test_add_func("/dicom/render-reference/made", test_made);
  g_test_add_func("/dicom/render-reference/pydicom", test_pydicom);
  g_test_add_func("/dicom/render-reference/corpus", test_corpus);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
