/* test-codec-jpegls-broken.c - JPEG-LS streams that are cut off, lie or are damaged. */
#include "jpegls-stream.h"

/* The picture is there; its end marker may miss, and what is behind it is nobody's business. */
static void
test_ends(void)
{
  for (guint picture = 0; picture < N_PICTURES; picture++) {
    Kind kind = usual;

    kind.picture = (Picture)picture;
    g_autoptr(GByteArray) stream = encode(&kind);
    for (guint cut = 0; cut < 4; cut++) {
      g_auto(Job) j = {.job = job_for(&kind, 16)};
      g_autofree guint8 *copy = g_memdup2(stream->data, stream->len);

      if (cut == 3) { /* a zero byte to be even, and no marker */
        memset(copy + stream->len - 2, 0, 2);
      }
      g_assert_cmpstr(job_run(&j, dicom_codec_jpegls, copy, stream->len - cut % 3), ==, NULL);
    }
    g_auto(Job) j = {.job = job_for(&kind, 16)};
    g_byte_array_append(stream, (const guint8 *)"\0\1\2", 3);
    g_assert_cmpstr(job_run(&j, dicom_codec_jpegls, stream->data, stream->len), ==, NULL);
  }
}

/* Zero bytes between the last code and the end marker: two may pass for padding. */
static void
test_surplus(void)
{
  g_autoptr(GByteArray) stream = encode(&usual);

  for (guint n = 0; n < 9; n++) {
    g_autoptr(GByteArray) longer =
        insert(stream, stream->len - 2, (const guint8 *)"\0\0\0\0\0\0\0\0", n);
    if (n <= 2) {
      g_auto(Job) j = {.job = job_for(&usual, 16)};

      g_assert_cmpstr(job_run(&j, dicom_codec_jpegls, longer->data, longer->len), ==, NULL);
    } else if (n > 4) {
      expect_refusal(dicom_codec_jpegls, job_for(&usual, 16), longer->data, longer->len,
                     "goes on behind its last row");
    }
  }
}

static void
test_cut(void)
{
  for (guint mode = 0; mode <= 2; mode++) {
    for (guint picture = 0; picture < N_PICTURES; picture++) {
      Kind kind = usual;

      kind.samples = 3;
      kind.mode = (charls_interleave_mode)mode;
      kind.picture = (Picture)picture;
      g_autoptr(GByteArray) stream = encode(&kind);
      const guint step = 1 + stream->len / 300;
      /* The last bytes of data may be bits that only fill them. */
      for (guint n = 4; n < stream->len - 4; n += step) {
        expect_refusal(dicom_codec_jpegls, job_for(&kind, 16), stream->data, n, "the code stream ");
      }
    }
  }
}

/* ---- lies --------------------------------------------------------------------------------------
 */

static void
expect_inserted(const Kind *kind, const char *what, gsize n, const char *why)
{
  g_autoptr(GByteArray) stream = encode(kind);
  g_autoptr(GByteArray) changed = insert(stream, find(stream, 0xda), (const guint8 *)what, n);

  if (why) {
    expect_refusal(dicom_codec_jpegls, job_for(kind, 16), changed->data, changed->len, why);
  } else {
    g_auto(Job) j = {.job = job_for(kind, 16)};

    g_assert_cmpstr(job_run(&j, dicom_codec_jpegls, changed->data, changed->len), ==, NULL);
  }
}

#define EXPECT_INSERTED(kind, what, why) expect_inserted(kind, what, sizeof what - 1, why)

static void
test_segments(void)
{
  Kind colour = usual;

  EXPECT_INSERTED(&usual, "\xff\xf8\0\5\2\1\1", "mapping table");
  EXPECT_INSERTED(&usual, "\xff\xf8\0\5\3\1\1", "mapping table");
  EXPECT_INSERTED(&usual, "\xff\xf8\0\x8\4\2\0\x1d\0\x25", NULL);
  EXPECT_INSERTED(&usual, "\xff\xf8\0\xa\4\3\0\0\x1d\0\0\x25", NULL);
  EXPECT_INSERTED(&usual, "\xff\xf8\0\xa\4\3\1\0\x1d\0\0\x25", "dimensions are 37 x 65565");
  EXPECT_INSERTED(&usual, "\xff\xf8\0\xa\4\2\0\x1d\0\x25\0\0", "dimensions are broken");
  EXPECT_INSERTED(&usual, "\xff\xf8\0\3\5", "type 5");
  EXPECT_INSERTED(&usual, "\xff\xf8\0\2", "type 0");
  EXPECT_INSERTED(&usual, "\xff\xf8\0\4\1\1", "coding parameters are broken");
  EXPECT_INSERTED(&usual, "\xff\xf8\0\xd\1\x20\0\0\0\0\0\0\0\0\0", "MAXVAL 8192");
  EXPECT_INSERTED(&usual, "\xff\xf8\0\xd\1\0\0\0\x9\0\x8\0\0\0\0", "thresholds 9, 8");
  EXPECT_INSERTED(&usual, "\xff\xf8\0\xd\1\0\0\0\0\0\0\0\0\0\2", "RESET 2");
  EXPECT_INSERTED(&usual, "\xff\xdd\0\3\1", "restart interval is broken");
  EXPECT_INSERTED(&usual, "\xff\xdd\0\6\0\0\0\x1d", NULL);
  EXPECT_INSERTED(&usual, "\xff\xdd\0\4\0\x1c", "goes on behind its last row");
  EXPECT_INSERTED(&usual, "\xff\xe8\0\x7mrfx\0", NULL);
  EXPECT_INSERTED(&usual, "\xff\xe8\0\x7mrfx\4", "HP's colour transform 4");
  EXPECT_INSERTED(&usual, "\xff\xe8\0\x7mrfx\1", "colour transform 1 with 12 bits and 1 comp");
  EXPECT_INSERTED(&usual, "\xff\xe8\0\x7mrfy\4", NULL);
  colour.samples = 3;
  colour.precision = 8;
  EXPECT_INSERTED(&colour, "\xff\xe8\0\x7mrfx\1", "8 bits and 1 components in a scan");
}

