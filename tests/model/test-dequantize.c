/* Tensor types: sizes, the 16-bit floats exhaustively, hand-made blocks of every kind, and the rows
 * of the reference's quantised files. */
#include "checkpoint/checkpoint.h"

#include "model/checkpoint-fixture.h"
#include "model/golden.h"
#include "shared.h"

static void
test_sizes(void)
{
  static const struct {
    ModelType type;
    const char *name;
    guint values, bytes;
  } types[] = {
      {MODEL_TYPE_F32, "F32", 1, 4},       {MODEL_TYPE_F16, "F16", 1, 2},
      {MODEL_TYPE_BF16, "BF16", 1, 2},     {MODEL_TYPE_Q4_0, "Q4_0", 32, 18},
      {MODEL_TYPE_Q4_1, "Q4_1", 32, 20},   {MODEL_TYPE_Q5_0, "Q5_0", 32, 22},
      {MODEL_TYPE_Q5_1, "Q5_1", 32, 24},   {MODEL_TYPE_Q8_0, "Q8_0", 32, 34},
      {MODEL_TYPE_Q4_K, "Q4_K", 256, 144}, {MODEL_TYPE_Q5_K, "Q5_K", 256, 176},
      {MODEL_TYPE_Q6_K, "Q6_K", 256, 210},
  };

  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    g_assert_cmpstr(model_type_name(types[i].type), ==, types[i].name);
    g_assert_cmpuint(model_type_row_bytes(types[i].type, 3 * types[i].values), ==,
                     3 * types[i].bytes);
    if (types[i].values > 1)
      g_assert_cmpuint(model_type_row_bytes(types[i].type, types[i].values + 1), ==, 0);
  }
  for (guint t = 0; t < 300; t++)
    if (!model_type_name((ModelType)t))
      g_assert_cmpuint(model_type_row_bytes((ModelType)t, 256), ==, 0);
  g_assert_null(model_type_name((ModelType)10));
  g_assert_null(model_type_name((ModelType)-1));
  g_assert_cmpuint(model_type_row_bytes(MODEL_TYPE_F32, G_MAXUINT64 / 2), ==, 0);
}

static void
read_bytes(ModelType type, const guint8 *data, guint columns, float *out)
{
  ModelTensor tensor = {.name = "t", .data = data, .shape = {columns}, .n_dims = 1, .type = type};

  model_tensor_read_rows(&tensor, 0, 1, out);
}

/* Sign, exponent and mantissa taken apart by arithmetic, not by the reader's way. */
static void
test_f16(void)
{
  for (guint h = 0; h < 65536; h++) {
    guint8 bytes[2] = {(guint8)h, (guint8)(h >> 8)}, back[2];
    int e = (int)(h >> 10 & 31), m = (int)(h & 1023);
    double expected = e == 0 ? ldexp(m, -24) : ldexp(1024 + m, e - 25);
    float found;
    read_bytes(MODEL_TYPE_F16, bytes, 1, &found);
    if (e == 31) {
      g_assert_true(m ? isnan(found) : isinf(found));
    } else {
      g_assert_cmpfloat(fabs((double)found), ==, expected);
    }
    g_assert_cmpint(!!signbit(found), ==, h >> 15);
    if (e == 31 && m)
      continue;
    model_type_write_row(MODEL_TYPE_F16, &found, 1, back);
    g_assert_cmpmem(back, 2, bytes, 2);
  }
}

static guint
to16(ModelType type, float value)
{
  guint8 bytes[2];

  model_type_write_row(type, &value, 1, bytes);
  return bytes[0] | (guint)bytes[1] << 8;
}

/* Half way between two neighbours goes to the even one, a hair above it up, below it down. */
static void
test_f16_rounding(void)
{
  for (guint h = 0; h < 0x7BFF; h++) {
    guint8 low[2] = {(guint8)h, (guint8)(h >> 8)},
           high[2] = {(guint8)(h + 1), (guint8)((h + 1) >> 8)};
    float a, b, middle;
    read_bytes(MODEL_TYPE_F16, low, 1, &a);
    read_bytes(MODEL_TYPE_F16, high, 1, &b);
    middle = (a + b) / 2; /* exact: one bit more */
    g_assert_cmpuint(to16(MODEL_TYPE_F16, middle), ==, h % 2 ? h + 1 : h);
    g_assert_cmpuint(to16(MODEL_TYPE_F16, nextafterf(middle, 1e9f)), ==, h + 1);
    g_assert_cmpuint(to16(MODEL_TYPE_F16, nextafterf(middle, -1e9f)), ==, h);
    g_assert_cmpuint(to16(MODEL_TYPE_F16, -middle), ==, 0x8000 | (h % 2 ? h + 1 : h));
  }
  g_assert_cmpuint(to16(MODEL_TYPE_F16, 65519.996f), ==, 0x7BFF);
  g_assert_cmpuint(to16(MODEL_TYPE_F16, 65520.0f), ==, 0x7C00);
  g_assert_cmpuint(to16(MODEL_TYPE_F16, INFINITY), ==, 0x7C00);
  g_assert_cmpuint(to16(MODEL_TYPE_F16, NAN) & 0x7FFF, >, 0x7C00);
}

