/* preprocess.c - picture to the tower's square, bit for bit as LLaVA and Pillow do it.
 *
 * Reference (facts 2): expand2square with the mean colour (aspect "pad" only), shortest edge to the
 * tower's side with Pillow's bicubic (Resample.c), centre crop. Grey pictures stay one channel
 * until the end, which gives the same numbers as converting to RGB first.
 *
 * Invariants:
 * 1. The padded picture is never made. A tap that falls on padding adds weight * colour, a constant
 *    of the column (or row), so time and memory follow the true pixels and the output alone.
 * 2. Rows are read once, in order. The vertical pass adds each horizontally resized row (rounded to
 *    8 bits, as Pillow rounds) to the accumulators of the outputs that it touches; sums of integers
 *    do not depend on the order.
 * 3. Accumulators hold at most 255 * 2^22 * (sum of |weights|, below 1.5), which fits in 32 bits.
 */
#include "image/preprocess.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"

#define PRECISION_BITS 22
#define ROUND_HALF (1 << (PRECISION_BITS - 1))

/* Taps of the N outputs that are kept along one axis. Coordinates are those of the padded picture.
 */
typedef struct {
  uint32_t n;
  uint32_t *low, *high; /* taps low[i] .. high[i] - 1 */
  size_t *first;        /* index of the first weight of output i */
  int32_t *weights;
} Axis;

static void
axis_clear(Axis *axis)
{
  free(axis->low);
  free(axis->high);
  free(axis->first);
  free(axis->weights);
}

/* Pillow's bicubic_filter, a = -0.5. */
static double
bicubic(double x)
{
  const double a = -0.5;

  if (x < 0.0) {
    x = -x;
  }
  if (x < 1.0) {
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  }
  if (x < 2.0) {
    return (((x - 5) * x + 8) * x - 4) * a;
  }
  return 0.0;
}

static int32_t
to_fixed(double weight)
{
  const double scaled = weight * (1 << PRECISION_BITS);

  return (int32_t)(weight < 0 ? -0.5 + scaled : 0.5 + scaled);
}

/* Pillow's precompute_coeffs and normalize_coeffs_8bpc for outputs FIRST .. FIRST + N - 1 of N_OUT,
 * from N_IN inputs. N_OUT can be far larger than what is kept (a long, thin picture). */
static bool
axis_init(Axis *axis, uint32_t n_in, uint64_t n_out, uint64_t first, uint32_t n, ModelError *err)
{
  const double scale = (double)n_in / (double)n_out;
  const double filter_scale = scale < 1.0 ? 1.0 : scale;
  const double support = 2.0 * filter_scale, inverse = 1.0 / filter_scale;
  size_t n_taps = (size_t)support + 2;
  double *exact;

  n_taps = 2 * n_taps + 1 < n_in ? 2 * n_taps + 1 : n_in;
  axis->n = n;
  axis->low = malloc(n * sizeof *axis->low);
  axis->high = malloc(n * sizeof *axis->high);
  axis->first = malloc(n * sizeof *axis->first);
  axis->weights = calloc(n, n_taps * sizeof *axis->weights);
  exact = malloc(n_taps * sizeof *exact);
  if (!axis->low || !axis->high || !axis->first || !axis->weights || !exact) {
    free(exact);
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the weights of a resize");
  }
  for (uint32_t i = 0; i < n; i++) {
    const double center = ((double)(first + i) + 0.5) * scale;
    const double from = center - support + 0.5, to = center + support + 0.5;
    const uint32_t low = from < 0 ? 0 : (uint32_t)from;
    const uint32_t high = to > n_in ? n_in : (uint32_t)to;
    int32_t *weights = axis->weights + (size_t)i * n_taps;
    double total = 0;

    for (uint32_t k = low; k < high; k++) {
      exact[k - low] = bicubic(((double)(k - low) + low - center + 0.5) * inverse);
      total += exact[k - low];
    }
    for (uint32_t k = low; k < high; k++) {
      weights[k - low] = to_fixed(total != 0.0 ? exact[k - low] / total : exact[k - low]);
    }
    axis->low[i] = low;
    axis->high[i] = high;
    axis->first[i] = (size_t)i * n_taps;
  }
  free(exact);
  return true;
}

