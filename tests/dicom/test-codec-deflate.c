/* test-codec-deflate.c - frames that are deflated one by one (PS3.5 A.4.13). */
#include "native-case.h"

#include <zlib.h>

#define TS_DEFLATED_FRAME "1.2.840.10008.1.2.8.1"

static GByteArray *
deflate_bytes(const guint8 *data, gsize n)
{
  GByteArray *out = g_byte_array_new();
  z_stream stream = {0};

  g_byte_array_set_size(out, (guint)n + 100);
  g_assert_cmpint(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), ==,
                  Z_OK);
  stream.next_in = (Bytef *)data;
  stream.avail_in = (uInt)n;
  stream.next_out = out->data;
  stream.avail_out = out->len;
  g_assert_cmpint(deflate(&stream, Z_FINISH), ==, Z_STREAM_END);
  g_byte_array_set_size(out, (guint)stream.total_out);
  deflateEnd(&stream);
  return out;
}

/* Native frames of N bytes each, every one deflated into a fragment; CUT bytes of it left out. */
static char *
write_deflated(const Case *c, gsize n, guint cut)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_DEFLATED_FRAME);
  build_ids(&b);
  build_shape(&b, &c->shape);
  build_header(&b, PIXELS, "OB", UNDEFINED);
  build_item(&b, 0);
  for (guint i = 0; i < c->shape.frames; i++) {
    g_autoptr(GByteArray) frame = deflate_bytes(c->file + i * n, n);

    build_bytes(&b, 0xfffee000, NULL, frame->data, frame->len - MIN(cut, frame->len));
  }
  build_close(&b);
  return build_write(&b, "deflated.dcm");
}

static const Case deflated[] = {
    {"bits", NULL, 0, NULL, GREY(2, 6, 2, 1, 0), 4, {0x55, 0x05, 0x03, 0}, 24, {1, 0, 1, 0, 1, 0,
                                                                                1, 0, 1, 0, 1, 0,
                                                                                1, 1, 0, 0, 0, 0,
                                                                                0, 0, 0, 0, 0, 0}},
    {"bytes-odd", NULL, 0, NULL, GREY(1, 3, 2, 8, 0), 6, {1, 2, 3, 4, 5, 6}, 6, {1, 2, 3, 4, 5, 6}},
    /* Three bytes and a padding one. */
    {"bytes-padded",
     NULL,
     0,
     NULL,
     GREY(1, 3, 2, 8, 0),
     8,
     {1, 2, 3, 0, 4, 5, 6, 0},
     6,
     {1, 2, 3, 4, 5, 6}},
    {"words", NULL, 0, NULL, GREY(1, 2, 1, 16, 1), 4, {1, 2, 3, 0xff}, 4, {1, 2, 3, 0xff}},
    {"rgb-planar",
     NULL,
     0,
     NULL,
     {1, 2, 1, 3, 8, 8, 7, 0, "RGB", 1},
     6,
     {1, 4, 2, 5, 3, 6},
     6,
     {1, 2, 3, 4, 5, 6}},
};

static void
test_deflated(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(deflated); i++) {
    const Case *c = &deflated[i];
    g_autofree char *path = write_deflated(c, c->n_file / c->shape.frames, 0);

    expect_frames(path, c);
  }
}

static void
test_deflated_refused(void)
{
  Case c = deflated[3];
  g_autofree char *cut = write_deflated(&c, 4, 3);

  expect_refusal(cut, "ends before the picture does");
  g_autofree char *empty = write_deflated(&c, 4, 1000);
  expect_refusal(empty, "too short");
  g_autofree char *less = write_deflated(&c, 3, 0);
  expect_refusal(less, "ends before the picture does");
  g_autofree char *more = write_deflated(&c, 8, 0);
  expect_refusal(more, "does not end with the picture");
  c.file[4] = 1; /* what would be padding is no zero */
  g_autofree char *odd = write_deflated(&c, 5, 0);
  expect_refusal(odd, "does not end with the picture");
  c.shape.rows = 20000;
  g_autofree char *huge = write_deflated(&c, 4, 0);
  expect_refusal(huge, "too short");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/codec-deflate/whole", test_deflated);
  g_test_add_func("/dicom/codec-deflate/refused", test_deflated_refused);
  int status = g_test_run();
  build_remove(build_folder());
  return status;
}