static void
expect_changed(guint marker, guint offset, guint8 value, const char *why)
{
  g_autoptr(GByteArray) stream = encode(&usual);

  stream->data[find(stream, marker) + offset] = value;
  expect_refusal(dicom_codec_jpegls, job_for(&usual, 16), stream->data, stream->len, why);
}

static void
test_lies(void)
{
  g_autoptr(GByteArray) stream = encode(&usual);
  const guint frame = find(stream, 0xf7);

  expect_refusal(dicom_codec_jpegls, job_of(29, 37, 1, 16), stream->data, stream->len,
                 "holds 37 x 29 pixels of 1 samples; Columns x Rows is 29 x 37");
  expect_refusal(dicom_codec_jpegls, job_of(37, 29, 3, 16), stream->data, stream->len,
                 "SamplesPerPixel 3");
  expect_refusal(dicom_codec_jpegls, job_of(37, 29, 1, 8), stream->data, stream->len,
                 "12 bits per sample; BitsAllocated is 8");
  expect_refusal(dicom_codec_jpegls, job_for(&usual, 16), (const guint8 *)"RIFF", 4,
                 "begins with 52 49");
  expect_changed(0xf7, 1, 0xc3, "no JPEG-LS of 2 to 16 bits: marker FFC3");
  expect_changed(0xf7, 4, 1, "FFF7, 1 bits");
  expect_changed(0xf7, 4, 17, "17 bits");
  expect_changed(0xf7, 4, 2, "longer than it can be");
  expect_changed(0xda, 5, 9, "component that the frame has not");
  expect_changed(0xda, 6, 1, "mapping table");
  expect_changed(0xda, 7, 1,
                 "the code stream is damaged"); /* what is lossless, as if it were not */
  expect_changed(0xda, 8, 3, "interleave mode 3");
  expect_changed(0xda, 9, 1, "point transform");
  stream->data[frame + 5] = 0x75;
  stream->data[frame + 6] = 0x30;
  expect_refusal(dicom_codec_jpegls, job_of(37, 30000, 1, 16), stream->data, stream->len,
                 "too short for the picture");
}

static void
test_restart_lies(void)
{
  g_autoptr(GByteArray) stream = with_restarts(&usual, 5);
  stream->data[find(stream, 0xd1) + 1] = 0xd2;
  expect_refusal(dicom_codec_jpegls, job_for(&usual, 16), stream->data, stream->len,
                 "restart marker is not where it belongs");
}

static void
test_damage(void)
{
  Kind kinds[] = {usual, usual, usual, usual, usual};

  for (guint i = 1; i < G_N_ELEMENTS(kinds); i++) {
    kinds[i].samples = 3;
    kinds[i].precision = 8;
    kinds[i].mode = (charls_interleave_mode)(i % 3);
    kinds[i].picture = i == 4 ? RUNS : GRADIENT;
  }
  kinds[1].near = 2;
  kinds[2].transform = CHARLS_COLOR_TRANSFORMATION_HP2;
  kinds[3].picture = SPIKES;
  kinds[4].preset = (charls_jpegls_pc_parameters){255, 3, 7, 21, 255};
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    const DicomCodecJob job = job_for(&kinds[i], kinds[i].precision > 8 ? 16 : 8);
    g_autoptr(GByteArray) stream = i == 0 ? with_restarts(&kinds[0], 7) : encode(&kinds[i]);
    guint refused, tried;

    damage_run(dicom_codec_jpegls, &job, stream, 1000);
    damage_bits(dicom_codec_jpegls, &job, stream, find(stream, 0xda) + 14, stream->len - 2,
                &refused, &tried);
    g_test_message("kind %u: %u of %u single bits noticed", i, refused, tried);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/codec-jpegls-broken/ends", test_ends);
  g_test_add_func("/dicom/codec-jpegls-broken/surplus", test_surplus);
  g_test_add_func("/dicom/codec-jpegls-broken/cut", test_cut);
  g_test_add_func("/dicom/codec-jpegls-broken/segments", test_segments);
  g_test_add_func("/dicom/codec-jpegls-broken/lies", test_lies);
  g_test_add_func("/dicom/codec-jpegls-broken/restarts", test_restart_lies);
  g_test_add_func("/dicom/codec-jpegls-broken/damage", test_damage);
  return g_test_run();
}
