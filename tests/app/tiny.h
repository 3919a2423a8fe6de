/* tiny.h - small DICOM files and a small random model, made by the tests themselves. */
#ifndef HILUM_TESTS_TINY_H
#define HILUM_TESTS_TINY_H

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "train.h"

/* ---- DICOM: Part 10, explicit little endian, 16-bit grey ------------------------------------ */

typedef struct {
  guint rows, columns, frames; /* frames 0: NumberOfFrames is absent */
  const char *uid;             /* SOP Instance UID */
  int instance;
  double z;
  const char *window; /* "C\\W" or NULL */
  const char *patient_name, *study_description, *series_description, *image_comments;
  /* NULL: the same for all. */
  const char *patient_id, *study_uid, *series_uid, *study_date, *body_part, *view_position;
  const char *burned_in, *class_uid;
  /* NULL: "CT", axial, at 0, 0, Z, in no frame of reference. */
  const char *modality, *orientation, *position, *frame_of_reference, *image_type;
} TinyDicom;

static inline guint16
tiny_value(guint x, guint y, guint frame)
{
  return (guint16)((x * 7 + y * 13 + frame * 101) % 1000);
}

static inline void
tiny_u16(GByteArray *to, guint value)
{
  const guint8 bytes[2] = {(guint8)value, (guint8)(value >> 8)};
  g_byte_array_append(to, bytes, 2);
}

static inline void
tiny_element(GByteArray *to, guint group, guint element, const char *vr, const void *bytes,
             gsize length)
{
  gboolean wide = strcmp(vr, "OB") == 0 || strcmp(vr, "OW") == 0;
  gsize padded = length + (length & 1);
  const guint8 pad = strcmp(vr, "UI") == 0 || wide ? 0 : ' ';

  tiny_u16(to, group);
  tiny_u16(to, element);
  g_byte_array_append(to, (const guint8 *)vr, 2);
  if (wide) {
    tiny_u16(to, 0);
    tiny_u16(to, (guint)(padded & 0xffff));
    tiny_u16(to, (guint)(padded >> 16));
  } else {
    tiny_u16(to, (guint)padded);
  }
  g_byte_array_append(to, bytes, (guint)length);
  if (length & 1) {
    g_byte_array_append(to, &pad, 1);
  }
}

static inline void
tiny_text(GByteArray *to, guint group, guint element, const char *vr, const char *text)
{
  if (text) {
    tiny_element(to, group, element, vr, text, strlen(text));
  }
}

static inline void
tiny_us(GByteArray *to, guint group, guint element, guint value)
{
  const guint8 bytes[2] = {(guint8)value, (guint8)(value >> 8)};
  tiny_element(to, group, element, "US", bytes, 2);
}

static inline void
tiny_dicom_pixels(GByteArray *to, const TinyDicom *d)
{
  g_autoptr(GByteArray) pixels = g_byte_array_new();

  for (guint f = 0; f < MAX(d->frames, 1); f++) {
    for (guint y = 0; y < d->rows; y++) {
      for (guint x = 0; x < d->columns; x++) {
        tiny_u16(pixels, tiny_value(x, y, f));
      }
    }
  }
  tiny_element(to, 0x7fe0, 0x0010, "OW", pixels->data, pixels->len);
}