static uint8_t
clip8(int32_t value)
{
  value >>= PRECISION_BITS;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* One resize with virtual padding: the picture covers X0 .. X0+width of the padded axis, and so on.
 */
typedef struct {
  const ModelImage *image;
  Axis x, y;
  uint32_t x0, y0;
  int32_t color[3]; /* of the padding */
  int32_t *base;    /* [size][channels]: rounding half + what padding adds to a column */
  int32_t *sums;    /* [size][size][channels] */
  uint8_t *row;     /* [size][channels]: one row after the horizontal pass */
} Resize;

static void
resize_clear(Resize *resize)
{
  axis_clear(&resize->x);
  axis_clear(&resize->y);
  free(resize->base);
  free(resize->sums);
  free(resize->row);
}

/* Sum of the weights of output I whose taps lie outside INSIDE_FROM .. INSIDE_TO - 1. */
static int32_t
padding_weight(const Axis *axis, uint32_t i, uint32_t inside_from, uint32_t inside_to)
{
  const int32_t *weights = axis->weights + axis->first[i];
  int32_t sum = 0;

  for (uint32_t k = axis->low[i]; k < axis->high[i]; k++) {
    if (k < inside_from || k >= inside_to) {
      sum += weights[k - axis->low[i]];
    }
  }
  return sum;
}

/* Horizontal pass over row Y of the picture into resize->row. */
static void
resize_row(Resize *resize, uint32_t y)
{
  const uint32_t channels = resize->image->channels, width = resize->image->width;
  const uint8_t *pixels = resize->image->pixels + (size_t)y * width * channels;
  const uint32_t from = resize->x0, to = resize->x0 + width;

  for (uint32_t i = 0; i < resize->x.n; i++) {
    const uint32_t low = resize->x.low[i] > from ? resize->x.low[i] : from;
    const uint32_t high = resize->x.high[i] < to ? resize->x.high[i] : to;
    const int32_t *weights = resize->x.weights + resize->x.first[i] - resize->x.low[i];
    const int32_t *base = resize->base + (size_t)i * channels;
    uint8_t *out = resize->row + (size_t)i * channels;

    if (channels == 1) {
      int32_t sum = base[0];
      for (uint32_t k = low; k < high; k++) {
        sum += pixels[k - from] * weights[k];
      }
      out[0] = clip8(sum);
    } else {
      int32_t r = base[0], g = base[1], b = base[2];
      for (uint32_t k = low; k < high; k++) {
        const uint8_t *pixel = pixels + (size_t)(k - from) * 3;
        r += pixel[0] * weights[k];
        g += pixel[1] * weights[k];
        b += pixel[2] * weights[k];
      }
      out[0] = clip8(r);
      out[1] = clip8(g);
      out[2] = clip8(b);
    }
  }
}

/* Starts every accumulator with what the rows of padding above and below add. */
static void
resize_start(Resize *resize)
{
  const uint32_t channels = resize->image->channels, size = resize->x.n;

  for (uint32_t i = 0; i < size; i++) {
    /* A row that is all padding still passes through the rounding of the horizontal pass. */
    const int32_t *weights = resize->x.weights + resize->x.first[i];
    int32_t all = 0, outside;
    for (uint32_t k = 0; k < resize->x.high[i] - resize->x.low[i]; k++) {
      all += weights[k];
    }
    outside = padding_weight(&resize->x, i, resize->x0, resize->x0 + resize->image->width);
    for (uint32_t c = 0; c < channels; c++) {
      resize->row[i * channels + c] = clip8(ROUND_HALF + all * resize->color[c]);
      resize->base[i * channels + c] = ROUND_HALF + outside * resize->color[c];
    }
  }
  for (uint32_t j = 0; j < size; j++) {
    const int32_t outside =
        padding_weight(&resize->y, j, resize->y0, resize->y0 + resize->image->height);
    int32_t *sums = resize->sums + (size_t)j * size * channels;
    for (size_t i = 0; i < (size_t)size * channels; i++) {
      sums[i] = ROUND_HALF + outside * resize->row[i];
    }
  }
}

static void
resize_run(Resize *resize, uint8_t *out)
{
  const uint32_t channels = resize->image->channels, size = resize->x.n;
  const size_t row_values = (size_t)size * channels;
  uint32_t begin = 0, end = 0;

  resize_start(resize);
  for (uint32_t row = 0; row < resize->image->height; row++) {
    const uint32_t y = row + resize->y0;
    /* Taps move on from output to output, so the outputs that a row touches are a sliding span. */
    while (begin < size && resize->y.high[begin] <= y) {
      begin++;
    }
    while (end < size && resize->y.low[end] <= y) {
      end++;
    }
    if (begin >= end) {
      continue;
    }
    resize_row(resize, row);
    for (uint32_t j = begin; j < end; j++) {
      const int32_t weight = resize->y.weights[resize->y.first[j] + y - resize->y.low[j]];
      int32_t *sums = resize->sums + j * row_values;
      for (size_t i = 0; i < row_values; i++) {
        sums[i] += weight * resize->row[i];
      }
    }
  }
  for (size_t i = 0; i < (size_t)size * size; i++) {
    for (uint32_t c = 0; c < 3; c++) {
      out[i * 3 + c] = clip8(resize->sums[i * channels + (channels == 3 ? c : 0)]);
    }
  }
}

static bool
image_check(const ModelVisionConfig *vision, const ModelImage *image, ModelError *err)
{
  if (!image || !image->pixels || (image->channels != 1 && image->channels != 3)) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "picture: found %u channels, expected 1 or 3",
                      image ? image->channels : 0);
  }
  if (image->width < 1 || image->height < 1) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "picture: found %u x %u pixels, expected at least 1", image->width,
                      image->height);
  }
  if (image->width > MODEL_MAX_PICTURE_SIDE || image->height > MODEL_MAX_PICTURE_SIDE) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE,
                      "picture: found %u x %u pixels, expected at most %u on a side", image->width,
                      image->height, MODEL_MAX_PICTURE_SIDE);
  }
  if (vision->image_size < 1 || vision->image_size > MODEL_MAX_IMAGE_SIDE) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE,
                      "image_size of the tower: found %u, expected 1 to %u", vision->image_size,
                      MODEL_MAX_IMAGE_SIDE);
  }
  for (int c = 0; c < 3; c++) {
    if (!(vision->mean[c] >= 0 && vision->mean[c] <= 1)) {
      return model_fail(err, MODEL_ERROR_CORRUPT, "image_mean: found %g, expected 0 to 1",
                        (double)vision->mean[c]);
    }
  }
  return true;
}

