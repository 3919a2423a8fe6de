/* The safetensors reader on files that lie. */
#include "base/limits.h"
#include "checkpoint/table.h"

#include "model/checkpoint-fixture.h"

/* LENGTH: what the file says of its header; -1: the truth. */
static char *
write_case(const char *folder, gint64 length, const char *header, gsize n_data)
{
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  guint64 n = length < 0 ? strlen(header) : (guint64)length;
  g_autofree guint8 *data = g_malloc0(n_data + 1);

  g_byte_array_append(bytes, (const guint8 *)&n, 8);
  g_byte_array_append(bytes, (const guint8 *)header, (guint)strlen(header));
  g_byte_array_append(bytes, data, (guint)n_data);
  write_file(folder, "f.safetensors", bytes->data, bytes->len);
  return g_build_filename(folder, "f.safetensors", NULL);
}

static gboolean
read_path(const char *path, ModelTable *table, ModelMapping **mapping, ModelError *err)
{
  *mapping = NULL;
  memset(table, 0, sizeof *table);
  return model_mapping_open(path, mapping, err) && model_safetensors_read(*mapping, table, err) &&
         model_table_seal(table, err);
}

static void
test_whole(void)
{
  g_autofree char *folder = new_folder();
  g_autofree char *path = write_case(
      folder, -1,
      "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"BF16\",\"shape\":[2,3],"
      "\"data_offsets\":[4,16]},\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
      "\"ids\":{\"dtype\":\"I64\",\"shape\":[1,2],\"data_offsets\":[16,32]},"
      "\"five\":{\"dtype\":\"F16\",\"shape\":[1,1,1,1,2],\"data_offsets\":[32,36]},"
      "\"none\":{\"dtype\":\"F16\",\"shape\":[0,4],\"data_offsets\":[36,36]}}   ",
      36);
  ModelMapping *mapping;
  ModelTable table;
  ModelError err = {0};
  const ModelTableEntry *b;

  g_assert_true(read_path(path, &table, &mapping, &err));
  g_assert_cmpuint(table.n, ==, 5);
  b = model_table_find(&table, "b");
  g_assert_cmpint(b->tensor.type, ==, MODEL_TYPE_BF16);
  g_assert_cmpuint(b->tensor.n_dims, ==, 2);
  g_assert_cmpuint(b->tensor.shape[0], ==, 2);
  g_assert_cmpuint(b->tensor.n_bytes, ==, 12);
  g_assert_true(b->tensor.data + 32 == mapping->data + mapping->size);
  g_assert_cmpuint(model_table_find(&table, "a")->tensor.n_dims, ==, 0);
  g_assert_cmpint(model_table_find(&table, "ids")->tensor.type, ==, MODEL_TYPE_NOT_READ);
  g_assert_cmpint(model_table_find(&table, "five")->tensor.type, ==, MODEL_TYPE_NOT_READ);
  g_assert_null(model_table_find(&table, "__metadata__"));
  model_table_clear(&table);
  model_mapping_free(mapping);
  remove_tree(folder);
}

#define T(dtype, shape, offsets)                                                                   \
  "{\"t\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void