static void
test_bf16(void)
{
  float found;

  for (guint h = 0; h < 65536; h++) {
    guint8 bytes[2] = {(guint8)h, (guint8)(h >> 8)};
    guint32 bits = h << 16;
    float expected;
    memcpy(&expected, &bits, 4);
    read_bytes(MODEL_TYPE_BF16, bytes, 1, &found);
    g_assert_cmpmem(&found, 4, &expected, 4);
    if (!isnan(expected))
      g_assert_cmpuint(to16(MODEL_TYPE_BF16, expected), ==, h);
  }
  g_assert_cmpuint(to16(MODEL_TYPE_BF16, 1.00390625f), ==, 0x3F80); /* tie, to even */
  g_assert_cmpuint(to16(MODEL_TYPE_BF16, 1.01171875f), ==, 0x3F82); /* tie, to even */
  g_assert_cmpuint(to16(MODEL_TYPE_BF16, 1.004f), ==, 0x3F81);
  g_assert_cmpuint(to16(MODEL_TYPE_BF16, NAN) & 0x7FFF, >, 0x7F80);
}

/* d = 0.5 and m = -2 in half precision. */
#define HALF 0x00, 0x38
#define MINUS_TWO 0x00, 0xC0

static void
test_small_blocks(void)
{
  guint8 q4_0[18] = {HALF}, q4_1[20] = {HALF, MINUS_TWO}, q5_0[22] = {HALF};
  guint8 q5_1[24] = {HALF, MINUS_TWO}, q8_0[34] = {HALF};
  float out[32];

  for (int i = 0; i < 16; i++)
    q4_0[2 + i] = q4_1[4 + i] = q5_0[6 + i] = q5_1[8 + i] = (guint8)(i | (15 - i) << 4);
  q5_0[2] = q5_1[4] = 0x01; /* the fifth bit of value 0 and of value 31 */
  q5_0[5] = q5_1[7] = 0x80;
  for (int i = 0; i < 32; i++)
    q8_0[2 + i] = (guint8)(i - 128);

  read_bytes(MODEL_TYPE_Q4_0, q4_0, 32, out);
  for (int i = 0; i < 32; i++)
    g_assert_cmpfloat(out[i], ==, 0.5f * (float)((i < 16 ? i : 31 - i) - 8));
  read_bytes(MODEL_TYPE_Q4_1, q4_1, 32, out);
  for (int i = 0; i < 32; i++)
    g_assert_cmpfloat(out[i], ==, 0.5f * (float)(i < 16 ? i : 31 - i) - 2);
  read_bytes(MODEL_TYPE_Q5_0, q5_0, 32, out);
  for (int i = 0; i < 32; i++)
    g_assert_cmpfloat(out[i], ==, 0.5f * (float)((i < 16 ? i : 31 - i) + (i % 31 ? 0 : 16) - 16));
  read_bytes(MODEL_TYPE_Q5_1, q5_1, 32, out);
  for (int i = 0; i < 32; i++)
    g_assert_cmpfloat(out[i], ==, 0.5f * (float)((i < 16 ? i : 31 - i) + (i % 31 ? 0 : 16)) - 2);
  read_bytes(MODEL_TYPE_Q8_0, q8_0, 32, out);
  for (int i = 0; i < 32; i++)
    g_assert_cmpfloat(out[i], ==, 0.5f * (float)(i - 128));
}

/* Six-bit scale and minimum of group G packed as ggml packs them. */
static void
pack_scale(guint8 *s, int g, int scale, int minimum)
{
  if (g < 4) {
    s[g] |= (guint8)scale;
    s[g + 4] |= (guint8)minimum;
  } else {
    s[g + 4] |= (guint8)((scale & 15) | (minimum & 15) << 4);
    s[g - 4] |= (guint8)(scale >> 4 << 6);
    s[g] |= (guint8)(minimum >> 4 << 6);
  }
}

