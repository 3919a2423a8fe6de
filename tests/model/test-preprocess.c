/* test-preprocess.c - the tower's square is Pillow's, byte for byte. */
#include <glib.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "image/preprocess.h"
#include "shared.h"

static ModelVisionConfig
clip_config(uint32_t size)
{
  return (ModelVisionConfig){.image_size = size,
                             .patch_size = 14,
                             .mean = {0.48145466f, 0.4578275f, 0.40821073f},
                             .std = {0.26862954f, 0.26130258f, 0.27577711f}};
}

/* The integer picture of vectors/preprocess.json, which any language can make. */
static uint8_t *
formula_picture(uint32_t width, uint32_t height, uint32_t channels, uint32_t seed)
{
  uint8_t *pixels = g_malloc((gsize)width * height * channels);
  uint8_t *p = pixels;

  for (uint32_t y = 0; y < height; y++) {
    for (uint32_t x = 0; x < width; x++) {
      for (uint32_t c = 0; c < channels; c++) {
        uint32_t n = x * 374761393u + y * 668265263u + c * 1274126177u + seed * 2654435761u;
        uint32_t s = (5 * x + 3 * y + 40 * c) % 511;
        n ^= n >> 15;
        n *= 2246822519u;
        n ^= n >> 13;
        n &= 255;
        s = s < 256 ? s : 510 - s;
        *p++ = (uint8_t)((3 * s + n) >> 2);
      }
    }
  }
  return pixels;
}

static void
check_result(JsonObject *result, const ModelImage *image)
{
  const char *mode = json_object_get_string_member(result, "mode");
  const uint32_t size = (uint32_t)json_object_get_int_member(result, "size");
  const ModelVisionConfig config = clip_config(size);
  const gsize n = (gsize)size * size * 3;
  g_autofree uint8_t *u8 = g_malloc(n);
  g_autofree float *normalised = g_new(float, n);
  JsonArray *samples = json_object_get_array_member(result, "normalised_samples");
  ModelError err = {0};
  char hex[65];

  g_assert_true(model_image_square(
      &config, g_str_equal(mode, "pad") ? MODEL_ASPECT_PAD : MODEL_ASPECT_SQUARE, image, u8, &err));
  model_sha256(u8, n, hex);
  g_test_message("%u x %u x %u %s %u", image->width, image->height, image->channels, mode, size);
  g_assert_cmpstr(hex, ==, json_object_get_string_member(result, "u8_sha256"));
  model_image_normalise(&config, u8, normalised);
  for (guint i = 0; i < json_array_get_length(samples); i++) {
    JsonArray *pair = json_array_get_array_element(samples, i);
    const gint64 at = json_array_get_int_element(pair, 0);
    const double expected = json_array_get_double_element(pair, 1);
    /* One float32 rounding of a number below 3. */
    g_assert_cmpfloat(fabs(normalised[at] - expected), <, 1e-6);
  }
}

static void
test_golden(void)
{
  g_autofree char *path = shared_path("vectors/preprocess.json");
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) error = NULL;
  JsonArray *pictures;
  guint n_results = 0;

  if (!path) {
    return;
  }
  g_assert_true(json_parser_load_from_file(parser, path, &error));
  pictures =
      json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), "pictures");
  for (guint i = 0; i < json_array_get_length(pictures); i++) {
    JsonObject *picture = json_array_get_object_element(pictures, i);
    JsonArray *results = json_object_get_array_member(picture, "results");
    ModelImage image = {.width = (uint32_t)json_object_get_int_member(picture, "width"),
                        .height = (uint32_t)json_object_get_int_member(picture, "height"),
                        .channels = (uint32_t)json_object_get_int_member(picture, "channels")};
    g_autofree uint8_t *pixels =
        formula_picture(image.width, image.height, image.channels,
                        (uint32_t)json_object_get_int_member(picture, "seed"));
    char hex[65];

    model_sha256(pixels, (gsize)image.width * image.height * image.channels, hex);
    g_assert_cmpstr(hex, ==, json_object_get_string_member(picture, "picture_sha256"));
    image.pixels = pixels;
    for (guint j = 0; j < json_array_get_length(results); j++, n_results++) {
      check_result(json_array_get_object_element(results, j), &image);
    }
  }
  g_assert_cmpuint(n_results, >, 0);
}

