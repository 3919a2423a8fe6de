/* test-elements.c - the elements of a file as lines, and how they travel. */
#include <string.h>

#include "build.h"
#include "dicom.h"
#include "dicom/limits.h"
#include "dicom_remote.h"
#include "shared.h"

/* "depth tag VR value", a line for each. */
static char *
lines_of(const GPtrArray *tags)
{
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < tags->len; i++) {
    const DicomTag *tag = tags->pdata[i];

    g_string_append_printf(text, "%u %08x %s %s\n", tag->depth, tag->tag, tag->vr, tag->value);
  }
  return g_string_free(text, FALSE);
}

static GPtrArray *
tags_of(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);

  g_assert_no_error(error);
  return dicom_file_tags(file);
}

/* What was written comes back through the bytes that travel. */
static char *
travelled(const GPtrArray *tags)
{
  g_autoptr(GBytes) bytes = dicom_tags_pack(tags);
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) back =
      dicom_tags_unpack(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error);

  g_assert_no_error(error);
  return lines_of(back);
}

static void
build_tree(Build *b)
{
  build_open(b, 0x00081140);
  for (guint i = 0; i < 2; i++) {
    build_item(b, UNDEFINED);
    build_text(b, 0x00081150, "UI", i == 0 ? "1.2" : "1.4");
    if (i == 1) {
      build_open(b, 0x0040a170);
      build_item(b, UNDEFINED);
      build_text(b, 0x00080104, "LO", "A\\B");
      build_item_end(b);
      build_close(b);
    }
    build_item_end(b);
  }
  build_close(b);
}

static char *
write_file(const char *uid)
{
  static const Shape shape = {1, 2, 0, 1, 8, 8, 7, 0, "MONOCHROME2", -1};
  static const guint8 pixels[2] = {0}, private[5] = {1, 2, 3, 4, 5};
  g_auto(Build) b = {0};

  build_start(&b, uid);
  build_ids(&b);
  build_tree(&b);
  build_bytes(&b, 0x00091001, "OB", private, sizeof private);
  build_text(&b, 0x00104000, "LT", "first\r\nsecond\x07\tred");
  build_shape(&b, &shape);
  build_bytes(&b, 0x7fe00010, "OB", pixels, sizeof pixels);
  return build_write_bytes("elements.dcm", b.bytes->data, b.bytes->len);
}

static void
test_tree(void)
{
  g_autofree char *path = write_file(TS_EXPLICIT);
  g_autoptr(GPtrArray) tags = tags_of(path);
  g_autofree char *text = lines_of(tags), *back = travelled(tags);

  g_assert_cmpstr(text, ==,
                  "0 00020010 UI 1.2.840.10008.1.2.1\n"
                  "0 00080016 UI 1.2.840.10008.5.1.4.1.1.7\n"
                  "0 00080018 UI 1.2.3.4\n"
                  "0 00080060 CS OT\n"
                  "0 00081140 SQ \n"
                  "1 fffee000  1\n"
                  "1 00081150 UI 1.2\n"
                  "1 fffee000  2\n"
                  "1 00081150 UI 1.4\n"
                  "1 0040a170 SQ \n"
                  "2 fffee000  1\n"
                  "2 00080104 LO A\\B\n"
                  "0 00091001 OB 6 bytes\n"
                  "0 00104000 LT first  second  red\n"
                  "0 00280002 US 1\n"
                  "0 00280004 CS MONOCHROME2\n"
                  "0 00280010 US 1\n"
                  "0 00280011 US 2\n"
                  "0 00280100 US 8\n"
                  "0 00280101 US 8\n"
                  "0 00280102 US 7\n"
                  "0 00280103 US 0\n");
  g_assert_cmpstr(text, ==, back);
}

/* Nothing says how a value is written: numbers that this program knows, text, and what is neither.
 */
static void
test_implicit(void)
{
  g_autofree char *path = write_file(TS_IMPLICIT);
  g_autoptr(GPtrArray) tags = tags_of(path);
  g_autofree char *text = lines_of(tags);

  g_assert_nonnull(strstr(text, "\n0 00280011  2\n"));
  g_assert_nonnull(strstr(text, "\n2 00080104  A\\B\n"));
  g_assert_nonnull(strstr(text, "\n0 00091001  6 bytes\n"));
  g_assert_nonnull(strstr(text, "\n0 00080060  OT\n"));
}