static inline void
tiny_dicom_write(const char *path, const TinyDicom *d)
{
  const char *class_uid = d->class_uid ? d->class_uid : "1.2.840.10008.5.1.4.1.1.2"; /* CT */
  g_autoptr(GByteArray) meta = g_byte_array_new(), set = g_byte_array_new();
  g_autoptr(GByteArray) file = g_byte_array_new();
  g_autofree char *instance = g_strdup_printf("%d", d->instance);
  g_autofree char *position = g_strdup_printf("0\\0\\%g", d->z);
  g_autofree char *frames = d->frames ? g_strdup_printf("%u", d->frames) : NULL;
  const guint8 preamble[128] = {0};
  guint8 group_length[4];
  g_autoptr(GError) error = NULL;

  tiny_element(meta, 2, 1, "OB", "\0\1", 2);
  tiny_text(meta, 2, 2, "UI", class_uid);
  tiny_text(meta, 2, 3, "UI", d->uid);
  tiny_text(meta, 2, 0x10, "UI", "1.2.840.10008.1.2.1");
  tiny_text(meta, 2, 0x12, "UI", "1.2.3.4");

  tiny_text(set, 0x08, 0x0008, "CS", d->image_type);
  tiny_text(set, 0x08, 0x0016, "UI", class_uid);
  tiny_text(set, 0x08, 0x0018, "UI", d->uid);
  tiny_text(set, 0x08, 0x0020, "DA", d->study_date);
  tiny_text(set, 0x08, 0x0060, "CS", d->modality ? d->modality : "CT");
  tiny_text(set, 0x08, 0x1030, "LO", d->study_description);
  tiny_text(set, 0x08, 0x103e, "LO", d->series_description);
  tiny_text(set, 0x10, 0x0010, "PN", d->patient_name);
  tiny_text(set, 0x10, 0x0020, "LO", d->patient_id ? d->patient_id : "ID-77");
  tiny_text(set, 0x18, 0x0015, "CS", d->body_part);
  tiny_text(set, 0x18, 0x5101, "CS", d->view_position);
  tiny_text(set, 0x20, 0x000d, "UI", d->study_uid ? d->study_uid : "1.2.3.100");
  tiny_text(set, 0x20, 0x000e, "UI", d->series_uid ? d->series_uid : "1.2.3.200");
  tiny_text(set, 0x20, 0x0013, "IS", instance);
  tiny_text(set, 0x20, 0x0032, "DS", d->position ? d->position : position);
  tiny_text(set, 0x20, 0x0037, "DS", d->orientation ? d->orientation : "1\\0\\0\\0\\1\\0");
  tiny_text(set, 0x20, 0x0052, "UI", d->frame_of_reference);
  tiny_text(set, 0x20, 0x4000, "LT", d->image_comments);
  tiny_us(set, 0x28, 0x0002, 1);
  tiny_text(set, 0x28, 0x0004, "CS", "MONOCHROME2");
  tiny_text(set, 0x28, 0x0008, "IS", frames);
  tiny_us(set, 0x28, 0x0010, d->rows);
  tiny_us(set, 0x28, 0x0011, d->columns);
  tiny_text(set, 0x28, 0x0030, "DS", "0.5\\0.5");
  tiny_us(set, 0x28, 0x0100, 16);
  tiny_us(set, 0x28, 0x0101, 16);
  tiny_us(set, 0x28, 0x0102, 15);
  tiny_us(set, 0x28, 0x0103, 0);
  tiny_text(set, 0x28, 0x0301, "CS", d->burned_in);
  if (d->window) {
    g_auto(GStrv) parts = g_strsplit(d->window, "\\", 2);
    tiny_text(set, 0x28, 0x1050, "DS", parts[0]);
    tiny_text(set, 0x28, 0x1051, "DS", parts[1]);
  }
  tiny_text(set, 0x28, 0x1052, "DS", "-100");
  tiny_text(set, 0x28, 0x1053, "DS", "1");
  tiny_dicom_pixels(set, d);

  g_byte_array_append(file, preamble, sizeof preamble);
  g_byte_array_append(file, (const guint8 *)"DICM", 4);
  for (int i = 0; i < 4; i++) {
    group_length[i] = (guint8)(meta->len >> (8 * i));
  }
  tiny_element(file, 2, 0, "UL", group_length, 4);
  g_byte_array_append(file, meta->data, meta->len);
  g_byte_array_append(file, set->data, set->len);
  g_file_set_contents(path, (const char *)file->data, (gssize)file->len, &error);
  g_assert_no_error(error);
}

/* ---- a SentencePiece model: specials, bytes, single characters ------------------------------ */

static inline void
tiny_varint(GByteArray *to, guint64 value)
{
  do {
    guint8 byte = (guint8)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
    g_byte_array_append(to, &byte, 1);
    value >>= 7;
  } while (value > 0);
}

static inline void
tiny_field_bytes(GByteArray *to, guint field, const void *bytes, gsize length)
{
  tiny_varint(to, field << 3 | 2);
  tiny_varint(to, length);
  g_byte_array_append(to, bytes, (guint)length);
}

static inline void
tiny_field_int(GByteArray *to, guint field, guint64 value)
{
  tiny_varint(to, field << 3);
  tiny_varint(to, value);
}

