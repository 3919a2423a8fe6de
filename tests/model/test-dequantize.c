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
      {MODEL_TYPE_F32, "F32", 1, 4},
      {MODEL_TYPE_F16, "F16", 1, 2},
      {MODEL_TYPE_BF16, "BF16", 1, 2},
      {MODEL_TYPE_Q4_0, "Q4_0", 32, 18},
      {MODEL_TYPE_Q4_1, "Q4_1", 32, 20},
      {MODEL_TYPE_Q5_0, "Q5_0", 32, 22},
      {MODEL_TYPE_Q5_1, "Q5_1", 32, 24},
      {MODEL_TYPE_Q8_0, "Q8_0", 32, 34},
      {MODEL_TYPE_Q4_K, "Q4_K", 256, 144},
      {MODEL_TYPE_Q5_K, "Q5_K", 256, 176},
      {MODEL_TYPE_Q6_K, "Q6_K", 256, 210},
      {MODEL_TYPE_Q2_K, "Q2_K", 256, 84},
      {MODEL_TYPE_Q3_K, "Q3_K", 256, 110},
      {MODEL_TYPE_IQ4_NL, "IQ4_NL", 32, 18},
      {MODEL_TYPE_IQ2_XXS, "IQ2_XXS", 256, 66},
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
  g_assert_null(model_type_name((ModelType)9));
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

/* Two and three bits: the references walk the file's bytes, where the reader walks the values. */
static void
test_q2_k(void)
{
  guint8 b[84] = {0};
  float out[256];

  b[80] = 0x00, b[81] = 0x38; /* d = 0.5 */
  b[82] = 0x00, b[83] = 0xC0; /* dmin = -2 */
  for (guint i = 0; i < 80; i++)
    b[i] = (guint8)(i * 77 + 13);
  read_bytes(MODEL_TYPE_Q2_K, b, 256, out);
  for (guint byte = 0; byte < 64; byte++)
    for (guint k = 0; k < 4; k++) {
      guint value = byte / 32 * 128 + k * 32 + byte % 32;
      guint8 scales = b[value / 16];
      g_assert_cmpfloat(out[value], ==,
                        0.5f * (float)(scales % 16) * (float)(b[16 + byte] >> 2 * k & 3) +
                            2 * (float)(scales / 16));
    }
}

static void
test_q3_k(void)
{
  guint8 b[110] = {0};
  float out[256];

  b[109] = 0x38;
  for (guint i = 0; i < 96; i++)
    b[i] = (guint8)(i * 59 + 7);
  for (guint g = 0; g < 16; g++) { /* the scale of group g is 4 g + 1 - 32 */
    guint scale = 4 * g + 1;
    b[96 + g % 8] |= (guint8)(scale % 16 << (g < 8 ? 0 : 4));
    b[104 + g % 4] |= (guint8)(scale / 16 << g / 4 * 2);
  }
  read_bytes(MODEL_TYPE_Q3_K, b, 256, out);
  for (guint byte = 0; byte < 64; byte++)
    for (guint k = 0; k < 4; k++) {
      guint value = byte / 32 * 128 + k * 32 + byte % 32;
      int q = (b[32 + byte] >> 2 * k & 3) - (b[byte % 32] & 1 << value / 32 ? 0 : 4);
      g_assert_cmpfloat(out[value], ==, 0.5f * (float)(4 * (int)(value / 16) + 1 - 32) * (float)q);
    }
}

static void
test_iq4_nl(void)
{
  /* From the largest level down, as steps. */
  static const int steps[15] = {24, 20, 16, 15, 13, 12, 12, 11, 12, 13, 14, 16, 18, 21, 23};
  guint8 b[18] = {HALF};
  float out[32], level = 0.5f * 113;

  for (guint i = 0; i < 16; i++)
    b[2 + i] = (guint8)((15 - i) | i << 4);
  read_bytes(MODEL_TYPE_IQ4_NL, b, 32, out);
  for (guint i = 0; i < 16; i++) {
    g_assert_cmpfloat(out[i], ==, level);
    g_assert_cmpfloat(out[16 + 15 - i], ==, level);
    level -= 0.5f * (float)(i < 15 ? steps[i] : 0);
  }
}

/* The runs written another way: digits 0, 1, 2 make a number to base 3, the first the least; all
 * are even and in order, so half their distances say it. */