/* Pillow's method written as its description reads: pad, resize rows, resize columns, crop. */
static double
bicubic(double t)
{
  const double a = -0.5;
  t = fabs(t);
  return t < 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
}

static uint8_t *
plain_rows(const uint8_t *in, guint rows, guint n_in, guint n_out, guint channels)
{
  uint8_t *out = g_malloc((gsize)rows * n_out * channels);
  const double scale = (double)n_in / n_out, wide = MAX(scale, 1.0);
  g_autofree double *weights = g_new(double, n_in);

  for (guint x = 0; x < n_out; x++) {
    const double center = (x + 0.5) * scale;
    const int low = MAX(0, (int)(center - 2 * wide + 0.5));
    const int high = MIN((int)n_in, (int)(center + 2 * wide + 0.5));
    double total = 0;
    for (int k = low; k < high; k++) {
      weights[k] = bicubic((k - center + 0.5) * (1.0 / wide));
      total += weights[k];
    }
    for (guint row = 0; row < rows; row++) {
      for (guint c = 0; c < channels; c++) {
        gint64 sum = 1 << 21;
        for (int k = low; k < high; k++) {
          const double w = weights[k] / total * (1 << 22);
          sum += in[((gsize)row * n_in + k) * channels + c] * (gint64)(w + (w < 0 ? -0.5 : 0.5));
        }
        sum >>= 22;
        out[((gsize)row * n_out + x) * channels + c] = (uint8_t)CLAMP(sum, 0, 255);
      }
    }
  }
  return out;
}

static uint8_t *
transpose(const uint8_t *in, guint rows, guint columns, guint channels)
{
  uint8_t *out = g_malloc((gsize)rows * columns * channels);
  for (guint y = 0; y < rows; y++) {
    for (guint x = 0; x < columns; x++) {
      memcpy(out + ((gsize)x * rows + y) * channels, in + ((gsize)y * columns + x) * channels,
             channels);
    }
  }
  return out;
}

static uint8_t *
plain_square(const ModelImage *image, guint size, gboolean pad)
{
  const guint c = image->channels, side = MAX(image->width, image->height);
  const guint w = pad ? side : image->width, h = pad ? side : image->height;
  const guint shorter = MIN(w, h);
  const guint new_w = (guint)((double)size * w / shorter),
              new_h = (guint)((double)size * h / shorter);
  const guint x0 = (w - image->width) / 2, y0 = (h - image->height) / 2;
  const uint8_t color[3] = {c == 1 ? 114 : 122, 116, 104};
  g_autofree uint8_t *padded = g_malloc((gsize)w * h * c), *wide = NULL, *turned = NULL;
  g_autofree uint8_t *tall = NULL, *resized = NULL;
  uint8_t *out = g_malloc((gsize)size * size * 3);

  for (gsize i = 0; i < (gsize)w * h * c; i++) {
    padded[i] = color[i % c];
  }
  for (guint y = 0; y < image->height; y++) {
    memcpy(padded + ((gsize)(y + y0) * w + x0) * c, image->pixels + (gsize)y * image->width * c,
           (gsize)image->width * c);
  }
  wide = plain_rows(padded, h, w, new_w, c);
  turned = transpose(wide, h, new_w, c);
  tall = plain_rows(turned, new_w, h, new_h, c);
  resized = transpose(tall, new_w, new_h, c);
  for (guint y = 0; y < size; y++) {
    for (guint x = 0; x < size; x++) {
      const gsize at = ((gsize)(y + (new_h - size) / 2) * new_w + x + (new_w - size) / 2) * c;
      for (guint k = 0; k < 3; k++) {
        out[((gsize)y * size + x) * 3 + k] = resized[at + (c == 3 ? k : 0)];
      }
    }
  }
  return out;
}