static inline void
tiny_piece(GByteArray *model, const char *text, float score, guint type)
{
  g_autoptr(GByteArray) piece = g_byte_array_new();
  guint32 bits;
  guint8 bytes[4];

  memcpy(&bits, &score, 4);
  for (int i = 0; i < 4; i++) {
    bytes[i] = (guint8)(bits >> (8 * i));
  }
  tiny_field_bytes(piece, 1, text, strlen(text));
  tiny_varint(piece, 2 << 3 | 5);
  g_byte_array_append(piece, bytes, 4);
  tiny_field_int(piece, 3, type);
  tiny_field_bytes(model, 1, piece->data, piece->len);
}

static inline void
tiny_tokenizer_write(const char *path)
{
  static const char alphabet[] = "etaoinshrdlcumwfgypbvkjxqzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 ".,?!:;-/()[]'\"<>_#%&*+=";
  g_autoptr(GByteArray) model = g_byte_array_new();
  g_autoptr(GByteArray) trainer = g_byte_array_new(), normalizer = g_byte_array_new();
  g_autoptr(GError) error = NULL;
  float score = 0;

  tiny_piece(model, "<unk>", 0, 2);
  tiny_piece(model, "<s>", 0, 3);
  tiny_piece(model, "</s>", 0, 3);
  for (int i = 0; i < 256; i++) {
    char name[8];
    g_snprintf(name, sizeof name, "<0x%02X>", i);
    tiny_piece(model, name, 0, 6);
  }
  tiny_piece(model, "\xe2\x96\x81", --score, 1); /* U+2581 */
  for (const char *c = alphabet; *c; c++) {
    const char text[2] = {*c, '\0'};
    tiny_piece(model, text, --score, 1);
  }
  tiny_field_int(trainer, 3, 2);  /* BPE */
  tiny_field_int(trainer, 35, 1); /* byte fallback */
  tiny_field_int(trainer, 40, 0);
  tiny_field_int(trainer, 41, 1);
  tiny_field_int(trainer, 42, 2);
  tiny_field_bytes(model, 2, trainer->data, trainer->len);
  tiny_field_bytes(normalizer, 1, "identity", 8);
  tiny_field_int(normalizer, 3, 1); /* dummy prefix */
  tiny_field_int(normalizer, 4, 0); /* extra white space stays */
  tiny_field_int(normalizer, 5, 1);
  tiny_field_bytes(model, 3, normalizer->data, normalizer->len);
  g_file_set_contents(path, (const char *)model->data, (gssize)model->len, &error);
  g_assert_no_error(error);
}

/* ---- a model with random weights ------------------------------------------------------------ */

static inline void
tiny_model_write(const char *folder, const char *path)
{
  g_autofree char *tokenizer = g_build_filename(folder, "tiny-tokenizer.model", NULL);
  const TrainShape shape = {.image_size = 28,
                            .patch_size = 14,
                            .vision_hidden = 32,
                            .vision_blocks = 3,
                            .vision_heads = 2,
                            .vision_ffn = 64,
                            .hidden = 64,
                            .layers = 2,
                            .heads = 4,
                            .kv_heads = 2,
                            .ffn = 128,
                            .context = 1024,
                            .theta = 10000,
                            .projector = "mlp2x_gelu",
                            .template_name = "mistral_instruct",
                            .name = "tiny",
                            .seed = 7};
  ModelError failure = {0};

  tiny_tokenizer_write(tokenizer);
  if (!train_model_init(&shape, tokenizer, path, &failure)) {
    g_error("the tiny model could not be made: %s", failure.message);
  }
}

/* ---- folders ------------------------------------------------------------------------------- */

static inline char *
tiny_folder_new(void)
{
  g_autoptr(GError) error = NULL;
  char *folder = g_dir_make_tmp("hilum-test-XXXXXX", &error);

  g_assert_no_error(error);
  return folder;
}

/* Removes FOLDER and all that is in it; a link is removed, not followed. */
static inline void
tiny_folder_remove(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
      tiny_folder_remove(path);
    } else {
      g_remove(path);
    }
  }
  g_rmdir(folder);
}

/* The same, and frees the name. */
static inline void
tiny_folder_free(char *folder)
{
  tiny_folder_remove(folder);
  g_free(folder);
}

#endif