static void
test_long_value(void)
{
  g_auto(Build) b = {0};
  g_autofree char *longer = g_strnfill(DICOM_MAX_TAG_CHARS + 1, 'x');
  g_autofree char *exact = g_strnfill(DICOM_MAX_TAG_CHARS, 'y');
  g_autofree char *path = NULL;

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.11");
  build_text(&b, 0x0040a160, "UT", longer);
  build_text(&b, 0x0040a161, "LT", exact);
  path = build_write_bytes("long.dcm", b.bytes->data, b.bytes->len);
  g_autoptr(GPtrArray) tags = tags_of(path);
  const DicomTag *cut = tags->pdata[2], *whole = tags->pdata[3];
  g_assert_cmpuint((guint)g_utf8_strlen(cut->value, -1), ==, DICOM_MAX_TAG_CHARS + 1);
  g_assert_true(g_str_has_suffix(cut->value, "x\xe2\x80\xa6"));
  g_assert_cmpstr(whole->value, ==, exact);
}

static void
test_picture(void)
{
  g_autoptr(DicomPicture) picture = dicom_picture_new(3, 2);
  g_autofree char *path = g_build_filename(build_folder(), "a.png", NULL);

  g_assert_true(dicom_picture_write_png(picture, path, NULL));
  g_autoptr(GPtrArray) tags = tags_of(path);
  g_assert_cmpuint(tags->len, ==, 0);
}

static void
test_nonsense(void)
{
  static const char *const bad[] = {
      "0\t00080016\tUI\t1.2",    "0\t00080016\tUI\n",       "1\t00080016\tUI\t1\t2\n\n",
      "0\t0008001600\tUI\tx\n",  "0\t00080016\tUIX\tx\n",   "0\t00080016\t\"\"\tx\n",
      "2\t00080016\tUI\tx\n",    "-1\t00080016\tUI\tx\n",   "0\txyz\tUI\tx\n",
      "0\t00080016\tUI\t\xff\n", "99999999999\t0\tUI\tx\n", "\n",
      "0\t00080016\tui\tx\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;

    g_assert_null(dicom_tags_unpack((const guint8 *)bad[i], strlen(bad[i]), &error));
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
  }
  g_autoptr(GPtrArray) none = dicom_tags_unpack(NULL, 0, NULL);
  g_assert_cmpuint(none->len, ==, 0);
}

static void
test_names(void)
{
  char vr[3];

  g_assert_cmpstr(dicom_attribute_name(0x00100010, vr), ==, "PatientName");
  g_assert_cmpstr(vr, ==, "PN");
  g_assert_cmpstr(dicom_attribute_name(0x00280106, vr), ==, "SmallestImagePixelValue");
  g_assert_cmpstr(vr, ==, "US");
  g_assert_cmpstr(dicom_attribute_name(0x00091001, vr), ==, "");
  g_assert_cmpstr(vr, ==, "");
  g_assert_cmpstr(dicom_attribute_name(0xfffee000, vr), ==, "Item");
}

/* Whatever opens has lines that are lines, and that travel. */
static void
check_folder(const char *folder, guint *n_files)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(DicomFile) file = dicom_file_open(path, NULL);
    g_autoptr(GPtrArray) tags = file ? dicom_file_tags(file) : NULL;

    if (tags) {
      g_autofree char *text = lines_of(tags), *back = travelled(tags);

      g_assert_cmpstr(text, ==, back);
      ++*n_files;
    }
  }
}

static void
test_corpus(void)
{
  static const char *const folders[] = {"bits-luts",           "broken",    "charsets",
                                        "enhanced-multiframe", "non-image", "mr-nm-pt"};
  guint n_files = 0;

  for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
    g_autofree char *name = g_strconcat("corpus/dicom/", folders[i], NULL);
    g_autofree char *folder = shared_path(name);

    if (!folder) {
      g_test_skip("no files from elsewhere");
      return;
    }
    check_folder(folder, &n_files);
  }
  g_assert_cmpuint(n_files, >, 50);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/elements/tree", test_tree);
  g_test_add_func("/elements/implicit", test_implicit);
  g_test_add_func("/elements/long-value", test_long_value);
  g_test_add_func("/elements/picture", test_picture);
  g_test_add_func("/elements/nonsense", test_nonsense);
  g_test_add_func("/elements/names", test_names);
  g_test_add_func("/elements/corpus", test_corpus);
  return g_test_run();
}
