/* test-wire.c - headers and frames as bytes: every field arrives, and no damage passes or hurts. */
#include "dicom_remote.h"

#include <math.h>
#include <string.h>

#include "dicom/info/info-fields.h"
#include "dicom/limits.h"
#include "dicom/wire/wire.h"
#include "shared.h"

/* ---- headers ------------------------------------------------------------------------------ */

/* A different value in every field, so that two that changed places would be seen. */
static DicomInfo *
full_info(void)
{
  DicomInfo *info = g_new0(DicomInfo, 1);

  dicom_info_init(info, "/somewhere/\xff name");
  for (guint i = 0; i < dicom_info_n_fields; i++) {
    const DicomInfoField *field = &dicom_info_fields[i];
    gpointer slot = G_STRUCT_MEMBER_P(info, field->offset);

    switch (field->kind) {
    case DICOM_FIELD_TEXT:
      if (strcmp(field->name, "path") != 0) {
        g_free(*(char **)slot);
        *(char **)slot = g_strdup_printf("\xc3\xa4 %s", field->name);
      }
      break;
    case DICOM_FIELD_ENUM:
      *(guint *)slot = field->n - 1;
      break;
    case DICOM_FIELD_UINT:
      *(guint *)slot =
          strcmp(field->name, "planar") == 0 || strcmp(field->name, "pixel_representation") == 0
              ? 1
              : 10 + i % 50;
      break;
    case DICOM_FIELD_INT:
      *(gint *)slot = -(gint)i;
      break;
    case DICOM_FIELD_BOOLEAN:
      *(gboolean *)slot = TRUE;
      break;
    case DICOM_FIELD_DOUBLE:
      for (guint k = 0; k < field->n; k++) {
        ((double *)slot)[k] = i + k / 8.0;
      }
      break;
    case DICOM_FIELD_DOUBLES: {
      double values[] = {i, -1e300, 5e-324, 1, 2, 3}; /* six: a region of ultrasound */
      g_array_append_vals(*(GArray **)slot, values, 6);
      break;
    }
    case DICOM_FIELD_TEXTS:
      g_ptr_array_add(*(GPtrArray **)slot, g_strdup(field->name));
      g_ptr_array_add(*(GPtrArray **)slot, g_strdup(""));
      break;
    case DICOM_FIELD_PLANES: {
      static const DicomPlane planes[] = {
          {TRUE, FALSE, TRUE, {1, 2, 3}, {1, 0, 0, 0, 1, 0}, {0.5, 0.25}, 7},
          {FALSE, TRUE, FALSE, {4, 5, 6}, {0, 1, 0, 0, 0, 1}, {1, 2}, 8}};
      g_array_append_vals(*(GArray **)slot, planes, 2);
      break;
    }
    default:
      g_assert_not_reached();
    }
  }
  return info;
}

static void
check_field(const DicomInfoField *field, gconstpointer a, gconstpointer b)
{
  g_test_message("%s", field->name);
  switch (field->kind) {
  case DICOM_FIELD_TEXT:
    g_assert_cmpstr(*(char *const *)a, ==, *(char *const *)b);
    break;
  case DICOM_FIELD_DOUBLE:
    g_assert_cmpmem(a, field->n * sizeof(double), b, field->n * sizeof(double));
    break;
  case DICOM_FIELD_DOUBLES:
  case DICOM_FIELD_PLANES: {
    const GArray *x = *(GArray *const *)a, *y = *(GArray *const *)b;
    gsize size = field->kind == DICOM_FIELD_DOUBLES ? sizeof(double) : sizeof(DicomPlane);

    g_assert_cmpmem(x->data, x->len * size, y->data, y->len * size);
    break;
  }
  case DICOM_FIELD_TEXTS: {
    const GPtrArray *x = *(GPtrArray *const *)a, *y = *(GPtrArray *const *)b;

    g_assert_cmpuint(x->len, ==, y->len);
    for (guint i = 0; i < x->len; i++) {
      g_assert_cmpstr(x->pdata[i], ==, y->pdata[i]);
    }
    break;
  }
  default:
    g_assert_cmpint(*(const gint *)a, ==, *(const gint *)b);
    break;
  }
}