static void
test_plain_twin(void)
{
  static const guint sizes[][2] = {{1, 1},   {2, 1},   {1, 3},    {7, 7},   {13, 5},  {5, 13},
                                   {56, 56}, {57, 56}, {200, 31}, {31, 90}, {1, 120}, {120, 1}};

  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    for (guint channels = 1; channels <= 3; channels += 2) {
      g_autofree uint8_t *pixels = formula_picture(sizes[i][0], sizes[i][1], channels, i);
      const ModelImage image = {sizes[i][0], sizes[i][1], channels, pixels};
      for (guint size = 5; size <= 61; size += 14) {
        for (int pad = 0; pad < 2; pad++) {
          const ModelVisionConfig config = clip_config(size);
          g_autofree uint8_t *out = g_malloc((gsize)size * size * 3);
          g_autofree uint8_t *twin = plain_square(&image, size, pad);
          g_assert_true(model_image_square(&config, pad ? MODEL_ASPECT_PAD : MODEL_ASPECT_SQUARE,
                                           &image, out, NULL));
          g_assert_cmpmem(out, (gsize)size * size * 3, twin, (gsize)size * size * 3);
        }
      }
    }
  }
}

/* A line of pixels as long as a picture may be: the padded square would be 13 GB. */
static void
test_thin_pictures(void)
{
  const ModelVisionConfig config = clip_config(336);
  const gsize n = 336 * 336 * 3;
  g_autofree uint8_t *pixels = formula_picture(65535, 1, 3, 9), *out = g_malloc(n);
  struct rusage before, after;

  getrusage(RUSAGE_SELF, &before);
  for (int turned = 0; turned < 2; turned++) {
    for (int pad = 0; pad < 2; pad++) {
      const ModelImage image = {turned ? 1 : 65535, turned ? 65535 : 1, 3, pixels};
      g_assert_true(model_image_square(&config, pad ? MODEL_ASPECT_PAD : MODEL_ASPECT_SQUARE,
                                       &image, out, NULL));
      if (pad) {
        g_assert_cmpuint(out[0], ==, 122); /* a corner is padding */
      }
    }
  }
  getrusage(RUSAGE_SELF, &after);
  g_assert_cmpint(after.ru_maxrss - before.ru_maxrss, <, 64 * 1024); /* KiB */
}

static void
test_refusals(void)
{
  const uint8_t pixel[4] = {0};
  const ModelVisionConfig config = clip_config(14);
  uint8_t out[14 * 14 * 3];
  ModelError err;
  const struct {
    ModelImage image;
    ModelErrorCode code;
    const char *says;
  } cases[] = {
      {{0, 1, 3, pixel}, MODEL_ERROR_ARGUMENT, "*0 x 1*"},
      {{1, 0, 1, pixel}, MODEL_ERROR_ARGUMENT, "*1 x 0*"},
      {{1, 1, 4, pixel}, MODEL_ERROR_ARGUMENT, "*4 channels*"},
      {{1, 1, 3, NULL}, MODEL_ERROR_ARGUMENT, "*"},
      {{65536, 1, 3, pixel}, MODEL_ERROR_TOO_LARGE, "*65536 x 1*65535*"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    err = (ModelError){0};
    g_assert_false(model_image_square(&config, MODEL_ASPECT_PAD, &cases[i].image, out, &err));
    g_assert_cmpint(err.code, ==, cases[i].code);
    g_assert_true(g_pattern_match_simple(cases[i].says, err.message));
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/preprocess/golden", test_golden);
  g_test_add_func("/preprocess/plain-twin", test_plain_twin);
  g_test_add_func("/preprocess/thin-pictures", test_thin_pictures);
  g_test_add_func("/preprocess/refusals", test_refusals);
  return g_test_run();
}
