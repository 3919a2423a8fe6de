/* seeds-dicom.c - seeds of DICOM files: every encoding and kind of picture that can be made here,
 * what DCMTK's tools make of a phantom, and the small files that python3-pydicom ships. */
#include "seeds.h"

#include "../dicom/build.h"
#include "dicom_phantom.h"

#define PYDICOM "/usr/lib/python3/dist-packages/pydicom/data"

/* ---- built element by element ---------------------------------------------------------------- */

static void
add_built(Seeds *seeds, Build *b)
{
  seeds_add(seeds, b->bytes->data, b->bytes->len);
}

static void
put_head(Build *b, const Shape *shape)
{
  build_ids(b);
  build_text(b, 0x00080008, "CS", "ORIGINAL\\PRIMARY");
  build_text(b, 0x00100010, "PN", "Test^Fuzz");
  build_text(b, 0x00200032, "DS", "1\\2\\3.5");
  build_text(b, 0x00200037, "DS", "1\\0\\0\\0\\1\\0");
  build_shape(b, shape);
}

static void
put_tables(Build *b)
{
  static const guint16 table[4] = {0, 300, 600, 4095};
  const guint16 descriptor[3] = {4, 0, 12};

  build_text(b, 0x00280030, "DS", "0.5\\0.5");
  build_text(b, 0x00281050, "DS", "100\\40");
  build_text(b, 0x00281051, "DS", "400\\80");
  build_text(b, 0x00281052, "DS", "-1024");
  build_text(b, 0x00281053, "DS", "1");
  build_open(b, 0x00283010);
  build_item(b, UNDEFINED);
  build_words(b, 0x00283002, "US", descriptor, 3);
  build_words(b, 0x00283006, "OW", table, 4);
  build_item_end(b);
  build_close(b);
}

static void
add_native(Seeds *seeds, const char *uid, const Shape *shape, gboolean tables)
{
  g_auto(Build) b = {0};
  const gsize bits = (gsize)shape->rows * shape->columns * shape->samples * shape->bits;
  const gsize n = (bits + 7) / 8 * MAX(shape->frames, 1);
  g_autofree guint8 *pixels = g_malloc(n);

  for (gsize i = 0; i < n; i++) {
    pixels[i] = (guint8)(shape->bits == 16 && i % 2 ? i & 0x0f : i * 5);
  }
  build_start(&b, uid);
  put_head(&b, shape);
  if (tables) {
    put_tables(&b);
  }
  build_bytes(&b, 0x7fe00010, shape->bits > 8 ? "OW" : "OB", pixels, n);
  add_built(seeds, &b);
}

static void
add_palette(Seeds *seeds)
{
  static const Shape shape = {4, 4, 0, 1, 8, 8, 7, 0, "PALETTE COLOR", -1};
  static const guint8 pixels[16] = {0, 1, 2, 3, 3, 2, 1, 0};
  const guint16 descriptor[3] = {4, 0, 16}, entries[4] = {0, 0x4000, 0x8000, 0xffff};
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  put_head(&b, &shape);
  for (guint32 i = 0; i < 3; i++) {
    build_words(&b, 0x00281101 + i, "US", descriptor, 3);
  }
  for (guint32 i = 0; i < 3; i++) {
    build_words(&b, 0x00281201 + i, "OW", entries, 4);
  }
  build_bytes(&b, 0x7fe00010, "OB", pixels, sizeof pixels);
  add_built(seeds, &b);
}

/* One frame of 4 x 4 in 8 bits: one segment, a run and a literal. */
static void
add_rle(Seeds *seeds)
{
  static const Shape shape = {4, 4, 2, 1, 8, 8, 7, 0, "MONOCHROME2", -1};
  guint8 frame[72] = {1, 0, 0, 0, 64};
  const guint32 offsets[2] = {0, 80};
  g_auto(Build) b = {0};

  memcpy(frame + 64, "\xf9\x07\x07\0\1\2\3\4", 8);
  frame[66] = 7; /* eight times 7, then eight literals, cut */
  build_start(&b, TS_RLE);
  put_head(&b, &shape);
  build_header(&b, 0x7fe00010, "OB", UNDEFINED);
  build_item(&b, sizeof offsets);
  for (guint i = 0; i < 2; i++) {
    build_u32(&b, offsets[i]);
  }
  for (guint i = 0; i < 2; i++) {
    build_item(&b, sizeof frame);
    g_byte_array_append(b.bytes, frame, sizeof frame);
  }
  build_close(&b);
  add_built(seeds, &b);
}

/* Functional groups (PS3.3 C.7.6.16): a plane and a window for each frame. */
static void
add_enhanced(Seeds *seeds)
{
  static const Shape shape = {2, 2, 2, 1, 16, 12, 11, 0, "MONOCHROME2", -1};
  static const guint8 pixels[16] = {1, 2, 3, 4, 5, 6};
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  put_head(&b, &shape);
  build_open(&b, 0x52009230);
  for (guint i = 0; i < 2; i++) {
    build_item(&b, UNDEFINED);
    build_open(&b, 0x00209113);
    build_item(&b, UNDEFINED);
    build_text(&b, 0x00200032, "DS", i ? "0\\0\\5" : "0\\0\\0");
    build_item_end(&b);
    build_close(&b);
    build_open(&b, 0x00289132);
    build_item(&b, UNDEFINED);
    build_text(&b, 0x00281050, "DS", "50");
    build_text(&b, 0x00281051, "DS", "350");
    build_item_end(&b);
    build_close(&b);
    build_item_end(&b);
  }
  build_close(&b);
  build_bytes(&b, 0x7fe00010, "OW", pixels, sizeof pixels);
  add_built(seeds, &b);
}