static void
test_info_round(void)
{
  g_autoptr(DicomInfo) info = full_info();
  g_autoptr(GError) error = NULL;
  const char *why;
  gboolean sound = dicom_info_is_sound(info, &why);
  g_autoptr(GBytes) bytes = dicom_info_pack(info);

  g_assert_true(sound);
  g_autoptr(DicomInfo) back =
      dicom_info_unpack(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error);
  g_assert_no_error(error);
  for (guint i = 0; i < dicom_info_n_fields; i++) {
    const DicomInfoField *field = &dicom_info_fields[i];

    check_field(field, G_STRUCT_MEMBER_P(info, field->offset),
                G_STRUCT_MEMBER_P(back, field->offset));
  }
}

/* The table of fields leaves no gap in the structure that a forgotten field could hide in. */
static void
test_info_whole(void)
{
  static const gsize sizes[] = {[DICOM_FIELD_TEXT] = sizeof(char *),
                                [DICOM_FIELD_ENUM] = 4,
                                [DICOM_FIELD_UINT] = 4,
                                [DICOM_FIELD_INT] = 4,
                                [DICOM_FIELD_BOOLEAN] = 4,
                                [DICOM_FIELD_DOUBLE] = sizeof(double),
                                [DICOM_FIELD_DOUBLES] = sizeof(gpointer),
                                [DICOM_FIELD_TEXTS] = sizeof(gpointer),
                                [DICOM_FIELD_PLANES] = sizeof(gpointer)};
  gsize end = 0;

  for (guint i = 0; i < dicom_info_n_fields; i++) {
    const DicomInfoField *field = &dicom_info_fields[i];
    gsize size = sizes[field->kind] * (field->kind == DICOM_FIELD_DOUBLE ? field->n : 1);
    gsize align = size == 4 ? 4 : 8;

    g_test_message("%s", field->name);
    g_assert_cmpuint(field->offset, ==, (end + align - 1) / align * align);
    end = field->offset + size;
  }
  g_assert_cmpuint((end + 7) / 8 * 8, ==, sizeof(DicomInfo));
}