/* Where the middle of LENGTH begins: a half is rounded down, or (torchvision's center_crop,
 * Python's round) to the even one. */
static uint64_t
crop_from(const ModelVisionConfig *vision, uint64_t length)
{
  const uint64_t rest = length - vision->image_size;

  return rest / 2 + (vision->round_crop && rest % 4 == 3);
}

bool
model_image_square(const ModelVisionConfig *vision, ModelAspect aspect, const ModelImage *image,
                   uint8_t *out, ModelError *err)
{
  Resize resize = {.image = image};
  uint32_t width, height, size, shorter;
  uint64_t new_width, new_height;
  size_t values;
  bool ok;

  if (!image_check(vision, image, err)) {
    return false;
  }
  size = vision->image_size;
  width = image->width;
  height = image->height;
  if (aspect == MODEL_ASPECT_PAD) {
    const uint32_t side = width > height ? width : height;
    resize.x0 = (side - width) / 2;
    resize.y0 = (side - height) / 2;
    width = height = side;
  }
  for (uint32_t c = 0; c < 3; c++) {
    resize.color[c] = (int32_t)(255.0 * vision->mean[c]);
  }
  if (image->channels == 1) {
    const double mean = ((double)vision->mean[0] + vision->mean[1] + vision->mean[2]) / 3.0;
    resize.color[0] = (int32_t)(255.0 * mean);
  }
  /* int(size * long / short): both products are exact in a double. */
  shorter = width < height ? width : height;
  new_width = (uint64_t)((double)((uint64_t)size * width) / shorter);
  new_height = (uint64_t)((double)((uint64_t)size * height) / shorter);
  values = (size_t)size * image->channels;
  resize.base = malloc(values * sizeof *resize.base);
  resize.row = malloc(values);
  resize.sums = malloc(values * size * sizeof *resize.sums);
  ok = resize.base && resize.row && resize.sums;
  if (!ok) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a picture of %u x %u", size, size);
  }
  ok = ok && axis_init(&resize.x, width, new_width, crop_from(vision, new_width), size, err) &&
       axis_init(&resize.y, height, new_height, crop_from(vision, new_height), size, err);
  if (ok) {
    resize_run(&resize, out);
  }
  resize_clear(&resize);
  return ok;
}

void
model_image_normalise(const ModelVisionConfig *vision, const uint8_t *u8, float *out)
{
  const size_t n = (size_t)vision->image_size * vision->image_size;

  for (uint32_t c = 0; c < 3; c++) {
    float table[256];
    for (int value = 0; value < 256; value++) {
      table[value] = (float)((value / 255.0 - vision->mean[c]) / vision->std[c]);
    }
    for (size_t i = 0; i < n; i++) {
      out[c * n + i] = table[u8[i * 3 + c]];
    }
  }
}
