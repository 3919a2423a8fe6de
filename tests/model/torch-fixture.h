/* torch-fixture.h - files as torch.save() writes them: a stored zip with data.pkl and the bytes of
 * storages. */
#ifndef HILUM_TESTS_MODEL_TORCH_FIXTURE_H
#define HILUM_TESTS_MODEL_TORCH_FIXTURE_H

#include <glib.h>
#include <string.h>

#include "checkpoint/table.h"

#include "model/checkpoint-fixture.h"

/* ---- a zip archive ------------------------------------------------------------------------ */

typedef struct {
  GByteArray *bytes, *central;
  guint n;
  gboolean zip64; /* sizes and places in the 64-bit extension, as beyond 4 GiB */
} TorchZip;

static inline void
torch_number(GByteArray *bytes, guint64 value, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint8 byte = i < 8 ? (guint8)(value >> 8 * i) : 0;
    g_byte_array_append(bytes, &byte, 1);
  }
}

static inline void
torch_zip_init(TorchZip *zip, gboolean zip64)
{
  *zip = (TorchZip){g_byte_array_new(), g_byte_array_new(), 0, zip64};
}

static inline void
torch_zip_add(TorchZip *zip, const char *name, const void *data, gsize n)
{
  const guint64 offset = zip->bytes->len, n_name = strlen(name);
  const guint64 padding = 63 - (offset + 30 + n_name + 4 + 63) % 64; /* data on 64 bytes */
  GByteArray *c = zip->central;

  torch_number(zip->bytes, 0x04034b50, 4);
  torch_number(zip->bytes, 0, 22);
  torch_number(zip->bytes, n_name, 2);
  torch_number(zip->bytes, 4 + padding, 2);
  g_byte_array_append(zip->bytes, (const guint8 *)name, (guint)n_name);
  torch_number(zip->bytes, 0x4246, 2); /* "FB", PyTorch's padding */
  torch_number(zip->bytes, padding, 2);
  for (guint i = 0; i < padding; i++)
    g_byte_array_append(zip->bytes, (const guint8 *)"Z", 1);
  g_byte_array_append(zip->bytes, data, (guint)n);
  torch_number(c, 0x02014b50, 4);
  torch_number(c, 0, 6);  /* versions and flags */
  torch_number(c, 0, 10); /* stored; time, date, checksum */
  torch_number(c, zip->zip64 ? G_MAXUINT32 : n, 4);
  torch_number(c, zip->zip64 ? G_MAXUINT32 : n, 4);
  torch_number(c, n_name, 2);
  torch_number(c, zip->zip64 ? 28 : 0, 2);
  torch_number(c, 0, 10);
  torch_number(c, zip->zip64 ? G_MAXUINT32 : offset, 4);
  g_byte_array_append(c, (const guint8 *)name, (guint)n_name);
  if (zip->zip64) {
    torch_number(c, 1, 2);
    torch_number(c, 24, 2);
    torch_number(c, n, 8);
    torch_number(c, n, 8);
    torch_number(c, offset, 8);
  }
  zip->n++;
}

static inline GByteArray *
torch_zip_end(TorchZip *zip)
{
  const guint64 at = zip->bytes->len, length = zip->central->len, end64 = at + length;

  g_byte_array_append(zip->bytes, zip->central->data, zip->central->len);
  g_byte_array_unref(zip->central);
  if (zip->zip64) {
    torch_number(zip->bytes, 0x06064b50, 4);
    torch_number(zip->bytes, 44, 8);
    torch_number(zip->bytes, 0, 12);
    torch_number(zip->bytes, zip->n, 8);
    torch_number(zip->bytes, zip->n, 8);
    torch_number(zip->bytes, length, 8);
    torch_number(zip->bytes, at, 8);
    torch_number(zip->bytes, 0x07064b50, 4);
    torch_number(zip->bytes, 0, 4);
    torch_number(zip->bytes, end64, 8);
    torch_number(zip->bytes, 1, 4);
  }
  torch_number(zip->bytes, 0x06054b50, 4);
  torch_number(zip->bytes, 0, 4);
  torch_number(zip->bytes, zip->zip64 ? G_MAXUINT16 : zip->n, 2);
  torch_number(zip->bytes, zip->zip64 ? G_MAXUINT16 : zip->n, 2);
  torch_number(zip->bytes, zip->zip64 ? G_MAXUINT32 : length, 4);
  torch_number(zip->bytes, zip->zip64 ? G_MAXUINT32 : at, 4);
  torch_number(zip->bytes, 0, 2);
  return zip->bytes;
}

/* ---- a pickle ----------------------------------------------------------------------------- */

static inline void
torch_op(GByteArray *p, const char *bytes)
{
  g_byte_array_append(p, (const guint8 *)bytes, (guint)strlen(bytes));
}

static inline void
torch_text(GByteArray *p, const char *text)
{
  torch_op(p, "X");
  torch_number(p, strlen(text), 4);
  torch_op(p, text);
}