/* Every byte in turn becomes something else, and every length is tried. */
static void
test_info_damage(void)
{
  g_autoptr(DicomInfo) info = full_info();
  g_autoptr(GBytes) bytes = dicom_info_pack(info);
  gsize n;
  const guint8 *good = g_bytes_get_data(bytes, &n);
  static const guint8 masks[] = {0xff, 0x01, 0x80, 0x7f};
  guint refused = 0;

  for (gsize i = 0; i < n; i++) {
    /* Sized to the byte, so that a sanitizer sees the first one too far. */
    g_autofree guint8 *cut = g_memdup2(good, i);
    g_autoptr(GError) error = NULL;

    g_assert_null(dicom_info_unpack(cut, i, &error));
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
    for (guint k = 0; k < G_N_ELEMENTS(masks); k++) {
      g_autofree guint8 *bad = g_memdup2(good, n);
      g_autoptr(GError) problem = NULL;
      g_autoptr(DicomInfo) got = NULL;
      const char *why;

      bad[i] ^= masks[k];
      got = dicom_info_unpack(bad, n, &problem);
      g_assert_true((got != NULL) == (problem == NULL));
      g_assert_true(!got || dicom_info_is_sound(got, &why));
      refused += !got;
    }
  }
  g_assert_cmpuint(refused, >, 0);
  g_autofree guint8 *longer = g_malloc0(n + 1);
  g_autoptr(GError) error = NULL;
  memcpy(longer, good, n);
  g_assert_null(dicom_info_unpack(longer, n + 1, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
}

/* What a file's nonsense may make of a header, and what would be taken for the helper's. */
static void
test_info_unsound(void)
{
  const char *why;
  g_autoptr(DicomInfo) info = full_info();

  info->echo_time = NAN;
  g_assert_false(dicom_info_is_sound(info, &why));
  g_assert_cmpstr(why, ==, "echo_time");
  info->echo_time = 1;
  info->frames = DICOM_MAX_FRAMES + 1;
  g_assert_false(dicom_info_is_sound(info, &why));
  g_assert_cmpstr(why, ==, "frames");
  info->frames = 1;
  g_assert_false(dicom_info_is_sound(info, &why));
  g_assert_cmpstr(why, ==, "planes");
  info->frames = 2;
  g_assert_true(dicom_info_is_sound(info, &why));
  g_free(info->modality);
  info->modality = g_strdup("C\xff");
  g_assert_false(dicom_info_is_sound(info, &why));
  g_assert_cmpstr(why, ==, "modality");
}

/* ---- frames ------------------------------------------------------------------------------- */

static DicomLut *
lut_new(guint n, gint first, guint bits)
{
  DicomLut *lut = g_new0(DicomLut, 1);

  *lut = (DicomLut){n, first, bits, g_new0(guint16, n)};
  for (guint i = 0; i < n; i++) {
    lut->data[i] = (guint16)(i * 7);
  }
  return lut;
}

static void
add_stored(DicomFrame *frame)
{
  frame->n_bytes =
      (gsize)frame->width * frame->height * frame->samples * dicom_sample_bytes(frame->type);
  frame->stored = g_malloc(frame->n_bytes);
  for (gsize i = 0; i < frame->n_bytes; i++) {
    frame->stored[i] = (guint8)(i * 31);
  }
}

static DicomFrame *
grey_frame(void)
{
  DicomFrame *frame = dicom_frame_new(5, 4, 1, SAMPLE_S16);
  static const DicomWindow windows[] = {{DICOM_VOI_SIGMOID, 40.5, 400, 0, FALSE},
                                        {DICOM_VOI_LUT, 3, 9, 1, TRUE}};
  static const DicomMark marks[] = {{2, 5, MARK_SHUTTER}, {7, 13, MARK_SHUTTER | MARK_STROKE}};
  static const double area[4] = {-1, 0.5, 3, 6};

  add_stored(frame);
  frame->bits_stored = 12;
  frame->shift = 4;
  frame->is_signed = TRUE;
  frame->modality = lut_new(9, -20, 16);
  frame->slope = 1.5;
  frame->intercept = -1024;
  frame->has_padding = TRUE;
  frame->padding_low = -2000;
  frame->padding_high = -1999;
  g_array_append_vals(frame->windows, windows, 2);
  g_ptr_array_add(frame->voi_luts, lut_new(3, 65535, 8));
  g_ptr_array_add(frame->voi_luts, lut_new(4, 0, 12));
  frame->inverse = TRUE;
  frame->presentation = lut_new(4, 0, 10);
  frame->turns = 3;
  frame->flip = TRUE;
  g_array_append_vals(frame->marks, marks, 2);
  frame->shutter_grey = 77;
  g_ptr_array_add(frame->texts, g_strdup("\xc3\xa4"));
  g_array_append_vals(frame->text_points, area, 2);
  frame->has_area = TRUE;
  memcpy(frame->area, area, sizeof area);
  dicom_frame_find_range(frame);
  return frame;
}

static DicomFrame *
palette_frame(void)
{
  DicomFrame *frame = dicom_frame_new(3, 2, 1, SAMPLE_U8);

  add_stored(frame);
  frame->colour = COLOUR_PALETTE;
  for (guint i = 0; i < 3; i++) {
    frame->palette[i] = lut_new(5 + i, (gint)i, 16);
  }
  dicom_frame_find_range(frame);
  return frame;
}

static DicomFrame *
unpack(const guint8 *bytes, gsize n, const DicomFrame *like, GError **error)
{
  g_autoptr(GBytes) pixels = g_bytes_new(like->stored, like->n_bytes);

  return dicom_frame_unpack(bytes, n, pixels, error);
}

static void
check_lut(const DicomLut *a, const DicomLut *b)
{
  g_assert_true(!a == !b);
  if (a) {
    g_assert_cmpint(a->first, ==, b->first);
    g_assert_cmpuint(a->bits, ==, b->bits);
    g_assert_cmpmem(a->data, a->n * 2, b->data, b->n * 2);
  }
}

static void
check_round(const DicomFrame *a)
{
  g_autoptr(GBytes) bytes = dicom_frame_pack(a);
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) b =
      unpack(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), a, &error);
  g_autoptr(GBytes) again = NULL;

  g_assert_no_error(error);
  g_assert_cmpuint(a->width, ==, b->width);
  g_assert_cmpuint(a->height, ==, b->height);
  g_assert_cmpuint(a->type, ==, b->type);
  g_assert_cmpuint(a->bits_stored, ==, b->bits_stored);
  g_assert_cmpuint(a->shift, ==, b->shift);
  g_assert_cmpint(a->is_signed, ==, b->is_signed);
  g_assert_cmpint(a->inverse, ==, b->inverse);
  g_assert_cmpfloat(a->slope, ==, b->slope);
  g_assert_cmpfloat(a->intercept, ==, b->intercept);
  g_assert_cmpfloat(a->padding_low, ==, b->padding_low);
  g_assert_cmpfloat(a->low, ==, b->low);
  g_assert_cmpfloat(a->high, ==, b->high);
  g_assert_cmpmem(a->stored, a->n_bytes, b->stored, b->n_bytes);
  check_lut(a->presentation, b->presentation);
  g_assert_cmpuint(a->turns, ==, b->turns);
  g_assert_cmpint(a->flip, ==, b->flip);
  g_assert_cmpmem(a->marks->data, a->marks->len * sizeof(DicomMark), b->marks->data,
                  b->marks->len * sizeof(DicomMark));
  g_assert_cmpuint(a->shutter_grey, ==, b->shutter_grey);
  g_assert_cmpuint(a->texts->len, ==, b->texts->len);
  g_assert_cmpmem(a->area, sizeof a->area, b->area, sizeof b->area);
  g_assert_cmpmem(a->windows->data, a->windows->len * sizeof(DicomWindow), b->windows->data,
                  b->windows->len * sizeof(DicomWindow));
  check_lut(a->modality, b->modality);
  for (guint i = 0; i < 3; i++) {
    check_lut(a->palette[i], b->palette[i]);
  }
  g_assert_cmpuint(a->voi_luts->len, ==, b->voi_luts->len);
  for (guint i = 0; i < a->voi_luts->len; i++) {
    check_lut(a->voi_luts->pdata[i], b->voi_luts->pdata[i]);
  }
  /* And whatever else a frame has. */
  again = dicom_frame_pack(b);
  g_assert_true(g_bytes_equal(bytes, again));
}

