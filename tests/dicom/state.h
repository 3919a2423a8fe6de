/* state.h - an image and grayscale presentation states of it, for tests. */
#ifndef HILUM_TESTS_DICOM_STATE_H
#define HILUM_TESTS_DICOM_STATE_H

#include "build.h"
#include "dicom.h"
#include "dicom/wire/wire.h"
#include "picture.h"
#include "shared.h"

#define GSPS "1.2.840.10008.5.1.4.1.1.11.1"
#define W 9
#define H 6

typedef void (*More)(Build *);

static inline void
text(Build *b, guint32 tag, const char *vr, const char *value)
{
  build_text(b, tag, vr, value);
}

static inline void
floats(Build *b, guint32 tag, const float *values, guint n)
{
  build_bytes(b, tag, "FL", values, n * sizeof *values);
}

static inline void
begin(Build *b, guint32 tag)
{
  build_open(b, tag);
  build_item(b, UNDEFINED);
}

static inline void
end(Build *b)
{
  build_item_end(b);
  build_close(b);
}

static inline void
reference(Build *b, const char *uid, const char *frames)
{
  begin(b, 0x00081140);
  text(b, 0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.7");
  build_bytes(b, 0x00081155, "UI", uid, strlen(uid));
  if (frames) {
    text(b, 0x00081160, "IS", frames);
  }
  end(b);
}

/* 9 x 6 pixels of 12 bits, each different from its neighbours; two frames. */
static inline guint
pixel(guint x, guint y, guint frame)
{
  return 100 + 300 * x + 37 * y + 200 * frame;
}

static inline char *
write_image(const char *photometric, More before)
{
  g_auto(Build) b = {0};
  const Shape shape = {H, W, 2, 1, 16, 12, 11, 0, photometric, -1};
  guint16 words[2 * W * H];

  for (guint i = 0; i < 2 * W * H; i++) {
    words[i] = (guint16)pixel(i % W, i / W % H, i / (W * H));
  }
  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  text(&b, 0x0020000d, "UI", "1.2.3.1");
  text(&b, 0x0020000e, "UI", "1.2.3.2");
  build_shape(&b, &shape);
  if (before) {
    before(&b);
  }
  build_words(&b, 0x7fe00010, "OW", words, 2 * W * H);
  return build_write(&b, "image.dcm");
}

static inline void
start_state(Build *b, const char *sop_class, const char *uid, const char *frames)
{
  build_start(b, TS_EXPLICIT);
  text(b, 0x00080016, "UI", sop_class);
  text(b, 0x00080018, "UI", "1.2.3.9");
  text(b, 0x00080020, "DA", "");
  text(b, 0x00080030, "TM", "");
  text(b, 0x00080050, "SH", "");
  text(b, 0x00080060, "CS", "PR");
  text(b, 0x00080070, "LO", "");
  text(b, 0x00080090, "PN", "");
  begin(b, 0x00081115);
  reference(b, uid, frames);
  text(b, 0x0020000e, "UI", "1.2.3.2");
  end(b);
  text(b, 0x00100010, "PN", "^^^^"); /* DCMTK wants one */
  text(b, 0x00100020, "LO", "");
  text(b, 0x00100030, "DA", "");
  text(b, 0x00100040, "CS", "");
}

/* MORE adds what is above group 0010 or so: this test's order of elements is nobody's. */
static inline char *
write_state(More more)
{
  g_auto(Build) b = {0};

  start_state(&b, GSPS, "1.2.3.4", NULL);
  if (more) {
    more(&b);
  }
  return build_write(&b, "state.dcm");
}

static inline DicomFrame *
try_state(const char *image_path, guint index, const char *state_path, GError **error)
{
  g_autoptr(GError) own = NULL;
  g_autoptr(DicomFile) image = dicom_file_open(image_path, &own);
  g_autoptr(DicomFrame) frame = image ? dicom_file_read_frame(image, index, &own) : NULL;
  g_autoptr(DicomFile) state = dicom_file_open(state_path, &own);

  g_assert_no_error(own);
  if (!dicom_frame_apply_presentation(frame, dicom_file_info(image), index, state, error)) {
    return NULL;
  }
  return g_steal_pointer(&frame);
}

static inline DicomFrame *
with_state(const char *image_path, guint index, const char *state_path)
{
  g_autoptr(GError) error = NULL;
  DicomFrame *frame = try_state(image_path, index, state_path, &error);

  g_assert_no_error(error);
  return frame;
}

static inline guint8
at(const DicomPicture *picture, guint x, guint y)
{
  return picture->pixels[3 * ((gsize)y * picture->width + x)];
}

/* What dcmp2pgm wants to see before it looks at anything else, in the order of the tags. */
static inline void
dcmtk_needs(Build *b, const char *shape)
{
  static const char corners[4][4] = {{1, 0, 0, 0}, {1, 0, 0, 0}, {W, 0, 0, 0}, {H, 0, 0, 0}};

  begin(b, 0x0070005a);
  build_bytes(b, 0x00700052, "SL", corners[0], 8);
  build_bytes(b, 0x00700053, "SL", corners[2], 8);
  text(b, 0x00700100, "CS", "SCALE TO FIT");
  text(b, 0x00700101, "DS", "1\\1");
  end(b);
  text(b, 0x00700080, "CS", "TEST");
  text(b, 0x00700081, "LO", "");
  text(b, 0x00700082, "DA", "20200101");
  text(b, 0x00700083, "TM", "1200");
  text(b, 0x00700084, "PN", "");
  if (shape) {
    text(b, 0x20500020, "CS", shape);
  }
}

static inline void
study_and_series(Build *b)
{
  text(b, 0x0020000d, "UI", "1.2.3.1");
  text(b, 0x0020000e, "UI", "1.2.3.5");
  text(b, 0x00200010, "SH", "");
  text(b, 0x00200011, "IS", "1");
  text(b, 0x00200013, "IS", "1");
}

static inline void
plain_state(Build *b)
{
  study_and_series(b);
  dcmtk_needs(b, "IDENTITY");
}

/* Damaged states: refused, or a frame that can be shown and sent. */
static inline void
damage_states(const More *kinds, guint n)
{
  g_autofree char *image = write_image("MONOCHROME2", NULL);
  g_autoptr(GRand) random = g_rand_new_with_seed(5);

  for (guint round = 0; round < test_rounds(1500); round++) {
    g_auto(Build) b = {0};
    guint damage = (guint)g_rand_int_range(random, 1, 4);

    start_state(&b, GSPS, "1.2.3.4", NULL);
    guint from = b.bytes->len;
    kinds[round % n](&b);
    for (guint k = 0; k < damage; k++) {
      gint place = g_rand_int_range(random, (gint)from, (gint)b.bytes->len);

      b.bytes->data[place] = (guint8)g_rand_int(random);
    }
    g_autofree char *state = build_write(&b, "state.dcm");
    g_autoptr(DicomFile) file = dicom_file_open(state, NULL);
    if (file) {
      g_autoptr(DicomFile) whole = dicom_file_open(image, NULL);
      g_autoptr(DicomFrame) frame = dicom_file_read_frame(whole, 0, NULL);
      const char *why;

      dicom_frame_apply_presentation(frame, dicom_file_info(whole), 0, file, NULL);
      g_autoptr(DicomPicture) picture = render(frame, NULL);
      g_assert_true(dicom_frame_is_sound(frame, &why));
    }
  }
}

#endif