test_refused(void)
{
  static const struct {
    gint64 length;
    const char *header;
    gsize n_data;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {1000, "{}", 0, MODEL_ERROR_CORRUPT, "*header length 1000, but the file has 10 bytes"},
      {G_MAXINT64, "{}", 0, MODEL_ERROR_CORRUPT, "*header length 9223372036854775807*"},
      {0, "x", 0, MODEL_ERROR_CORRUPT, "*expected a value, found the end*"},
      {-1, "[]", 0, MODEL_ERROR_CORRUPT, "*the header is a list, expected an object"},
      {-1, "{\"t\":1}", 0, MODEL_ERROR_CORRUPT, "*tensor t has no string \"dtype\""},
      {-1, "{\"t\":{}}", 0, MODEL_ERROR_CORRUPT, "*tensor t has no string \"dtype\""},
      {-1, T("1", "[]", "[0,4]"), 4, MODEL_ERROR_CORRUPT, "*tensor t has no string \"dtype\""},
      {-1, T("\"F31\"", "[1]", "[0,4]"), 4, MODEL_ERROR_UNSUPPORTED,
       "*tensor t: dtype F31 is not known*"},
      {-1, T("\"F32\"", "2", "[0,4]"), 4, MODEL_ERROR_CORRUPT, "*no list \"shape\""},
      {-1, T("\"F32\"", "[-1]", "[0,4]"), 4, MODEL_ERROR_CORRUPT,
       "*tensor t: \"shape\" holds -1, expected whole numbers"},
      {-1, T("\"F32\"", "[1.5]", "[0,4]"), 4, MODEL_ERROR_CORRUPT, "*\"shape\" holds 1.5*"},
      {-1, T("\"F32\"", "[4294967296,4294967296]", "[0,4]"), 4, MODEL_ERROR_CORRUPT,
       "*tensor t: the product of its \"shape\" overflows"},
      {-1, T("\"F32\"", "[4611686018427387904]", "[0,0]"), 4, MODEL_ERROR_CORRUPT,
       "*tensor t: found 0 bytes, expected 4611686018427387904 values of F32"},
      {-1, T("\"F32\"", "[1]", "[4,0]"), 4, MODEL_ERROR_CORRUPT,
       "*tensor t: data_offsets ?4, 0? are not within the 4 bytes of data"},
      {-1, T("\"F32\"", "[1]", "[1,5]"), 4, MODEL_ERROR_CORRUPT, "*are not within the 4 bytes*"},
      {-1, T("\"F32\"", "[1]", "[18446744073709551612,18446744073709551615]"), 4,
       MODEL_ERROR_CORRUPT, "*are not within*"},
      {-1, T("\"F32\"", "[1]", "[0]"), 4, MODEL_ERROR_CORRUPT, "*no \"data_offsets\" of two*"},
      {-1, T("\"F32\"", "[1]", "[0,4,8]"), 8, MODEL_ERROR_CORRUPT, "*\"data_offsets\" of two*"},
      {-1, T("\"F32\"", "[1]", "[0,\"4\"]"), 4, MODEL_ERROR_CORRUPT, "*\"data_offsets\" of two*"},
      {-1, T("\"F32\"", "[2]", "[0,4]"), 4, MODEL_ERROR_CORRUPT,
       "*tensor t: found 4 bytes, expected 2 values of F32"},
      {-1,
       "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
       "\"u\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[2,6]}}",
       8, MODEL_ERROR_CORRUPT, "*tensors t and u share bytes*"},
      {-1,
       "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
       "\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
       8, MODEL_ERROR_CORRUPT, "*tensor t is there twice*"},
  };
  g_autofree char *folder = new_folder();

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = write_case(folder, cases[i].length, cases[i].header, cases[i].n_data);
    ModelMapping *mapping;
    ModelTable table;
    ModelError err = {0};
    g_test_message("%s", cases[i].header);
    g_assert_false(read_path(path, &table, &mapping, &err));
    assert_message(&err, cases[i].code, cases[i].pattern);
    g_assert_true(g_str_has_prefix(err.message, path));
    model_table_clear(&table);
    model_mapping_free(mapping);
  }
  remove_tree(folder);
}

static void
test_long_name(void)
{
  g_autofree char *folder = new_folder();
  g_autofree char *name = g_strnfill(MODEL_MAX_NAME, 'n');
  g_autofree char *header =
      g_strdup_printf("{\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", name);
  g_autofree char *path = write_case(folder, -1, header, 4);
  ModelMapping *mapping;
  ModelTable table;
  ModelError err = {0};

  g_assert_false(read_path(path, &table, &mapping, &err));
  assert_message(&err, MODEL_ERROR_TOO_LARGE, "*a tensor name of 256 bytes*");
  model_table_clear(&table);
  model_mapping_free(mapping);
  remove_tree(folder);
}

static void
test_files(void)
{
  g_autofree char *folder = new_folder();
  g_autofree char *path = g_build_filename(folder, "f.safetensors", NULL);
  ModelMapping *mapping;
  ModelTable table;
  ModelError err = {0};

  g_assert_false(read_path(path, &table, &mapping, &err));
  assert_message(&err, MODEL_ERROR_IO, "*f.safetensors: cannot open: *");
  g_assert_false(read_path(folder, &table, &mapping, &err));
  assert_message(&err, MODEL_ERROR_FORMAT, "*not a regular file");
  write_file(folder, "f.safetensors", "", 0);
  g_assert_false(read_path(path, &table, &mapping, &err));
  assert_message(&err, MODEL_ERROR_CORRUPT, "*f.safetensors: the file is empty");
  write_file(folder, "f.safetensors", "12345678", 8);
  g_assert_false(read_path(path, &table, &mapping, &err));
  assert_message(&err, MODEL_ERROR_FORMAT, "*8 bytes are too few*");
  model_mapping_free(mapping);
  /* A FIFO must not hang the reader. */
  g_remove(path);
  g_assert_cmpint(mkfifo(path, 0600), ==, 0);
  g_assert_false(read_path(path, &table, &mapping, &err));
  assert_message(&err, MODEL_ERROR_FORMAT, "*not a regular file");
  remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/safetensors/whole", test_whole);
  g_test_add_func("/safetensors/refused", test_refused);
  g_test_add_func("/safetensors/long-name", test_long_name);
  g_test_add_func("/safetensors/files", test_files);
  return g_test_run();
}
