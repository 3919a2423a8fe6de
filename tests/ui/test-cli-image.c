/* test-cli-image.c - `hilum image` from outside: what is written where, and what a terminal gets.
 */
#include "cli-run.h"
#include "dicom/build.h"

#define OVERRIDE "\xe2\x80\xae" /* U+202E, right to left from here on */
#define CLASS "1.2.826.0.1.3680043.9.7433.1"

static char *image, *private_object;

static char *
write_image(const char *name)
{
  static const Shape shape = {.rows = 8,
                              .columns = 8,
                              .frames = 1,
                              .samples = 1,
                              .bits = 8,
                              .stored = 8,
                              .high = 7,
                              .photometric = "MONOCHROME2",
                              .planar = -1};
  guint8 pixels[8 * 8] = {0};
  g_autofree char *flood = g_strnfill(1024, 'A');
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080005, "CS", "ISO_IR 192");
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
  build_text(&b, 0x00080018, "UI", "1.2.3.4.5");
  build_text(&b, 0x00080020, "DA", "20240229");
  build_text(&b, 0x00080060, "CS", "CT");
  build_text(&b, 0x0008103e, "LO", flood);
  build_text(&b, 0x00100010, "PN", "Baum" OVERRIDE "\x1b[2J^Erika\nPatient: Other");
  build_text(&b, 0x00100030, "DA", "1931.");
  build_shape(&b, &shape);
  build_bytes(&b, 0x7fe00010, "OB", pixels, sizeof pixels);
  return build_write(&b, name);
}

/* A maker's own object, without pixels. */
static char *
write_private(void)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", CLASS);
  build_text(&b, 0x00080018, "UI", "1.2.3.4.6");
  return build_write(&b, "private.dcm");
}

/* Neither by its name nor by a link does anything that is written replace what is read. */
static void
test_never_over_the_source(void)
{
  g_autofree char *link = g_build_filename(build_folder(), "link.dcm", NULL);
  g_autofree char *before = NULL, *after = NULL;
  const char *const rows[][8] = {
      {"image", "render", image, "--out", image},
      {"image", "render", image, "--out", link},
      {"image", "render", private_object, "--presentation", image, "--out", image},
      {"image", "decode", image, "--out", image},
      {"image", "decode", link, "--out", image},
  };
  gsize n_before, n_after;

  g_assert_cmpint(symlink("image.dcm", link), ==, 0);
  g_assert_true(g_file_get_contents(image, &before, &n_before, NULL));
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(CliRun) run = {0};

    cli_runv(&run, NULL, rows[i]);
    g_test_message("%s", run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_nonnull(strstr(run.err, "names the very file to read from"));
  }
  g_assert_true(g_file_get_contents(image, &after, &n_after, NULL));
  g_assert_cmpmem(before, n_before, after, n_after);
  g_unlink(link);
}

/* What a file says of a patient stays on its line, in its order, and short enough. */
static void
test_list_is_harmless(void)
{
  g_auto(CliRun) run = {0};

  cli_run(&run, NULL, "image", "list", image, NULL);
  g_test_message("%s", run.out);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_true(g_str_has_prefix(run.out, "Patient: Baum??[2J^Erika Patient: Other, born 1931.\n"
                                          "  Study: 2024-02-29\n    Series: CT, AAAA"));
  g_assert_nonnull(strstr(run.out, "AAA…, 1 image\n"));
  g_assert_cmpuint(strlen(run.out), <, 400);
}

/* The name of a file is text from elsewhere too. */
static void
test_names_are_harmless(void)
{
  g_autofree char *odd = write_image("a\nrows 7" OVERRIDE ".dcm");
  g_auto(CliRun) run = {0};

  cli_run(&run, NULL, "image", "info", odd, NULL);
  g_test_message("%s", run.out);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_nonnull(strstr(run.out, "/a rows 7?.dcm\n"));
  g_unlink(odd);
}

static void
test_wording(void)
{
  g_autofree char *empty = build_write_bytes("empty", "", 0);
  g_auto(CliRun) facts = {0}, info = {0}, list = {0}, nothing = {0};

  cli_run(&facts, NULL, "image", "info", image, NULL);
  g_assert_nonnull(strstr(facts.out, "\ntransfer_syntax_name Explicit VR Little Endian\n"));
  g_assert_nonnull(strstr(facts.out, "\nburned_in_annotation -\n"));
  g_assert_nonnull(strstr(facts.out, "\nrows                 8\n"));
  /* A class without a name is not told twice. */
  cli_run(&info, NULL, "image", "render", private_object, "-o", empty, NULL);
  g_assert_cmpint(info.status, ==, 1);
  g_assert_nonnull(strstr(info.err, "SOPClassUID is " CLASS ", and there is no PixelData"));
  cli_run(&list, NULL, "image", "list", private_object, NULL);
  g_test_message("%s", list.out);
  g_assert_nonnull(strstr(list.out, "No image, other, " CLASS ": "));
  cli_run(&nothing, NULL, "image", "info", empty, NULL);
  g_assert_nonnull(strstr(nothing.err, "empty: is empty"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("XDG_DATA_HOME", build_folder(), TRUE);
  image = write_image("image.dcm");
  private_object = write_private();
  g_test_add_func("/cli/image/never-over-the-source", test_never_over_the_source);
  g_test_add_func("/cli/image/list-is-harmless", test_list_is_harmless);
  g_test_add_func("/cli/image/names-are-harmless", test_names_are_harmless);
  g_test_add_func("/cli/image/wording", test_wording);
  int status = g_test_run();
  build_remove(build_folder());
  g_free(image);
  g_free(private_object);
  return status;
}
