/* test-bridge.c - DCMTK behind its C header: one code stream, names, silence. */
#include "build.h"
#include "dicom.h"
#include "dicom/bridge/bridge.h"

#include <stdio.h>

#include <jpeglib.h>

#define SIDE 16

/* A grey JPEG, lighter from left to right. */
static GBytes *
make_jpeg(void)
{
  struct jpeg_compress_struct cinfo;
  struct jpeg_error_mgr errors;
  unsigned char *bytes = NULL;
  unsigned long n = 0;
  guint8 row[SIDE];
  JSAMPROW rows[1] = {row};

  cinfo.err = jpeg_std_error(&errors);
  jpeg_create_compress(&cinfo);
  jpeg_mem_dest(&cinfo, &bytes, &n);
  cinfo.image_width = cinfo.image_height = SIDE;
  cinfo.input_components = 1;
  cinfo.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults(&cinfo);
  jpeg_set_quality(&cinfo, 100, TRUE);
  jpeg_start_compress(&cinfo, TRUE);
  for (guint i = 0; i < SIDE; i++) {
    row[i] = (guint8)(i * 15);
  }
  while (cinfo.next_scanline < SIDE) {
    jpeg_write_scanlines(&cinfo, rows, 1);
  }
  jpeg_finish_compress(&cinfo);
  jpeg_destroy_compress(&cinfo);
  return g_bytes_new_with_free_func(bytes, n, free, bytes);
}

static DicomBridgeJpeg
job_for(GBytes *jpeg)
{
  gsize n;
  const guint8 *bytes = g_bytes_get_data(jpeg, &n);

  return (DicomBridgeJpeg){.bytes = bytes,
                           .n = n,
                           .syntax_uid = TS_JPEG,
                           .rows = SIDE,
                           .columns = SIDE,
                           .samples = 1,
                           .bits_allocated = 8,
                           .bits_stored = 8,
                           .photometric = "MONOCHROME2"};
}

static void
test_jpeg(void)
{
  g_autoptr(GBytes) jpeg = make_jpeg();
  DicomBridgeJpeg job = job_for(jpeg);
  guint8 out[SIDE * SIDE];
  char photometric[17];

  g_assert_null(dicom_bridge_decode_jpeg(&job, out, sizeof out, photometric));
  g_assert_cmpstr(photometric, ==, "MONOCHROME2");
  for (guint i = 0; i < sizeof out; i++) {
    /* Quality 100 still rounds the cosine transform. */
    g_assert_cmpint(ABS((gint)out[i] - (gint)(i % SIDE * 15)), <=, 2);
  }
}

static void
test_broken_jpeg(void)
{
  g_autoptr(GBytes) jpeg = make_jpeg();
  DicomBridgeJpeg job = job_for(jpeg);
  guint8 out[SIDE * SIDE];
  char photometric[17];

  job.n = 20;
  g_assert_nonnull(dicom_bridge_decode_jpeg(&job, out, sizeof out, photometric));
  job = job_for(jpeg);
  job.syntax_uid = "1.2.3";
  g_assert_nonnull(dicom_bridge_decode_jpeg(&job, out, sizeof out, photometric));
}

static void
test_names(void)
{
  g_autoptr(GError) error = NULL;

  g_assert_true(dicom_bridge_init(&error));
  g_assert_cmpstr(dicom_bridge_uid_name("1.2.840.10008.5.1.4.1.1.2"), ==, "CTImageStorage");
  g_assert_null(dicom_bridge_uid_name("1.2.3.4.5"));
}

/* The environment may name a dictionary that is not there. */
static void
test_dictionary(void)
{
  if (g_test_subprocess()) {
    g_autoptr(GError) error = NULL;

    g_setenv("DCMDICTPATH", "/nowhere/dicom.dic", TRUE);
    g_assert_true(dicom_bridge_init(&error));
    g_assert_no_error(error);
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
}

/* DCMTK prints nothing, though it has much to say about this code stream. */
static void
test_silence(void)
{
  if (g_test_subprocess()) {
    g_autoptr(GBytes) jpeg = make_jpeg();
    DicomBridgeJpeg job = job_for(jpeg);
    guint8 out[SIDE * SIDE];
    char photometric[17];

    job.n -= 40;
    job.bits_stored = 12;
    dicom_bridge_decode_jpeg(&job, out, sizeof out, photometric);
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
  g_test_trap_assert_stderr("");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/bridge/jpeg", test_jpeg);
  g_test_add_func("/dicom/bridge/broken-jpeg", test_broken_jpeg);
  g_test_add_func("/dicom/bridge/names", test_names);
  g_test_add_func("/dicom/bridge/dictionary", test_dictionary);
  g_test_add_func("/dicom/bridge/silence", test_silence);
  return g_test_run();
}
