/* The GGUF container on files that lie, byte by byte. */
#include "base/limits.h"
#include "checkpoint/gguf-file.h"
#include "checkpoint/gguf-header.h"

#include "model/checkpoint-fixture.h"
#include "shared.h"

typedef struct {
  ModelMapping *mapping;
  ModelGguf gguf;
  ModelError err;
} Read;

static gboolean
read_bytes(const char *folder, const ModelBytes *bytes, gsize n, Read *read)
{
  g_autofree char *path = g_build_filename(folder, "f.gguf", NULL);

  memset(read, 0, sizeof *read);
  write_file(folder, "f.gguf", bytes->data, n);
  return model_mapping_open(path, &read->mapping, &read->err) &&
         model_gguf_parse(read->mapping, &read->gguf, &read->err);
}

static void
read_clear(Read *read)
{
  model_gguf_clear(&read->gguf);
  model_mapping_free(read->mapping);
}

/* ---- writing pieces ----------------------------------------------------------------------- */

static void
put_start(ModelBytes *b, guint32 version, guint64 n_tensors, guint64 n_keys)
{
  model_bytes_put(b, "GGUF", 4);
  model_bytes_u32(b, version);
  model_bytes_u64(b, n_tensors);
  model_bytes_u64(b, n_keys);
}

static void
put_text(ModelBytes *b, const char *text)
{
  model_bytes_string(b, text, strlen(text));
}

static void
put_key(ModelBytes *b, const char *name, guint32 type)
{
  put_text(b, name);
  model_bytes_u32(b, type);
}

static void
put_tensor(ModelBytes *b, const char *name, guint32 n_dims, guint64 a, guint64 c, guint32 type,
           guint64 offset)
{
  put_text(b, name);
  model_bytes_u32(b, n_dims);
  for (guint i = 0; i < n_dims && i < 8; i++)
    model_bytes_u64(b, i == 0 ? a : i == 1 ? c : 1);
  model_bytes_u32(b, type);
  model_bytes_u64(b, offset);
}

static void
put_data(ModelBytes *b, gsize n)
{
  guint8 zero = 0;

  while (b->n % 32)
    model_bytes_put(b, &zero, 1);
  for (gsize i = 0; i < n; i++)
    model_bytes_put(b, &zero, 1);
}

/* ---- a good file -------------------------------------------------------------------------- */