static void
test_frame_round(void)
{
  g_autoptr(DicomFrame) grey = grey_frame(), palette = palette_frame();

  check_round(grey);
  check_round(palette);
}

/* Whatever a damaged frame is, it is refused or can be shown. */
static void
show(const DicomFrame *frame)
{
  g_autoptr(DicomPicture) picture = dicom_frame_render(frame, NULL, NULL);
  double value;

  g_assert_nonnull(picture);
  for (guint i = 0; i < frame->windows->len; i++) {
    g_autoptr(DicomPicture) other =
        dicom_frame_render(frame, &g_array_index(frame->windows, DicomWindow, i), NULL);
    g_assert_nonnull(other);
  }
  dicom_frame_value(frame, frame->width - 1, frame->height - 1, &value);
}

static void
damage(const DicomFrame *frame)
{
  g_autoptr(GBytes) bytes = dicom_frame_pack(frame);
  gsize n;
  const guint8 *good = g_bytes_get_data(bytes, &n);
  guint refused = 0;

  for (gsize i = 0; i < n; i++) {
    g_autofree guint8 *cut = g_memdup2(good, i);
    g_autoptr(GError) error = NULL;

    g_assert_null(unpack(cut, i, frame, &error));
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
    for (guint bit = 0; bit < 8; bit++) {
      g_autofree guint8 *bad = g_memdup2(good, n);
      g_autoptr(GError) problem = NULL;

      bad[i] ^= (guint8)(1u << bit);
      g_autoptr(DicomFrame) got = unpack(bad, n, frame, &problem);
      g_assert_true((got != NULL) == (problem == NULL));
      refused += !got;
      if (got) {
        show(got);
      }
    }
  }
  g_assert_cmpuint(refused, >, n / 4);
}

static void
test_frame_damage(void)
{
  g_autoptr(DicomFrame) grey = grey_frame(), palette = palette_frame();

  show(grey);
  show(palette);
  damage(grey);
  damage(palette);
}

