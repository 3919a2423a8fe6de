/* mutate.h - damage from a fixed seed, for the runs without libFuzzer. */
#ifndef HILUM_TESTS_FUZZ_MUTATE_H
#define HILUM_TESTS_FUZZ_MUTATE_H

#include <glib.h>
#include <string.h>

/* Numbers at the edges of what readers compute with. */
static inline guint64
mutate_number(GRand *draw)
{
  static const guint64 edges[] = {
      0,      1,       2,          0x7f,       0x80,       0xff,       0x7fff,     0x8000,
      0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, G_MAXINT64, G_MAXUINT64};

  return edges[g_rand_int_range(draw, 0, G_N_ELEMENTS(edges))];
}

static inline void
mutate_overwrite(GRand *draw, GByteArray *bytes, guint at)
{
  const guint64 number = mutate_number(draw), swapped = GUINT64_SWAP_LE_BE(number);
  const guint drawn = 1u << g_rand_int_range(draw, 0, 4);
  const guint width = MIN(drawn, bytes->len - at);

  if (g_rand_int_range(draw, 0, 3) == 0) {
    memcpy(bytes->data + at, (const guint8 *)&swapped + 8 - width, width);
  } else {
    memcpy(bytes->data + at, &number, width);
  }
}

/* A run of OTHER put into BYTES at AT. */
static inline void
mutate_insert(GRand *draw, GByteArray *bytes, guint at, GBytes *other)
{
  gsize size;
  const guint8 *from = g_bytes_get_data(other, &size);
  const guint begin = (guint)g_rand_int_range(draw, 0, (gint32)size);
  const guint drawn = (guint)g_rand_int_range(draw, 1, 64);
  const guint run = MIN(drawn, (guint)size - begin), old = bytes->len;

  g_byte_array_set_size(bytes, old + run);
  memmove(bytes->data + at + run, bytes->data + at, old - at);
  memcpy(bytes->data + at, from + begin, run);
}

static inline void
mutate_once(GRand *draw, GByteArray *bytes, GBytes *other)
{
  /* Half of the damage is near the head, where the structure is. */
  const guint reach = g_rand_boolean(draw) ? MIN(bytes->len, 512) : bytes->len;
  const guint at = (guint)g_rand_int_range(draw, 0, (gint32)reach);
  const guint drawn = (guint)g_rand_int_range(draw, 1, 33), run = MIN(drawn, bytes->len - at);

  switch (g_rand_int_range(draw, 0, 10)) {
  case 0:
    g_byte_array_remove_range(bytes, at, run);
    break;
  case 1:
    g_byte_array_set_size(bytes, at + 1);
    break;
  case 2:
    mutate_insert(draw, bytes, at, other);
    break;
  case 3:
    memset(bytes->data + at, g_rand_boolean(draw) ? 0xff : 0, run);
    break;
  case 4:
    bytes->data[at] = (guint8)g_rand_int_range(draw, 0, 256);
    break;
  case 5:
    bytes->data[at] = (guint8)(bytes->data[at] + (g_rand_boolean(draw) ? 1 : 255));
    break;
  case 6:
  case 7:
    mutate_overwrite(draw, bytes, at);
    break;
  default:
    bytes->data[at] ^= (guint8)(1 << g_rand_int_range(draw, 0, 8));
  }
}

/* A damaged copy of one of SEEDS (of GBytes *, none of them empty). */
static inline GByteArray *
mutate(GRand *draw, GPtrArray *seeds)
{
  GBytes *seed = seeds->pdata[g_rand_int_range(draw, 0, (gint32)seeds->len)];
  GByteArray *bytes = g_byte_array_new();
  const guint n = (guint)g_rand_int_range(draw, 1, 6);

  g_byte_array_append(bytes, g_bytes_get_data(seed, NULL), (guint)g_bytes_get_size(seed));
  for (guint i = 0; i < n && bytes->len > 0; i++) {
    mutate_once(draw, bytes, seeds->pdata[g_rand_int_range(draw, 0, (gint32)seeds->len)]);
  }
  return bytes;
}

#endif