static void
test_iq2_xxs(void)
{
  static const guint8 distances[256] = {
      0,  1,  1,  1,  1,  1,  1,  3,  1,  2,  1,  1,  1,   3,  3,  2,  1,  3,  1,  3,  6,  4,
      1,  3,  2,  7,  15, 6,  6,  1,  9,  18, 13, 1,  3,   5,  1,  3,  1,  2,  6,  5,  1,  3,
      6,  3,  1,  2,  6,  7,  10, 1,  5,  12, 1,  9,  15,  9,  3,  2,  1,  3,  6,  2,  1,  3,
      1,  11, 12, 12, 28, 5,  35, 1,  3,  5,  4,  9,  6,   3,  2,  7,  3,  6,  9,  4,  5,  24,
      5,  25, 3,  6,  2,  6,  10, 21, 16, 17, 7,  34, 1,   3,  9,  14, 13, 2,  34, 23, 22, 1,
      3,  11, 8,  4,  1,  25, 4,  24, 1,  40, 1,  3,  9,   7,  20, 14, 10, 48, 12, 6,  24, 63,
      26, 1,  3,  3,  2,  1,  3,  3,  4,  2,  5,  1,  3,   9,  9,  14, 4,  2,  12, 4,  12, 4,
      5,  15, 3,  6,  18, 8,  11, 5,  30, 41, 1,  3,  9,   2,  25, 21, 2,  5,  28, 16, 9,  3,
      2,  3,  1,  18, 3,  12, 13, 23, 35, 40, 1,  12, 37,  19, 21, 5,  3,  16, 30, 30, 39, 3,
      9,  12, 15, 20, 28, 15, 18, 2,  43, 1,  23, 67, 107, 1,  3,  10, 14, 14, 6,  6,  32, 36,
      1,  3,  2,  7,  9,  18, 16, 17, 11, 10, 9,  19, 41,  44, 37, 3,  6,  3,  23, 11, 20, 29,
      25, 10, 5,  44, 90, 22, 73, 17, 11, 15, 37, 48, 132, 24,
  };
  static const float magnitudes[3] = {8, 25, 43};
  guint8 b[66] = {HALF};
  float out[256];
  guint half = 0;

  for (guint run = 0; run < 256; run++) {
    /* Run in group run % 8, place run % 4; the group's scale is 2 (0.5 + run % 16) / 8. */
    guint group = run % 8, place = run % 4, number, signs = run * 37 % 128, negative = 0;
    guint32 rest = (guint32)(run % 16) << 28 | (guint32)signs << 7 * place;
    half += distances[run];
    memset(b + 2, 0, 64);
    b[2 + 8 * group + place] = (guint8)run;
    for (guint i = 0; i < 4; i++)
      b[2 + 8 * group + 4 + i] = (guint8)(rest >> 8 * i);
    read_bytes(MODEL_TYPE_IQ2_XXS, b, 256, out);
    number = 2 * half;
    for (guint i = 0; i < 8; i++, number /= 3) {
      guint sign = i < 7 ? signs >> i & 1 : negative % 2;
      float expected = 0.125f * (0.5f + (float)(run % 16)) * magnitudes[number % 3];
      negative += sign;
      g_assert_cmpfloat(out[32 * group + 8 * place + i], ==, sign ? -expected : expected);
    }
    g_assert_cmpuint(number, ==, 0);
    /* The others are runs of the least magnitude. */
    g_assert_cmpfloat(out[(32 * group + 128) % 256], ==, 0.125f * 0.5f * 8);
  }
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
  g_test_add_func("/dequantize/q2_k", test_q2_k);
  g_test_add_func("/dequantize/q3_k", test_q3_k);
  g_test_add_func("/dequantize/iq4_nl", test_iq4_nl);
  g_test_add_func("/dequantize/iq2_xxs", test_iq2_xxs);
  g_test_add_func("/dequantize/write-q8_0", test_write_q8_0);
  g_test_add_func("/dequantize/rows", test_rows);
  g_test_add_data_func("/dequantize/golden-rows/A", "A-v15-tiny", test_golden_rows);
  g_test_add_data_func("/dequantize/golden-rows/C", "C-odd", test_golden_rows);
  return g_test_run();
}
