/* fuzz-wire.c - what a decoding process answers, which may be anything: headers and frames.
 *
 * Input: one byte (odd: a frame, 2: elements, else a header), and for a frame two bytes of length;
 * then the bytes of the header, and behind a frame's header its pixels. */
#include "fuzz-dicom.h"

#include "dicom_remote.h"

/* What was unpacked must pack to what unpacks again. */
static void
use_info(const uint8_t *data, size_t n)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomInfo) info = dicom_info_unpack(data, n, &error), again = NULL;
  g_autoptr(GBytes) packed = NULL;
  gsize size;

  fuzz_check_error(info != NULL, error);
  if (info) {
    fuzz_info(info);
    packed = dicom_info_pack(info);
    again = dicom_info_unpack(g_bytes_get_data(packed, &size), g_bytes_get_size(packed), &error);
    g_assert_no_error(error);
    g_assert(again);
    dicom_info_plane(info, 0);
    dicom_info_plane(info, G_MAXUINT);
  }
}

static void
use_frame(const uint8_t *data, size_t n, GBytes *pixels)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) frame = dicom_frame_unpack(data, n, pixels, &error);

  fuzz_check_error(frame != NULL, error);
  if (frame) {
    g_autoptr(DicomPicture) picture = dicom_frame_render(frame, NULL, &error);
    double value;

    fuzz_check_error(picture != NULL, error);
    if (picture) {
      dicom_frame_draw_covers(frame, picture->pixels, 3);
    }
    g_assert(dicom_frame_sha256(frame));
    dicom_frame_value(frame, 0, 0, &value);
    dicom_frame_value(frame, G_MAXUINT, G_MAXUINT, &value);
  }
}

static void
use_tags(const uint8_t *data, size_t n)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) tags = dicom_tags_unpack(data, n, &error), again = NULL;
  g_autoptr(GBytes) packed = NULL;
  gsize size;

  fuzz_check_error(tags != NULL, error);
  if (tags) {
    packed = dicom_tags_pack(tags);
    again = dicom_tags_unpack(g_bytes_get_data(packed, &size), g_bytes_get_size(packed), &error);
    g_assert_no_error(error);
    g_assert(again->len == tags->len);
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  FuzzInput input = {data, n};

  fuzz_start();
  const guint8 kind = fuzz_u8(&input);

  if (kind == 2) {
    use_tags(input.data, input.n);
  } else if (kind % 2 == 0) {
    use_info(input.data, input.n);
  } else {
    const size_t said = fuzz_u16(&input), length = MIN(said, input.n);
    /* A copy of its own, so that a read past it is seen. */
    g_autoptr(GBytes) pixels = g_bytes_new(input.data + length, input.n - length);

    use_frame(input.data, length, pixels);
  }
  return 0;
}
