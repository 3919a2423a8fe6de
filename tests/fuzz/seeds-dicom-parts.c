/* seeds-dicom-parts.c - seeds of the pieces of the DICOM room: packed headers and frames, texts. */
#include "seeds.h"

#include "../dicom/build.h"
#include "dicom_remote.h"

/* ---- headers and frames as a decoding process sends them ------------------------------------- */

static void
add_packed(Seeds *seeds, guint8 kind, GBytes *head, const guint8 *pixels, gsize n_pixels)
{
  g_autoptr(GByteArray) seed = g_byte_array_new();
  const gsize n = g_bytes_get_size(head);
  const guint8 length[] = {(guint8)n, (guint8)(n >> 8)};

  if (n > 65535) {
    return;
  }
  g_byte_array_append(seed, &kind, 1);
  if (kind == 1) {
    g_byte_array_append(seed, length, 2);
  }
  g_byte_array_append(seed, g_bytes_get_data(head, NULL), (guint)n);
  if (n_pixels > 0) {
    g_byte_array_append(seed, pixels, (guint)n_pixels);
  }
  seeds_add(seeds, seed->data, seed->len);
}

static void
add_wire(Seeds *seeds, const guint8 *data, gsize n)
{
  g_autofree char *path = build_write_bytes("wire.dcm", data, n);
  g_autoptr(DicomFile) file = dicom_file_open(path, NULL);
  g_autoptr(DicomFrame) frame = file ? dicom_file_read_frame(file, 0, NULL) : NULL;

  if (file) {
    g_autoptr(GBytes) head = dicom_info_pack(dicom_file_info(file));

    add_packed(seeds, 0, head, NULL, 0);
  }
  if (frame) {
    g_autoptr(GBytes) head = dicom_frame_pack(frame);
    gsize n_pixels;
    const guint8 *pixels = dicom_frame_stored(frame, &n_pixels);

    add_packed(seeds, 1, head, pixels, n_pixels);
  }
}

void
seeds_wire(Seeds *seeds)
{
  g_autofree char *folder = g_dir_make_tmp("hilum-whole-XXXXXX", NULL);
  Seeds whole = {folder, NULL, 0};

  seeds_dicom_built(&whole);
  seeds_find(seeds, folder, add_wire);
  build_remove(folder);
  build_remove(build_folder());
}

/* ---- files behind the options of fuzz-deid.c ------------------------------------------------- */

static void
add_with_options(Seeds *seeds, const guint8 *data, gsize n)
{
  static const guint8 choices[] = {0x00, 0x1f, 0x3f, 0x20};
  g_autoptr(GByteArray) seed = g_byte_array_new();

  g_byte_array_append(seed, &choices[seeds->n % G_N_ELEMENTS(choices)], 1);
  g_byte_array_append(seed, data, (guint)n);
  seeds_add(seeds, seed->data, seed->len);
}

void
seeds_deid(Seeds *seeds)
{
  g_autofree char *folder = g_dir_make_tmp("hilum-whole-XXXXXX", NULL);
  Seeds whole = {folder, seeds->more, 0};

  seeds_dicom(&whole);
  seeds_find(seeds, folder, add_with_options);
  build_remove(folder);
}

/* ---- texts ----------------------------------------------------------------------------------- */

void
seeds_charset(Seeds *seeds)
{
  /* Of PS3.5 annexes H to K, and what is illegible. */
  static const char *const texts[] = {
      "\1\nSmith^John",
      "\1ISO_IR 100\nBuc^J\xe9r\xf4me",
      "\1ISO_IR 144\n\xbb\xee\xda"
      "ce\xdc\xd1yp\xd3",
      "\1ISO_IR 192\nWang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1",
      "\1GB18030\nWang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=",
      "\1\\ISO 2022 IR 87\nYamada^Tarou=\033$B;3ED\033(B^\033$BB@O:\033(B=",
      "\1ISO 2022 IR 13\\ISO 2022 IR 87\n\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\033$B;3ED\033(J^\033$BB@"
      "O:\033(J",
      "\1\\ISO 2022 IR 149\nHong^Gildong=\033$)C\xfb\xf3^\033$)C\xd1\xce\xd4\xd7",
      "\1ISO 2022 IR 6\\ISO 2022 IR 58\nZhang^XiaoDong=\033$)A\xd5\xc5^\033$)A\xd0\xa1",
      "0ISO 2022 IR 100\\ISO 2022 IR 144\nline\r\nline \033-L\xbb\xee",
      "0ISO_IR 9999\n\xff\xfe",
  };

  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    seeds_add(seeds, texts[i], strlen(texts[i]));
  }
}
