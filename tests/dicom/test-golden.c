/* test-golden.c - THE picture beside those of other renderers: pydicom with numpy, and DCMTK. */
#include "build.h"
#include "dicom.h"
#include "picture.h"

#include <json-glib/json-glib.h>
#include <math.h>

#define PYDICOM "/usr/lib/python3/dist-packages/pydicom/data/test_files"

static DicomWindow
json_window(JsonArray *window)
{
  const char *kind = json_array_get_string_element(window, 0);

  return (DicomWindow){.voi = strcmp(kind, "SIGMOID") == 0        ? DICOM_VOI_SIGMOID
                              : strcmp(kind, "LINEAR_EXACT") == 0 ? DICOM_VOI_LINEAR_EXACT
                                                                  : DICOM_VOI_LINEAR,
                       .center = json_array_get_double_element(window, 1),
                       .width = json_array_get_double_element(window, 2)};
}

/* Half a grey level of rounding on our side; one level in all, two where pydicom has rounded YBR to
 * RGB before. */
static guint
compare_case(JsonObject *golden, const DicomFrame *frame)
{
  JsonArray *samples = json_object_get_array_member(golden, "samples");
  gboolean has_window = !json_object_get_null_member(golden, "window");
  DicomWindow window = {0};
  guint wrong = 0;

  if (has_window) {
    window = json_window(json_object_get_array_member(golden, "window"));
  }
  g_autoptr(DicomPicture) picture = render(frame, has_window ? &window : NULL);
  g_assert_cmpuint(picture->width, ==, json_object_get_int_member(golden, "width"));
  g_assert_cmpuint(picture->height, ==, json_object_get_int_member(golden, "height"));
  for (guint i = 0; i < json_array_get_length(samples); i++) {
    JsonArray *s = json_array_get_array_element(samples, i);
    gsize at = (gsize)json_array_get_int_element(s, 1) * picture->width +
               (gsize)json_array_get_int_element(s, 0);

    for (guint c = 0; c < 3; c++) {
      if (fabs(picture->pixels[3 * at + c] - json_array_get_double_element(s, 2 + c)) > 1) {
        wrong++;
      }
    }
  }
  return wrong;
}

static void
test_pydicom(void)
{
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) error = NULL;
  g_autofree char *path =
      g_test_build_filename(G_TEST_DIST, "dicom", "golden", "render.json", NULL);

  if (!g_file_test(PYDICOM, G_FILE_TEST_IS_DIR)) {
    g_test_skip("python3-pydicom's test files are not installed");
    return;
  }
  g_assert_true(json_parser_load_from_file(parser, path, &error));
  JsonArray *cases =
      json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), "cases");
  guint n = json_array_get_length(cases), wrong = 0;
  g_assert_cmpuint(n, >, 50);
  for (guint i = 0; i < n; i++) {
    JsonObject *golden = json_array_get_object_element(cases, i);
    const char *name = json_object_get_string_member(golden, "file");
    g_autofree char *file = g_build_filename(PYDICOM, name, NULL);
    g_autoptr(DicomFrame) frame =
        open_frame(file, (guint)json_object_get_int_member(golden, "frame"));

    if (json_object_has_member(golden, "stored_sha256")) {
      g_assert_cmpstr(dicom_frame_sha256(frame), ==,
                      json_object_get_string_member(golden, "stored_sha256"));
    }
    guint here = compare_case(golden, frame);
    if (here > 0) {
      g_test_message("case %u, %s: %u samples are off by more than one level", i, name, here);
    }
    wrong += here;
  }
  g_assert_cmpuint(wrong, ==, 0);
}