static void
build_good(ModelBytes *b, guint32 version)
{
  static const guint8 eight[8] = {0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  double wide = 0.5;
  float narrow = 1e-5f;
  guint8 yes = 1;

  put_start(b, version, 2, 16);
  for (guint type = MODEL_GGUF_U8; type <= MODEL_GGUF_F64; type++) {
    g_autofree char *name = g_strdup_printf("n%u", type);
    static const guint8 sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (!sizes[type])
      continue;
    put_key(b, name, type);
    model_bytes_put(b,
                    type == MODEL_GGUF_F64    ? (const void *)&wide
                    : type == MODEL_GGUF_F32  ? (const void *)&narrow
                    : type == MODEL_GGUF_BOOL ? (const void *)&yes
                                              : eight,
                    sizes[type]);
  }
  put_key(b, "text", MODEL_GGUF_STRING);
  put_text(b, "hello");
  put_key(b, "words", MODEL_GGUF_ARRAY);
  model_bytes_u32(b, MODEL_GGUF_STRING);
  model_bytes_u64(b, 2);
  put_text(b, "a");
  put_text(b, "");
  put_key(b, "floats", MODEL_GGUF_ARRAY);
  model_bytes_u32(b, MODEL_GGUF_F32);
  model_bytes_u64(b, 1);
  model_bytes_put(b, &narrow, 4);
  put_key(b, "empty", MODEL_GGUF_ARRAY);
  model_bytes_u32(b, MODEL_GGUF_I32);
  model_bytes_u64(b, 0);
  put_key(b, "general.alignment", MODEL_GGUF_U32);
  model_bytes_u32(b, 32);
  put_tensor(b, "rows", 2, 32, 3, MODEL_TYPE_Q8_0, 0);
  put_tensor(b, "vector", 1, 3, 0, MODEL_TYPE_F32, 128);
  put_data(b, 128 + 12);
}

static void
test_good(gconstpointer data)
{
  g_autofree char *folder = new_folder();
  ModelBytes b = {0};
  Read r;
  const ModelTableEntry *rows;
  const uint8_t *at;
  uint64_t length = 0;
  uint32_t u = 0;
  int64_t i = 0;
  float f = 0;
  bool yes = false;
  const char *text = NULL;

  build_good(&b, (guint32)GPOINTER_TO_UINT(data));
  g_assert_true(read_bytes(folder, &b, b.n, &r));
  rows = model_table_find(&r.gguf.table, "rows");
  g_assert_cmpuint(rows->tensor.n_dims, ==, 2);
  g_assert_cmpuint(rows->tensor.shape[0], ==, 3); /* rows first, unlike the file */
  g_assert_cmpuint(rows->tensor.shape[1], ==, 32);
  g_assert_cmpuint(rows->tensor.n_bytes, ==, 3 * 34);
  g_assert_true(model_table_find(&r.gguf.table, "vector")->tensor.data + 12 ==
                r.mapping->data + r.mapping->size);

  for (guint t = MODEL_GGUF_U8; t <= MODEL_GGUF_F64; t++) {
    g_autofree char *name = g_strdup_printf("n%u", t);
    bool is_u = t == MODEL_GGUF_U8 || t == MODEL_GGUF_U16 || t == MODEL_GGUF_U32;
    bool is_i = is_u || t == MODEL_GGUF_I8 || t == MODEL_GGUF_I16 || t == MODEL_GGUF_I32 ||
                t == MODEL_GGUF_I64;
    if (t == MODEL_GGUF_STRING || t == MODEL_GGUF_ARRAY)
      continue;
    g_assert_cmpint(model_gguf_u32(&r.gguf, name, &u, &r.err), ==, is_u);
    g_assert_cmpint(model_gguf_i64(&r.gguf, name, &i, &r.err), ==, is_i);
    if (is_i)
      g_assert_cmpint(i, ==,
                      t == MODEL_GGUF_U8    ? 0xFE
                      : t == MODEL_GGUF_U16 ? 0xFFFE
                      : t == MODEL_GGUF_U32 ? (gint64)0xFFFFFFFE
                                            : -2);
    g_assert_cmpint(model_gguf_float(&r.gguf, name, &f, &r.err), ==,
                    t == MODEL_GGUF_F32 || t == MODEL_GGUF_F64);
    g_assert_cmpint(model_gguf_bool(&r.gguf, name, &yes, &r.err), ==, t == MODEL_GGUF_BOOL);
    g_assert_false(model_gguf_string(&r.gguf, name, &text, &length, &r.err));
  }
  g_assert_cmpfloat(f, ==, 0.5f);
  g_assert_true(yes);
  g_assert_true(model_gguf_u32(&r.gguf, "absent", &u, &r.err));
  g_assert_true(model_gguf_string_is(&r.gguf, "text", "hello"));
  g_assert_false(model_gguf_string_is(&r.gguf, "text", "hell"));
  g_assert_false(model_gguf_string_is(&r.gguf, "words", "a"));
  at = model_gguf_find(&r.gguf, "words")->value;
  text = model_gguf_item_string(&at, &length);
  g_assert_cmpmem(text, length, "a", 1);
  text = model_gguf_item_string(&at, &length);
  g_assert_cmpuint(length, ==, 0);
  read_clear(&r);
  free(b.data);
  remove_tree(folder);
}

/* Cut anywhere, the file is refused: its last byte belongs to a tensor. */
static void
test_truncated(void)
{
  g_autofree char *folder = new_folder();
  ModelBytes b = {0};

  build_good(&b, 3);
  for (gsize n = 1; n < b.n; n++) {
    Read r;
    g_assert_false(read_bytes(folder, &b, n, &r));
    g_assert_cmpint(r.err.code, ==, n < 4 ? MODEL_ERROR_FORMAT : MODEL_ERROR_CORRUPT);
    read_clear(&r);
  }
  free(b.data);
  remove_tree(folder);
}

static void
test_mutations(void)
{
  g_autofree char *folder = new_folder();
  g_autoptr(GRand) rand = g_rand_new_with_seed(11);
  ModelBytes b = {0};
  guint taken = 0;

  build_good(&b, 3);
  for (guint i = 0; i < test_rounds(4000); i++) {
    ModelBytes copy = {.data = g_memdup2(b.data, b.n), .n = b.n};
    /* Most of the file is header; a byte of a length or an offset goes wild every time. */
    gsize at = i < b.n ? i : (gsize)g_rand_int_range(rand, 0, (gint32)b.n);
    Read r;
    copy.data[at] = (guint8)(i < b.n ? 0xFF : g_rand_int_range(rand, 0, 256));
    if (read_bytes(folder, &copy, copy.n, &r)) {
      taken++;
      for (guint t = 0; t < r.gguf.table.n; t++) {
        const ModelTensor *tensor = &r.gguf.table.entries[t].tensor;
        g_assert_true(tensor->data >= r.mapping->data &&
                      tensor->n_bytes <=
                          r.mapping->size - (guint64)(tensor->data - r.mapping->data));
      }
    } else {
      g_assert_cmpint(r.err.code, !=, MODEL_OK);
    }
    read_clear(&r);
    g_free(copy.data);
  }
  g_assert_cmpuint(taken, >, 100);
  free(b.data);
  remove_tree(folder);
}

/* ---- hand-made lies ----------------------------------------------------------------------- */

static void
magic(ModelBytes *b)
{
  model_bytes_put(b, "GGML\3\0\0\0", 8);
}

static void
version_1(ModelBytes *b)
{
  put_start(b, 1, 0, 0);
}

static void
version_4(ModelBytes *b)
{
  put_start(b, 4, 0, 0);
}

static void
big_endian(ModelBytes *b)
{
  put_start(b, 0x03000000, 0, 0);
}

static void
many_tensors(ModelBytes *b)
{
  put_start(b, 3, G_MAXUINT64, 0);
}

static void
too_many_tensors(ModelBytes *b)
{
  put_start(b, 3, MODEL_MAX_TENSORS + 1, 0);
  put_data(b, 32 * (MODEL_MAX_TENSORS + 2));
}

static void
many_keys(ModelBytes *b)
{
  put_start(b, 3, 0, G_MAXUINT64 / 2);
}

static void
too_many_keys(ModelBytes *b)
{
  put_start(b, 3, 0, MODEL_GGUF_MAX_KEYS + 1);
  put_data(b, 13 * (MODEL_GGUF_MAX_KEYS + 2));
}

static void
long_key(ModelBytes *b)
{
  put_start(b, 3, 0, 1);
  model_bytes_u64(b, G_MAXUINT64);
  put_data(b, 64);
}

static void
wide_key(ModelBytes *b)
{
  g_autofree char *name = g_strnfill(MODEL_MAX_NAME, 'k');

  put_start(b, 3, 0, 1);
  put_key(b, name, MODEL_GGUF_U8);
  put_data(b, 64);
}

static void
double_key(ModelBytes *b)
{
  put_start(b, 3, 0, 2);
  for (int i = 0; i < 2; i++) {
    put_key(b, "key", MODEL_GGUF_U32);
    model_bytes_u32(b, 1);
  }
}

static void
key_type(ModelBytes *b)
{
  put_start(b, 3, 0, 1);
  put_key(b, "key", 13);
  put_data(b, 64);
}

static void
list_type(ModelBytes *b)
{
  put_start(b, 3, 0, 1);
  put_key(b, "key", MODEL_GGUF_ARRAY);
  model_bytes_u32(b, MODEL_GGUF_ARRAY); /* a list of lists: no recursion to be had */
  model_bytes_u64(b, 1);
  put_data(b, 64);
}

static void
long_list(ModelBytes *b)
{
  put_start(b, 3, 0, 1);
  put_key(b, "key", MODEL_GGUF_ARRAY);
  model_bytes_u32(b, MODEL_GGUF_U64);
  model_bytes_u64(b, G_MAXUINT64 / 8 + 2); /* times eight it would wrap to eight */
  put_data(b, 64);
}

static void
long_string_list(ModelBytes *b)
{
  put_start(b, 3, 0, 1);
  put_key(b, "key", MODEL_GGUF_ARRAY);
  model_bytes_u32(b, MODEL_GGUF_STRING);
  model_bytes_u64(b, G_MAXUINT64);
  put_data(b, 64);
}

static void
long_item(ModelBytes *b)
{
  put_start(b, 3, 0, 1);
  put_key(b, "key", MODEL_GGUF_ARRAY);
  model_bytes_u32(b, MODEL_GGUF_STRING);
  model_bytes_u64(b, 1);
  model_bytes_u64(b, G_MAXUINT64 - 4);
  put_data(b, 64);
}

static void
alignment(ModelBytes *b, guint32 value)
{
  put_start(b, 3, 0, 1);
  put_key(b, "general.alignment", MODEL_GGUF_U32);
  model_bytes_u32(b, value);
}

static void
alignment_0(ModelBytes *b)
{
  alignment(b, 0);
}

static void
alignment_24(ModelBytes *b)
{
  alignment(b, 24);
}

static void
alignment_huge(ModelBytes *b)
{
  alignment(b, 1u << 31);
}

static void
alignment_text(ModelBytes *b)
{
  put_start(b, 3, 0, 1);
  put_key(b, "general.alignment", MODEL_GGUF_STRING);
  put_text(b, "32");
}

static void
one_tensor(ModelBytes *b, const char *name, guint32 n_dims, guint64 x, guint64 y, guint32 type,
           guint64 offset)
{
  put_start(b, 3, 1, 0);
  put_tensor(b, name, n_dims, x, y, type, offset);
  put_data(b, 64);
}

static void
no_name(ModelBytes *b)
{
  one_tensor(b, "", 1, 1, 0, 0, 0);
}

static void
zero_in_name(ModelBytes *b)
{
  put_start(b, 3, 1, 0);
  model_bytes_string(b, "a\0b", 3);
  put_data(b, 64);
}

static void
wide_name(ModelBytes *b)
{
  g_autofree char *name = g_strnfill(MODEL_MAX_NAME, 'n');

  one_tensor(b, name, 1, 1, 0, 0, 0);
}

static void
no_dims(ModelBytes *b)
{
  one_tensor(b, "t", 0, 0, 0, 0, 0);
}

static void
five_dims(ModelBytes *b)
{
  one_tensor(b, "t", 5, 1, 1, 0, 0);
}

static void
empty_dim(ModelBytes *b)
{
  one_tensor(b, "t", 2, 4, 0, 0, 0);
}

static void
overflow(ModelBytes *b)
{
  one_tensor(b, "t", 2, (guint64)1 << 33, (guint64)1 << 33, 0, 0);
}

static void
byte_overflow(ModelBytes *b)
{
  one_tensor(b, "t", 2, (guint64)1 << 31, (guint64)1 << 31, 0, 0);
}

static void
type_iq2_xs(ModelBytes *b)
{
  one_tensor(b, "t", 1, 256, 0, 17, 0);
}

static void
type_unknown(ModelBytes *b)
{
  one_tensor(b, "t", 1, 256, 0, 4000000000u, 0);
}

static void
half_block(ModelBytes *b)
{
  one_tensor(b, "t", 2, 33, 1, MODEL_TYPE_Q8_0, 0);
}

static void
block_across_rows(ModelBytes *b)
{
  one_tensor(b, "t", 2, 16, 2, MODEL_TYPE_Q8_0, 0);
}

static void
odd_offset(ModelBytes *b)
{
  one_tensor(b, "t", 1, 1, 0, 0, 8);
}

static void
far_offset(ModelBytes *b)
{
  one_tensor(b, "t", 1, 1, 0, 0, G_MAXUINT64 - 31);
}

static void
past_the_end(ModelBytes *b)
{
  one_tensor(b, "t", 1, 17, 0, 0, 0);
}

static void
no_data(ModelBytes *b)
{
  put_start(b, 3, 1, 0);
  put_tensor(b, "t", 1, 1, 0, 0, 0);
}

static void
two_tensors(ModelBytes *b, const char *second, guint64 offset)
{
  put_start(b, 3, 2, 0);
  put_tensor(b, "t", 1, 9, 0, 0, 0);
  put_tensor(b, second, 1, 1, 0, 0, offset);
  put_data(b, 96);
}

static void
overlap(ModelBytes *b)
{
  two_tensors(b, "u", 32);
}

static void
double_tensor(ModelBytes *b)
{
  two_tensors(b, "t", 64);
}

static void
test_refused(void)
{
  static const struct {
    void (*build)(ModelBytes *b);
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {magic, MODEL_ERROR_FORMAT, "*does not begin with \"GGUF\")"},
      {version_1, MODEL_ERROR_UNSUPPORTED, "*GGUF version 1, expected 2 or 3"},
      {version_4, MODEL_ERROR_NEWER, "*GGUF version 4, expected 2 or 3"},
      {big_endian, MODEL_ERROR_UNSUPPORTED, "*big-endian*"},
      {many_tensors, MODEL_ERROR_CORRUPT,
       "*18446744073709551615 tensors do not fit into the 24 bytes of the file"},
      {too_many_tensors, MODEL_ERROR_TOO_LARGE, "*65537 tensors, at most 65536 are read"},
      {many_keys, MODEL_ERROR_CORRUPT, "*9223372036854775807 keys do not fit*"},
      {too_many_keys, MODEL_ERROR_TOO_LARGE, "*4097 keys, at most 4096 are read"},
      {long_key, MODEL_ERROR_CORRUPT,
       "*byte 32: the name of a key takes 18446744073709551615 bytes, but 64 are left*"},
      {wide_key, MODEL_ERROR_TOO_LARGE, "*a key of 256 bytes, at most 255 are read"},
      {double_key, MODEL_ERROR_CORRUPT, "*key key is there twice"},
      {key_type, MODEL_ERROR_CORRUPT, "*key key has value type 13"},
      {list_type, MODEL_ERROR_CORRUPT, "*key key has value type 9"},
      {long_list, MODEL_ERROR_CORRUPT, "*a list of numbers takes*"},
      {long_string_list, MODEL_ERROR_CORRUPT, "*a string of a list takes 8 bytes*"},
      {long_item, MODEL_ERROR_CORRUPT, "*a string of a list takes 18446744073709551611 bytes*"},
      {alignment_0, MODEL_ERROR_CORRUPT, "*general.alignment is 0, expected a power of two*"},
      {alignment_24, MODEL_ERROR_CORRUPT, "*general.alignment is 24*"},
      {alignment_huge, MODEL_ERROR_CORRUPT, "*general.alignment is 2147483648*"},
      {alignment_text, MODEL_ERROR_CORRUPT,
       "*key general.alignment has value type 8, expected a whole number"},
      {no_name, MODEL_ERROR_CORRUPT, "*a tensor name of 0 bytes*"},
      {zero_in_name, MODEL_ERROR_CORRUPT, "*a tensor name of 3 bytes, expected*without a zero"},
      {wide_name, MODEL_ERROR_CORRUPT, "*a tensor name of 256 bytes*"},
      {no_dims, MODEL_ERROR_CORRUPT, "*tensor t has 0 dimensions, expected 1 to 4"},
      {five_dims, MODEL_ERROR_CORRUPT, "*tensor t has 5 dimensions, expected 1 to 4"},
      {empty_dim, MODEL_ERROR_CORRUPT, "*tensor t: dimension 1 is 0, which makes the tensor*"},
      {overflow, MODEL_ERROR_CORRUPT, "*tensor t: dimension 1 is 8589934592*overflows"},
      {byte_overflow, MODEL_ERROR_CORRUPT, "*tensor t*"},
      {type_iq2_xs, MODEL_ERROR_UNSUPPORTED, "*tensor t has type 17 (IQ2_XS), which is not read"},
      {type_unknown, MODEL_ERROR_UNSUPPORTED, "*tensor t has type 4000000000 (unknown)*"},
      {half_block, MODEL_ERROR_CORRUPT, "*rows of 33 values are not whole blocks of Q8_0"},
      {block_across_rows, MODEL_ERROR_CORRUPT, "*rows of 16 values are not whole blocks*"},
      {odd_offset, MODEL_ERROR_CORRUPT, "*offset 8 is not a multiple of the alignment 32"},
      {far_offset, MODEL_ERROR_CORRUPT, "*4 bytes at offset 18446744073709551584, but*"},
      {past_the_end, MODEL_ERROR_CORRUPT, "*68 bytes at offset 0, but the file has 64 bytes*"},
      {no_data, MODEL_ERROR_CORRUPT, "*4 bytes at offset 0, but the file has 0 bytes of data"},
      {overlap, MODEL_ERROR_CORRUPT, "*tensors t and u share bytes*"},
      {double_tensor, MODEL_ERROR_CORRUPT, "*tensor t is there twice*"},
  };
  g_autofree char *folder = new_folder();

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    ModelBytes b = {0};
    Read r;
    g_test_message("%s", cases[i].pattern);
    cases[i].build(&b);
    g_assert_false(read_bytes(folder, &b, b.n, &r));
    assert_message(&r.err, cases[i].code, cases[i].pattern);
    read_clear(&r);
    free(b.data);
  }
  remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/gguf/good/version-2", GUINT_TO_POINTER(2), test_good);
  g_test_add_data_func("/gguf/good/version-3", GUINT_TO_POINTER(3), test_good);
  g_test_add_func("/gguf/truncated", test_truncated);
  g_test_add_func("/gguf/mutations", test_mutations);
  g_test_add_func("/gguf/refused", test_refused);
  return g_test_run();
}