/* Several bytes at a time. */
static void
test_frame_noise(void)
{
  g_autoptr(DicomFrame) frame = grey_frame();
  g_autoptr(GBytes) bytes = dicom_frame_pack(frame);
  g_autoptr(GRand) random = g_rand_new_with_seed(11);
  gsize n;
  const guint8 *good = g_bytes_get_data(bytes, &n);

  for (guint round = 0; round < test_rounds(5000); round++) {
    g_autofree guint8 *bad = g_memdup2(good, n);
    guint k = (guint)g_rand_int_range(random, 1, 6);

    for (guint i = 0; i < k; i++) {
      static const guint32 words[] = {0, 1, 2, 8, 16, 64, 0x7fffffff, 0xffffffff, 0x7ff00000};
      gsize at = (gsize)g_rand_int_range(random, 0, (gint)n / 4) * 4;

      memcpy(bad + at, &words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))], 4);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(DicomFrame) got = unpack(bad, n, frame, &error);
    if (got) {
      show(got);
    }
  }
}

/* Each rule that the functions that show a frame rely on. */
static void
test_frame_rules(void)
{
  static const struct {
    gsize offset;
    guint value;
    const char *why;
  } cases[] = {
      {G_STRUCT_OFFSET(DicomFrame, width), 0, "the size"},
      {G_STRUCT_OFFSET(DicomFrame, height), 5, "the size"},
      {G_STRUCT_OFFSET(DicomFrame, samples), 3, "the size"},
      {G_STRUCT_OFFSET(DicomFrame, type), SAMPLE_U32, "the size"},
      {G_STRUCT_OFFSET(DicomFrame, type), SAMPLE_F64 + 1, "type"},
      {G_STRUCT_OFFSET(DicomFrame, bits_stored), 0, "bits_stored"},
      {G_STRUCT_OFFSET(DicomFrame, bits_stored), 13, "bits_stored"},
      {G_STRUCT_OFFSET(DicomFrame, shift), 5, "bits_stored"},
      {G_STRUCT_OFFSET(DicomFrame, colour), COLOUR_RGB, "the colour"},
      {G_STRUCT_OFFSET(DicomFrame, colour), COLOUR_PALETTE, "the colour"},
      {G_STRUCT_OFFSET(DicomFrame, inverse), 2, "inverse"},
      {G_STRUCT_OFFSET(DicomFrame, raw_high), 70000, "the range of the samples"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(DicomFrame) frame = grey_frame();
    const char *why;

    g_assert_true(dicom_frame_is_sound(frame, &why));
    *(guint *)G_STRUCT_MEMBER_P(frame, cases[i].offset) = cases[i].value;
    g_assert_false(dicom_frame_is_sound(frame, &why));
    g_assert_cmpstr(why, ==, cases[i].why);
  }
  g_autoptr(DicomFrame) frame = grey_frame();
  const char *why;
  frame->slope = 0;
  g_assert_false(dicom_frame_is_sound(frame, &why));
  g_assert_cmpstr(why, ==, "the rescale");
  frame->slope = INFINITY;
  g_assert_false(dicom_frame_is_sound(frame, &why));
  g_assert_cmpstr(why, ==, "slope");
  frame->slope = 1;
  g_array_index(frame->windows, DicomWindow, 1).lut = 2;
  g_assert_false(dicom_frame_is_sound(frame, &why));
  g_assert_cmpstr(why, ==, "a window");
  g_array_index(frame->windows, DicomWindow, 1).lut = 1;
  frame->low = frame->high + 1;
  g_assert_false(dicom_frame_is_sound(frame, &why));
  g_assert_cmpstr(why, ==, "the range");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/wire/info-round", test_info_round);
  g_test_add_func("/wire/info-whole", test_info_whole);
  g_test_add_func("/wire/info-damage", test_info_damage);
  g_test_add_func("/wire/info-unsound", test_info_unsound);
  g_test_add_func("/wire/frame-round", test_frame_round);
  g_test_add_func("/wire/frame-damage", test_frame_damage);
  g_test_add_func("/wire/frame-noise", test_frame_noise);
  g_test_add_func("/wire/frame-rules", test_frame_rules);
  return g_test_run();
}