/* A binary PGM or PPM; g_free() the pixels. */
static guint8 *
read_pnm(const char *path, guint *width, guint *height, guint *channels)
{
  g_autofree char *text = NULL;
  gsize n;
  guint numbers[3];
  char *at;

  g_assert_true(g_file_get_contents(path, &text, &n, NULL));
  g_assert_true(text[0] == 'P' && (text[1] == '5' || text[1] == '6'));
  *channels = text[1] == '5' ? 1 : 3;
  at = text + 2;
  for (guint i = 0; i < 3; i++) {
    while (g_ascii_isspace(*at) || *at == '#') {
      at = *at == '#' ? strchr(at, '\n') : at + 1;
    }
    numbers[i] = (guint)g_ascii_strtoull(at, &at, 10);
  }
  at++;
  *width = numbers[0];
  *height = numbers[1];
  g_assert_cmpuint(numbers[2], ==, 255);
  gsize bytes = (gsize)*width * *height * *channels;
  g_assert_cmpuint(n - (gsize)(at - text), >=, bytes);
  return g_memdup2(at, bytes);
}

static void
compare_dcmtk(const char *name, const char *const *options, const DicomWindow *window)
{
  g_autofree char *file = g_build_filename(PYDICOM, name, NULL);
  g_autofree char *out = g_build_filename(build_folder(), "dcmtk.pnm", NULL);
  g_autoptr(GPtrArray) argv = g_ptr_array_new();
  g_autoptr(GError) error = NULL;
  guint width, height, channels, worst = 0;
  gint status;

  g_ptr_array_add(argv, (gpointer) "dcmj2pnm");
  for (guint i = 0; options[i]; i++) {
    g_ptr_array_add(argv, (gpointer)options[i]);
  }
  g_ptr_array_add(argv, file);
  g_ptr_array_add(argv, out);
  g_ptr_array_add(argv, NULL);
  g_assert_true(g_spawn_sync(NULL, (char **)argv->pdata, NULL,
                             G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                             NULL, &status, &error));
  g_assert_cmpint(status, ==, 0);
  g_autofree guint8 *theirs = read_pnm(out, &width, &height, &channels);
  g_autoptr(DicomFrame) frame = open_frame(file, 0);
  g_autoptr(DicomPicture) ours = render(frame, window);
  g_assert_cmpuint(ours->width, ==, width);
  g_assert_cmpuint(ours->height, ==, height);
  for (gsize i = 0; i < (gsize)width * height * 3; i++) {
    guint value = theirs[channels == 1 ? i / 3 : i];

    worst = MAX(worst, (guint)ABS((gint)value - (gint)ours->pixels[i]));
  }
  g_test_message("%s: at most %u levels from DCMTK", name, worst);
  /* DCMTK cuts where we round; its YBR tables are cut twice. */
  g_assert_cmpuint(worst, <=, channels == 1 ? 1 : 2);
}

static void
test_dcmtk(void)
{
  g_autofree char *tool = g_find_program_in_path("dcmj2pnm");
  const DicomWindow sigmoid = {.voi = DICOM_VOI_SIGMOID, .center = 700, .width = 900};
  const DicomWindow linear = {.voi = DICOM_VOI_LINEAR, .center = 40, .width = 400};

  if (!tool || !g_file_test(PYDICOM, G_FILE_TEST_IS_DIR)) {
    g_test_skip("dcmj2pnm or python3-pydicom's test files are not installed");
    return;
  }
  compare_dcmtk("CT_small.dcm", (const char *const[]){"+Wm", NULL}, NULL);
  compare_dcmtk("CT_small.dcm", (const char *const[]){"+Ww", "40", "400", NULL}, &linear);
  compare_dcmtk("MR_small.dcm", (const char *const[]){"+Wi", "1", NULL}, NULL);
  compare_dcmtk("MR_small_bigendian.dcm", (const char *const[]){"+Wi", "1", NULL}, NULL);
  compare_dcmtk("MR_small.dcm", (const char *const[]){"+Wfs", "+Ww", "700", "900", NULL}, &sigmoid);
  compare_dcmtk("JPGExtended.dcm", (const char *const[]){"+Wm", NULL}, NULL);
  compare_dcmtk("SC_rgb_dcmtk_+eb+cy+s4.dcm", (const char *const[]){NULL}, NULL);
  compare_dcmtk("SC_rgb_rle.dcm", (const char *const[]){NULL}, NULL);
  compare_dcmtk("SC_ybr_full_422_uncompressed.dcm", (const char *const[]){NULL}, NULL);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/golden/pydicom", test_pydicom);
  g_test_add_func("/dicom/golden/dcmtk", test_dcmtk);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