/* An object without pixels: the words of a report (PS3.3 C.17.3), a name in another script. */
static void
add_report(Seeds *seeds)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_IMPLICIT);
  build_text(&b, 0x00080005, "CS", "\\ISO 2022 IR 87");
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.11");
  build_text(&b, 0x00080018, "UI", "1.2.3.5");
  build_text(&b, 0x00080060, "CS", "SR");
  build_text(&b, 0x00100010, "PN", "Yamada^Tarou=\033$B;3ED\033(B^\033$BB@O:\033(B");
  build_text(&b, 0x0040a040, "CS", "CONTAINER");
  build_open(&b, 0x0040a730);
  for (guint i = 0; i < 2; i++) {
    build_item(&b, UNDEFINED);
    build_text(&b, 0x0040a010, "CS", "CONTAINS");
    build_text(&b, 0x0040a040, "CS", "TEXT");
    build_text(&b, 0x0040a160, "UT", "No finding.");
    build_item_end(&b);
  }
  build_close(&b);
  add_built(seeds, &b);
}

void
seeds_dicom_built(Seeds *seeds)
{
  static const char *const encodings[] = {TS_IMPLICIT, TS_EXPLICIT, TS_BIG, NULL};
  static const Shape grey16 = {6, 5, 0, 1, 16, 12, 11, 0, "MONOCHROME2", -1};
  static const Shape shapes[] = {
      {6, 5, 0, 1, 16, 16, 15, 1, "MONOCHROME1", -1},
      {6, 5, 3, 1, 8, 8, 7, 0, "MONOCHROME2", -1},
      {6, 4, 0, 3, 8, 8, 7, 0, "RGB", 0},
      {6, 4, 0, 3, 8, 8, 7, 0, "YBR_FULL", 1},
      {4, 4, 0, 3, 8, 8, 7, 0, "YBR_FULL_422", 0},
      {8, 8, 2, 1, 1, 1, 0, 0, "MONOCHROME2", -1},
      {4, 4, 0, 1, 32, 32, 31, 0, "MONOCHROME2", -1},
  };

  for (guint i = 0; i < G_N_ELEMENTS(encodings); i++) {
    add_native(seeds, encodings[i], &grey16, TRUE);
  }
  for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
    add_native(seeds, TS_EXPLICIT, &shapes[i], i % 2);
  }
  add_palette(seeds);
  add_rle(seeds);
  add_enhanced(seeds);
  add_report(seeds);
}

/* ---- from elsewhere -------------------------------------------------------------------------- */

static void
add_file(Seeds *seeds, const char *path)
{
  g_autofree char *bytes = NULL;
  gsize n;

  if (g_file_get_contents(path, &bytes, &n, NULL)) {
    seeds_add(seeds, bytes, n);
  }
}

/* What DCMTK's encoders make of a small phantom; tools that are not there are left out. */
static void
add_encoded(Seeds *seeds)
{
  static const char *const tools[][2] = {
      {"dcmcrle", NULL},   {"dcmcjpeg", "+e1"}, {"dcmcjpeg", "+el"}, {"dcmcjpeg", "+eb"},
      {"dcmcjpeg", "+ee"}, {"dcmcjpeg", "+es"}, {"dcmcjpeg", "+ep"}, {"dcmcjpls", "+el"},
      {"dcmcjpls", "+en"}, {"dcmconv", "+td"},  {"dcmconv", "+tb"},  {"dcmconv", "+ti"},
  };
  g_autofree char *folder = g_dir_make_tmp("hilum-phantom-XXXXXX", NULL);
  g_autofree char *from = g_build_filename(folder, "phantom.dcm", NULL);
  g_autofree char *to = g_build_filename(folder, "encoded.dcm", NULL);
  g_autoptr(GError) error = NULL;
  PhantomTruth truth;

  phantom_truth(1, 1, &truth);
  phantom_resize(&truth, PHANTOM_MIN_SIZE);
  if (!phantom_write_dicom(&truth, "seed", from, FALSE, &error)) {
    g_error("%s", error->message);
  }
  add_file(seeds, from);
  for (guint i = 0; i < G_N_ELEMENTS(tools); i++) {
    const char *argv[] = {tools[i][0], from, to, tools[i][1], NULL};

    g_unlink(to);
    if (g_spawn_sync(NULL, (char **)argv, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, NULL, NULL, NULL, NULL)) {
      add_file(seeds, to);
    }
  }
  build_remove(folder);
}

static void
add_real(Seeds *seeds, const guint8 *data, gsize n)
{
  if (n > 132 && memcmp(data + 128, "DICM", 4) == 0) {
    seeds_add(seeds, data, n);
  }
}

void
seeds_dicom(Seeds *seeds)
{
  seeds_dicom_built(seeds);
  add_encoded(seeds);
  seeds_find(seeds, PYDICOM, add_real);
  for (char **more = seeds->more; more && *more; more++) {
    seeds_find(seeds, *more, add_real);
  }
}
