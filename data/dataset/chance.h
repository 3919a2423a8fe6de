/* chance.h - numbers that look random and are the same everywhere: of a seed and a text. Private to
 * data. */
#ifndef HILUM_DATA_DATASET_CHANCE_H
#define HILUM_DATA_DATASET_CHANCE_H

#include <string.h>

#include <glib.h>

#define DATA_CHANCE_STEP G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)

/* SplitMix64's last step: every bit of the result depends on every bit of X. */
static inline guint64
data_chance_mix(guint64 x)
{
  x = (x ^ x >> 30) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
  return x ^ x >> 31;
}

/* TEXT's own number, its bytes read little-endian. */
static inline guint64
data_chance_text(guint64 seed, const char *text, gsize n)
{
  guint64 h = data_chance_mix(seed ^ n);

  for (gsize i = 0; i < n; i += 8) {
    guint8 bytes[8] = {0};
    guint64 word;

    memcpy(bytes, text + i, MIN(8, n - i));
    memcpy(&word, bytes, sizeof word);
    h = data_chance_mix(h ^ GUINT64_FROM_LE(word)) + DATA_CHANCE_STEP;
  }
  return h;
}

/* Of one number another for each END. */
static inline guint64
data_chance_for(guint64 number, guint64 end)
{
  return data_chance_mix(number + end * DATA_CHANCE_STEP);
}

#endif