static void
test_k_blocks(void)
{
  guint8 q4[144] = {HALF, MINUS_TWO}, q5[176] = {HALF, MINUS_TWO}, q6[210] = {0};
  float out[256];

  for (int g = 0; g < 8; g++) {
    pack_scale(q4 + 4, g, 7 * g + 5, 63 - 8 * g);
    pack_scale(q5 + 4, g, 7 * g + 5, 63 - 8 * g);
  }
  for (int i = 0; i < 256; i++) {
    int g = i / 32, l = i % 32, v4 = (i * 7 + g) % 16, v5 = (i * 5 + g) % 32;
    q4[16 + g / 2 * 32 + l] |= (guint8)(v4 << (g % 2 ? 4 : 0));
    q5[48 + g / 2 * 32 + l] |= (guint8)((v5 & 15) << (g % 2 ? 4 : 0));
    q5[16 + l] |= (guint8)(v5 >> 4 << g);
  }
  read_bytes(MODEL_TYPE_Q4_K, q4, 256, out);
  for (int i = 0; i < 256; i++)
    g_assert_cmpfloat(out[i], ==,
                      0.5f * (float)(7 * (i / 32) + 5) * (float)((i * 7 + i / 32) % 16) +
                          2 * (float)(63 - 8 * (i / 32)));
  read_bytes(MODEL_TYPE_Q5_K, q5, 256, out);
  for (int i = 0; i < 256; i++)
    g_assert_cmpfloat(out[i], ==,
                      0.5f * (float)(7 * (i / 32) + 5) * (float)((i * 5 + i / 32) % 32) +
                          2 * (float)(63 - 8 * (i / 32)));

  q6[209] = 0x38; /* 0.5 */
  for (int i = 0; i < 256; i++) {
    int v = (i * 11 + i / 64) % 64, half = i / 128, k = i % 128 / 32, l = i % 32;
    q6[half * 64 + k % 2 * 32 + l] |= (guint8)((v & 15) << (k < 2 ? 0 : 4));
    q6[128 + half * 32 + l] |= (guint8)(v >> 4 << 2 * k);
    q6[192 + i / 16] = (guint8)(i / 16 * 15 - 120);
  }
  read_bytes(MODEL_TYPE_Q6_K, q6, 256, out);
  for (int i = 0; i < 256; i++)
    g_assert_cmpfloat(out[i], ==,
                      0.5f * (float)(i / 16 * 15 - 120) * (float)((i * 11 + i / 64) % 64 - 32));
}

/* Rounding to the nearest of 255 steps: half a step, and the step itself is rounded to 11 bits. */
static void
test_write_q8_0(void)
{
  g_autoptr(GRand) rand = g_rand_new_with_seed(3);
  float in[64], out[64];
  guint8 bytes[68];

  for (guint round = 0; round < test_rounds(2000); round++) {
    double size = pow(10, g_rand_double_range(rand, -6, 4));
    for (int i = 0; i < 64; i++)
      in[i] = (float)g_rand_double_range(rand, -size, size);
    model_type_write_row(MODEL_TYPE_Q8_0, in, 64, bytes);
    read_bytes(MODEL_TYPE_Q8_0, bytes, 64, out);
    for (int b = 0; b < 64; b += 32) {
      float most = 0;
      for (int i = b; i < b + 32; i++)
        most = fmaxf(most, fabsf(in[i]));
      for (int i = b; i < b + 32; i++)
        g_assert_cmpfloat(fabsf(in[i] - out[i]), <=, most * (0.5f / 127 + 1.0f / 2048) + 4e-6f);
    }
  }
  memset(in, 0, sizeof in);
  in[3] = 1e-44f; /* its step is no normal number */
  model_type_write_row(MODEL_TYPE_Q8_0, in, 64, bytes);
  read_bytes(MODEL_TYPE_Q8_0, bytes, 64, out);
  for (int i = 0; i < 64; i++)
    g_assert_cmpfloat(out[i], ==, 0);
}

