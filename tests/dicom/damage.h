/* damage.h - code streams with random damage, drawn from a fixed seed. */
#ifndef HILUM_TESTS_DICOM_DAMAGE_H
#define HILUM_TESTS_DICOM_DAMAGE_H

#include "codec-job.h"
#include "shared.h"

static inline DicomCodecJob
job_of(guint columns, guint rows, guint samples, guint bits)
{
  DicomCodecJob job = {.columns = columns,
                       .rows = rows,
                       .samples = samples,
                       .bits_allocated = bits,
                       .bits_stored = bits};

  return job;
}

/* Where FF MARKER is first. */
static inline guint
find(const GByteArray *bytes, guint marker)
{
  for (guint i = 0; i + 1 < bytes->len; i++) {
    if (bytes->data[i] == 0xff && bytes->data[i + 1] == marker) {
      return i;
    }
  }
  g_assert_not_reached();
}

static inline void
expect_refusal(DicomCodec codec, DicomCodecJob job, const guint8 *data, gsize n, const char *why)
{
  g_auto(Job) j = {.job = job};
  const char *wrong = job_run(&j, codec, data, n);

  if (!wrong || !strstr(wrong, why)) {
    g_error("\"%s\" says nothing of \"%s\"", wrong ? wrong : "(shown)", why);
  }
}

/* A copy with one to four injuries: bits turned, bytes replaced, cut out or the end cut off; half
 * of the copies are hurt near the beginning, where the headers are. */
static inline GByteArray *
damage_copy(GRand *draw, const GByteArray *whole)
{
  GByteArray *copy = g_byte_array_new();
  const guint injuries = (guint)g_rand_int_range(draw, 1, 5);
  const gboolean near = g_rand_boolean(draw);

  g_byte_array_append(copy, whole->data, whole->len);
  for (guint i = 0; i < injuries && copy->len > 8; i++) {
    const guint at =
        (guint)g_rand_int_range(draw, 0, (gint32)MIN(copy->len, near ? 160 : 1u << 30));

    switch (g_rand_int_range(draw, 0, 12)) {
    case 0:
      g_byte_array_remove_range(copy, at, MIN(copy->len - at, 3));
      break;
    case 1:
      g_byte_array_set_size(copy, at + 1);
      break;
    case 2:
    case 3:
      copy->data[at] = 0xff;
      break;
    case 4:
    case 5:
      copy->data[at] = (guint8)g_rand_int(draw);
      break;
    default:
      copy->data[at] ^= (guint8)(1 << g_rand_int_range(draw, 0, 8));
    }
  }
  return copy;
}

/* Decodes damaged copies of WHOLE with jobs like PROTOTYPE: job_run() sees to it that nothing is
 * written behind the picture, the sanitizer to the rest. Both outcomes must occur, else the damage
 * tests nothing. */
static inline void
damage_run(DicomCodec codec, const DicomCodecJob *prototype, const GByteArray *whole, guint sample)
{
  g_autoptr(GRand) draw = g_rand_new_with_seed(1895);
  const guint rounds = test_rounds(sample);
  guint refused = 0;

  for (guint i = 0; i < rounds; i++) {
    g_autoptr(GByteArray) copy = damage_copy(draw, whole);
    g_auto(Job) j = {.job = *prototype};
    const char *wrong = job_run(&j, codec, copy->data, copy->len);

    g_assert_true(!wrong || *wrong);
    refused += wrong != NULL;
  }
  g_test_message("%u of %u damaged copies refused", refused, rounds);
  g_assert_cmpuint(refused, >, 0);
  g_assert_cmpuint(refused, <, rounds);
}

/* How many of the streams with one bit of [FIRST, END) turned are refused. */
static inline void
damage_bits(DicomCodec codec, const DicomCodecJob *prototype, const GByteArray *whole, guint first,
            guint end, guint *refused, guint *tried)
{
  *refused = *tried = 0;
  for (guint at = first; at < end; at++) {
    for (guint bit = at % 3; bit < 8; bit += 3) {
      g_autofree guint8 *copy = g_memdup2(whole->data, whole->len);
      g_auto(Job) j = {.job = *prototype};

      copy[at] ^= (guint8)(1u << bit);
      *refused += job_run(&j, codec, copy, whole->len) != NULL;
      ++*tried;
    }
  }
}

#endif