static inline void
torch_int(GByteArray *p, guint64 value)
{
  if (value < 256) {
    torch_op(p, "K");
    torch_number(p, value, 1);
  } else {
    torch_op(p, "J");
    torch_number(p, value, 4);
  }
}

/* DIMS end with 0. KEY's storage holds N values of CLASS ("FloatStorage"). */
static inline void
torch_tensor(GByteArray *p, const char *class, const char *key, guint n, guint offset,
             const guint *dims, gboolean parameter)
{
  guint n_dims = 0;

  if (parameter)
    torch_op(p, "ctorch._utils\n_rebuild_parameter\n(");
  torch_op(p, "ctorch._utils\n_rebuild_tensor_v2\n((");
  torch_text(p, "storage");
  torch_op(p, "ctorch\n");
  torch_op(p, class);
  torch_op(p, "\n");
  torch_text(p, key);
  torch_text(p, "cpu");
  torch_int(p, n);
  torch_op(p, "tQ");
  torch_int(p, offset);
  torch_op(p, "(");
  while (dims[n_dims])
    torch_int(p, dims[n_dims++]);
  torch_op(p, "t(");
  for (guint i = 0; i < n_dims; i++) {
    guint stride = 1;
    for (guint k = i + 1; k < n_dims; k++)
      stride *= dims[k];
    torch_int(p, stride);
  }
  torch_op(p, "t\x89"
              "ccollections\nOrderedDict\n)RtR");
  if (parameter)
    torch_op(p, "\x89"
                "ccollections\nOrderedDict\n)RtR");
}

typedef struct {
  GByteArray *pickle;
  GPtrArray *storages; /* GBytes; the pickle comes first in the file */
  gboolean zip64;
} TorchFile;

static inline void
torch_file_init(TorchFile *file, gboolean zip64)
{
  file->pickle = g_byte_array_new();
  file->storages = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  file->zip64 = zip64;
  torch_op(file->pickle, "\x80\x02"
                         "ccollections\nOrderedDict\n)Rq");
  torch_number(file->pickle, 0, 1);
  torch_op(file->pickle, "(");
}

/* A tensor of float32, whose bytes lie in the middle of its storage. */
static inline void
torch_file_add(TorchFile *file, const char *name, const guint *dims, const float *values)
{
  g_autofree char *key = g_strdup_printf("%u", file->storages->len);
  float *storage;
  guint n = 1;

  for (guint i = 0; dims[i]; i++)
    n *= dims[i];
  storage = g_new0(float, n + 3);
  memcpy(storage + 2, values, n * sizeof *values);
  torch_text(file->pickle, name);
  torch_tensor(file->pickle, "FloatStorage", key, n + 3, 2, dims, file->storages->len % 2);
  g_ptr_array_add(file->storages, g_bytes_new_take(storage, (n + 3) * sizeof *storage));
}

static inline GByteArray *
torch_file_end(TorchFile *file)
{
  TorchZip zip;

  /* What a module's state_dict() carries beside its entries. */
  torch_op(file->pickle, "u}X");
  torch_number(file->pickle, 9, 4);
  torch_op(file->pickle, "_metadataccollections\nOrderedDict\n)Rsb.");
  torch_zip_init(&zip, file->zip64);
  torch_zip_add(&zip, "archive/data.pkl", file->pickle->data, file->pickle->len);
  torch_zip_add(&zip, "archive/byteorder", "little", 6);
  for (guint i = 0; i < file->storages->len; i++) {
    g_autofree char *path = g_strdup_printf("archive/data/%u", i);
    gsize n;
    const void *data = g_bytes_get_data(file->storages->pdata[i], &n);
    torch_zip_add(&zip, path, data, n);
  }
  torch_zip_add(&zip, "archive/version", "3\n", 2);
  g_byte_array_unref(file->pickle);
  g_ptr_array_unref(file->storages);
  return torch_zip_end(&zip);
}

/* Every tensor of FOLDER/FROM (safetensors of float32) as FOLDER/TO. */
static inline void
torch_from_safetensors(const char *folder, const char *from, const char *to, gboolean zip64)
{
  g_autofree char *path = g_build_filename(folder, from, NULL);
  g_autoptr(GByteArray) bytes = NULL;
  ModelMapping *mapping = NULL;
  ModelTable table = {0};
  TorchFile file;

  g_assert_true(model_mapping_open(path, &mapping, NULL));
  g_assert_true(model_safetensors_read(mapping, &table, NULL));
  torch_file_init(&file, zip64);
  for (guint i = 0; i < table.n; i++) {
    const ModelTensor *t = &table.entries[i].tensor;
    guint dims[5] = {0};
    for (guint d = 0; d < t->n_dims; d++)
      dims[d] = (guint)t->shape[d];
    torch_file_add(&file, t->name, dims, (const float *)t->data);
  }
  bytes = torch_file_end(&file);
  write_file(folder, to, bytes->data, bytes->len);
  model_table_clear(&table);
  model_mapping_free(mapping);
}

#endif