static void
test_rows(void)
{
  guint8 bytes[24];
  float values[6] = {1, 2, 3, 4, 5, 6}, out[6] = {0};
  ModelTensor tensor = {.name = "t",
                        .data = bytes + 1, /* not aligned, as in safetensors */
                        .shape = {3, 1, 2},
                        .n_dims = 3,
                        .type = MODEL_TYPE_F16};

  model_type_write_row(MODEL_TYPE_F16, values, 6, bytes + 1);
  g_assert_cmpuint(model_tensor_rows(&tensor), ==, 3);
  g_assert_cmpuint(model_tensor_columns(&tensor), ==, 2);
  model_tensor_read_rows(&tensor, 1, 2, out);
  for (int i = 0; i < 4; i++)
    g_assert_cmpfloat(out[i], ==, values[i + 2]);
  tensor.n_dims = 1;
  tensor.shape[0] = 6;
  g_assert_cmpuint(model_tensor_rows(&tensor), ==, 1);
  g_assert_cmpuint(model_tensor_columns(&tensor), ==, 6);
}

static const ModelTensor *
find_by_file_name(const ModelCheckpoint *checkpoint, const char *file_name)
{
  const ModelTensor *tensor;
  char name[256];

  for (guint i = 0; (tensor = model_checkpoint_tensor(checkpoint, i, name)); i++)
    if (g_str_equal(tensor->name, file_name))
      return tensor;
  return NULL;
}

static void
compare(float found, double expected)
{
  /* The golden numbers have nine digits; 1e-6 relative as vectors/README.md says, and 1e-9 for
   * those next to zero. */
  if (!(fabs((double)found - expected) <= 1e-9 + 1e-6 * fabs(expected)))
    g_error("%.9g, expected %.9g", (double)found, expected);
}

static void
compare_row(const ModelCheckpoint *checkpoint, JsonObject *row)
{
  const ModelTensor *tensor =
      find_by_file_name(checkpoint, json_object_get_string_member(row, "tensor"));
  JsonArray *first = json_object_get_array_member(row, "first32");
  JsonArray *last = json_object_get_array_member(row, "last8");
  g_autofree float *values = NULL;
  guint64 n;
  double norm = 0;

  g_assert_nonnull(tensor);
  g_assert_cmpstr(model_type_name(tensor->type), ==, json_object_get_string_member(row, "type"));
  n = model_tensor_columns(tensor);
  read_row(tensor, (guint64)json_object_get_int_member(row, "row"), &values);
  for (guint i = 0; i < json_array_get_length(first); i++)
    compare(values[i], json_array_get_double_element(first, i));
  for (guint i = 0; i < 8; i++)
    compare(values[n - 8 + i], json_array_get_double_element(last, i));
  for (guint64 i = 0; i < n; i++)
    norm += (double)values[i] * (double)values[i];
  compare((float)sqrt(norm), json_object_get_double_member(row, "norm"));
}

static void
test_golden_rows(gconstpointer data)
{
  const char *model = data;
  g_autoptr(JsonParser) parser = golden_load(model);
  g_autoptr(GList) types = NULL;
  JsonObject *quantised;
  guint n = 0;

  if (!parser)
    return;
  quantised = json_object_get_object_member(golden_root(parser), "quantised");
  types = json_object_get_members(quantised);
  for (GList *t = types; t; t = t->next) {
    JsonObject *entry = json_object_get_object_member(quantised, t->data);
    JsonArray *rows = json_object_get_array_member(entry, "rows");
    g_autofree char *relative =
        g_strdup_printf("vectors/%s/%s", model, json_object_get_string_member(entry, "file"));
    g_autofree char *path = shared_path(relative);
    ModelCheckpoint checkpoint;
    g_assert_nonnull(path);
    open_checkpoint(path, NULL, &checkpoint);
    for (guint i = 0; i < json_array_get_length(rows); i++, n++)
      compare_row(&checkpoint, json_array_get_object_element(rows, i));
    model_checkpoint_close(&checkpoint);
  }
  g_assert_cmpuint(n, >=, 20);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dequantize/sizes", test_sizes);
  g_test_add_func("/dequantize/f16", test_f16);
  g_test_add_func("/dequantize/f16-rounding", test_f16_rounding);
  g_test_add_func("/dequantize/bf16", test_bf16);
  g_test_add_func("/dequantize/small-blocks", test_small_blocks);
  g_test_add_func("/dequantize/k-blocks", test_k_blocks);
  g_test_add_func("/dequantize/write-q8_0", test_write_q8_0);
  g_test_add_func("/dequantize/rows", test_rows);
  g_test_add_data_func("/dequantize/golden-rows/A", "A-v15-tiny", test_golden_rows);
  g_test_add_data_func("/dequantize/golden-rows/C", "C-odd", test_golden_rows);
  return g_test_run();
}
