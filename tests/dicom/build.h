/* build.h - small DICOM files for tests, element by element, right or wrong as the test wants. */
#ifndef HILUM_TESTS_DICOM_BUILD_H
#define HILUM_TESTS_DICOM_BUILD_H

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#define TS_IMPLICIT "1.2.840.10008.1.2"
#define TS_EXPLICIT "1.2.840.10008.1.2.1"
#define TS_DEFLATED "1.2.840.10008.1.2.1.99"
#define TS_BIG "1.2.840.10008.1.2.2"
#define TS_RLE "1.2.840.10008.1.2.5"
#define TS_JPEG "1.2.840.10008.1.2.4.50"
#define UNDEFINED 0xffffffffu

typedef struct {
  GByteArray *bytes;
  gboolean implicit, big;
} Build;

static inline void
build_clear(Build *b)
{
  g_clear_pointer(&b->bytes, g_byte_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Build, build_clear)

static inline void
build_u16(Build *b, guint value)
{
  guint8 p[2] = {(guint8)value, (guint8)(value >> 8)};

  if (b->big) {
    p[0] = (guint8)(value >> 8);
    p[1] = (guint8)value;
  }
  g_byte_array_append(b->bytes, p, 2);
}

static inline void
build_u32(Build *b, guint32 value)
{
  build_u16(b, b->big ? value >> 16 : value & 0xffff);
  build_u16(b, b->big ? value & 0xffff : value >> 16);
}

/* The header of an element: VR NULL for items. */
static inline void
build_header(Build *b, guint32 tag, const char *vr, guint32 length)
{
  build_u16(b, tag >> 16);
  build_u16(b, tag & 0xffff);
  if (!b->implicit && vr) {
    g_byte_array_append(b->bytes, (const guint8 *)vr, 2);
    if (strstr("OB OW OF OD OL UN SQ UT", vr)) {
      build_u16(b, 0);
    } else {
      build_u16(b, length);
      return;
    }
  }
  build_u32(b, length);
}

static inline void
build_bytes(Build *b, guint32 tag, const char *vr, const void *data, gsize n)
{
  const guint8 pad = 0;

  build_header(b, tag, vr, (guint32)(n + n % 2));
  g_byte_array_append(b->bytes, data, (guint)n);
  if (n % 2) {
    g_byte_array_append(b->bytes, &pad, 1);
  }
}

static inline void
build_text(Build *b, guint32 tag, const char *vr, const char *text)
{
  g_autofree char *padded = g_strconcat(text, strlen(text) % 2 ? " " : "", NULL);

  build_bytes(b, tag, vr, padded, strlen(padded));
}

static inline void
build_us(Build *b, guint32 tag, guint value)
{
  build_header(b, tag, "US", 2);
  build_u16(b, value);
}

static inline void
build_words(Build *b, guint32 tag, const char *vr, const guint16 *words, gsize n)
{
  build_header(b, tag, vr, (guint32)(2 * n));
  for (gsize i = 0; i < n; i++) {
    build_u16(b, words[i]);
  }
}

static inline void
build_open(Build *b, guint32 tag)
{
  build_header(b, tag, "SQ", UNDEFINED);
}

static inline void
build_item(Build *b, guint32 length)
{
  build_header(b, 0xfffee000, NULL, length);
}

static inline void
build_item_end(Build *b)
{
  build_header(b, 0xfffee00d, NULL, 0);
}

static inline void
build_close(Build *b)
{
  build_header(b, 0xfffee0dd, NULL, 0);
}

/* Preamble and meta information; what follows is in UID's encoding. UID NULL: no meta at all, the
 * encoding being that of the fields. */
static inline void
build_start(Build *b, const char *uid)
{
  guint8 preamble[132] = {0};

  b->bytes = g_byte_array_new();
  if (uid) {
    memcpy(preamble + 128, "DICM", 4);
    g_byte_array_append(b->bytes, preamble, sizeof preamble);
    b->implicit = b->big = FALSE;
    build_bytes(b, 0x00020010, "UI", uid, strlen(uid));
    b->implicit = strcmp(uid, TS_IMPLICIT) == 0;
    b->big = strcmp(uid, TS_BIG) == 0;
  }
}

typedef struct {
  guint rows, columns, frames, samples, bits, stored, high, sign;
  const char *photometric;
  gint planar; /* -1: absent */
} Shape;

static inline void
build_shape(Build *b, const Shape *s)
{
  g_autofree char *frames = g_strdup_printf("%u", s->frames);

  build_us(b, 0x00280002, s->samples);
  build_text(b, 0x00280004, "CS", s->photometric);
  if (s->planar >= 0) {
    build_us(b, 0x00280006, (guint)s->planar);
  }
  if (s->frames > 0) {
    build_text(b, 0x00280008, "IS", frames);
  }
  build_us(b, 0x00280010, s->rows);
  build_us(b, 0x00280011, s->columns);
  build_us(b, 0x00280100, s->bits);
  build_us(b, 0x00280101, s->stored);
  build_us(b, 0x00280102, s->high);
  build_us(b, 0x00280103, s->sign);
}

static inline void
build_ids(Build *b)
{
  build_text(b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7");
  build_text(b, 0x00080018, "UI", "1.2.3.4");
  build_text(b, 0x00080060, "CS", "OT");
}

/* A folder of its own for the test program. */
static inline const char *
build_folder(void)
{
  static char *folder = NULL;

  if (!folder) {
    folder = g_dir_make_tmp("hilum-dicom-XXXXXX", NULL);
    g_assert_nonnull(folder);
  }
  return folder;
}

static inline char *
build_write_bytes(const char *name, const void *bytes, gsize n)
{
  char *path = g_build_filename(build_folder(), name, NULL);

  /* Without the sync, as tests write thousands of these; written so, an old file is not cut. */
  g_unlink(path);
  g_assert_true(
      g_file_set_contents_full(path, bytes, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  return path;
}

static inline char *
build_write(Build *b, const char *name)
{
  return build_write_bytes(name, b->bytes->data, b->bytes->len);
}

/* Empties and removes the folder; one level deep, or deeper. */
static inline void
build_remove(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL);

    if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
      build_remove(path);
    } else {
      g_unlink(path);
    }
  }
  g_rmdir(folder);
}

#endif
